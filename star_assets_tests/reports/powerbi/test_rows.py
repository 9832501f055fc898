"""What the report shows is what SQL says: each visual is read from the files, and asked of the embedded Athena.

Seven weeks of the sample hold a whole period, the one before it and the page about
Miami. Mutants of the files prove that the comparison sees a wrong relationship,
field, filter or aggregate.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from star_assets.athena.embedded import EmbeddedAthena

from .conftest import BEGIN, DAYS, MODEL, REPORT, STARS, generated
from .visual_reader import Reader, Rows

# The report is looked at on the day after the last whole one.
TODAY = BEGIN + timedelta(days=DAYS)
FIRST, LAST = TODAY - timedelta(days=28), TODAY - timedelta(days=1)

FRONT, MIAMI = "star-store_managers-1", "star-store_managers-2"

PERIOD = f"BETWEEN DATE '{FIRST}' AND DATE '{LAST}'"
EARLIER = [
    f"BETWEEN DATE '{FIRST - timedelta(days=28)}' AND DATE '{LAST - timedelta(days=28)}'",
    f"= DATE '{LAST}'",
    f"= DATE '{LAST - timedelta(days=7)}'",
]

MEASURES = {
    "revenue": "SUM(revenue)",
    "quantity": "SUM(quantity)",
    "average_price": "CAST(SUM(revenue) AS DOUBLE) / SUM(quantity)",
    "discount_rate": "CAST(SUM(discount) AS DOUBLE) / (SUM(revenue) + SUM(discount))",
}


def total(measure: str, when: str) -> str:
    return f"(SELECT {MEASURES[measure]} FROM fact_sales WHERE sale_date {when})"


def most(column: str, table: str, top: int, where: str = f"sale_date {PERIOD}") -> str:
    key = table.removeprefix("dim_") + "_id"
    return (
        f"SELECT d.{column}, SUM(f.revenue) FROM fact_sales f JOIN {table} d ON f.{key} = d.{key} "
        f"JOIN dim_store s ON f.store_id = s.store_id WHERE {where} GROUP BY d.{column} ORDER BY 2 DESC, 1 LIMIT {top}"
    )


KNOWN_UNTIL = "SELECT MAX(date) FROM fact_sales"
RUNG_UP_UNTIL = "SELECT MAX(sold_at) FROM fact_sales WHERE date = (SELECT MAX(date) FROM fact_sales)"

# What each visual shows, asked without the report and the model.
REFERENCE = {
    (FRONT, "star-known-until"): KNOWN_UNTIL,
    (FRONT, "star-rung-up-until"): RUNG_UP_UNTIL,
    **{(FRONT, f"star-tile-{name}"): f"SELECT {total(name, PERIOD)}" for name in MEASURES},
    **{
        (FRONT, f"star-compared-{name}"): f"SELECT {', '.join(total(name, when) for when in EARLIER)}"
        for name in MEASURES
    },
    (FRONT, "star-chart-1"): (
        f"SELECT sale_date, SUM(revenue) FROM fact_sales WHERE sale_date {PERIOD} GROUP BY sale_date ORDER BY 1"
    ),
    (FRONT, "star-chart-2"): most("product_name", "dim_product", 10),
    (FRONT, "star-chart-3"): most("category", "dim_product", 10),
    (FRONT, "star-chart-4"): most("store_name", "dim_store", 20),
    (MIAMI, "star-known-until"): KNOWN_UNTIL,
    (MIAMI, "star-rung-up-until"): RUNG_UP_UNTIL,
    (MIAMI, "star-chart-1"): most(
        "product_name", "dim_product", 10, "s.city = 'Miami' AND f.date BETWEEN '2023-07-01' AND '2023-09-30'"
    ),
}


def asked(athena: EmbeddedAthena, sql: str) -> Rows:
    return [tuple(row.values()) for row in athena.query(sql).table.to_pylist()]


def reader(athena: EmbeddedAthena, files: Mapping[str, str], join: str = "JOIN") -> Reader:
    return Reader(files, lambda sql: asked(athena, sql), TODAY, join)


def rounded(rows: Rows) -> Rows:
    """Sums to the last digit; quotients to the ninth, which two orders of adding agree on."""
    return [tuple(round(value, 9) if isinstance(value, float) else value for value in row) for row in rows]


def same(found: Rows, expected: Rows) -> bool:
    return rounded(found) == rounded(expected)


def test_every_visual_has_a_reference() -> None:
    """All that are no slicers."""
    visuals = {
        tuple(path.split("/")[-4:-1:2])
        for path, text in generated(STARS[0])[2].items()
        if path.endswith("visual.json") and '"slicer"' not in text
    }
    assert visuals == REFERENCE.keys()


@pytest.mark.parametrize("join", ["JOIN", "LEFT JOIN"])
@pytest.mark.parametrize("visual", REFERENCE, ids="/".join)
def test_a_visual_shows_what_sql_says(athena: EmbeddedAthena, visual: tuple[str, str], join: str) -> None:
    """By inner joins, which referential integrity allows, and by outer ones: no row may be lost or doubled."""
    expected = asked(athena, REFERENCE[visual])
    assert expected
    assert None not in expected[0]
    assert same(reader(athena, generated(STARS[0])[2], join).rows(*visual), expected)


def test_money_is_exact(athena: EmbeddedAthena) -> None:
    ((revenue,),) = reader(athena, generated(STARS[0])[2]).rows(FRONT, "star-tile-revenue")
    assert isinstance(revenue, Decimal)


def test_a_page_of_dates_reads_those_partitions(athena: EmbeddedAthena) -> None:
    """The relationship that a period goes by compares the partition column with a text, and no cast is in the way."""
    sent: list[str] = []
    files = generated(STARS[0])[2]
    looked = Reader(files, lambda sql: sent.append(sql) or asked(athena, sql), TODAY)  # type: ignore[func-returns-value]
    looked.rows(FRONT, "star-tile-revenue")
    assert '"Sales"."date" = "Time"."partition_date"' in sent[0]
    assert "CAST" not in sent[0]


SALES, PRODUCT, STORE, TIME = (f"{MODEL}/tables/{name}.tmdl" for name in ("Sales", "Product", "Store", "Time"))
RELATIONSHIPS = f"{MODEL}/relationships.tmdl"
TILE, COMPARED, LINE = ((FRONT, f"star-{name}") for name in ("tile-revenue", "compared-revenue", "chart-1"))
PRODUCTS, CATEGORIES, STORES = ((FRONT, f"star-chart-{number}") for number in (2, 3, 4))
TOP_IN_MIAMI = (MIAMI, "star-chart-1")


def json_file(visual: tuple[str, str]) -> str:
    return f"{REPORT}/pages/{visual[0]}/visuals/{visual[1]}/visual.json"


# One change in one file, and a visual that must show it.
MUTANTS: dict[str, tuple[str, str, str, tuple[str, str]]] = {
    "products by another key": (RELATIONSHIPS, "Sales.'Product ID'", "Sales.'Customer ID'", PRODUCTS),
    "stores by another key": (RELATIONSHIPS, "Sales.'Store ID'", "Sales.'Line Number'", STORES),
    "to another column of stores": (RELATIONSHIPS, "Store.'Store ID'", "Store.'Opened On'", TOP_IN_MIAMI),
    "to another column of time": (RELATIONSHIPS, "Time.'Partition Date'", "Time.Holiday", TILE),
    "time related to products": (RELATIONSHIPS, "toColumn: Time.'Partition Date'", "toColumn: Product.Brand", TILE),
    "time not active": (
        RELATIONSHIPS,
        "relyOnReferentialIntegrity\n\tfromColumn: Sales.'Partition Date'",
        "isActive: false\n\tfromColumn: Sales.'Partition Date'",
        TILE,
    ),
    "another name of products": (PRODUCT, "sourceColumn: product_name", "sourceColumn: brand", PRODUCTS),
    "another category": (PRODUCT, "sourceColumn: category", "sourceColumn: brand", CATEGORIES),
    "another city": (STORE, "sourceColumn: city", "sourceColumn: state", TOP_IN_MIAMI),
    "another name of stores": (STORE, "sourceColumn: store_name", "sourceColumn: city", STORES),
    "another column of money": (SALES, "sourceColumn: revenue", "sourceColumn: discount", TILE),
    "another number": (SALES, "sourceColumn: quantity", "sourceColumn: line_number", (FRONT, "star-tile-quantity")),
    "another table": (STORE, 'Name = "dim_store"', 'Name = "dim_customer"', STORES),
    "revenue averaged": (SALES, "Revenue = SUM(", "Revenue = AVERAGE(", PRODUCTS),
    "units, the greatest": (SALES, "Units = SUM(", "Units = MAX(", (FRONT, "star-tile-quantity")),
    "another numerator": (
        SALES,
        "DIVIDE(SUM('Sales'[Line Revenue]), ",
        "DIVIDE(SUM('Sales'[Line Discount]), ",
        (FRONT, "star-tile-average_price"),
    ),
    "a denominator of one column": (
        SALES,
        "SUM('Sales'[Line Revenue]) + SUM('Sales'[Line Discount])",
        "SUM('Sales'[Line Revenue])",
        (FRONT, "star-tile-discount_rate"),
    ),
    "the period before, one day late": (
        SALES,
        "CALCULATE([Revenue], REMOVEFILTERS('Time'), DATESBETWEEN('Time'[Date], FirstDay - Days, FirstDay - 1)",
        "CALCULATE([Revenue], REMOVEFILTERS('Time'), DATESBETWEEN('Time'[Date], FirstDay - Days, FirstDay)",
        COMPARED,
    ),
    "the period before, of another measure": (
        SALES,
        "CALCULATE([Revenue], REMOVEFILTERS('Time'), DATESBETWEEN",
        "CALCULATE([Discount], REMOVEFILTERS('Time'), DATESBETWEEN",
        COMPARED,
    ),
    "another weekday": (
        SALES,
        "CALCULATE([Revenue], REMOVEFILTERS('Time'), 'Time'[Date] = LastDay - 7",
        "CALCULATE([Revenue], REMOVEFILTERS('Time'), 'Time'[Date] = LastDay - 6",
        COMPARED,
    ),
    "the last day within the period's filter": (
        SALES,
        "CALCULATE([Revenue], REMOVEFILTERS('Time'), 'Time'[Date] = LastDay)",
        "CALCULATE([Revenue], REMOVEFILTERS('Time'))",
        COMPARED,
    ),
    "known from": (
        SALES,
        "CALCULATE(MAX('Sales'[Partition Date])",
        "CALCULATE(MIN('Sales'[Partition Date])",
        (FRONT, "star-known-until"),
    ),
    "known within the period": (
        SALES,
        "MAX('Sales'[Partition Date]), REMOVEFILTERS())",
        "MIN('Sales'[Partition Date]), REMOVEFILTERS('Store'))",
        (FRONT, "star-known-until"),
    ),
    "rung up at the end of another day": (
        SALES,
        "'Sales'[Partition Date] = LastDay)",
        "'Sales'[Partition Date] < LastDay)",
        (FRONT, "star-rung-up-until"),
    ),
    "a chart of another measure": (json_file(PRODUCTS), '"Property": "Revenue"', '"Property": "Units"', PRODUCTS),
    "a chart by another column": (json_file(CATEGORIES), '"Property": "Category"', '"Property": "Brand"', CATEGORIES),
    "fewer bars": (json_file(PRODUCTS), '"Top": 10', '"Top": 9', PRODUCTS),
    "the least": (json_file(PRODUCTS), '"Direction": 2', '"Direction": 1', PRODUCTS),
    "bars upside down": (json_file(PRODUCTS), '"Descending"', '"Ascending"', PRODUCTS),
    "a tile of another measure": (json_file(TILE), '"Property": "Revenue"', '"Property": "Discount"', TILE),
    "another city asked for": (f"{REPORT}/pages/{MIAMI}/page.json", "'Miami'", "'Boston'", TOP_IN_MIAMI),
    "fewer dates": (f"{REPORT}/pages/{MIAMI}/page.json", "2023-07-01", "2023-07-22", TOP_IN_MIAMI),
    "a shorter period": (
        f"{REPORT}/pages/{FRONT}/visuals/star-period/visual.json",
        '"Amount": -28',
        '"Amount": -27',
        LINE,
    ),
    "today too": (f"{REPORT}/pages/{FRONT}/visuals/star-period/visual.json", '"Amount": -1', '"Amount": -2', LINE),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_is_seen(athena: EmbeddedAthena, mutant: str) -> None:
    """Other rows, or none at all because what is asked for is not there."""
    path, old, new, visual = MUTANTS[mutant]
    files: dict[str, Any] = dict(generated(STARS[0])[2])
    assert old in files[path]
    files[path] = files[path].replace(old, new)
    try:
        found = reader(athena, files).rows(*visual)
    except Exception as error:
        assert type(error).__name__ in ("BadQuery", "ValueError", "KeyError"), error
        return
    assert not same(found, asked(athena, REFERENCE[visual]))
