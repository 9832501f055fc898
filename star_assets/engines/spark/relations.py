"""A star's tables in a Spark session: reading files as Ibis tables, and letting workers write rows."""

from __future__ import annotations

import atexit
import pickle
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import ibis
import ibis.expr.datatypes as dt
import pyarrow.parquet as pq
from ibis.expr.types import Table

from star_assets.engines.assembling import Assembling
from star_assets.engines.engine import StagedInput
from star_assets.engines.spark.session import open_session
from star_assets.engines.spark.sql import name, physical, statement
from star_assets.engines.spark.writing import REPORT, Finish, Writing
from star_assets.lake.worker_files import Place, WorkerFiles
from star_assets.model.errors import EngineFailed, StagedOtherwise
from star_assets.model.source import Source
from star_assets.model.star import Star
from star_assets.model.tables import CALENDAR
from star_assets.model.types import Type
from star_assets.rules.winners import DELETED, EXPORT, LISTED
from star_assets.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

A = TypeVar("A")
B = TypeVar("B")

PACKAGE = Path(__file__).parents[2]

# The column with the file that a row came from.
FILE = "_file"
OF_FILE = {FILE: Type("string")}

# Spark's SQL for that file. Its metadata has a URI, in which `+` stands for itself, not for a space.
SOURCE_FILE = "regexp_replace(url_decode(replace(_metadata.file_path, '+', '%2B')), '^file:/+', '/')"


class SparkRelations(Assembling):
    """A star's upstream tables in one Spark session."""

    def __init__(self, star: Star, settings: Settings, files: WorkerFiles) -> None:
        self.star = star
        self.settings = settings
        self.files = files
        self._kept: dict[str, DataFrame] = {}

    @cached_property
    def session(self) -> SparkSession:
        """The session of this engine, opened at its first use."""
        return open_session(self.settings, self.files.options)

    def staged(self, source: Source, exports: Sequence[StagedInput]) -> Table:
        """The staged rows of some exports, each with its `_export`."""
        days = {file: export.day for export in exports for file in export.files}
        self._require_declared(source, list(days))
        names = self.files.visible(list(days))
        exported = self.session.createDataFrame(
            list(zip(names, days.values(), strict=True)), f"{FILE} STRING, {EXPORT} STRING"
        )
        self._read_files(list(days), self._declared(source)).createOrReplaceTempView("read")
        exported.createOrReplaceTempView("exported")
        type_ = "STRING" if source.is_stream else "DATE"
        rows = self.session.sql(
            f"SELECT /*+ BROADCAST(exported) */ read.*, CAST({EXPORT} AS {type_}) AS {EXPORT} "
            f"FROM read JOIN exported USING ({FILE})"
        )
        return self.view(f"staged_{source.name}", rows.drop(FILE))

    def _require_declared(self, source: Source, files: Sequence[str]) -> None:
        """Raises StagedOtherwise if a file has a column in a type that the declared type cannot hold."""
        declared = {f.name: f.type for f in self.star.fields(source)}
        for column, found in dict.fromkeys(chain.from_iterable(map(_types, files))):
            if column in declared and not declared[column].holds(found):
                raise StagedOtherwise(source.name, column, str(declared[column]), str(found))

    def _declared(self, source: Source) -> dict[str, Type]:
        """The columns that staged rows have at least, in their declared types."""
        fields = {f.name: f.type for f in self.star.fields(source)}
        fields |= {DELETED: Type("boolean")} if source.tombstone else {}
        return fields | ({LISTED: Type("date")} if source.exports == "snapshots" else {})

    def read(self, table: str, files: Sequence[str]) -> Table:
        """The rows of Parquet files, by column name, as a table of that name."""
        return self.view(table, self._read_files(files, {}).drop(FILE))

    def _named(self, table: str, rows: Table) -> Table:
        return self.view(table, self.session.sql(statement(rows, self.settings.timezone)))

    def keep(self, table: str, rows: Table) -> Table:
        """The same rows, computed once, as a table of that name."""
        self._kept[table] = self.session.sql(statement(rows, self.settings.timezone)).persist()
        return self.view(table, self._kept[table])

    def _calendar(self, first: int, last: int) -> Table:
        days = self.session.sql(
            f"SELECT explode(sequence(DATE'{first:04}-01-01', DATE'{last:04}-12-31', INTERVAL 1 DAY)) AS date_key"
        )
        return self.view(CALENDAR, days)

    def _read_files(self, files: Sequence[str], declared: Mapping[str, Type]) -> DataFrame:
        """The rows of Parquet files by column name, each with FILE. A column that a file lacks is NULL in its rows.

        If files have a column in several types, it gets its declared type; an undeclared column becomes text.
        """
        by_types: dict[tuple[tuple[str, Type], ...], list[str]] = {}
        for file in files:
            by_types.setdefault(_types(file), []).append(file)
        columns = dict(declared)
        for column, type_ in chain.from_iterable(by_types):
            columns[column] = type_ if columns.get(column, type_) == type_ else declared.get(column, Type("string"))
        parts = [self._read_alike(several, dict(types), columns) for types, several in by_types.items()]
        nothing = ", ".join(f"{name(column)} {type_.spark}" for column, type_ in {**columns, **OF_FILE}.items())
        return union(parts) if parts else self.session.createDataFrame([], nothing)

    def _read_alike(self, files: Sequence[str], types: Mapping[str, Type], columns: Mapping[str, Type]) -> DataFrame:
        """The rows of files that all have the columns `types`, cast to the columns `columns`."""
        schema = ", ".join(f"{name(column)} {type_.spark}" for column, type_ in types.items())
        rows = self.session.read.schema(schema).parquet(*map(location, self.files.visible(files)))
        found = [
            f"CAST({name(column) if column in types else 'NULL'} AS {type_.spark}) AS {name(column)}"
            for column, type_ in columns.items()
        ]
        return rows.selectExpr(*found, f"{SOURCE_FILE} AS {FILE}")

    def view(self, table: str, rows: DataFrame) -> Table:
        """A DataFrame as an Ibis table of that name."""
        rows.createOrReplaceTempView(table)
        return ibis.table(_schema(rows), name=table)

    @contextmanager
    def job(self) -> Iterator[None]:
        """In it, an engine computes tables. At its end, kept tables and copies of this machine's files are freed."""
        try:
            yield
        finally:
            for kept in self._kept.values():
                kept.unpersist()
            self._kept.clear()
            self.files.clear()

    def write(
        self, rows: Table, order: Sequence[str], finish: Finish, place: Place, by: str | None = None
    ) -> dict[str, Any]:
        """Compute rows, and let workers write them, as `finish` does."""
        computed = self.session.sql(f"SELECT {physical(rows)} FROM ({statement(rows, self.settings.timezone)})")
        return self.finish(computed, order, finish, place, by)

    def finish(
        self, rows: DataFrame, order: Sequence[str], finish: Finish, place: Place, by: str | None = None
    ) -> dict[str, Any]:
        """Let workers write rows, those of each value of the column `by` by one task, in order.

        Returns what `finish` said of each value; without `by`, of all rows under `""`. Raises EngineFailed if
        rows are lost.
        """
        from pyspark.sql import Observation
        from pyspark.sql.functions import col, count, lit

        computed = Observation()
        observed = rows.observe(computed, count(lit(1)).alias("rows"))
        together = observed.repartition(col(name(by))) if by else observed.repartition(1)
        sort = [col(name(by))] if by else []
        sort += [col(name(column)).asc_nulls_last() for column in order]
        self._send_package()
        writing = Writing(by, finish, place, self.settings.memory_limit)
        reports = (together.sortWithinPartitions(*sort) if sort else together).mapInArrow(writing, REPORT).collect()
        found = {report["value"]: pickle.loads(report["result"]) for report in reports}
        written, expected = sum(report["rows"] for report in reports), computed.get["rows"]
        if written != expected or len(found) != len(reports):
            problem = f"its workers computed {expected} rows, and wrote {written} of them in {len(reports)} files."
            raise EngineFailed("Spark", "writing files", problem)
        return found

    def fetch(self, place: Place, files: Mapping[str, Path]) -> None:
        """Bring files that workers wrote to this machine. Raises EngineFailed if it does not see them."""
        try:
            self.files.fetch(place, files)
        except FileNotFoundError as error:
            problem = f"{error.filename} is not here. All workers must see the lake's folder under this name."
            raise EngineFailed("Spark", "writing files", problem) from error

    def on_workers(self, function: Callable[[Iterable[A]], Iterable[B]], tasks: Sequence[A]) -> list[B]:
        """Run a function of this package on the workers, with one task for each call."""
        self._send_package()
        return list(self.session.sparkContext.parallelize(tasks, len(tasks)).mapPartitions(function).collect())

    def _send_package(self) -> None:
        """Give workers the code of this process, in case they have another version of the package."""
        self.session.sparkContext.addPyFile(package_archive())


@cache
def package_archive() -> str:
    """This package as a file, made once per process: Spark accepts one file of a name."""
    folder = tempfile.mkdtemp(prefix="star_assets_package_")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return shutil.make_archive(f"{folder}/star_assets", "zip", PACKAGE.parent, PACKAGE.name)


def union(parts: Sequence[DataFrame]) -> DataFrame:
    """The rows of all parts, by column name; columns that a part lacks are NULL."""
    rows, *others = parts
    for part in others:
        rows = rows.unionByName(part, allowMissingColumns=True)
    return rows


def _types(file: str) -> tuple[tuple[str, Type], ...]:
    """The columns of a Parquet file, each with its type."""
    return tuple((f.name, Type.of(dt.DataType.from_pyarrow(f.type))) for f in pq.read_schema(file))


def location(file: str) -> str:
    """A file's name for Spark: a URL, or a local path as `file:` URL, with the characters of patterns escaped."""
    escaped = "".join(f"\\{character}" if character in "*?[]{}\\" else character for character in file)
    return escaped if "://" in file else f"file://{escaped}"


def _schema(rows: DataFrame) -> dict[str, dt.DataType]:
    """A DataFrame's columns with their Ibis types; timestamps have the model's type."""
    from ibis.backends.pyspark.datatypes import PySparkType

    found = PySparkType.to_ibis(rows.schema).fields
    return {column: Type("timestamp").ibis if type_.is_timestamp() else type_ for column, type_ in found.items()}
