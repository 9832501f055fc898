"""Which row wins, and which lines belong to it: small histories written out by hand."""

from __future__ import annotations

import pytest

D1, D2, D3, D4, D5 = DAYS = [f"2023-07-0{number}" for number in range(1, 6)]


def order(number: int, version: str | None, date: str = D1, status: str = "placed", op: str = "U") -> str:
    """An order's header; `version` is the hour of its last change."""
    changed = "" if version is None else f"2023-07-09 {version}:00:00"
    return f"{number},10,5,{date} 10:00:00,{status},{changed},{op}"


def line(order_number: int, number: int = 1, quantity: int = 1, product: int = 100, price: str = "10") -> str:
    return f"{order_number},{number},{product},{quantity},{price},"


def quantities(lake) -> dict[str, list[tuple[str, int]]]:
    """By date, (sale, quantity)."""
    found: dict[str, list[tuple[str, int]]] = {}
    for date, sale, _, quantity, _ in lake.sales():
        found.setdefault(date, []).append((sale, quantity))
    return found


def export(lake, day: str, orders: list[str], items: list[str]) -> None:
    lake.export("orders", day, *orders)
    lake.export("order_items", day, *items)


def test_the_greater_version_wins_wherever_it_was_exported(lake) -> None:
    """An old state that is exported again later must not undo a newer one."""
    export(lake, D1, [order(1, "12")], [line(1, quantity=7)])
    export(lake, D2, [order(1, "10")], [line(1, quantity=3)])
    lake.run(*DAYS)
    assert quantities(lake) == {D1: [("1-1", 7)]}


def test_any_version_beats_none(lake) -> None:
    """NULL sorts first: whoever knows a version knows more."""
    export(lake, D1, [order(1, "00")], [line(1, quantity=7)])
    export(lake, D2, [order(1, None)], [line(1, quantity=3)])
    lake.run(*DAYS)
    assert quantities(lake) == {D1: [("1-1", 7)]}


@pytest.mark.parametrize("version", ["12", None])
def test_the_later_export_wins_among_equal_versions(lake, version: str | None) -> None:
    """Databases without a version column still export their newest state last."""
    export(lake, D1, [order(1, version)], [line(1, quantity=7)])
    export(lake, D2, [order(1, version)], [line(1, quantity=3)])
    lake.run(*DAYS)
    assert quantities(lake) == {D1: [("1-1", 3)]}


def test_the_greater_content_wins_within_one_export(lake) -> None:
    """Two rows of one key and version must not be decided by chance; columns count in order of name."""
    export(lake, D1, [order(1, "12", status="placed"), order(1, "12", status="shipped")], [line(1)])
    lake.run(*DAYS)
    assert lake.rows("SELECT count(*) FROM fact_sales") == [(1,)]
    lake.export("orders", D1, order(1, "12", status="cancelled"), order(1, "12", status="zero"))
    lake.run(*DAYS)
    assert quantities(lake) == {D1: [("1-1", 1)]}
    lake.export("orders", D1, order(1, "12", status="cancelled"), order(1, "12", status=""))
    lake.run(*DAYS)
    assert quantities(lake) == {}


def test_identical_rows_are_one(lake) -> None:
    """A file that was uploaded twice must not double the revenue."""
    lake.write("orders", D1, {name: f"{_header(lake, 'orders')}\n{order(1, '12')}\n" for name in ("a.csv", "b.csv")})
    lake.write("order_items", D1, {n: f"{_header(lake, 'order_items')}\n{line(1)}\n" for n in ("a.csv", "b.csv")})
    lake.run(*DAYS)
    assert quantities(lake) == {D1: [("1-1", 1)]}


def _header(lake, source: str) -> str:
    return ",".join(lake.star.sources[source].columns)


def test_a_tombstone_removes_its_order(lake) -> None:
    """A tombstone has no date of its own: it must reach the date that the order had."""
    export(lake, D1, [order(1, "10"), order(2, "10")], [line(1), line(2)])
    lake.run(*DAYS)
    export(lake, D3, ["1,,,,,2023-07-09 12:00:00,D"], [])
    lake.run(*DAYS)
    assert quantities(lake) == {D1: [("2-1", 1)]}


def test_an_order_may_return_after_its_tombstone(lake) -> None:
    """Tombstones win and lose by the same order as any row."""
    export(lake, D1, [order(1, "10")], [line(1)])
    export(lake, D2, ["1,,,,,2023-07-09 12:00:00,D"], [])
    export(lake, D3, [order(1, "13", D2)], [line(1, quantity=2)])
    lake.run(*DAYS)
    assert quantities(lake) == {D2: [("1-1", 2)]}


def test_an_old_tombstone_removes_nothing(lake) -> None:
    export(lake, D1, [order(1, "12")], [line(1)])
    export(lake, D2, ["1,,,,,2023-07-09 10:00:00,D"], [])
    lake.run(*DAYS)
    assert quantities(lake) == {D1: [("1-1", 1)]}


def test_an_order_exported_again_without_lines_has_none(lake) -> None:
    """Each export of an order is complete: lines of an earlier one are gone."""
    export(lake, D1, [order(1, "10")], [line(1), line(1, 2)])
    export(lake, D2, [order(1, "11")], [])
    lake.run(*DAYS)
    assert quantities(lake) == {}


def test_lines_come_from_the_export_of_the_winning_header(lake) -> None:
    """Version 12, exported on day 3, wins over version 10 of day 5, and brings its own lines."""
    export(lake, D3, [order(1, "12")], [line(1, 1, 7), line(1, 2, 8)])
    export(lake, D5, [order(1, "10")], [line(1, 1, 1), line(1, 3, 2)])
    lake.run(*DAYS)
    assert quantities(lake) == {D1: [("1-1", 7), ("1-2", 8)]}


def test_an_order_that_moves_leaves_its_old_date(lake) -> None:
    """Revenue must be on one date only, and the old date is out of date without any export of its own."""
    export(lake, D1, [order(1, "10", D1), order(2, "10", D1)], [line(1), line(2)])
    lake.run(*DAYS)
    export(lake, D4, [order(1, "12", D3)], [line(1)])
    lake.run(*DAYS)
    assert quantities(lake) == {D1: [("2-1", 1)], D3: [("1-1", 1)]}


@pytest.mark.parametrize("first", ["orders", "order_items"])
def test_header_and_lines_may_come_in_any_order(lake, first: str) -> None:
    """Lines that come before their header wait for it; a header without lines sells nothing yet."""
    rows = {"orders": [order(1, "10")], "order_items": [line(1)]}
    (second,) = rows.keys() - {first}
    lake.export(first, D1, *rows[first])
    lake.run(D1)
    assert quantities(lake) == {}
    lake.export(second, D1, *rows[second])
    lake.run(D1)
    assert quantities(lake) == {D1: [("1-1", 1)]}


def test_lines_without_a_header_sell_nothing(lake) -> None:
    export(lake, D1, [order(1, "10")], [line(1), line(2)])
    lake.run(D1)
    assert quantities(lake) == {D1: [("1-1", 1)]}


def test_only_cancelled_orders_are_no_sales(lake) -> None:
    """A missing status is not a cancellation; a return is a sale with a negative quantity."""
    statuses = {1: "cancelled", 2: "", 3: '""', 4: "returned", 5: "shipped"}
    orders = [order(number, "10", status=status) for number, status in statuses.items()]
    export(lake, D1, orders, [line(number, quantity=-2 if number == 4 else 1) for number in statuses])
    lake.run(D1)
    assert quantities(lake) == {D1: [("2-1", 1), ("3-1", 1), ("4-1", -2), ("5-1", 1)]}
    assert lake.rows("SELECT sum(revenue)::VARCHAR FROM fact_sales") == [("10.0000",)]


def test_a_day_without_sales_is_a_partition_without_rows(lake) -> None:
    """“Nothing was sold” and “not loaded yet” must be told apart."""
    lake.run(D1)
    assert lake.manifest("fact_sales", D1).rows == 0
    assert lake.sales() == []


def test_withdrawn_exports_take_their_rows_along(lake) -> None:
    """Whether the files are removed or the whole folder: what is no longer exported was never said."""
    for day, number in ((D1, 1), (D2, 2), (D3, 3)):
        export(lake, day, [order(number, "10", day)], [line(number)])
    lake.run(*DAYS)
    for source in ("orders", "order_items"):
        lake.withdraw(source, D1)
        lake.write(source, D2, {})
    lake.run(*DAYS)
    assert quantities(lake) == {D3: [("3-1", 1)]}
    assert lake.rows("SELECT order_id FROM orders") == [(3,)]


def test_withdrawing_a_correction_brings_back_what_it_corrected(lake) -> None:
    export(lake, D1, [order(1, "10", D1)], [line(1, quantity=1)])
    export(lake, D2, [order(1, "12", D3)], [line(1, quantity=9)])
    lake.run(*DAYS)
    assert quantities(lake) == {D3: [("1-1", 9)]}
    lake.withdraw("orders", D2)
    lake.withdraw("order_items", D2)
    lake.run(*DAYS)
    assert quantities(lake) == {D1: [("1-1", 1)]}


def test_dimensions_follow_the_same_order(lake) -> None:
    """One rule for every table: version, export day, content; what vanishes from a full export stays."""
    lake.export("products", D1, "1,Old,a,b,1,2023-07-05 00:00:00", "2,Gone,a,b,1,2023-07-01 00:00:00")
    lake.export("products", D2, "1,Older,a,b,1,2023-07-04 00:00:00", "3,New,a,b,1,")
    lake.run(D1, D2)
    found = lake.rows("SELECT product_id, product_name FROM dim_product WHERE product_id > 0 ORDER BY 1")
    assert found == [(1, "Old"), (2, "Gone"), (3, "New")]
