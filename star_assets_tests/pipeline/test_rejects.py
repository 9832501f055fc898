"""Rows that are not valid: kept, counted, told; and the days that have too many."""

from __future__ import annotations

from typing import Any

import pytest

from star_assets.model import Marker, Source, Star
from star_assets.model.errors import BrokenFile, TooManyRejects
from star_assets.pipeline.rejects import rejected_rows

DAY, NEXT = "2023-07-01", "2023-07-02"
HEADER = "id,at,price"


def readings(max_rejects: float) -> Star:
    source = Source(
        "readings",
        key="id",
        event_time="at",
        columns={"id": "int64", "at": "timestamp", "price": "decimal(18,4)"},
        whole=Marker(),
        max_rejects=max_rejects,
    )
    return Star([source], [], [])


@pytest.fixture
def tolerant(make_lake):
    """A lake whose source may lose half of its rows."""
    return make_lake(readings(0.5))


def good(count: int, first: int = 100) -> str:
    return "".join(f"{first + number},2023-07-01 10:00:00,1.5\n" for number in range(count))


BAD = {
    "x,2023-07-01,1": "column id: 'x' is not a whole number up to 9,223,372,036,854,775,807",
    "1,2023-07-32,1": "column at: '2023-07-32' is not a timestamp such as 2023-07-01 10:00:00+02",
    "1,2023-07-01,1.23456": "column price: '1.23456' is not a number with up to 4 decimals",
    ",2023-07-01,1": "column id: no value, and the key of readings needs one",
    "1,,1": "column at: no value, and it says when the row happened (event_time)",
    "1,2023-07-01": "expected 3 fields, found 2",
    '1,"2023-07-01"x,1': "text after the closing quote of field 2; double a quote that is text",
}


@pytest.mark.parametrize("raw", BAD)
def test_a_reject_keeps_its_text_file_line_and_reason(tolerant, raw: str) -> None:
    """Whoever has to mend the export must find the row in it."""
    tolerant.write("readings", DAY, {"a.csv": f"{HEADER}\n{good(2)}{raw}\n{good(1, 200)}", "b.csv": f"{HEADER}\n"})
    tolerant.run(DAY)
    assert tolerant.rejects("readings", DAY) == [(f"oltp/readings/date={DAY}/a.csv", 4, BAD[raw], raw)]
    assert tolerant.rows("SELECT id FROM readings ORDER BY id") == [(100,), (101,), (200,)]
    facts = tolerant.manifest("readings", DAY).facts
    assert (facts["rows_in"], facts["rejected"], facts["files"]) == (4, 1, 2)
    assert facts["first_rejects"] == [f"oltp/readings/date={DAY}/a.csv, line 4: {BAD[raw]}"]


def test_bad_json_is_a_reject_too(tolerant) -> None:
    lines = ['{"id": 1, "at": "2023-07-01", "price": 1}', '{"id": 2', '{"id": 3.5, "at": "2023-07-01", "price": 1}']
    tolerant.write("readings", DAY, {"a.jsonl": "\n".join([*lines, lines[0].replace("1", "4", 1)])})
    tolerant.run(DAY)
    found = tolerant.rejects("readings", DAY)
    assert [(line, raw) for _, line, _, raw in found] == [(2, lines[1]), (3, lines[2])]
    assert tolerant.rows("SELECT id FROM readings ORDER BY id") == [(1,), (4,)]


@pytest.mark.parametrize("files", [1, 3])
def test_rows_in_are_rows_staged_and_rows_rejected(tolerant, files: int) -> None:
    """For every file, by a count that knows nothing of the parser."""
    content = f"{HEADER}\n{good(5)}" + "".join(f"{raw}\n" for raw in BAD)[:-1]
    tolerant.write("readings", DAY, {f"{n}.csv": content.replace("\n10", f"\n{n}0") for n in range(files)})
    (outcome,) = tolerant.refresh("readings", DAY)
    rejected = len(BAD) * files
    (accounted,) = (check for check in outcome.checks if check.name == "rows accounted for")
    assert accounted.description == f"{12 * files} rows in, {5 * files} staged and {rejected} rejected"
    assert outcome.passed is (rejected <= 6 * files)


def test_below_the_threshold_the_day_is_published(make_lake) -> None:
    """One bad row in a thousand must not keep a day off the market; exactly so many are allowed."""
    lake = make_lake(readings(0.001))
    lake.write("readings", DAY, {"a.csv": f"{HEADER}\n{good(999)}x,y,z\n"})
    (outcome,) = lake.refresh("readings", DAY)
    assert outcome.status == "published"
    assert [check.description for check in outcome.checks] == [
        "1000 rows in, 999 staged and 1 rejected",
        "1 of 1000 rows rejected, allowed are 0.10%",
    ]


def test_above_the_threshold_the_live_version_stays(make_lake) -> None:
    """A broken export must not replace a good one; what it held is kept for whoever mends it."""
    lake = make_lake(readings(0.001))
    lake.write("readings", DAY, {"a.csv": f"{HEADER}\n{good(3)}"})
    lake.run(DAY)
    before = lake.live()
    lake.write("readings", DAY, {"a.csv": f"{HEADER}\n{good(997)}x,y,z\nu,v,w\n1\n"})
    (outcome,) = lake.refresh("readings", DAY)
    assert isinstance(outcome.error, TooManyRejects)
    error = outcome.error
    assert (error.source, error.day, error.rejected, error.rows, error.allowed) == ("readings", DAY, 3, 1000, 0.001)
    assert "The live version stays" in str(outcome.error)
    assert f"a.csv, line 999: {BAD['x,2023-07-01,1']}" in str(outcome.error)
    kept = error.kept
    assert lake.rows(f"SELECT line, raw FROM '{kept}'") == [(999, "x,y,z"), (1000, "u,v,w"), (1001, "1")]
    assert lake.live() == before
    assert lake.rows("SELECT count(*) FROM readings") == [(3,)]


def test_a_mended_export_has_no_rejects(tolerant) -> None:
    tolerant.write("readings", DAY, {"a.csv": f"{HEADER}\n{good(2)}x,2023-07-01,1\n"})
    tolerant.run(DAY)
    assert len(tolerant.rejects("readings", DAY)) == 1
    tolerant.write("readings", DAY, {"a.csv": f"{HEADER}\n{good(2)}1,2023-07-01,1\n"})
    tolerant.run(DAY)
    assert tolerant.rejects("readings", DAY) == []
    assert tolerant.rows("SELECT count(*) FROM readings") == [(3,)]


def told(lake, *days: str) -> list[tuple[Any, ...]]:
    """(day, line, raw, staged) of what a reader of the rejects is told."""
    source = lake.star.sources["readings"]
    found = rejected_rows(lake.warehouse, [source], lambda day: not days or day in days).to_pylist()
    return [(row["day"], row["line"], row["raw"], row["staged"]) for row in found]


def test_rejects_are_told_of_what_is_live_and_of_what_was_refused(tolerant) -> None:
    """Whoever mends exports needs all of today's, and none of those that were mended."""
    tolerant.write(
        "readings", DAY, {"a.csv": f"{HEADER}\n{good(2)}x,2023-07-01,1\n", "b.csv": f"{HEADER}\n1,,\n{good(1)}"}
    )
    tolerant.write("readings", NEXT, {"a.csv": f"{HEADER}\n{good(1)}"})
    tolerant.refresh("readings", DAY, NEXT)
    assert told(tolerant) == [(DAY, 4, "x,2023-07-01,1", True), (DAY, 2, "1,,", True)]
    tolerant.write("readings", NEXT, {"a.csv": f"{HEADER}\nu\nv\n{good(1)}"})
    assert [outcome.status for outcome in tolerant.refresh("readings", DAY, NEXT)] == ["unchanged", "failed"]
    assert told(tolerant, NEXT) == [(NEXT, 2, "u", False), (NEXT, 3, "v", False)]
    assert len(told(tolerant)) == 4
    tolerant.write("readings", DAY, {"a.csv": f"{HEADER}\n{good(2)}"})
    tolerant.write("readings", NEXT, {"a.csv": f"{HEADER}\n{good(2)}"})
    tolerant.run(DAY, NEXT)
    assert told(tolerant) == []


def test_an_export_that_is_put_back_leaves_no_refusal_behind(tolerant) -> None:
    """Nothing is staged again, because it is as it was; what was refused is no export any more."""
    files = {"a.csv": f"{HEADER}\n{good(2)}x,2023-07-01,1\n"}
    tolerant.write("readings", DAY, files)
    tolerant.run(DAY)
    tolerant.write("readings", DAY, {"a.csv": f"{HEADER}\nu\n"})
    assert tolerant.statuses("readings", DAY) == ["failed"]
    assert told(tolerant) == [(DAY, 4, "x,2023-07-01,1", True), (DAY, 2, "u", False)]
    tolerant.write("readings", DAY, files)
    assert tolerant.statuses("readings", DAY) == ["unchanged"]
    assert told(tolerant) == [(DAY, 4, "x,2023-07-01,1", True)]


def test_of_refused_versions_the_newest_is_told(tolerant) -> None:
    for raw in ("u", "v"):
        tolerant.write("readings", DAY, {"a.csv": f"{HEADER}\n{raw}\n"})
        assert tolerant.statuses("readings", DAY) == ["failed"]
    assert told(tolerant) == [(DAY, 2, "v", False)]


def test_what_a_killed_run_left_is_no_refusal(tolerant) -> None:
    """Without a manifest nobody knows what it was to become."""
    tolerant.write("readings", DAY, {"a.csv": f"{HEADER}\nu\n"})
    tolerant.refresh("readings", DAY)
    (manifest,) = (tolerant.root / "staging" / "readings" / f"date={DAY}").rglob("_manifest.json")
    manifest.unlink()
    assert told(tolerant) == []


def test_a_rollback_tells_the_rejects_of_what_is_live_again(tolerant) -> None:
    for text in ("x,2023-07-01,1\n", "y,2023-07-01,1\n"):
        tolerant.write("readings", DAY, {"a.csv": f"{HEADER}\n{good(2)}{text}"})
        tolerant.run(DAY)
    tolerant.warehouse.rollback("readings", DAY, None)
    assert told(tolerant) == [(DAY, 4, "x,2023-07-01,1", True)]


def test_the_good_days_of_a_range_are_published(make_lake) -> None:
    """A bad day is named; the others do not wait for it."""
    lake = make_lake(readings(0.001))
    lake.write("readings", DAY, {"a.csv": f"{HEADER}\n{good(2)}"})
    lake.write("readings", NEXT, {"a.csv": b"PK\x03\x04 not text"})
    lake.write("readings", "2023-07-03", {"a.csv": f"{HEADER}\nx,y,z\n"})
    lake.write("readings", "2023-07-04", {"a.csv": f"{HEADER}\n{good(3)}"})
    outcomes = {o.day: o for o in lake.refresh("readings", DAY, NEXT, "2023-07-03", "2023-07-04")}
    errors = {day: type(outcome.error) for day, outcome in outcomes.items() if outcome.error}
    assert errors == {NEXT: BrokenFile, "2023-07-03": TooManyRejects}
    assert lake.rows("SELECT date, count(*) FROM readings GROUP BY date ORDER BY date") == [
        (DAY, 2),
        ("2023-07-04", 3),
    ]


@pytest.mark.parametrize("number", ["-1", "-01"])
def test_the_key_of_the_unknown_member_is_a_reject(lake, number: str) -> None:
    """A product of that number would be taken for “no product”."""
    rows: list[Any] = [f"{number},Ghost,a,b,1,2023-07-01 00:00:00"]
    lake.export("products", DAY, *rows, *(f"{n},Tent,a,b,1,2023-07-01 00:00:00" for n in range(1000)))
    lake.run(DAY)
    ((_, *found),) = lake.rejects("products", DAY)
    assert found == [2, "column product_id: -1 is the key of the Unknown member", rows[0]]
    assert lake.rows("SELECT product_name FROM dim_product WHERE product_id = -1") == [("Unknown",)]
