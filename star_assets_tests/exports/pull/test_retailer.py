"""The sample retailer's database end to end: pulled day by day, and asked the reference question."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from star_assets.athena.embedded import EmbeddedAthena
from star_assets.samples.retailer import write_exports
from star_assets.star import retail
from star_assets_tests.shop import Shop, documented

from .conftest import FIRST, MakeLake, PulledLake

DAYS = [FIRST + timedelta(days=number) for number in range(14)]

QUESTION = """
SELECT p.product_name, SUM(f.revenue) AS total_revenue
FROM fact_sales f
JOIN dim_product p ON f.product_id = p.product_id
JOIN dim_store s ON f.store_id = s.store_id
WHERE s.city = 'Miami' AND f.date BETWEEN '2023-07-01' AND '2023-09-30'
GROUP BY p.product_name
ORDER BY total_revenue DESC
"""

# What the database itself says, with nothing of ours.
BY_HAND = """
SELECT coalesce(product_name, 'Unknown'), sum(quantity * unit_price - coalesce(discount, 0))
FROM shop.orders JOIN shop.order_items USING (order_id)
LEFT JOIN shop.products USING (product_id) LEFT JOIN shop.stores USING (store_id)
WHERE op <> 'D' AND coalesce(status, '') <> 'cancelled' AND city = 'Miami'
  AND ordered_at >= '2023-07-01 00:00+00' AND ordered_at < '2023-10-01 00:00+00'
GROUP BY 1
"""


def answer(lake: PulledLake) -> dict[str, Any]:
    athena = EmbeddedAthena(lake.warehouse.storage, lake.warehouse.catalog)
    return {row["product_name"]: row["total_revenue"] for row in athena.query(QUESTION).table.to_pylist()}


def build(lake: PulledLake, days: list[date]) -> None:
    for table in retail.tables:
        failed = [str(o.error) for o in lake.warehouse.refresh(table, [str(day) for day in days]) if o.error]
        assert failed == []


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    write_exports(tmp_path, FIRST, len(DAYS), orders_per_day=60)
    return tmp_path


def test_the_reference_question_is_answered_to_the_cent(shop: Shop, make_lake: MakeLake, exports: Path) -> None:
    """Pulled every night, or all at once when many orders have changed again: the answer is the database's."""
    nightly, late = make_lake(), make_lake()
    for day in DAYS:
        shop.live_through(exports, day, FIRST)
        nightly.pull(str(day))
    build(nightly, DAYS)
    build(late, DAYS)
    expected = dict(shop.execute(BY_HAND))
    assert len(expected) > 20
    assert answer(nightly) == expected
    assert answer(late) == expected
    assert nightly.warehouse.reconcile("fact_sales", [str(day) for day in DAYS]).differing == []
    # And they did not come by the same exports.
    assert len(nightly.rows("orders", str(FIRST))) > len(late.rows("orders", str(FIRST)))


def test_every_day_is_exported_in_full(shop: Shop, lake: PulledLake, exports: Path) -> None:
    """What was exported by the retailer itself is in the pulled exports of the same days."""
    for day in DAYS[:5]:
        shop.live_through(exports, day, FIRST)
        lake.pull(str(day))
    for source in (name for name, declared in retail.sources.items() if declared.is_pulled):
        dropped = {file.parent.name: file for file in (exports / "oltp" / source).rglob("_SUCCESS")}
        assert set(dropped) >= {f"date={day}" for day in DAYS[:5]}
    first, second = str(DAYS[0]), str(DAYS[1])
    assert len(lake.rows("stores", first)) == shop.execute("SELECT count(*) FROM shop.stores")[0][0]
    assert lake.keys("stores", second) == lake.keys("stores", first)
    assert not lake.keys("customers", first) <= lake.keys("customers", second)
    assert len(lake.rows("customers", first)) > 1000
    notes = {row["delivery_note"] for row in lake.rows("customers", first)}
    assert "Ring twice.\nThe dog is friendly." in notes


def test_of_a_snapshot_no_row_is_left_out_because_it_did_not_change(shop: Shop, lake: PulledLake) -> None:
    """By the page on PostgreSQL, to the letter. A product that a snapshot lacks is taken for one that is gone."""
    shop.execute(documented("CREATE INDEX") + documented("CREATE FUNCTION"))
    products = (
        "SELECT n, 'Product ' || n, 'Outdoor', 'Tidewell', n, '2023-07-01 08:00+00' FROM generate_series(1, 58) n"
    )
    shop.execute(f"INSERT INTO shop.products {products}")
    days = DAYS[:3]
    lake.pull(str(days[0]))
    change = "SET list_price = list_price + 1, updated_at = '2023-07-02 09:00+00' WHERE product_id IN (7, 8)"
    shop.execute(f"UPDATE shop.products {change}")
    lake.pull(str(days[1]))
    assert lake.keys("products", str(days[1])) == set(range(1, 59))
    shop.execute("DELETE FROM shop.products WHERE product_id = 9")
    lake.pull(str(days[2]))
    build(lake, days)
    athena = EmbeddedAthena(lake.warehouse.storage, lake.warehouse.catalog)
    kinds = athena.query("SELECT member_kind, COUNT(*) AS n FROM dim_product GROUP BY member_kind").table.to_pylist()
    assert {row["member_kind"]: row["n"] for row in kinds} == {"unknown": 1, "described": 57, "vanished": 1}
