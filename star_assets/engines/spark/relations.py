"""A star's tables in a Spark session: reading files as Ibis tables, and writing rows as sorted runs."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import ibis
import ibis.expr.datatypes as dt
import pyarrow.parquet as pq
from ibis.expr.types import Table

from star_assets.engines.assembling import Assembling
from star_assets.engines.engine import StagedInput
from star_assets.engines.spark.session import open_session
from star_assets.engines.spark.sql import name, physical, statement
from star_assets.lake.worker_files import WorkerFiles
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

PACKAGE = Path(__file__).parents[1]

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

    def write(self, rows: Table, folder: Path, order: Sequence[str], by: str | None = None) -> dict[str, list[str]]:
        """Compute rows, and write them as runs: files whose rows are in order.

        Returns the files for each value of the column `by`; without `by`, all files under `""`.
        Frees the tables that `keep` kept.
        """
        columns, spread = ([by], f"/*+ REBALANCE({name(by)}) */ ") if by else ([], "")
        sort = ", ".join([*map(name, columns), *(f"{name(column)} ASC NULLS LAST" for column in order)])
        found = statement(rows, self.settings.timezone)
        try:
            computed = self.session.sql(f"SELECT {spread}{physical(rows)} FROM ({found}) SORT BY {sort}")
            self.save(computed, folder, *columns)
        finally:
            for kept in self._kept.values():
                kept.unpersist()
            self._kept.clear()
            self.files.clear()
        return runs(folder)

    def on_workers(self, function: Callable[[Iterable[A]], Iterable[B]], tasks: Sequence[A]) -> list[B]:
        """Run a function of this package on the workers, with one task for each call."""
        context = self.session.sparkContext
        # Workers get the code of this process, in case they have another version of the package.
        context.addPyFile(_package())
        return list(context.parallelize(tasks, len(tasks)).mapPartitions(function).collect())

    def save(self, rows: DataFrame, folder: Path, *by: str) -> None:
        """Write rows as files, in a folder for each value of the columns `by`. Raises EngineFailed if rows are lost."""
        from pyspark.sql import Observation
        from pyspark.sql.functions import count, lit

        written = Observation()
        observed = rows.observe(written, count(lit(1)).alias("rows"))
        place = self.files.folder(folder)
        observed.write.option("compression", "snappy").partitionBy(*by).parquet(location(place))
        self.files.fetch(folder)
        arrived = sum(pq.read_metadata(file).num_rows for file in folder.rglob("*.parquet"))
        if arrived != written.get["rows"]:
            problem = f"its workers wrote {written.get['rows']} rows, and {arrived} of them are in {place}. "
            raise EngineFailed("Spark", "writing files", f"{problem}All of them must see it under this name.")


@cache
def _package() -> str:
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


def runs(folder: Path) -> dict[str, list[str]]:
    """The files of a folder that `save` wrote, for each value of its column; without a column, under `""`."""
    found: dict[str, list[str]] = {}
    for file in sorted(folder.rglob("*.parquet")):
        value = file.parent.name.partition("=")[2] if file.parent != folder else ""
        found.setdefault(value, []).append(str(file))
    return found


def location(file: str) -> str:
    """A file's name for Spark: a URL, or a local path as `file:` URL, with the characters of patterns escaped."""
    escaped = "".join(f"\\{character}" if character in "*?[]{}\\" else character for character in file)
    return escaped if "://" in file else f"file://{escaped}"


def _schema(rows: DataFrame) -> dict[str, dt.DataType]:
    """A DataFrame's columns with their Ibis types; timestamps have the model's type."""
    from ibis.backends.pyspark.datatypes import PySparkType

    found = PySparkType.to_ibis(rows.schema).fields
    return {column: Type("timestamp").ibis if type_.is_timestamp() else type_ for column, type_ in found.items()}
