"""Labels, hierarchies, ratios and dashboards: what their names stand for, and which mistakes are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from ibis.expr.types import Table

from star_assets.model import (
    BarChart,
    Column,
    Dashboard,
    LineChart,
    Measure,
    Page,
    Ratio,
    Source,
    Star,
    business_date,
    dimension,
    fact,
)
from star_assets.model.errors import BadDeclaration
from star_assets.model.presentation import chart_title, find_attribute, find_measure
from star_assets.star.dimensions import dim_time

tickets = Source(
    "tickets",
    key="id",
    event_time="at",
    columns={
        "id": "int64",
        "shop": "string",
        "home": "string",
        "at": "timestamp",
        "shipped": "timestamp",
        "pieces": "int64",
        "money": "decimal(9,2)",
        "price": "decimal(9,2)",
        "clerk": Column("string", personal=True),
    },
)
shops = Source(
    "shops",
    key="shop",
    columns={
        "shop": "string",
        "city": "string",
        "floors": "int32",
        "opened": "date",
        "owner": Column("string", "Who owns it.", personal=True),
        "boss": "string",
    },
)


@dimension(key="shop", inferred_from=[tickets])
def dim_shop(shops: Table) -> Table:
    """Shops."""
    return shops.mutate(initial=shops.owner.substr(0, 1)).rename(proprietor="owner")


@fact(
    key="id",
    date="at",
    references={"shop": dim_shop, "home": dim_shop, "sold_on": dim_time, "shipped_on": dim_time},
    measures=[Measure("pieces"), Measure("money"), Measure("price", "avg")],
    ratios=[Ratio("value", "money", "pieces")],
)
def fact_tickets(tickets: Table) -> Table:
    """Tickets."""
    return tickets.mutate(sold_on=business_date(tickets.at), shipped_on=business_date(tickets.shipped))


def a_dashboard(*pages: Page, **changes: Any) -> Dashboard:
    return Dashboard(**{"name": "shops", "title": "Shops", "fact": "fact_tickets", "pages": pages, **changes})


def showing(*charts: Any, **page: Any) -> Dashboard:
    return a_dashboard(Page("Front", charts=charts, **page))


def star(*dashboards: Dashboard, shop: Any = None, ticket: Any = None, **changes: Any) -> Star:
    """The star with a changed declaration of its dimension or its fact."""
    shown = replace(dim_shop, **(shop or {}))
    references = {column: shown if to is dim_shop else to for column, to in fact_tickets.references.items()}
    return Star(
        [tickets, shops],
        [shown, dim_time],
        [replace(fact_tickets, references=references, **(ticket or {}))],
        dashboards=dashboards,
        **changes,
    )


MISTAKES: dict[str, tuple[Callable[[], Star], str]] = {
    "an unknown measure in a tile": (
        lambda: star(a_dashboard(Page("Front", tiles=["mony"]))),
        "dashboard shops: 'mony' is no measure of fact_tickets. The nearest is 'money'.",
    ),
    "an unknown measure in a chart": (
        lambda: star(showing(LineChart("valu"))),
        "dashboard shops: 'valu' is no measure of fact_tickets. The nearest is 'value'.",
    ),
    "an unknown column in a chart": (
        lambda: star(showing(BarChart("money", by="dim_shop.citty"))),
        "dashboard shops: 'dim_shop.citty' is no column of fact_tickets or what it refers to. "
        "The nearest is 'dim_shop.city'.",
    ),
    "a column without its table": (
        lambda: star(showing(BarChart("money", by="city"))),
        "The nearest is 'dim_shop.city'.",
    ),
    "an unknown column in a filter": (
        lambda: star(a_dashboard(Page("Front"), filters=["dim_shops.city"])),
        "The nearest is 'dim_shop.city'.",
    ),
    "an unknown column in what a page fixes": (
        lambda: star(showing(where={"dim_shop.town": "Miami"})),
        "'dim_shop.town' is no column",
    ),
    "a table that the fact does not refer to": (
        lambda: star(showing(BarChart("money", by="shops.city"))),
        "The nearest is 'dim_shop.city'.",
    ),
    "a value of another type": (
        lambda: star(showing(where={"dim_shop.floors": "2"})),
        "dashboard shops, page 'Front': dim_shop.floors is int32, and cannot be '2'. Fix a text column to a text",
    ),
    "a truth in place of a number": (
        lambda: star(showing(where={"dim_shop.floors": True})),
        "dim_shop.floors is int32, and cannot be True.",
    ),
    "a value of a date": (
        lambda: star(showing(where={"dim_shop.opened": "2023-07-01"})),
        "dim_shop.opened is date, and cannot be '2023-07-01'.",
    ),
    "an unknown fact": (
        lambda: star(a_dashboard(Page("Front"), fact="fact_ticket")),
        "dashboard shops: 'fact_ticket' is no fact of the star. The nearest is 'fact_tickets'.",
    ),
    "a fact of an empty star": (
        lambda: Star([], [], [], dashboards=[a_dashboard(Page("Front"))]),
        "dashboard shops: 'fact_tickets' is no fact of the star. There is none at all.",
    ),
    "a dashboard without pages": (lambda: star(a_dashboard()), "dashboard shops: has no page. Declare one."),
    "two dashboards of one name": (
        lambda: star(a_dashboard(Page("Front")), a_dashboard(Page("Back"))),
        "dashboard shops: is declared twice in one star. Names are unique.",
    ),
    "a dashboard whose name is no file's": (
        lambda: star(a_dashboard(Page("Front"), name="../shops")),
        "dashboard ../shops: is not a usable name. Use lower-case letters, digits and _.",
    ),
    "a period of no day": (lambda: star(a_dashboard(Page("Front"), days=0)), "dashboard shops: days is 0."),
    "a period that ends before it begins": (
        lambda: star(showing(between=(date(2023, 9, 30), date(2023, 7, 1)))),
        "dashboard shops, page 'Front': 2023-09-30 is after 2023-07-01. Put the first date first.",
    ),
    "a chart of no bar": (
        lambda: star(showing(BarChart("money", by="dim_shop.city", top=0))),
        "dashboard shops, page 'Front': top is 0.",
    ),
    "a personal column of a fact": (
        lambda: star(showing(BarChart("money", by="fact_tickets.clerk"))),
        "dashboard shops: 'fact_tickets.clerk' is personal. Show another column",
    ),
    "a personal column of a dimension, renamed": (
        lambda: star(a_dashboard(Page("Front"), filters=["dim_shop.proprietor"])),
        "dashboard shops: 'dim_shop.proprietor' is personal.",
    ),
    "an unknown level of a hierarchy": (
        lambda: star(shop={"hierarchies": {"Places": ["citi", "shop"]}}),
        "dim_shop, hierarchy 'Places': 'citi' is no column of it. The nearest is 'city'.",
    ),
    "a personal level of a hierarchy": (
        lambda: star(shop={"hierarchies": {"Places": ["city", "initial"]}}),
        "dim_shop, hierarchy 'Places': 'initial' is personal.",
    ),
    "a label of an unknown column": (
        lambda: star(shop={"labels": {"cities": "City"}}),
        "dim_shop, labels: 'cities' is no column of it. The nearest is 'city'.",
    ),
    "a label of a fact's unknown column": (
        lambda: star(ticket={"labels": {"moneys": "Money"}}),
        "fact_tickets, labels: 'moneys' is no column of it. The nearest is 'money'.",
    ),
    "one label for two columns": (
        lambda: star(shop={"labels": {"boss": "CITY"}}),
        "dim_shop: two of its columns are called 'city'. Declare a label for one of them.",
    ),
    "one label for a measure and a column": (
        lambda: star(ticket={"measures": (Measure("money", label="Pieces"), Measure("pieces"))}),
        "fact_tickets: two of its columns and measures are called 'pieces'.",
    ),
    "one label for two tables": (
        lambda: star(shop={"label": "tickets"}),
        "star: two of its tables are called 'tickets'. Declare a label for one of them.",
    ),
    "an address in an unknown column": (
        lambda: star(shop={"visible_to": "bos"}),
        "dim_shop, visible_to: 'bos' is no column of it. The nearest is 'boss'.",
    ),
    "an address that is no text": (
        lambda: star(shop={"visible_to": "floors"}),
        "dim_shop: visible_to names 'floors', which is int32. Name a text column with e-mail addresses.",
    ),
    "two tables that say who sees what": (
        lambda: Star(
            [tickets, shops], [replace(dim_shop, visible_to="boss"), replace(dim_time, visible_to="holiday")], []
        ),
        "star: dim_shop and dim_time both declare visible_to. Declare it once.",
    ),
    "a format that nobody reads": (
        lambda: star(ticket={"measures": (Measure("money", format="euro"), Measure("pieces"))}),  # type: ignore[arg-type]
        "fact_tickets, measure 'money': its format is 'euro'. Use one of integer, decimal, money, percent.",
    ),
    "a currency without a code": (
        lambda: star(currency="$"),
        "star: currency is '$'. Use a code of ISO 4217, such as \"USD\".",
    ),
    "a ratio of an unknown column": (
        lambda: star(ticket={"ratios": (Ratio("rate", "mony", "pieces"),)}),
        "fact_tickets, ratio 'rate': 'mony' is no measure that adds up. The nearest is 'money'.",
    ),
    "a ratio of averages": (
        lambda: star(ticket={"ratios": (Ratio("rate", "money", ("pieces", "price")),)}),
        "fact_tickets, ratio 'rate': 'price' is no measure that adds up.",
    ),
    "a ratio named like a column": (
        lambda: star(ticket={"ratios": (Ratio("price", "money", "pieces"),)}),
        "fact_tickets: ratio 'price' is not a usable name, or is the name of a column. Use another name.",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told_when_the_star_is_loaded(case: str) -> None:
    """Not by an empty chart in front of a store manager."""
    declare, message = MISTAKES[case]
    with pytest.raises(BadDeclaration) as told:
        declare()
    assert message in str(told.value)


def test_what_is_right_is_let_in() -> None:
    """Or every case above could be refused for another reason than its own."""
    shown = star(
        a_dashboard(
            Page(
                "Front",
                tiles=["money", "value", "price"],
                charts=[LineChart("value"), BarChart("money", by="fact_tickets.shop")],
                where={"dim_shop.floors": 2, "dim_shop.city": "Miami"},
                between=(date(2023, 7, 1), date(2023, 7, 1)),
            ),
            filters=["dim_shop.boss", "dim_time.year"],
        ),
        shop={"visible_to": "boss", "hierarchies": {"Places": ["city", "shop"]}, "labels": {"boss": "Manager"}},
        currency="EUR",
    )
    assert [dashboard.name for dashboard in shown.dashboards] == ["shops"]


def test_a_dashboards_column_is_reached_through_the_first_reference() -> None:
    """A sale's day and its shipping day are both days: which one a chart means must not be left open."""
    front = a_dashboard(Page("Front"))
    found = star(front)
    city, year, own = (
        find_attribute(found, front, name) for name in ("dim_shop.city", "dim_time.year", "fact_tickets.home")
    )
    assert (city.table.name, city.column, city.through) == ("dim_shop", "city", "shop")
    assert (year.table.name, year.column, year.through) == ("dim_time", "year", "sold_on")
    assert (own.table.name, own.column, own.through) == ("fact_tickets", "home", None)


def test_of_two_measures_of_a_column_a_dashboard_means_the_first() -> None:
    front = a_dashboard(Page("Front"))
    found = star(front, ticket={"measures": (Measure("money"), Measure("money", "avg"), Measure("pieces"))})
    assert find_measure(found, front, "money") == Measure("money")


def test_a_charts_title_follows_from_its_names() -> None:
    front = a_dashboard(Page("Front"))
    found = star(front, shop={"labels": {"city": "Town"}})
    charts = [
        BarChart("money", by="dim_shop.city"),
        LineChart("value"),
        LineChart("value", title="What a piece brings"),
    ]
    titles = [chart_title(found, front, chart) for chart in charts]
    assert titles == ["Total Money by Town", "Value by Day", "What a piece brings"]


# Personal columns


def test_a_personal_column_stays_personal_in_every_table() -> None:
    """Renamed or computed from: an initial tells of a person too."""
    found = star()
    assert found.personal(shops) == {"owner"}
    assert found.personal(found.dimensions["dim_shop"]) == {"proprietor", "initial"}
    assert found.personal(found.facts["fact_tickets"]) == {"clerk"}
    assert found.personal(dim_time) == frozenset()


def test_a_personal_column_stays_personal_in_a_history() -> None:
    kept = replace(dim_shop, history=("proprietor",))
    found = Star([tickets, shops], [kept], [])
    assert found.personal(found.dimensions["dim_shop_history"]) == {"proprietor", "initial"}
