"""fact_sales: what is a sale, and what it is worth."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import ibis
import pyarrow as pa
import pytest
from ibis.expr.types import Table

from star_assets.model import Source
from star_assets.star import fact_sales, order_items, orders, retail
from star_assets.star.facts import sold

Run = Callable[[Table], list[dict[str, Any]]]


def in_memory(source: Source, rows: list[dict[str, Any]]) -> Table:
    """Rows as a source's table; columns that a row lacks are NULL."""
    return ibis.memtable(pa.Table.from_pylist(rows, retail.source_table(source).schema().to_pyarrow()))


def headers(*rows: dict[str, Any]) -> Table:
    given = {"order_id": 1, "customer_id": 5, "store_id": 3, "ordered_at": datetime(2023, 7, 1, 10), "status": "placed"}
    return in_memory(orders, [{**given, **row} for row in rows])


def lines(*rows: dict[str, Any]) -> Table:
    given = {"order_id": 1, "line_number": 1, "product_id": 7, "quantity": 1, "unit_price": Decimal("1.00")}
    return in_memory(order_items, [{**given, **row} for row in rows])


def test_cancelled_orders_are_not_sales_and_a_missing_status_is_no_cancellation(run: Run) -> None:
    """`status != 'cancelled'` would lose the NULL."""
    given = headers(*({"order_id": n, "status": s} for n, s in enumerate(["placed", "cancelled", None, "returned"])))
    assert {row["order_id"] for row in run(sold(given))} == {0, 2, 3}


@pytest.mark.parametrize(
    ("quantity", "unit_price", "discount", "revenue"),
    [
        (3, "24.99", "7.49", "67.48"),
        (3, "24.99", None, "74.97"),
        (-2, "24.99", "-5.00", "-44.98"),
        (1, "0.0001", "0", "0.0001"),
        (0, "5.00", "0", "0"),
        (100_000, "99999999.9999", "0", "9999999999990.0000"),
    ],
)
def test_revenue_is_quantity_times_price_less_discount(
    run: Run, quantity: int, unit_price: str, discount: str | None, revenue: str
) -> None:
    """To the last digit; no discount is none, a return is negative."""
    line = {
        "quantity": quantity,
        "unit_price": Decimal(unit_price),
        "discount": None if discount is None else Decimal(discount),
    }
    (sale,) = run(fact_sales.transform(headers({}), lines(line)))
    assert sale["revenue"] == Decimal(revenue)
    assert sale["discount"] == Decimal(discount or 0)


def test_a_sale_is_one_line_of_its_order(run: Run) -> None:
    sales = run(
        fact_sales.transform(
            headers({"order_id": 8}, {"order_id": 9, "customer_id": None}),
            lines({"order_id": 8}, {"order_id": 8, "line_number": 2, "product_id": 4}, {"order_id": 9}),
        )
    )
    assert {(s["sale_id"], s["product_id"], s["customer_id"], s["store_id"]) for s in sales} == {
        ("8-1", 7, 5, 3),
        ("8-2", 4, 5, 3),
        ("9-1", 7, None, 3),
    }


def test_cancelled_orders_have_no_lines_in_the_fact(run: Run) -> None:
    given = headers({"order_id": 1, "status": "cancelled"}, {"order_id": 2, "status": None})
    sales = run(fact_sales.transform(given, lines({"order_id": 1}, {"order_id": 2})))
    assert [sale["order_id"] for sale in sales] == [2]


def test_an_order_without_lines_is_no_row(run: Run) -> None:
    assert run(fact_sales.transform(headers({}), lines({"order_id": 2}))) == []


def test_the_sale_date_is_the_day_of_sold_at(run: Run) -> None:
    moments = [datetime(2023, 7, 1, 23, 59, 59, 999_000), datetime(2023, 7, 2)]
    given = headers(*({"order_id": n, "ordered_at": moment} for n, moment in enumerate(moments)))
    sales = run(fact_sales.transform(given, lines({"order_id": 0}, {"order_id": 1})))
    assert {(sale["sold_at"], sale["sale_date"]) for sale in sales} == {
        (moments[0], date(2023, 7, 1)),
        (moments[1], date(2023, 7, 2)),
    }


def test_its_columns_are_the_documented_ones() -> None:
    """The reference queries and reports name these."""
    assert {field.name: str(field.type) for field in retail.fields(retail.facts["fact_sales"])} == {
        "sale_id": "string",
        "order_id": "int64",
        "line_number": "int64",
        "product_id": "int64",
        "customer_id": "int64",
        "store_id": "int64",
        "quantity": "int64",
        "unit_price": "decimal(18,4)",
        "discount": "decimal(18,4)",
        "revenue": "decimal(18,4)",
        "sold_at": "timestamp",
        "sale_date": "date",
        "is_provisional": "boolean",
        "product_sk": "int64",
    }
