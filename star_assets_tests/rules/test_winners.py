"""Which row wins, as a function of rows: over a few held in memory."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import ibis
import pytest

from star_assets.model import Source
from star_assets.rules.winners import DELETED, EXPORT, current, lines_of, winners

HEADER = Source(
    "header",
    key="id",
    columns={"id": "int64", "at": "timestamp", "note": "string", "op": "string"},
    event_time="at",
    version="note",
    deleted="op = 'D'",
)
LINE = Source("line", key=("id", "n"), part_of=HEADER, columns={"id": "int64", "n": "int64", "value": "string"})
PLAIN = Source("plain", key="id", columns={"id": "int64", "a": "string", "b": "string"})

Row = dict[str, Any]


def table(rows: list[Row], **types: str) -> ibis.Table:
    """The rows, each with every column."""
    return ibis.memtable([{name: row.get(name) for name in types} for row in rows], schema=types)


def plain(rows: list[Row]) -> ibis.Table:
    return table(rows, id="int64", a="string", b="string", **{EXPORT: "string"})


def header(rows: list[Row]) -> ibis.Table:
    return table(rows, id="int64", note="string", **{EXPORT: "string", DELETED: "boolean"})


def line(rows: list[Row]) -> ibis.Table:
    return table(rows, id="int64", n="int64", value="string", **{EXPORT: "string"})


def row(export: str, **values: Any) -> Row:
    return {"id": 1, EXPORT: export, DELETED: False, **values}


# From the least to the greatest: by version (none is least), then export, then content.
ASCENDING = [
    row("2023-07-09", note=None),
    row("2023-07-01", note="1"),
    row("2023-07-02", note="1"),
    row("2023-07-02", note="1", **{DELETED: True}),
    row("2023-07-01", note="2"),
]


@pytest.mark.parametrize("greatest", range(1, len(ASCENDING) + 1))
def test_the_greatest_row_of_a_key_wins(greatest: int) -> None:
    """Whatever order the rows lie in: files have none."""
    for rows in permutations(ASCENDING[:greatest]):
        (found,) = winners(header(list(rows)), HEADER).to_pyarrow().to_pylist()
        assert found == {name: ASCENDING[greatest - 1].get(name) for name in found}


def test_content_decides_by_columns_in_order_of_name() -> None:
    """Not by their order in a file, which may differ from file to file."""
    rows = [row("1", a="x", b="z"), row("1", a="y", b="a"), row("1", a=None, b="zz")]
    (found,) = winners(plain(rows), PLAIN).select("b", "a", "id", EXPORT).to_pyarrow().to_pylist()
    assert (found["a"], found["b"]) == ("y", "a")


def test_identical_rows_are_one_row() -> None:
    assert winners(plain([row("1", a="x")] * 3), PLAIN).count().to_pyarrow().as_py() == 1


def test_a_winning_tombstone_removes_its_key_and_no_other() -> None:
    """It stays among the winners, so that older rows stay beaten when more exports fold in."""
    rows = [row("1", note="1"), row("2", note="2", **{DELETED: True}), row("1", id=2, note="1")]
    assert winners(header(rows), HEADER).count().to_pyarrow().as_py() == 2
    assert current(header(rows), HEADER).id.to_pyarrow().to_pylist() == [2]


def test_winners_of_winners_are_the_winners_of_all() -> None:
    """Folding day by day must come to what folding at once comes to."""
    for cut in range(1, len(ASCENDING)):
        rows = [ASCENDING[index] for index in (3, 0, 4, 2, 1)]
        first = winners(header(rows[:cut]), HEADER)
        both = winners(first.union(header(rows[cut:])), HEADER)
        assert both.to_pyarrow().to_pylist() == winners(header(rows), HEADER).to_pyarrow().to_pylist()


def test_only_keys_that_occur_again_need_be_compared() -> None:
    """Which ones those are is known beforehand for a day of lines; a key too many among them does no harm."""
    once = [row("1", id=2, a="x"), row("2", id=3, a="y")]
    rows = plain([row("1", a="x"), row("2", a="y"), *once])
    for again in ([1], [1, 3]):
        known = table([{"id": key} for key in again], id="int64")
        found = winners(rows, PLAIN, known).order_by("id").to_pyarrow().to_pylist()
        assert found == winners(rows, PLAIN).order_by("id").to_pyarrow().to_pylist()


def test_lines_are_those_of_the_winning_headers_export() -> None:
    """A line that the last export dropped must not come back from an earlier one."""
    rows = [
        row("1", n=1, value="old"),
        row("1", n=2, value="dropped"),
        row("2", n=1, value="new"),
        row("2", n=1, value="newer"),
        row("2", id=7, n=1, value="no header"),
    ]
    found = lines_of(header([row("2", note="1")]), line(rows), HEADER, LINE)
    assert found.to_pyarrow().to_pylist() == [{"id": 1, "n": 1, "value": "newer"}]
