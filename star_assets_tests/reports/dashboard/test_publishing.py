"""Who gets which page, what is in it, and how pages are replaced in the lake."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from star_assets.athena.opening import open_athena
from star_assets.model import Dashboard, Page, Star
from star_assets.model.errors import BadDeclaration, LostRace, NobodysPage
from star_assets.reports.dashboard import publishing
from star_assets.reports.dashboard.answers import Answers
from star_assets.reports.dashboard.publishing import FOLDER, publish, rendered
from star_assets.reports.dashboard.viewers import SECRET, lake_secret, opaque, own_page
from star_assets.star import dim_customer, dim_product, dim_store, dim_time, fact_sales, retail, store_managers

from .conftest import Asked, Tab, asked, money

pytestmark = pytest.mark.xdist_group("dashboard")

BRICKELL = "store-1@example.com"


def carried(content: bytes) -> dict[str, Any]:
    (found,) = re.findall(rb'id="data">(.*?)</script>', content, re.DOTALL)
    data: dict[str, Any] = json.loads(found)
    return data


def published(lake: Any) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (lake.root / FOLDER / "store_managers").glob("*.html")}


def publish_again(lake: Any) -> publishing.Published:
    warehouse = lake.warehouse
    return publish(warehouse, open_athena(warehouse.storage, warehouse.catalog, warehouse.settings), store_managers)


def test_a_manager_has_the_rows_of_their_store_and_nothing_of_any_other(five_weeks: Asked, tab: Tab) -> None:
    """In the file, not only on the screen."""
    content = rendered(retail, store_managers, own_page(retail, store_managers, five_weeks.answers, BRICKELL.upper()))
    others = five_weeks.rows("SELECT store_name, city FROM dim_store WHERE store_id > 1")
    assert [row for row in others if row["store_name"].encode() in content] == []
    assert carried(content)["slicers"]["dim_store.city"]["values"] == ["Miami"]
    tab.open(content)
    assert tab.tile("revenue")[0] == money(
        five_weeks.value("SUM(revenue) FROM fact_sales WHERE store_id = 1 AND date >= '2023-07-08'")
    )
    assert tab.silent()


def test_pages_of_all_managers_add_up_to_the_page_of_all(five_weeks: Asked) -> None:
    """A row that no page has, or two have, is shown to nobody, or to somebody it is not for."""
    rows = [row for who in five_weeks.answers.viewers for row in five_weeks.answers.seen_by(who).daily]
    assert len(rows) == len(five_weeks.answers.daily)
    assert set(rows) == set(five_weeks.answers.daily)


@pytest.mark.parametrize("who", ["nobody@example.com", "", "Unknown", "store-1"])
def test_an_address_that_is_no_managers_gets_no_page(five_weeks: Asked, who: str) -> None:
    with pytest.raises(NobodysPage, match="no manager_email of dim_store is that address"):
        own_page(retail, store_managers, five_weeks.answers, who)


def test_a_fact_that_does_not_say_who_sees_it_has_only_the_page_of_all() -> None:
    references = {"product_id": dim_product, "sale_date": dim_time, "customer_id": dim_customer}
    apart = Dashboard("apart", "Apart", "fact_sales", [Page("One", tiles=["revenue"])])
    star = Star(
        [*retail.sources.values()],
        [dim_product, dim_store, dim_customer, dim_time],
        [replace(fact_sales, references=references)],
        dashboards=[apart],
    )
    with pytest.raises(BadDeclaration, match="refers to no dimension with visible_to"):
        own_page(star, apart, Answers(), BRICKELL)


# In the lake


def test_each_manager_has_a_page_under_a_name_that_nobody_can_guess(small_lake: Any) -> None:
    done, pages = publish_again(small_lake), published(small_lake)
    secret = lake_secret(small_lake.warehouse.storage)
    assert pages.keys() == {f"{opaque(secret, store_managers, who)}.html" for who in done.answers.viewers}
    assert {carried(content)["viewer"] for content in pages.values()} == set(done.answers.viewers)
    assert opaque(b"another lake's", store_managers, BRICKELL) != opaque(secret, store_managers, BRICKELL)
    assert len(secret) == 64
    assert not (small_lake.root / FOLDER / Path(SECRET).name).exists(), "who copies the pages leaves it here"


def test_pages_keep_their_names_and_change_with_the_tables(small_lake: Any) -> None:
    publish_again(small_lake)
    before = published(small_lake)
    publish_again(small_lake)
    assert published(small_lake) == before
    orders = small_lake.export("orders", "2023-07-02") / "orders.csv"
    orders.write_text("".join(orders.read_text().splitlines(keepends=True)[:5]))
    for table in ("orders", "fact_sales"):
        assert [one.error for one in small_lake.warehouse.refresh(table, ["2023-07-02"]) if one.error] == []
    publish_again(small_lake)
    after = published(small_lake)
    assert (after.keys(), after != before) == (before.keys(), True)


def test_the_page_of_who_manages_no_store_any_more_is_removed(small_lake: Any) -> None:
    done = publish_again(small_lake)
    stores = small_lake.export("stores", "2023-07-02") / "stores.json"
    rows = json.loads(stores.read_text())
    stores.write_text(
        json.dumps([{**row, "manager_email": BRICKELL, "updated_at": "2023-07-03T00:00:00Z"} for row in rows])
    )
    for table in ("stores", "dim_store"):
        assert [one.error for one in small_lake.warehouse.refresh(table, ["2023-07-02"]) if one.error] == []
    again = publish_again(small_lake)
    assert (len(again.sizes), again.removed) == (1, len(done.sizes) - 1)
    (content,) = published(small_lake).values()
    assert len(carried(content)["slices"]) == len(rows)


def test_an_older_page_never_follows_a_newer_one(small_lake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody publishes while another is still asking."""
    publish_again(small_lake)
    ask = publishing.ask

    def overtaken(*given: Any) -> Answers:
        answers = ask(*given)
        for page in (small_lake.root / FOLDER / "store_managers").glob("*.html"):
            page.write_bytes(b"newer")
        return answers

    monkeypatch.setattr(publishing, "ask", overtaken)
    with pytest.raises(LostRace):
        publish_again(small_lake)
    assert set(published(small_lake).values()) == {b"newer"}


def test_a_star_that_says_nothing_of_who_sees_what_has_one_page(small_lake: Any) -> None:
    stores = replace(dim_store, visible_to=None)
    star = Star(
        [*retail.sources.values()],
        [dim_product, stores, dim_customer, dim_time],
        [replace(fact_sales, references={**fact_sales.references, "store_id": stores})],
        dashboards=[store_managers],
    )
    small_lake.warehouse.star = star
    assert publish_again(small_lake).answers.viewers == []
    assert list(published(small_lake)) == ["index.html"]
    assert asked(small_lake.warehouse).answers.slices != []
