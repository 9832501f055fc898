"""The examples declare what people look at, by the same words as the retail star."""

from __future__ import annotations

from pathlib import Path

import pytest

from star_assets.model import load_star
from star_assets.model.presentation import chart_title

REPOSITORY = Path(__file__).parents[2]

TITLES = {
    "examples.jaffle.jaffle:jaffle": [
        "Total Revenue by Day",
        "Total Revenue by Product",
        "Total Revenue by Store",
        "Sales and Taxes by Day",
        "Sales and Taxes by Store",
    ],
    "examples.tpch.tpch:tpch": [
        "Total Revenue by Day",
        "Total Revenue by Brand",
        "Total Revenue by Supplier Nation",
        "Units by Ship Mode",
        "Total Revenue by Supplier Nation",
    ],
}

PERSONAL = {
    "examples.jaffle.jaffle:jaffle": {"customer_name"},
    "examples.tpch.tpch:tpch": {"c_name", "c_address", "c_phone"},
}


@pytest.fixture(params=TITLES)
def example(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.syspath_prepend(str(REPOSITORY))
    return str(request.param)


def test_an_example_declares_charts(example: str) -> None:
    star = load_star(example)
    found = [
        chart_title(star, dashboard, chart)
        for dashboard in star.dashboards
        for page in dashboard.pages
        for chart in page.charts
    ]
    assert found == TITLES[example]


def test_an_examples_customers_are_personal_under_any_name(example: str) -> None:
    """Jaffle renames them on their way into the dimension."""
    star = load_star(example)
    assert star.personal(star.dimensions["dim_customer"]) == PERSONAL[example]
