"""The Spark engine: it stages exports and builds tables on any cluster.

Spark reads and types the exports, and computes dimensions, histories and facts, into
sorted runs. From these, DuckDB on the machine that drives Spark writes every file that is
published, so that files have the same types, statistics and sizes whichever engine computed
them. Not here: the books, which DuckDB always computes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ibis.expr.types import Table

from star_assets.engines.assembling import DATE
from star_assets.engines.duckdb.engine import ROW_GROUP
from star_assets.engines.duckdb.relations import names, physical
from star_assets.engines.duckdb.session import name, parquet, parquet_format, text
from star_assets.engines.engine import DimensionInput, ExportInput, FactInput, StagedDay, Workplace
from star_assets.engines.spark.relations import SparkRelations
from star_assets.engines.spark.session import spark_errors
from star_assets.engines.spark.staging import SparkStaging
from star_assets.model.source import Source
from star_assets.model.tables import Dimension, Fact, History


class SparkEngine:
    """The implementation of Engine on a Spark session. Calls of several threads run one by one, on all workers."""

    # A job takes seconds to begin, and Spark bounds its memory itself. So a pass is large;
    # its bound is the work that is lost if it fails midway.
    pass_bytes = 4 * 1024**3

    def __init__(self, workplace: Workplace) -> None:
        self.star = workplace.star
        self.database = workplace.database
        self.settings = workplace.settings
        self.spark = SparkRelations(workplace.star, workplace.settings, workplace.files)
        self._turn = threading.Lock()

    def stage(self, source: Source, exports: Sequence[ExportInput], folder: Path) -> Iterator[StagedDay]:
        """Turn raw exports into files of typed, valid rows and of rejects, one of each per day."""
        reserved, receipt = self.star.reserved_keys(source), self.star.receipt_of(source)
        staging = SparkStaging(self.spark, self.database, source, reserved, receipt)
        with self._turn:
            return iter(list(staging.stage(exports, folder)))

    @spark_errors("building a dimension")
    def build_dimension(self, dimension: Dimension, given: DimensionInput, file: Path) -> None:
        """Write the transform's rows over the states, with the Unknown and inferred members, into `file`."""
        with self._turn:
            self._write_table(self.spark.members(dimension, given), dimension.key, file)

    @spark_errors("building a history")
    def build_history(self, history: History, given: DimensionInput, file: Path) -> None:
        """Write the history's rows, from all versions of the describing source's rows, into `file`."""
        with self._turn:
            self._write_table(self.spark.intervals(history, given), history.key, file)

    @spark_errors("building a fact")
    def build_fact(self, fact: Fact, given: FactInput, folder: Path) -> dict[str, Path]:
        """Compute the rows of all dates in one job, into sorted runs per date; then write a file for each date."""
        order = list(fact.row_order)
        with self._turn:
            rows = self.spark.fact_rows(fact, given)
            found = self.spark.write(rows, folder / "runs", order, by=DATE)
        columns = rows.drop(DATE)

        def write(date: str) -> tuple[str, Path]:
            file = folder / f"{date}.parquet"
            self._write_file(columns, found.get(date, []), order, file, f"ROW_GROUP_SIZE {ROW_GROUP}")
            return date, file

        with ThreadPoolExecutor(self.settings.threads) as pool:
            return dict(pool.map(write, given.dates))

    def _write_table(self, rows: Table, key: str, file: Path) -> None:
        found = self.spark.write(rows, file.with_suffix(".runs"), [key])
        self._write_file(rows, found.get("", []), [key], file)

    def _write_file(self, rows: Table, runs: Sequence[str], order: Sequence[str], file: Path, *options: str) -> None:
        """Write one sorted file from some sorted runs."""
        nothing = ", ".join(f"NULL AS {name(column)}" for column in rows.columns)
        found = parquet(runs) if runs else f"(SELECT {nothing}) WHERE false"
        sort = f" ORDER BY {names(order)}" if len(runs) > 1 else ""
        with self.database.cursor() as cursor:
            cursor.execute(
                f"COPY (SELECT {physical(rows)} FROM {found}{sort}) TO {text(str(file))} "
                f"{parquet_format(self.settings, *options)}"
            )
