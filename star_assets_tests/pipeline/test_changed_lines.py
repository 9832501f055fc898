"""Lines that are exported by themselves, with `lines="changed"`: each wins by itself, wherever its header came."""

from __future__ import annotations

from dataclasses import replace

import pytest

from star_assets.model import Column, Source, Star
from star_assets.star import dim_product, fact_sales, orders, products

from .conftest import Lake, MakeLake
from .test_winning_rows import D1, D2, D3, D4, DAYS, order, quantities

LINES = "line_id,order_id,line_number,product_id,quantity,unit_price,discount,changed_at,op"

# Lines have numbers of their own, so one may move to another order.
changing = Source(
    "order_items",
    key="line_id",
    part_of=orders,
    lines="changed",
    version="changed_at",
    deleted="op = 'D'",
    columns={
        "line_id": "int64",
        "order_id": "int64",
        "line_number": "int64",
        "product_id": "int64",
        "quantity": "int64",
        "unit_price": "decimal(18,4)",
        "discount": "decimal(18,4)",
        "changed_at": "timestamp",
        "op": Column("string", optional=True),
    },
)

_product = replace(dim_product, inferred_from=(changing["product_id"],))
changing_shop = Star(
    sources=[orders, changing, products],
    dimensions=[_product],
    facts=[replace(fact_sales, references={"product_id": _product})],
)


@pytest.fixture
def lake(make_lake: MakeLake) -> Lake:
    return make_lake(changing_shop)


def line(line_id: int, order_id: int, quantity: int = 1, version: str = "10", op: str = "U", price: str = "10") -> str:
    """A line of an order; `version` is the hour of its last change."""
    return f"{line_id},{order_id},{line_id},100,{quantity},{price},,2023-07-09 {version}:00:00,{op}"


def export(lake: Lake, day: str, orders: list[str], lines: list[str]) -> None:
    lake.export("orders", day, *orders)
    lake.write("order_items", day, {"lines.csv": "\n".join([LINES, *lines]) + "\n"})


def test_lines_that_were_not_exported_again_stay(lake: Lake) -> None:
    """100 + 50, then line 2 alone at 60: taken as complete it would be 60, added up 210."""
    export(lake, D1, [order(1, "10")], [line(1, 1, price="100"), line(2, 1, price="50")])
    export(lake, D2, [order(1, "11")], [line(2, 1, version="11", price="60")])
    lake.run(*DAYS)
    assert lake.rows("SELECT sum(revenue)::INT FROM fact_sales") == [(160,)]


def test_a_line_s_tombstone_removes_it_alone(lake: Lake) -> None:
    export(lake, D1, [order(1, "10")], [line(1, 1), line(2, 1)])
    export(lake, D2, [], ["2,1,,,,,,2023-07-09 11:00:00,D"])
    lake.run(*DAYS)
    assert quantities(lake) == {D1: [("1-1", 1)]}


def test_an_order_s_tombstone_removes_all_its_lines(lake: Lake) -> None:
    export(lake, D1, [order(1, "10"), order(2, "10")], [line(1, 1), line(2, 2)])
    export(lake, D2, ["1,,,,,2023-07-09 11:00:00,D"], [])
    lake.run(*DAYS)
    assert quantities(lake) == {D1: [("2-2", 1)]}


def test_lines_wait_for_their_header_wherever_it_comes(lake: Lake) -> None:
    """They are no sales until then, and all of them once it has come."""
    export(lake, D1, [], [line(1, 1)])
    export(lake, D2, [], [line(2, 1)])
    lake.run(*DAYS)
    assert quantities(lake) == {}
    export(lake, D3, [order(1, "10", D1)], [])
    lake.run(*DAYS)
    assert quantities(lake) == {D1: [("1-1", 1), ("1-2", 1)]}


def test_an_old_state_of_a_line_undoes_nothing(lake: Lake) -> None:
    export(lake, D1, [order(1, "10")], [line(1, 1, quantity=7, version="12")])
    export(lake, D2, [order(1, "10")], [line(1, 1, quantity=3, version="11")])
    lake.run(*DAYS)
    assert quantities(lake) == {D1: [("1-1", 7)]}


def test_a_line_that_moves_to_another_order_leaves_its_old_one(lake: Lake) -> None:
    """Its old order's date must read the export of the move, although no row there names that order."""
    export(lake, D1, [order(1, "10", D1), order(2, "10", D2)], [line(1, 1), line(2, 1)])
    export(lake, D2, [], [])
    lake.run(*DAYS)
    export(lake, D3, [], [line(2, 2, version="12")])
    lake.run(D3, tables=["orders", "order_items"])
    assert list(lake.warehouse.out_of_date("fact_sales").days)[:2] == [D1, D2]
    lake.run(*DAYS)
    assert quantities(lake) == {D1: [("1-1", 1)], D2: [("2-2", 1)]}


def test_a_late_line_concerns_the_date_of_its_order_alone(lake: Lake) -> None:
    """And of all exports, its date reads those that hold the order or one of its lines."""
    for number, day in enumerate(DAYS[:3], 1):
        export(lake, day, [order(number, "10", day)], [line(number, number)])
    lake.run(*DAYS[:3])
    export(lake, D4, [], [line(9, 1)])
    lake.run(D4, tables=["orders", "order_items"])
    assert list(lake.warehouse.out_of_date("fact_sales").days) == [D1, D4]
    lake.run(D1, tables=["fact_sales"])
    assert quantities(lake)[D1] == [("1-1", 1), ("1-9", 1)]
    inputs = lake.manifest("fact_sales", D1).inputs["exports"]
    assert {source: list(exports) for source, exports in inputs.items()} == {"orders": [D1], "order_items": [D1, D4]}
