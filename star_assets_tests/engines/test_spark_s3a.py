"""A lake in a bucket: Spark's workers read it by S3A, and share no file system with the machine that drives them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from star_assets.engines.spark.engine import SparkEngine
from star_assets.lake.s3_storage import S3Storage
from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.retailer import write_exports
from star_assets.settings import Settings
from star_assets.star import retail

from ..spark import S3A, needs_spark

pytestmark = [*needs_spark, pytest.mark.long]

DAYS = ["2023-07-01", "2023-07-02"]

# Plain CSV, JSON that only the exact reader takes, a dimension with a look-up of used keys, and a fact.
TABLES = ("orders", "order_items", "products", "dim_product", "dim_product_history")


@pytest.fixture
def both(aws: Callable[..., Settings], tmp_path: Path) -> dict[str, Warehouse]:
    """The same exports in a folder for DuckDB, and in a bucket for Spark."""
    if not S3A.exists():
        reason = f"{S3A} does not hold S3A's jars; `make s3a` fetches them"
        warnings.warn(reason, stacklevel=1)
        pytest.skip(reason)
    write_exports(tmp_path / "lake", date(2023, 7, 1), 2, orders_per_day=20)
    here = Warehouse(retail, Settings(lake=str(tmp_path / "lake"), threads=2))
    there = Warehouse(retail, aws(engine="spark", threads=2))
    for file in (tmp_path / "lake/oltp").rglob("*"):
        if file.is_file():
            there.storage.write(file.relative_to(tmp_path / "lake").as_posix(), file.read_bytes())
    return {"duckdb": here, "spark": there}


def test_a_lake_in_a_bucket_is_the_same(both: dict[str, Warehouse]) -> None:
    """What lies in it is read where it lies, what is made on the way passes through it, and nothing of that stays."""
    for table in TABLES:
        files: dict[str, list[Any]] = {}
        for engine, warehouse in both.items():
            outcomes = list(warehouse.refresh(table, DAYS))
            assert [outcome.error for outcome in outcomes] == [None, None]
            for day in DAYS:
                manifest = warehouse.live_manifest(table, day)
                assert manifest is not None
                folder = warehouse.partitions(table, day)[-1].version_folder(manifest.version)
                (file,) = warehouse.storage.local([f"{folder}/{manifest.files[0].name}"])
                rows = pq.read_table(file).to_pylist()
                files.setdefault(engine, []).append(sorted(map(str, rows)) if table in retail.sources else rows)
        assert files["spark"] == files["duckdb"], table
    storage, engine_ = both["spark"].storage, both["spark"].engine
    assert isinstance(storage, S3Storage)
    assert isinstance(engine_, SparkEngine)
    live = {day: entry.version for day, entry in both["spark"].staged(retail.sources["orders"]).items()}
    staged = both["spark"].staged_inputs(retail.sources["orders"], live)
    read = engine_.spark.session.table(engine_.spark.staged(retail.sources["orders"], staged).get_name()).inputFiles()
    assert read
    assert all(name.startswith(f"s3a://{storage.bucket}/") for name in read)
    assert list(storage.walk("staging/_spark")) == []


def test_an_export_that_changes_while_it_is_read_is_not_staged(both: dict[str, Warehouse]) -> None:
    """Workers read the bucket, not the copy that was inspected."""
    warehouse = both["spark"]
    engine = warehouse.engine
    assert isinstance(engine, SparkEngine)
    visible = engine.spark.files.visible

    def visible_and_changed(files: list[str]) -> list[str]:
        path = f"oltp/orders/date={DAYS[0]}/orders.csv"
        warehouse.storage.write(path, warehouse.storage.read(path)[0].replace(b"shipped", b"SHIPPED"))
        return visible(files)

    engine.spark.files.visible = visible_and_changed  # type: ignore[method-assign, assignment]
    (outcome,) = warehouse.refresh("orders", DAYS[:1])
    assert "it changed while it was read" in str(outcome.error)
