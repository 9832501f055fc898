"""What people call tables, columns and measures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from star_assets.model import Measure, Ratio, Star
from star_assets.model.labels import column_label, friendly, measure_format, measure_label, table_label
from star_assets.star import dim_product, fact_sales, retail


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("product_name", "Product Name"),
        ("store_id", "Store ID"),
        ("iso_week", "ISO Week"),
        ("sku", "SKU"),
        ("revenue", "Revenue"),
        ("line__2_", "Line 2"),
    ],
)
def test_a_name_is_written_as_people_write_it(name: str, label: str) -> None:
    assert friendly(name) == label


def test_a_table_is_called_without_its_kind() -> None:
    assert [table_label(table) for table in (dim_product, fact_sales)] == ["Product", "Sales"]
    assert table_label(retail.dimensions["dim_product_history"]) == "Product As Sold"


def test_a_declared_label_stands_in_place_of_the_derived_one() -> None:
    """In the history of a dimension too, whose columns are the same."""
    article = replace(dim_product, label="Article", labels={"brand": "Make"})
    history = Star([*retail.sources.values()], [article], []).dimensions["dim_product_history"]
    assert [table_label(table) for table in (article, history)] == ["Article", "Article As Sold"]
    assert [column_label(table, "brand") for table in (article, history)] == ["Make", "Make"]
    assert column_label(article, "category") == "Category"


@pytest.mark.parametrize(
    ("measure", "label"),
    [
        (Measure("quantity"), "Total Quantity"),
        (Measure("unit_price", "avg"), "Average Unit Price"),
        (Measure("unit_price", "min"), "Lowest Unit Price"),
        (Measure("unit_price", "max"), "Highest Unit Price"),
        (Measure("quantity", label="Units"), "Units"),
        (Ratio("average_price", "revenue", "quantity"), "Average Price"),
        (Ratio("average_price", "revenue", "quantity", label="Price"), "Price"),
    ],
)
def test_a_measure_says_how_its_column_adds_up(measure: Measure | Ratio, label: str) -> None:
    assert measure_label(fact_sales, measure) == label


@pytest.mark.parametrize(
    ("measure", "format"),
    [
        (Measure("quantity"), "integer"),
        (Measure("quantity", "avg"), "decimal"),
        (Measure("revenue"), "decimal"),
        (Measure("revenue", format="money"), "money"),
        (Ratio("average_price", "revenue", "quantity"), "decimal"),
        (Ratio("share", "discount", "revenue", format="percent"), "percent"),
    ],
)
def test_a_format_follows_from_the_type_unless_it_is_declared(measure: Measure | Ratio, format: str) -> None:
    assert measure_format(retail, fact_sales, measure) == format


def test_the_label_of_a_column_is_in_its_measures() -> None:
    fact = replace(fact_sales, labels={"revenue": "Turnover"})
    assert measure_label(fact, Measure("revenue")) == "Total Turnover"
