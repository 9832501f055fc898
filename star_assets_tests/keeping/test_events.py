"""What tills rang up is forgotten and retired as exports are: hours and all."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import date, timedelta

import pytest

from star_assets.keeping.forget import forget
from star_assets.keeping.retire import retire
from star_assets.model import Star
from star_assets.star import customers, dim_customer, fact_sales, order_items, orders
from star_assets.star.facts import sales_from_tills
from star_assets.star.sources import pos_sales
from star_assets_tests.pipeline.conftest import Lake, MakeLake
from star_assets_tests.pipeline.test_tills import FIRST, SECOND, arrive, bring_up_to_date, event

RAW = f"oltp/pos_sales/date={FIRST}"

tills_of_customers = Star(
    sources=[orders, order_items, pos_sales, customers],
    dimensions=[dim_customer],
    facts=[replace(fact_sales, references={"customer_id": dim_customer})],
    provisional=[sales_from_tills],
)


@pytest.fixture
def lake(make_lake: MakeLake) -> Lake:
    """Two customers, whom nobody has described yet, buy in two hours of one day."""
    lake = make_lake(tills_of_customers)
    arrive(lake, FIRST, "12", "a", event("a", 1, customer_id=4711), event("b", 2, customer_id=8))
    arrive(lake, FIRST, "13", "b", event("c", 3, customer_id=4711))
    bring_up_to_date(lake)
    return lake


def test_a_person_is_forgotten_in_every_hour_and_the_money_stays(lake: Lake) -> None:
    found = forget(lake.warehouse, "dim_customer", "4711")
    assert found["oltp/pos_sales"] == 2
    raw = [gzip.decompress(path.read_bytes()) for path in sorted((lake.root / RAW).rglob("hour=*/*"))]
    assert len(raw) == 2 and not any(b"4711" in content for content in raw)
    sales = lake.rows("SELECT sale_id, customer_id, revenue::VARCHAR FROM fact_sales ORDER BY 1")
    assert sales == [("provisional:a", -1, "5.0000"), ("provisional:b", 8, "5.0000"), ("provisional:c", -1, "5.0000")]
    assert lake.rows("SELECT customer_id FROM dim_customer ORDER BY 1") == [(-1,), (8,)]


def test_the_hours_of_an_old_day_are_retired_and_its_sales_stay(lake: Lake) -> None:
    before, later = lake.sales(), date.fromisoformat(SECOND) + timedelta(days=10)
    done = retire(lake.warehouse, timedelta(days=10), later)
    assert (done.days, done.kept) == (1, ())
    assert not list((lake.root / RAW).rglob("hour=*/[!_]*"))
    bring_up_to_date(lake)
    assert [outcome.status for outcome in lake.refresh("fact_sales", FIRST)] == ["unchanged"]
    assert lake.sales() == before
