"""Until when a page knows, on a day that tills are ringing up: in a real browser, in the business's time."""

from __future__ import annotations

from dataclasses import replace

from star_assets.athena.opening import open_athena
from star_assets.model import Dashboard, Page, Star
from star_assets.reports.dashboard.answers import ask
from star_assets.reports.dashboard.publishing import rendered
from star_assets.star import dim_product, fact_sales, order_items, orders, products
from star_assets.star.facts import sales_from_tills
from star_assets.star.sources import pos_sales
from star_assets_tests.pipeline.conftest import Lake, MakeLake, make_lake
from star_assets_tests.pipeline.test_tills import FIRST, arrive, bring_up_to_date, event, export, order

from .conftest import Tab

__all__ = ["make_lake"]

now = Dashboard("now", "Now", "fact_sales", [Page("Now", tiles=["revenue"])])

star = Star(
    sources=[orders, order_items, pos_sales, products],
    dimensions=[dim_product],
    facts=[replace(fact_sales, references={"product_id": dim_product})],
    provisional=[sales_from_tills],
    dashboards=[now],
)


def page(lake: Lake) -> bytes:
    athena = open_athena(lake.warehouse.storage, lake.warehouse.catalog, lake.warehouse.settings)
    return rendered(star, now, ask(lake.warehouse, athena, now))


def test_a_day_is_known_until_its_newest_event_and_whole_once_its_orders_are_exported(
    make_lake: MakeLake, tab: Tab
) -> None:
    lake = make_lake(star, timezone="America/New_York")
    arrive(lake, FIRST, "12", "a", event("a", 1), event("b", 2, sold_at=f"{FIRST}T14:20:31Z"))
    bring_up_to_date(lake)
    assert tab.open(page(lake)).texts("#known") == ["Sales until Saturday, July 1, 2023, 10:20 · provisional"]

    export(lake, FIRST, order(1), order(2), items=("1,1,7,2,2.50,", "2,1,7,2,2.50,"))
    bring_up_to_date(lake)
    assert tab.open(page(lake)).texts("#known") == ["Sales until Saturday, July 1, 2023"]
