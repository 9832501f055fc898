"""What the retailer's reports are declared to show, and that changing it builds nothing again."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from star_assets import model
from star_assets.model import Dashboard, Page, Ratio, Star
from star_assets.model.labels import measure_format, measure_label
from star_assets.model.presentation import chart_title, find_attribute, find_measure
from star_assets.pipeline.identity import code_identity
from star_assets.settings import Settings
from star_assets.star import (
    dim_customer,
    dim_product,
    dim_store,
    dim_time,
    fact_sales,
    retail,
    sales_from_tills,
    store_managers,
)

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "own-tables.md"
FRONT, MIAMI = store_managers.pages


def test_a_store_manager_sees_revenue_units_average_price_and_discount_rate() -> None:
    fact = retail.facts["fact_sales"]
    measures = [find_measure(retail, store_managers, name) for name in FRONT.tiles]
    assert [(measure_label(fact, one), measure_format(retail, fact, one)) for one in measures] == [
        ("Revenue", "money"),
        ("Units", "integer"),
        ("Average Price", "money"),
        ("Discount Rate", "percent"),
    ]
    assert retail.currency == "USD"


def test_the_charts_say_what_they_show() -> None:
    assert [chart_title(retail, store_managers, chart) for chart in FRONT.charts] == [
        "Revenue by Day",
        "Revenue by Product",
        "Revenue by Category",
        "Revenue by Store",
    ]


def test_the_question_of_top_selling_products_in_miami_is_a_page() -> None:
    """The same city, dates and measure as in the README's query."""
    (chart,) = MIAMI.charts
    assert chart.measure == "revenue"
    assert MIAMI.where == {"dim_store.city": "Miami"}
    assert MIAMI.between == (date(2023, 7, 1), date(2023, 9, 30))
    assert find_attribute(retail, store_managers, "dim_store.city").through == "store_id"


def test_a_stores_sales_are_visible_to_its_manager() -> None:
    assert {table.name: table.visible_to for table in retail.dimensions.values() if table.visible_to} == {
        "dim_store": "manager_email"
    }


def test_names_and_addresses_of_customers_are_personal() -> None:
    personal = {name: retail.personal(table) for name, table in retail.tables.items()}
    assert {name: columns for name, columns in personal.items() if columns} == {
        "customers": {"customer_name", "email"},
        "dim_customer": {"customer_name", "email"},
    }


def test_the_dashboard_in_the_documentation_can_be_declared() -> None:
    """It is what a reader copies."""
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENTATION.read_text(), re.DOTALL)
    (declared,) = (block for block in blocks if "= Dashboard(" in block)
    names: dict[str, Any] = {**vars(model), "date": date}
    exec(declared.partition("\nretail = ")[0], names)
    documented = names["store_managers"]
    assert rebuilt(dashboards=[documented], currency="USD").dashboards == (documented,)
    assert documented.pages[1] == MIAMI


# What reports call and show is no part of a table's identity


def identities(star: Star) -> dict[str, str]:
    return {name: code_identity(star, table, Settings()) for name, table in star.tables.items()}


def rebuilt(
    dimension: dict[str, Any] | None = None,
    fact: dict[str, Any] | None = None,
    **star: Any,
) -> Star:
    """The retail star with another declaration of dim_store, of fact_sales, or of itself."""
    stores = replace(dim_store, **(dimension or {}))
    references = {**fact_sales.references, "store_id": stores}
    return Star(
        [*retail.sources.values()],
        [dim_product, stores, dim_customer, dim_time],
        [replace(fact_sales, references=references, **(fact or {}))],
        provisional=[sales_from_tills],
        **star,
    )


CHANGES: dict[str, Callable[[], Star]] = {
    "a dimension's label": lambda: rebuilt({"label": "Shop"}),
    "a column's label": lambda: rebuilt({"labels": {"city": "Town"}}),
    "a hierarchy": lambda: rebuilt({"hierarchies": {"Places": ["state", "city"]}}),
    "who sees what": lambda: rebuilt({"visible_to": None}),
    "a fact's label": lambda: rebuilt(
        fact={"label": "Sold", "labels": {**fact_sales.labels, "unit_price": "Item Price"}}
    ),
    "a measure's label and format": lambda: rebuilt(
        fact={"measures": tuple(replace(m, label=f"{m.column} now", format="decimal") for m in fact_sales.measures)}
    ),
    "a ratio": lambda: rebuilt(fact={"ratios": (Ratio("price", "revenue", "quantity"),)}),
    "a dashboard": lambda: rebuilt(dashboards=[Dashboard("other", "Other", "fact_sales", [Page("One")])]),
    "the currency": lambda: rebuilt(currency="EUR"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_what_reports_show_builds_nothing_again(change: str) -> None:
    """A label that rebuilt ten years of sales would never be corrected."""
    assert identities(CHANGES[change]()) == identities(retail)


def test_a_column_that_becomes_personal_builds_nothing_again() -> None:
    stores = retail.sources["stores"]
    opened = replace(stores.declared["opened_on"], personal=True)
    marked = replace(stores, columns={**stores.columns, "opened_on": opened})
    others = [source for source in retail.sources.values() if source is not stores]
    star = Star(
        [*others, marked],
        [dim_product, dim_store, dim_customer, dim_time],
        [fact_sales],
        provisional=[sales_from_tills],
    )
    assert star.personal(dim_store) == {"opened_on"}
    assert identities(star) == identities(retail)


def test_a_change_of_what_is_computed_builds_again() -> None:
    """Or the tests above would hold of anything."""
    changed = identities(rebuilt(fact={"sort_by": ("product_id",)}))
    assert {name for name, identity in identities(retail).items() if changed[name] != identity} == {"fact_sales"}
