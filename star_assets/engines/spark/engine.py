"""The Spark engine: it stages exports and builds tables on any cluster.

Spark reads and types the exports, and computes dimensions, histories and facts. In the
same job its workers write every published file with DuckDB. So a file has the same
types, row groups and statistics whichever engine computed its rows. Not here: the books,
which DuckDB computes on the driver.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ibis.expr.types import Table

from star_assets.engines.assembling import DATE
from star_assets.engines.duckdb.engine import ROW_GROUP
from star_assets.engines.duckdb.relations import physical
from star_assets.engines.duckdb.session import name, parquet_format, text
from star_assets.engines.engine import BuiltFile, DimensionInput, ExportInput, FactInput, StagedDay, Workplace
from star_assets.engines.spark.finishing import WriteTable
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
        self.thoroughly = workplace.thoroughly
        self.spark = SparkRelations(workplace.star, workplace.settings, workplace.files)
        self._turn = threading.Lock()

    def stage(self, source: Source, exports: Sequence[ExportInput], folder: Path) -> Iterator[StagedDay]:
        """Turn raw exports into files of typed, valid rows and of rejects, one of each per day."""
        reserved, receipt = self.star.reserved_keys(source), self.star.receipt_of(source)
        staging = SparkStaging(self.spark, self.database, source, reserved, receipt)
        with self._turn, self.spark.job():
            return iter(list(staging.stage(exports, folder)))

    @spark_errors("building a dimension")
    def build_dimension(self, dimension: Dimension, given: DimensionInput, file: Path) -> BuiltFile:
        """Write the transform's rows over the states, with the Unknown and inferred members, into `file`."""
        with self._turn, self.spark.job():
            return self._write_table(self.spark.members(dimension, given), dimension.key, file)

    @spark_errors("building a history")
    def build_history(self, history: History, given: DimensionInput, file: Path) -> BuiltFile:
        """Write the history's rows, from all versions of the describing source's rows, into `file`."""
        with self._turn, self.spark.job():
            return self._write_table(self.spark.intervals(history, given), history.key, file)

    @spark_errors("building a fact")
    def build_fact(self, fact: Fact, given: FactInput, folder: Path) -> dict[str, BuiltFile]:
        """Compute the rows of all dates in one job, in which one task writes each date's file."""
        with self._turn, self.spark.job():
            rows = self.spark.fact_rows(fact, given)
            files: dict[str, Path] = {date: folder / f"{date}.parquet" for date in given.dates}
            return self._write(rows, fact.row_order, files, DATE, f"ROW_GROUP_SIZE {ROW_GROUP}")

    def _write_table(self, rows: Table, key: str, file: Path) -> BuiltFile:
        return self._write(rows, [key], {"": file})[""]

    def _write(
        self, rows: Table, order: Sequence[str], files: Mapping[str, Path], by: str | None = None, *options: str
    ) -> dict[str, BuiltFile]:
        """Let workers write a file for each value of the column `by`. This process writes those without rows."""
        columns = rows.drop(by) if by else rows
        finish = WriteTable(physical(columns), parquet_format(self.settings, *options), self.thoroughly)
        place = self.spark.files.place(next(iter(files.values())).parent / "written")
        found = self.spark.write(rows, order, finish, place, by)
        self.spark.fetch(place, {written.name: files[value] for value, written in found.items()})
        for value in files.keys() - found.keys():
            self._write_nothing(columns, files[value], finish.form)
        return {
            value: BuiltFile(file, found[value].description if value in found else None)
            for value, file in files.items()
        }

    def _write_nothing(self, columns: Table, file: Path, form: str) -> None:
        """Write a file without rows."""
        nothing = ", ".join(f"NULL AS {name(column)}" for column in columns.columns)
        with self.database.cursor() as cursor:
            cursor.execute(
                f"COPY (SELECT {physical(columns)} FROM (SELECT {nothing}) WHERE false) TO {text(str(file))} {form}"
            )
