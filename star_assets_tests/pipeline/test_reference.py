"""The sample retailer end to end: the reference question, against plain SQL over the raw files."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from star_assets.athena.embedded import EmbeddedAthena
from star_assets.samples.retailer import write_exports
from star_assets.star import retail

# One worker builds the quarter.
pytestmark = pytest.mark.xdist_group("reference")

FIRST, DAYS = date(2023, 7, 1), 92

QUESTION = """
SELECT p.product_name, SUM(f.revenue) AS total_revenue
FROM fact_sales f
JOIN dim_product p ON f.product_id = p.product_id
JOIN dim_store s ON f.store_id = s.store_id
WHERE s.city = 'Miami' AND f.date BETWEEN '2023-07-01' AND '2023-09-30'
GROUP BY p.product_name
ORDER BY total_revenue DESC;
"""

# Nothing of ours in here: an order is what its newest row says, with the lines
# of the same day's export; a product or store is what its newest row says.
BY_HAND = """
WITH orders AS (
    SELECT *, date AS exported FROM read_csv('{lake}/oltp/orders/*/*.csv', all_varchar = true, hive_partitioning = true)
    QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY updated_at DESC, date DESC) = 1
), items AS (
    SELECT *, date AS exported
    FROM read_csv('{lake}/oltp/order_items/*/*.csv.gz', all_varchar = true, hive_partitioning = true)
), products AS (
    SELECT product_id::VARCHAR AS product_id, product_name
    FROM read_json('{lake}/oltp/products/*/*.jsonl', hive_partitioning = true)
    QUALIFY row_number() OVER (PARTITION BY product_id ORDER BY updated_at DESC, date DESC) = 1
), stores AS (
    SELECT store_id::VARCHAR AS store_id, city
    FROM read_json('{lake}/oltp/stores/*/*.json', hive_partitioning = true)
    QUALIFY row_number() OVER (PARTITION BY store_id ORDER BY updated_at DESC, date DESC) = 1
)
SELECT coalesce(product_name, 'Unknown'),
       sum(quantity::BIGINT * unit_price::DECIMAL(12,2) - coalesce(discount::DECIMAL(12,2), 0)) AS revenue
FROM orders JOIN items USING (order_id, exported)
LEFT JOIN products USING (product_id)
LEFT JOIN stores USING (store_id)
WHERE op <> 'D' AND coalesce(status, '') <> 'cancelled'
  AND {where}
GROUP BY 1
"""


@pytest.fixture(scope="module")
def retailer(module_lake):
    """A quarter of 40 orders a day, published."""
    lake = module_lake(retail)
    write_exports(lake.root, FIRST, DAYS, orders_per_day=40)
    lake.run(*lake.warehouse.days())
    return lake


def by_hand(lake, where: str) -> dict[str, object]:
    return dict(duckdb.execute(BY_HAND.format(lake=lake.root, where=where)).fetchall())


def test_the_reference_question_is_answered_to_the_cent(retailer) -> None:
    """The promise of the whole: what an analyst asks in Athena is what the raw files say."""
    athena = EmbeddedAthena(retailer.warehouse.storage, retailer.warehouse.catalog)
    found = [tuple(row.values()) for row in athena.query(QUESTION).table.to_pylist()]
    expected = by_hand(retailer, "city = 'Miami' AND ordered_at BETWEEN '2023-07-01' AND '2023-10-01'")
    assert len(found) > 20
    assert dict(found) == expected
    assert [revenue for _, revenue in found] == sorted(expected.values(), reverse=True)


def test_inner_joins_with_every_dimension_lose_nothing(retailer) -> None:
    """Guests, products that no export describes, orders without a store: all are in some member."""
    star = """FROM fact_sales JOIN dim_product USING (product_id) JOIN dim_store USING (store_id)
              JOIN dim_customer USING (customer_id) JOIN dim_time ON sale_date = date_key"""
    totals = "SELECT count(*), sum(revenue), sum(quantity) "
    assert retailer.rows(totals + star) == retailer.rows(totals + "FROM fact_sales")
    (rows, revenue, _), *_ = retailer.rows(totals + star)
    assert rows > 5000
    assert revenue == sum(by_hand(retailer, "ordered_at < '2023-10-01'").values())


def test_the_whole_quarter_reconciles_with_its_sources(retailer) -> None:
    found = retailer.warehouse.reconcile("fact_sales", retailer.warehouse.days())
    assert found.differing == []
    totals = found.totals()
    assert totals["raw"]["rows"] > totals["fact"]["rows"] > 5000
    assert totals["cancelled"]["revenue"] < 0 and totals["superseded"]["rows"] < 0


def test_a_second_run_publishes_nothing(retailer) -> None:
    """Unchanged inputs and code: every version stays."""
    before = retailer.live()
    again = retailer.again()
    for table in retail.tables:
        assert set(again.statuses(table, *again.warehouse.days())) == {"unchanged"}
    assert again.live() == before
