"""The Jaffle example, end to end, against figures that were computed apart from this project."""

from __future__ import annotations

import csv
import importlib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from star_assets.model import load_star
from star_assets.pipeline.warehouse import Warehouse
from star_assets.settings import Settings

REPOSITORY = Path(__file__).parents[2]

# One worker builds the year.
pytestmark = pytest.mark.xdist_group("jaffle")

ITEMS = """
    SELECT {k} AS k, count(*) AS lines, count(DISTINCT order_id) AS orders_with_items,
           CAST(100 * sum(revenue) AS BIGINT) AS item_revenue_cents
    FROM fact_items JOIN dim_product USING (sku) JOIN dim_store USING (store_id)
    JOIN dim_customer ON customer = customer_id JOIN dim_time ON sale_date = date_key
    GROUP BY ALL ORDER BY k
"""
HEADERS = """
    SELECT count(*) AS orders, CAST(100 * sum(subtotal) AS BIGINT) AS subtotal,
           CAST(100 * sum(tax) AS BIGINT) AS tax_paid, CAST(100 * sum(total) AS BIGINT) AS order_total,
           count(*) FILTER (order_id NOT IN (SELECT order_id FROM fact_items)) AS orders_without_items,
           CAST(100 * sum(subtotal) FILTER (order_id NOT IN (SELECT order_id FROM fact_items)) AS BIGINT)
               AS subtotal_of_those
    FROM fact_orders
"""


@pytest.fixture(scope="module")
def prepare(request: pytest.FixtureRequest) -> Any:
    """The example's modules, as they are found from the repository's root."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(REPOSITORY))
        yield importlib.import_module("examples.jaffle.prepare")


@pytest.fixture(scope="module")
def warehouse(prepare: Any, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    dump = prepare.dump_folder()
    if not (dump / "oracle").is_dir():
        pytest.skip(f"no Jaffle dump in {dump}; JAFFLE_DATA names its folder")
    lake = tmp_path_factory.mktemp("jaffle")
    prepare.prepare(dump, lake)
    settings = Settings(lake=str(lake), start_date=date.fromisoformat(prepare.FIRST_DAY), timezone="UTC")
    found = Warehouse(load_star("examples.jaffle.jaffle:jaffle"), settings)
    first, last = date.fromisoformat(prepare.FIRST_DAY), date.fromisoformat(prepare.DUMP_DAY)
    days = [str(first + timedelta(days=number)) for number in range((last - first).days + 1)]
    for table in found.star.tables:
        wanted = days if table in found.star.facts else [prepare.DUMP_DAY]
        failed = [str(outcome.error) for outcome in found.refresh(table, wanted) if outcome.error]
        assert failed == []
    return found


@pytest.fixture(scope="module")
def database(warehouse: Warehouse) -> duckdb.DuckDBPyConnection:
    """The published tables, as the catalog serves them."""
    connection = duckdb.connect()
    for name in [*warehouse.star.dimensions, *warehouse.star.facts]:
        entry = warehouse.catalog.table("olap", name)
        assert entry is not None
        partitions = [partition.location for partition in warehouse.catalog.partitions("olap", name)]
        folders = [warehouse.storage.path(location) for location in partitions or [entry.location or ""]]
        paths = [stored.path for folder in folders for stored in warehouse.storage.walk(folder or "")]
        files = warehouse.storage.local([path for path in paths if path.endswith(".parquet")])
        connection.read_parquet(files, hive_partitioning=False).create_view(name)
    return connection


def oracle(prepare: Any, name: str) -> list[dict[str, str]]:
    with (prepare.dump_folder() / "oracle" / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


def rows(database: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, str]]:
    found = database.sql(sql)
    return [dict(zip(found.columns, map(str, row), strict=True)) for row in found.fetchall()]


@pytest.mark.parametrize(
    ("by", "k"),
    [
        ("by_month", "strftime(sale_date, '%Y-%m')"),
        ("by_product", "sku"),
        ("by_store", "store_name"),
        ("total", "'all'"),
    ],
)
def test_item_revenue_equals_the_oracle_to_the_cent(
    prepare: Any, database: duckdb.DuckDBPyConnection, by: str, k: str
) -> None:
    """Through inner joins with every dimension: none may lose a row."""
    assert rows(database, ITEMS.format(k=k)) == oracle(prepare, by)


def test_orders_equal_the_oracle_and_those_without_items_are_no_items(
    prepare: Any, database: duckdb.DuckDBPyConnection
) -> None:
    assert rows(database, HEADERS) == oracle(prepare, "headers")


def test_nothing_of_the_dump_is_rejected(prepare: Any, warehouse: Warehouse) -> None:
    for source in warehouse.star.sources:
        manifest = warehouse.live_manifest(source, prepare.DUMP_DAY)
        assert manifest is not None
        assert manifest.facts["rejected"] == 0
        assert manifest.rows > 0


def test_every_member_is_described_but_the_unknown_one(database: duckdb.DuckDBPyConnection) -> None:
    for dimension in ("dim_product", "dim_store", "dim_customer"):
        kinds = rows(database, f"SELECT member_kind AS kind, count(*) AS n FROM {dimension} GROUP BY ALL ORDER BY 1")
        assert [kind["kind"] for kind in kinds] == ["described", "unknown"]
        assert kinds[1]["n"] == "1"


def test_preparing_again_changes_nothing(prepare: Any, tmp_path: Path) -> None:
    """A touched file would be a new export."""
    dump = tmp_path / "dump"
    dump.mkdir()
    for name in prepare.FILES.values():
        (dump / name).write_bytes(b"id\n")
    prepare.prepare(dump, tmp_path / "lake")
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "lake").rglob("*")}
    prepare.prepare(dump, tmp_path / "lake")
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "lake").rglob("*")} == before
    assert len(before) == 5 * 4 + 1
