"""Sources: what follows from a declaration, and how a contradiction is told."""

from __future__ import annotations

from typing import Any

import pytest

from star_assets.model import Column, Csv, Settled, Source
from star_assets.model.errors import BadDeclaration

ORDERS: dict[str, Any] = {
    "name": "orders",
    "key": "order_id",
    "columns": {"order_id": "int64", "ordered_at": "timestamp", "op": Column("string", optional=True)},
}

BASKETS = Source("baskets", "basket_id", {"basket_id": "int64"})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "Orders"}, "source Orders: 'Orders' is not a usable name. Use lower-case letters, digits and _."),
        ({"name": "_orders"}, "'_orders' is not a usable name"),
        (
            {"columns": {"order_id": "int64", "unit price": "string"}},
            "source orders: 'unit price' is not a usable name",
        ),
        ({"columns": {"order_id": "bigint"}}, "source orders, column order_id: no type 'bigint'; known: int32"),
        ({"key": "id"}, "source orders: key names 'id', not among its columns. Declare it."),
        ({"key": ("order_id", "line")}, "key names 'line'"),
        ({"key": ()}, "source orders: its key has no columns. Name one, or write key=None: then every row counts."),
        ({"duplicates": "drop"}, 'source orders: duplicates is \'drop\'. Use "collapse" or "reject".'),
        ({"event_time": "sold_at"}, "event_time names 'sold_at'"),
        ({"event_time": "op"}, "source orders: event_time 'op' is no timestamp. Declare it as one."),
        ({"absent": "skip"}, 'source orders: absent is \'skip\'. Use "wait", "empty" or "fail".'),
        ({"every": "week"}, "source orders: every is 'week'. Use None, or one of day, weekday, monday,"),
        ({"holidays": "12-25"}, "source orders: holidays are '12-25'. Write a list of MM-DD or YYYY-MM-DD."),
        ({"holidays": ["12-25", "02-30"]}, "holidays are ['12-25', '02-30']"),
        ({"version": "updated_at"}, "version names 'updated_at'"),
        ({"deleted": "gone = 'D'"}, "deleted names 'gone'"),
        ({"deleted": "op in ('D')"}, "source orders: cannot read deleted=\"op in ('D')\". Write \"column = 'value'\"."),
        ({"part_of": BASKETS}, "part_of names 'basket_id'"),
        ({"part_of": BASKETS, "header_key": "basket"}, "header_key names 'basket', not among its columns. Declare it."),
        (
            {"part_of": BASKETS, "header_key": ("order_id", "op")},
            "source orders: header_key names order_id, op, but baskets has the key basket_id. "
            "Name one column for each, in the same order.",
        ),
    ],
)
def test_a_contradiction_is_told(change: dict[str, Any], message: str) -> None:
    """At declaration, with name, place and remedy, not days later in an engine."""
    with pytest.raises(BadDeclaration) as told:
        Source(**{**ORDERS, **change})
    assert message in str(told.value)


def test_a_column_that_is_not_there_cannot_be_named() -> None:
    with pytest.raises(BadDeclaration, match="source orders: has no column 'customer'"):
        Source(**ORDERS)["customer"]


def test_a_named_column_knows_its_source() -> None:
    orders = Source(**ORDERS)
    assert (orders["op"].source, orders["op"].column) == (orders, "op")


def test_short_and_long_declarations_of_a_column_mean_the_same() -> None:
    declared = Source(**ORDERS).declared
    assert declared["order_id"] == Column("int64")
    assert declared["op"].optional


@pytest.mark.parametrize(
    ("deleted", "tombstone"),
    [
        (None, None),
        ("op = 'D'", ("op", "D")),
        ("op='D'", ("op", "D")),
        (" op = 'it''s gone' ", ("op", "it's gone")),
        ("op = ''", ("op", "")),
    ],
)
def test_a_tombstone_is_a_column_and_a_value(deleted: str | None, tombstone: tuple[str, str] | None) -> None:
    assert Source(**ORDERS, deleted=deleted).tombstone == tombstone


def test_a_row_needs_its_key_its_header_and_its_event_time() -> None:
    """Without one of these a row has no place in the star, so it becomes a reject."""
    orders = Source(**ORDERS, event_time="ordered_at")
    lines = Source("lines", key="id", part_of=orders, columns={"id": "int64", "order_id": "int64"})
    assert orders.required_values == ("order_id", "ordered_at")
    assert lines.required_values == ("id", "order_id")


def test_lines_may_name_the_key_of_their_header_as_they_like() -> None:
    """`id` in both: joined by the name alone, a line would belong to the order that happens to have its number."""
    baskets = Source("baskets", "id", {"id": "int64"})
    lines = Source("lines", "id", {"id": "int64", "basket": "int64"}, part_of=baskets, header_key="basket")
    assert lines.header_keys == ("basket",)
    assert lines.required_values == ("id", "basket")
    assert baskets.header_keys == ()


def test_one_key_column_or_several_read_alike() -> None:
    assert Source(**ORDERS).keys == ("order_id",)
    assert Source(**{**ORDERS, "key": ("order_id", "op")}).keys == ("order_id", "op")


def test_an_export_without_a_declared_sign_is_whole_after_a_minute_of_quiet() -> None:
    """Half an export must not be staged just because nobody declared how it ends."""
    assert Source(**ORDERS).whole == Settled(60)


@pytest.mark.parametrize(
    ("dialect", "problem"),
    [
        ({"quote": "''"}, "quote"),
        ({"delimiter": ""}, "delimiter is ''"),
        ({"delimiter": '"'}, "delimiter is '\"'"),
        ({"delimiter": ",\n"}, r"delimiter is ',\\n'"),
        ({"null": ("", '""')}, "null is '\"\"'"),
        ({"null": ("n,a",)}, "null is 'n,a'"),
        ({"encoding": "klingon"}, "klingon"),
        ({"encoding": "base64"}, "base64"),
        ({"encoding": "idna"}, "Unsupported error handling"),
    ],
)
def test_a_dialect_that_no_reader_can_follow_is_refused(dialect: dict[str, Any], problem: str) -> None:
    """Found when the star is loaded, not in the middle of a night's run."""
    with pytest.raises(BadDeclaration, match=problem):
        Csv(**dialect)


def test_lines_come_complete_or_by_themselves() -> None:
    with pytest.raises(BadDeclaration, match=r'lines is \'some\'.*"complete" or "changed"'):
        Source("lines", key="id", columns={"id": "int64"}, lines="some")  # type: ignore[arg-type]


def test_an_export_is_expected_by_its_cadence() -> None:
    """2024-12-25 is a Wednesday."""
    source = Source(**{**ORDERS, "every": "weekday", "holidays": ["12-25", "2024-12-27"]})
    days = [f"2024-12-{day}" for day in range(24, 31)] + ["2025-12-26"]
    assert [day for day in days if source.expects(day)] == ["2024-12-24", "2024-12-26", "2024-12-30", "2025-12-26"]
    assert not any(Source(**{**ORDERS, "every": None}).expects(day) for day in days)
    assert not any(Source(**{**ORDERS, "absent": "empty"}).waits_for(day) for day in days)
