"""Days without an export: missing, or empty, as their source declares; and what is built of what is there."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings

from star_assets.model import Marker, Source, Star
from star_assets.model.errors import MissingExport, NotStaged
from star_assets.orchestration.checks import freshness

from .comparing import differences
from .conftest import Lake
from .oracle import Oracle
from .retailers import DAYS as FOUR_DAYS
from .retailers import FEW, SEEDS, History, arrive, history, shop

# July 1, 2023 was a Saturday.
D1, D2, D3 = DAYS = ["2023-07-01", "2023-07-02", "2023-07-03"]


def notes(**declared: Any) -> Star:
    return Star([Source("notes", key="id", columns={"id": "int64"}, whole=Marker(), **declared)], [], [])


def bring_up_to_date(lake: Lake) -> None:
    """What `star-assets run` does without days: nothing that it finds may fail."""
    for table in [*lake.star.tables, *lake.star.dimensions]:
        found = lake.warehouse.out_of_date(table)
        assert [str(o.error) for o in lake.refresh(table, *found.days) if o.error] == []


def write(lake: Lake, *days: str) -> None:
    for day in days:
        lake.write("notes", day, {"a.csv": f"id\n{day[-1]}\n"})


def order(number: int, day: str) -> str:
    return f"{number},10,5,{day} 10:00:00,placed,{day} 12:00:00,I"


def test_a_day_without_an_export_is_missing_and_not_empty(make_lake) -> None:
    """A run goes on without it, and says so; only who names the day is refused."""
    lake = make_lake(notes())
    write(lake, D1, D3)
    found = lake.warehouse.out_of_date("notes")
    assert (list(found.days), found.missing) == ([D1, D3], (D2,))
    assert lake.warehouse.remarks("notes", found) == [
        "notes: 1 export is missing: 2023-07-02. What is built of them waits. Export them, without rows if nothing "
        'happened; or declare absent="empty".'
    ]
    outcomes = {outcome.day: outcome for outcome in lake.refresh("notes", *DAYS)}
    assert {day: outcome.status for day, outcome in outcomes.items()} == {
        D1: "published",
        D2: "failed",
        D3: "published",
    }
    assert isinstance(outcomes[D2].error, MissingExport)
    assert f"expected {lake.root}/oltp/notes/date={D2}/, found no such folder" in str(outcomes[D2].error)
    write(lake, D2)
    found = lake.warehouse.out_of_date("notes")
    assert (list(found.days), found.missing) == ([D2], ())


def test_an_export_without_rows_is_an_empty_day(make_lake) -> None:
    lake = make_lake(notes())
    write(lake, D1, D3)
    lake.write("notes", D2, {})
    assert lake.statuses("notes", *DAYS) == ["published"] * 3
    assert lake.rows("SELECT count(*) FROM notes") == [(2,)]
    assert lake.warehouse.out_of_date("notes").missing == ()


def test_where_absent_is_empty_nothing_happened_once_a_later_export_has_come(make_lake) -> None:
    lake = make_lake(notes(absent="empty"))
    write(lake, D1)
    assert list(lake.warehouse.out_of_date("notes").days) == [D1]
    write(lake, D3)
    found = lake.warehouse.out_of_date("notes")
    assert (list(found.days), found.missing) == (DAYS, ())
    assert lake.statuses("notes", *DAYS) == ["published"] * 3
    assert lake.manifest("notes", D2).rows == 0


def test_where_absent_fails_every_run_says_so(make_lake) -> None:
    lake = make_lake(notes(absent="fail"))
    write(lake, D1, D3)
    for due in (DAYS, [D2]):
        found = lake.warehouse.out_of_date("notes")
        assert (list(found.days), found.missing) == (due, (D2,))
        errors = [type(outcome.error) for outcome in lake.refresh("notes", *found.days) if outcome.error]
        assert errors == [MissingExport]


def test_on_days_that_no_export_is_expected_of_none_is_missing(make_lake) -> None:
    """A shop that is closed on Sundays, and on the Fourth of July."""
    lake = make_lake(notes(every="weekday", holidays=["07-04"]))
    write(lake, "2023-06-30", "2023-07-03", "2023-07-06")
    found = lake.warehouse.out_of_date("notes")
    assert found.missing == ("2023-07-05",)
    assert list(found.days) == [D1, D2, D3, "2023-07-04", "2023-07-06"]
    assert lake.statuses("notes", *found.days) == ["published"] * 5
    assert lake.manifest("notes", D2).rows == 0


@pytest.mark.parametrize(
    "every, today, expected",
    [("day", D3, D2), ("weekday", D3, "2023-06-30"), ("sunday", D2, "2023-06-25"), ("monday", "2023-07-04", D3)],
)
def test_fresh_is_the_last_day_that_is_to_be_exported(every: str, today: str, expected: str) -> None:
    """Every Monday would warn of Sunday's."""
    (source,) = notes(every=every).sources.values()
    assert freshness({expected: 1}, date.fromisoformat(today), source).passed
    assert not freshness({}, date.fromisoformat(today), source).passed
    assert freshness({}, date.fromisoformat(today), source).metadata["expected"] == expected


def test_a_day_that_was_staged_from_no_folder_before_is_missing_and_stays(make_lake) -> None:
    """Lakes of before: nothing of them is built again."""
    before = make_lake(notes(absent="empty"))
    write(before, D1, D3)
    before.run_as_is(*DAYS)
    lake = before.again(notes())
    found = lake.warehouse.out_of_date("notes")
    assert (dict(found.days), found.missing) == ({}, (D2,))
    live = lake.live()
    (outcome,) = lake.refresh("notes", D2)
    assert isinstance(outcome.error, MissingExport)
    assert lake.live() == live


def test_a_withdrawn_export_is_emptied_by_who_names_its_day_and_is_missing_then(make_lake) -> None:
    lake = make_lake(notes())
    write(lake, *DAYS)
    lake.run(*DAYS)
    lake.withdraw("notes", D2)
    found = lake.warehouse.out_of_date("notes")
    assert (dict(found.days), found.withdrawn, found.missing) == ({}, (D2,), ())
    assert lake.statuses("notes", D2) == ["published"]
    found = lake.warehouse.out_of_date("notes")
    assert (dict(found.days), found.withdrawn, found.missing) == ({}, (), (D2,))


def test_a_dimension_includes_whatever_has_come(lake: Lake) -> None:
    """A catalogue that is exported now and then, or not yet, must not hold up the sales."""
    for number, day in enumerate(DAYS, 1):
        lake.export("orders", day, order(number, day))
        lake.export("order_items", day, f"{number},1,100,1,10,")
    bring_up_to_date(lake)
    members = "SELECT product_id, member_kind FROM dim_product ORDER BY 1"
    assert lake.rows(members) == [(-1, "unknown"), (100, "inferred")]
    assert [sale[0] for sale in lake.sales()] == DAYS
    lake.export("products", D2, "100,Tent,Outdoor,Acme,19.99,2023-07-01 00:00:00")
    bring_up_to_date(lake)
    assert lake.rows(members) == [(-1, "unknown"), (100, "described")]
    assert lake.statuses("dim_product", D1, D3) == ["unchanged"] * 2
    assert lake.warehouse.out_of_date("dim_product").days == {}


@pytest.mark.parametrize("source", ["orders", "order_items"])
def test_a_date_waits_for_its_driving_source_and_the_parts_of_that(lake: Lake, source: str) -> None:
    """Sales of a day whose export has not come are not zero."""
    for number, day in enumerate(DAYS, 1):
        lake.export("orders", day, order(number, day))
        lake.export("order_items", day, f"{number},1,100,1,10,")
    lake.withdraw(source, D2)
    bring_up_to_date(lake)
    assert [sale[0] for sale in lake.sales()] == [D1, D3]
    assert lake.warehouse.out_of_date(source).missing == (D2,)
    (outcome,) = lake.refresh("fact_sales", D2)
    assert isinstance(outcome.error, NotStaged)
    if source == "orders":
        lake.export("orders", D2, order(2, D2))
    else:
        lake.export("order_items", D2, "2,1,100,1,10,")
    bring_up_to_date(lake)
    assert [sale[0] for sale in lake.sales()] == DAYS


@pytest.mark.parametrize("lines", ["complete", "changed"])
@settings(FEW, max_examples=1)
@given(seed=SEEDS)
def test_what_was_missing_for_a_while_leaves_no_trace(make_lake, lines: str, seed: int) -> None:
    """Once all has come, in whatever order, the tables are those of one full recompute."""
    arrived = history(lines, seed)
    groups = [[arrival for arrival in group if arrival[2] is not None] for group in arrived.groups]
    lake = make_lake(shop(lines))
    for group in groups:
        arrive(lake, arrived.contents, group)
        bring_up_to_date(lake)
    lake.tidy(*FOUR_DAYS)
    live = History(arrived.contents, groups, []).live()
    assert differences(lake, Oracle(live, lines)) == []
