"""A small lake with a star in it, and an embedded Athena over it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from star_assets.athena.embedded import EmbeddedAthena
from star_assets.lake.catalog import MADE_BY, OURS, CatalogColumn, PartitionEntry, TableEntry
from star_assets.lake.local_catalog import LocalCatalog
from star_assets.lake.local_storage import LocalStorage

DAYS = ("2023-07-01", "2023-07-02", "2023-10-01")
SALES = (
    ("sale_id", "string", "VARCHAR"),
    ("product_id", "bigint", "BIGINT"),
    ("store_id", "bigint", "BIGINT"),
    ("quantity", "int", "INTEGER"),
    ("revenue", "decimal(18,4)", "DECIMAL(18,4)"),
    ("sold_at", "timestamp", "TIMESTAMP_MS"),
)


class Lake:
    """Makes tables of files, and registers them as a publish does."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.storage, self.catalog = LocalStorage(root), LocalCatalog(root)
        self.duckdb = duckdb.connect()

    def write(self, folder: str, select: str) -> str:
        """Parquet of a DuckDB query in a folder of the lake; the folder's URI."""
        target = self.root / folder
        target.mkdir(parents=True, exist_ok=True)
        self.duckdb.execute(f"COPY ({select}) TO '{target}/part-00000.parquet'")
        (target / "_manifest.json").write_text("{}")
        return self.storage.uri(folder)

    def dimension(self, name: str, columns: dict[str, str], select: str) -> None:
        """A table without partitions."""
        location = self.write(f"olap/{name}/v=1", select)
        self.catalog.put_table(_entry(name, columns, location))

    def fact(self, name: str, columns: dict[str, str], location: str = "") -> TableEntry:
        """A table with a partition for each date, none yet."""
        entry = _entry(name, columns, location or self.storage.uri(f"olap/{name}"), ("date",))
        self.catalog.put_table(entry)
        return entry

    def day(self, entry: TableEntry, day: str, select: str, version: str = "1") -> None:
        """Publish a version of a day."""
        location = self.write(f"olap/{entry.name}/date={day}/v={version}", select)
        self.catalog.put_partitions("olap", entry.name, [PartitionEntry((day,), location, entry.columns)])


def _entry(name: str, columns: dict[str, str], location: str, keys: tuple[str, ...] = ()) -> TableEntry:
    listed = tuple(CatalogColumn(column, type_) for column, type_ in columns.items())
    partitioned = tuple(CatalogColumn(key, "string") for key in keys)
    return TableEntry("olap", name, listed, partitioned, location, parameters={MADE_BY: OURS})


@pytest.fixture(scope="session")
def small_star(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Two products, two stores, three days of four sales. Not to be changed by a test."""
    lake = Lake(tmp_path_factory.mktemp("lake"))
    lake.dimension(
        "dim_product",
        {"product_id": "bigint", "product_name": "string"},
        "SELECT * FROM (VALUES (1, 'Tea'), (2, 'Coffee')) AS t(product_id, product_name)",
    )
    lake.dimension(
        "dim_store",
        {"store_id": "bigint", "city": "string"},
        "SELECT * FROM (VALUES (1, 'Miami'), (2, 'Austin')) AS t(store_id, city)",
    )
    fact = lake.fact("fact_sales", {name: type_ for name, type_, _ in SALES})
    for day in DAYS:
        columns = ", ".join(f"CAST({name} AS {type_}) AS {name}" for name, _, type_ in SALES)
        rows = f"""SELECT '{day}-' || i AS sale_id, 1 + i % 2 AS product_id, 1 + i // 2 AS store_id,
                   i AS quantity, 10.25 + i AS revenue,
                   TIMESTAMP '{day} 10:00:00.123' AS sold_at FROM range(4) AS r(i)"""
        lake.day(fact, day, f"SELECT {columns} FROM ({rows})")
    return lake


@pytest.fixture(scope="session")
def athena(small_star: Lake) -> EmbeddedAthena:
    """An Athena for questions that change nothing."""
    return EmbeddedAthena(small_star.storage, small_star.catalog, threads=1)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """An empty lake of a test's own."""
    return Lake(tmp_path / "lake")
