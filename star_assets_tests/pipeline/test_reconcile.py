"""Where every line went: each that is no sale has one cause, and together they add up exactly."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from ibis.expr.types import Table

from star_assets.model import Measure, Source, Star, fact
from star_assets.star import dim_product, fact_sales, order_items, orders, products

from .conftest import Lake, MakeLake
from .test_changed_lines import LINES, changing_shop
from .test_winning_rows import D1, D2, D3, export, line, order

DAYS = [D1, D2, D3]
NOTHING = {"superseded", "deleted", "headerless", "cancelled", "moved out", "moved in"}


def steps(lake: Lake, day: str, measure: str = "rows") -> dict[str, int | Decimal]:
    """The steps of a day that are not zero."""
    account = lake.warehouse.reconcile("fact_sales", DAYS)
    assert account.differing == []
    return {step: amounts[measure] for step, amounts in account.days[day].items() if amounts.get(measure)}


def test_each_line_that_is_no_sale_has_its_cause(lake: Lake) -> None:
    """In rows, and in money as if it had been sold."""
    first = [order(number, "10") for number in (1, 2, 3, 5, 6)]
    export(lake, D1, [*first, order(4, "10", D3)], [line(number, quantity=number) for number in range(1, 8)])
    export(lake, D2, [order(2, "11", status="cancelled"), order(1, "12")], [line(2, quantity=2), line(1, quantity=9)])
    export(lake, D3, ["3,,,,,2023-07-09 11:00:00,D"], [])
    lake.run(*DAYS)
    assert steps(lake, D1) == {
        "raw": 7,
        "staged": 7,
        "superseded": -2,
        "deleted": -1,
        "headerless": -1,
        "moved out": -1,
        "moved in": 1,
        "fact": 3,
    }
    assert steps(lake, D2) == {"raw": 2, "staged": 2, "cancelled": -1, "moved out": -1}
    assert steps(lake, D3) == {"moved in": 1, "fact": 1}
    assert steps(lake, D1, "revenue") == {
        "staged": 280,
        "superseded": -30,
        "deleted": -30,
        "headerless": -70,
        "moved out": -40,
        "moved in": 90,
        "fact": 200,
    }
    assert steps(lake, D2, "revenue") == {"staged": 110, "cancelled": -20, "moved out": -90}


def test_rejected_lines_are_between_raw_and_staged(make_lake: MakeLake) -> None:
    tolerant = replace(order_items, max_rejects=0.5)
    dim = replace(dim_product, inferred_from=(tolerant["product_id"],))
    lake = make_lake(Star([orders, tolerant, products], [dim], [replace(fact_sales, references={"product_id": dim})]))
    export(lake, D1, [order(1, "10")], [line(1), "1,2,100,many,10,", line(1, 3)])
    lake.run(*DAYS)
    assert steps(lake, D1) == {"raw": 3, "rejected": -1, "staged": 2, "fact": 2}


def test_lines_that_are_exported_by_themselves_lose_by_themselves(make_lake: MakeLake) -> None:
    lake = make_lake(changing_shop)
    rows = {
        D1: ["1,1,1,100,1,10,,2023-07-09 10:00:00,I", "2,1,2,100,1,10,,2023-07-09 10:00:00,I"],
        D2: ["1,1,1,100,5,10,,2023-07-09 11:00:00,U", "3,9,3,100,1,10,,,I"],
        D3: ["2,1,2,100,1,10,,2023-07-09 12:00:00,D"],
    }
    for day in DAYS:
        lake.export("orders", day, *([order(1, "10")] if day == D1 else []))
        lake.write("order_items", day, {"lines.csv": "\n".join([LINES, *rows[day]]) + "\n"})
    lake.run(*DAYS)
    assert steps(lake, D1) == {"raw": 2, "staged": 2, "superseded": -2, "moved in": 1, "fact": 1}
    assert steps(lake, D2) == {"raw": 2, "staged": 2, "headerless": -1, "moved out": -1}
    assert steps(lake, D3, "revenue") == {"staged": 10, "deleted": -10}


def test_a_part_of_the_days_is_accounted_for_as_in_the_whole(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens on other days to the lines of these must be known, and memory holds the lines of some days only."""
    export(lake, D1, [order(1, "10"), order(2, "10")], [line(1), line(2)])
    export(lake, D2, [order(1, "11", D3)], [line(1)])
    export(lake, D3, ["2,,,,,2023-07-09 11:00:00,D"], [])
    lake.run(*DAYS)
    whole = lake.warehouse.reconcile("fact_sales", DAYS).days
    for day in DAYS:
        assert lake.warehouse.reconcile("fact_sales", [day]).days == {day: whole[day]}
    monkeypatch.setattr("star_assets.pipeline.reconcile.AT_ONCE", 1)
    assert lake.warehouse.reconcile("fact_sales", DAYS).days == whole


@pytest.mark.parametrize("measure", ["rows", "revenue"])
def test_an_account_is_a_table_of_days_and_steps(lake: Lake, measure: str) -> None:
    export(lake, D1, [order(1, "10")], [line(1)])
    lake.run(*DAYS)
    account = lake.warehouse.reconcile("fact_sales", DAYS)
    by_day = account.by_day(measure).to_pylist()
    assert [row["day"] for row in by_day] == [*DAYS, "all"]
    assert by_day[0]["fact"] == by_day[-1]["fact"] == (1 if measure == "rows" else 10)
    rows = account.rows().to_pylist()
    assert {row["step"] for row in rows} >= NOTHING
    assert [row["day"] for row in rows if row["step"] == "fact"] == [*DAYS, "all"]
    assert rows[-2] == {**rows[-2], "day": "all", "step": "fact", "rows": 1, "revenue": 10}


def test_an_account_reaches_the_last_business_date(lake: Lake) -> None:
    """An order that is delivered tomorrow was exported today, and its sale must not be missing from the sums."""
    export(lake, D1, [order(1, "10", D3)], [line(1)])
    lake.run(D1)
    lake.run(D3, tables=["fact_sales"])
    days = lake.warehouse.account_days("fact_sales")
    assert days == [D1, D3]
    account = lake.warehouse.reconcile("fact_sales", days)
    assert account.totals()["fact"]["rows"] == 1
    assert account.differing == []


exact = Source(
    "sales",
    key="sale",
    columns={
        "sale": "int64",
        "at": "timestamp",
        "fine": "decimal(30,10)",
        "huge": "decimal(37,2)",
        "ratio": "float64",
    },
)


@fact(
    key="sale",
    date="at",
    references={},
    measures=[Measure(name, "sum", name) for name in ("fine", "huge", "ratio")],
    columns={"sale": "The sale."},
)
def fact_exact(sales: Table) -> Table:
    """One row per sale."""
    return sales.filter(sales.sale > 0)


def test_measures_of_any_scale_add_up_to_their_last_digit(make_lake: MakeLake) -> None:
    """Four decimals were all that an account could hold; Python rounds to 28 digits; floats have an order."""
    lake = make_lake(Star([exact], [], [fact_exact]))
    rows = [
        "1,2023-07-01 10:00:00,0.0000000001,99999999999999999999999999999999999.01,0.1",
        "2,2023-07-01 10:00:00,12345678901234567890.0000000002,0.01,0.2",
        "-3,2023-07-01 10:00:00,7.1234567891,1.00,0.3",
        "4,2023-07-02 10:00:00,1,0.04,1e17",
    ]
    header = "sale,at,fine,huge,ratio"
    lake.write("sales", D1, {"sales.csv": "\n".join([header, *rows]) + "\n"})
    lake.write("sales", D2, {"sales.csv": header + "\n"})
    lake.run(D1, D2)
    account = lake.warehouse.reconcile("fact_exact", [D1, D2])
    assert account.differing == []
    assert account.by_day("fine").to_pylist()[0]["fact"] == Decimal("12345678901234567890.0000000003")
    assert account.by_day("huge").to_pylist()[0]["fact"] == Decimal("99999999999999999999999999999999999.02")
    assert account.by_day("ratio").to_pylist()[0]["fact"] == pytest.approx(0.3)
    types = {field.name: str(field.type) for field in account.rows().schema}
    assert types == {
        "day": "string",
        "step": "string",
        "rows": "int64",
        "fine": "decimal128(38, 10)",
        "huge": "decimal128(38, 2)",
        "ratio": "double",
    }
