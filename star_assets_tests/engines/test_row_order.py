"""The order of rows in a fact's files is declared, and decides what a question about one store reads."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from star_assets.engines.duckdb.engine import ROW_GROUP, DuckDBEngine
from star_assets.engines.spark.engine import SparkEngine

from ..spark import needs_spark
from .one_day import build_day, bytes_read, write_day
from .pairs import row_groups

# A supermarket chain's day: eleven row groups.
LINES, STORES, STORE = 700_000, 200, 77


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_day(tmp_path_factory.mktemp("exports"), LINES, STORES, lines_of_order=20)


def test_a_question_about_one_store_reads_less_than_a_tenth_of_the_day(
    exports: dict[str, Path], tmp_path: Path
) -> None:
    """Partitions by store would be 73,000 a year; days that are sorted by store need none of them."""
    file = build_day(DuckDBEngine, exports, tmp_path / "day")
    by_key = tmp_path / "by key.parquet"
    duckdb.execute(
        f"COPY (FROM '{file}' ORDER BY sale_id) TO '{by_key}' (COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})"
    )
    assert bytes_read(file, STORE) < file.stat().st_size / 10
    assert bytes_read(by_key, STORE) > by_key.stat().st_size / 10


@pytest.mark.parametrize("engine", [DuckDBEngine, pytest.param(SparkEngine, marks=[*needs_spark, pytest.mark.long])])
def test_rows_are_in_the_order_that_is_declared(tmp_path: Path, engine: type) -> None:
    """By the named columns, and then by the key, whichever engine wrote the day."""
    exports = write_day(tmp_path, 3_000, 7)
    for number, sort_by in enumerate([("quantity", "store_id"), ()]):
        file = build_day(engine, exports, tmp_path / str(number), sort_by=sort_by)
        listed = ", ".join((*sort_by, "sale_id"))
        rows = duckdb.execute(f"SELECT {listed} FROM read_parquet('{file}')").fetchall()
        assert len(rows) == 3_000
        assert rows == sorted(rows)


@pytest.mark.long
@pytest.mark.parametrize("engine", [pytest.param(SparkEngine, marks=needs_spark)])
def test_a_question_reads_as_much_of_a_day_that_workers_wrote(tmp_path: Path, engine: type) -> None:
    """Row groups are cut alike, and their statistics are the same, so the same ones are skipped."""
    exports = write_day(tmp_path, 150_000, STORES)
    file = build_day(engine, exports, tmp_path / "there")
    here = build_day(DuckDBEngine, exports, tmp_path / "here")
    assert len(row_groups(file)) == 3
    assert row_groups(file) == row_groups(here)
    assert bytes_read(file, STORE) == pytest.approx(bytes_read(here, STORE), rel=0.02)
