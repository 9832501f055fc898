"""Two lakes of the same exports, one for each engine, and how they are held against each other."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from star_assets.lake.versions import Manifest
from star_assets.model import Star
from star_assets.pipeline.describe import describe
from star_assets.pipeline.publishing import USED
from star_assets.pipeline.warehouse import Warehouse
from star_assets.settings import Settings

ENGINES = ("duckdb", "spark")


class Pair:
    """The same exports, built by each engine in a lake of its own."""

    def __init__(self, star: Star, root: Path, **settings: Any) -> None:
        self.star = star
        self.warehouses = {
            engine: Warehouse(star, Settings(lake=str(root / engine), engine=engine, threads=2, **settings))
            for engine in ENGINES
        }
        for warehouse in self.warehouses.values():
            Path(warehouse.settings.lake).mkdir(parents=True)
            (Path(warehouse.settings.lake) / "oltp").symlink_to(root / "oltp")

    def run(self, days: list[str], tables: Iterable[str] = ()) -> dict[str, dict[str, str]]:
        """Bring every table up to date. What failed, by engine and table."""
        found: dict[str, dict[str, str]] = {}
        for engine, warehouse in self.warehouses.items():
            for table in tables or self.star.tables:
                errors = {str(outcome.error) for outcome in warehouse.refresh(table, days) if outcome.error}
                if errors:
                    found.setdefault(engine, {})[table] = "; ".join(sorted(errors))
        return found

    def files(self, table: str, day: str) -> dict[str, Path]:
        """The live file of a table's day, by engine; none where none is live."""
        found = {}
        for engine, warehouse in self.warehouses.items():
            if manifest := warehouse.live_manifest(table, day):
                partition = warehouse.partitions(table, day)[-1]
                folder = Path(warehouse.settings.lake) / partition.version_folder(manifest.version)
                found[engine] = folder / manifest.files[0].name
        return found


def rows(file: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(f"FROM read_parquet('{file}', hive_partitioning=false)").fetchall()


def columns(file: Path) -> list[tuple[Any, ...]]:
    """(name, physical type, its length, logical type) of each column; not whether it may hold NULLs.

    DuckDB leaves that out where it knows of none, which depends on how a day was read.
    """
    schema = pq.ParquetFile(file).schema
    found = [schema.column(number) for number in range(len(schema))]
    return [(column.name, column.physical_type, column.length, str(column.logical_type)) for column in found]


def row_groups(file: Path) -> list[dict[str, Any]]:
    """By row group, the rows and the statistics of each column: what a query with a predicate skips rows by."""
    metadata = pq.read_metadata(file)
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    return [
        {"rows": group.num_rows}
        | {
            column.path_in_schema: (found.null_count, str(found.min), str(found.max)) if found else None
            for column in map(group.column, range(group.num_columns))
            for found in [column.statistics]
        }
        for group in groups
    ]


def facts_of(manifest: Manifest) -> dict[str, Any]:
    """What a manifest says of its rows: not what building them took, nor which versions of dimensions there were."""
    return {name: fact for name, fact in manifest.facts.items() if name not in (USED, "audited_against")}


def require_same(pair: Pair, table: str, day: str, in_order: bool) -> None:
    """Hold one engine's file of a table's day against the other's, with all that its manifest says of it."""
    files = pair.files(table, day)
    assert files.keys() in (set(), set(ENGINES))
    if not files:
        return
    duck, spark = files["duckdb"], files["spark"]
    assert columns(spark) == columns(duck)
    found, expected = rows(spark), rows(duck)
    assert sorted(map(str, found)) == sorted(map(str, expected))
    if in_order:
        assert list(map(str, found)) == list(map(str, expected))
        assert row_groups(spark) == row_groups(duck)
    manifests = {engine: warehouse.live_manifest(table, day) for engine, warehouse in pair.warehouses.items()}
    told = [(m.rows, m.schema, m.statistics, facts_of(m)) for m in manifests.values() if m]
    assert told[0] == told[1]
    for engine, manifest in manifests.items():
        assert manifest
        assert manifest.files == describe([files[engine]])[0]
    rejects = {engine: file.parent / "_rejects.parquet" for engine, file in files.items()}
    assert rejects["spark"].exists() == rejects["duckdb"].exists()
    if rejects["duckdb"].exists():
        assert pq.read_table(rejects["spark"]).to_pylist() == pq.read_table(rejects["duckdb"]).to_pylist()
