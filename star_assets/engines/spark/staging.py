"""Staging with Spark: turning raw files into typed, valid rows and rejects, a range of days in one job.

Spark's CSV reader reads the plain files. Its result for a day is used only if it has as
many valid rows as the independent count of the day's files. Any other day is read by the
exact reader: file by file on all workers, or, if workers do not share this machine's file
system, on this machine. From the result, DuckDB writes the published files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow.parquet as pq

from star_assets.engines.duckdb.session import Database, name, parquet, parquet_format, text
from star_assets.engines.duckdb.staging import Staging
from star_assets.engines.engine import ExportInput, FileCount, RawInput, StagedDay
from star_assets.engines.spark.exact import DAY, NUMBER, RawFile, ReadTask, Texts, place, read_tasks
from star_assets.engines.spark.relations import SOURCE_FILE, SparkRelations, location, runs, union
from star_assets.engines.spark.session import spark_errors
from star_assets.engines.spark.sql import name as spark_name
from star_assets.engines.spark.typed_sql import SparkTypedSql
from star_assets.engines.typed_sql import Header
from star_assets.exports.formats.opening import format_named
from star_assets.exports.records import LINE, RAW
from star_assets.exports.rejects_file import QUOTED
from star_assets.model.days import ExportDay
from star_assets.model.errors.exports import MOST_REJECTS
from star_assets.model.source import Source
from star_assets.model.types import Type
from star_assets.rules.winners import DELETED

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Bytes of raw files in one task of the exact reader.
TASK_BYTES = 32 * 1024 * 1024

# The text that Spark's reader returns for an empty unquoted field. No plain file contains it, so that a quoted
# "" remains the empty text.
NOTHING = "\x00null"


class SparkStaging:
    """Stages one source by Spark; DuckDB handles row keys, and writes rejects and the published files."""

    def __init__(
        self,
        spark: SparkRelations,
        database: Database,
        source: Source,
        reserved_keys: Mapping[str, object],
        receipt: Mapping[str, Source],
    ) -> None:
        self.spark = spark
        self.database = database
        self.source = source
        self.settings = database.settings
        self.local = Staging(database, source, reserved_keys, receipt)
        self.typed = SparkTypedSql(source, reserved_keys, receipt)

    def stage(self, exports: Sequence[ExportInput], folder: Path) -> Iterator[StagedDay]:
        """Stage each day into a file, and yield the days in the order of `exports`."""
        days = f"{exports[0].day} to {exports[-1].day}" if len(exports) > 1 else exports[0].day
        with spark_errors(f"staging {self.source.name} {days}"):
            plain = self._read_plainly(exports, folder / "plain")
            staged = {export.day: self._trusted_day(export, plain.get(export.day, ()), folder) for export in exports}
            exact = [export for export in exports if staged[export.day] is None]
            if self.spark.files.shared:
                staged.update(self._stage_exact_days(exact, folder))
            elif exact:
                staged.update((day.day, day) for day in self.local.stage(exact, folder))

            def with_row_keys(portion: Sequence[ExportInput]) -> list[StagedDay]:
                days = [day for export in portion if (day := staged[export.day])]
                return self.local.with_row_keys(portion, days, folder)

            with ThreadPoolExecutor(self.settings.threads) as pool:
                found = list(pool.map(with_row_keys, self.local.portions(exports)))
        yield from chain.from_iterable(found)

    # Plain files

    def _read_plainly(self, exports: Sequence[ExportInput], folder: Path) -> dict[str, list[str]]:
        """Read the days whose files are all plain by Spark. Returns, for each day, Spark's files of valid rows."""
        by_header: dict[Header, dict[str, str]] = {}
        for export in exports:
            files = _with_rows(export)
            if all(self._is_plain(file) for file in files):
                for file in files:
                    by_header.setdefault(file.profile.header, {})[str(file.path)] = export.day
        if not by_header:
            return {}
        try:
            self.spark.save(union([self._plain_rows(header, days) for header, days in by_header.items()]), folder, DAY)
            self.spark.files.require_unchanged([file for days in by_header.values() for file in days])
        finally:
            self.spark.files.clear()
        return runs(folder)

    def _is_plain(self, file: RawInput) -> bool:
        """Whether Spark's CSV reader can read the file: it allows one text for NULL, and goes by the file's ending."""
        profile = file.profile
        return (
            profile.plain
            and bool(profile.header)
            and profile.lines == profile.records + self.source.csv.header
            and self.source.csv.null == ("",)
            and file.path.suffix == (".gz" if profile.gzip else ".csv")
        )

    def _plain_rows(self, header: Header, days: Mapping[str, str]) -> DataFrame:
        csv, session = self.source.csv, self.spark.session
        columns = [place(number) for number in range(len(header))]
        files = dict(zip(self.spark.files.visible(list(days)), days.values(), strict=True))
        texts = session.read.csv(
            [location(file) for file in files],
            schema=", ".join(f"{column} STRING" for column in [*columns, "malformed"]),
            columnNameOfCorruptRecord="malformed",
            header=csv.header,
            sep=csv.delimiter,
            quote=csv.quote,
            escape=csv.quote,
            nullValue=NOTHING,
            emptyValue="",
            encoding="UTF-8",
            maxColumns=len(header) + 1,
        )
        texts.selectExpr("*", f"{SOURCE_FILE} AS source").createOrReplaceTempView("raw_texts")
        session.createDataFrame(list(files.items()), f"source STRING, {DAY} STRING").createOrReplaceTempView("raw_days")
        dated = (
            f"(SELECT /*+ BROADCAST(raw_days) */ {self._named(header)}, {DAY}, CAST(NULL AS BIGINT) AS {LINE}, "
            f"CAST(NULL AS STRING) AS {RAW} FROM raw_texts JOIN raw_days USING (source) WHERE malformed IS NULL)"
        )
        rows = session.sql(f"SELECT * FROM ({self.typed.explained(dated, header, DAY)}) WHERE _reason IS NULL")
        return rows.drop(LINE, RAW, "_reason")

    def _named(self, header: Header) -> str:
        return ", ".join(f"{place(number)} AS {spark_name(column)}" for number, column in enumerate(header))

    def _trusted_day(self, export: ExportInput, files: Sequence[str], folder: Path) -> StagedDay | None:
        """The day as Spark read it; None unless it has as many valid rows as inspection counted."""
        if sum(pq.read_metadata(file).num_rows for file in files) != sum(f.profile.records for f in export.files):
            return None
        headers = list(dict.fromkeys(file.profile.header for file in _with_rows(export)))
        staged = self._publishable(export.day, headers, files, folder)
        counts = [FileCount(file.name, file.profile.records, file.profile.records, 0) for file in export.files]
        return StagedDay(export.day, staged, tuple(counts), extra=self.typed.extra(headers))

    # Other files

    def _stage_exact_days(self, exports: Sequence[ExportInput], folder: Path) -> dict[ExportDay, StagedDay]:
        """Stage days by the exact reader on all workers; invalid records become rejects."""
        if not exports:
            return {}
        numbered = [(export.day, file) for export in exports for file in _with_rows(export)]
        files = [
            RawFile(number, day, file, format_named(file.profile.format)) for number, (day, file) in enumerate(numbered)
        ]
        found = self._read_exactly(files, folder / "texts")
        by_header: dict[Header, list[str]] = {}
        for texts in found:
            for header, file in texts.files.items():
                by_header.setdefault(header, []).append(file)
        rows = [self._exact_rows(header, paths) for header, paths in by_header.items()]
        if rows:
            self.spark.save(union(rows), folder / "exact", DAY)
        explained = runs(folder / "exact")
        headers = {number: several for texts in found for number, several in texts.headers.items()}
        with self.database.session() as session:
            records = session.connection
            self._view_records(records, [file for several in explained.values() for file in several], found)
            return {
                export.day: self._exact_day(records, export, files, headers, explained.get(export.day, ()), folder)
                for export in exports
            }

    def _read_exactly(self, files: Sequence[RawFile], folder: Path) -> list[Texts]:
        """Read raw files into texts and rejects, on all workers. Raises the error that ended a task."""
        folder.mkdir()
        tasks = [
            ReadTask(number, self.source, group, str(folder)) for number, group in enumerate(_groups(files, TASK_BYTES))
        ]
        if not tasks:
            return []
        found: list[Texts] = self.spark.on_workers(read_tasks, tasks)
        for texts in found:
            if texts.error:
                raise texts.error
        return found

    def _exact_rows(self, header: Header, files: Sequence[str]) -> DataFrame:
        from pyspark.sql.functions import expr

        view = self.spark.session.read.parquet(*map(location, files))
        view.createOrReplaceTempView("exact_texts")
        texts = f"(SELECT {self._named(header)}, {NUMBER}, {DAY}, {LINE}, {RAW} FROM exact_texts)"
        rows = self.spark.session.sql(self.typed.explained(texts, header, NUMBER, DAY))
        return rows.withColumn(RAW, expr(f"if(_reason IS NULL, NULL, {RAW})"))

    def _view_records(
        self, connection: duckdb.DuckDBPyConnection, explained: Sequence[str], found: Sequence[Texts]
    ) -> None:
        """Define the view `records`: the file's number of every record, and line, reason and text of rejected ones."""
        parts = [f"SELECT NULL::INTEGER AS {NUMBER}, NULL::BIGINT AS {LINE}, '' AS reason, '' AS {RAW} WHERE false"]
        if explained:
            parts.append(f"SELECT {NUMBER}, {LINE}, _reason AS reason, {RAW} FROM {parquet(explained)}")
        if rejected := [texts.rejects for texts in found if texts.rejects]:
            parts.append(f"SELECT {NUMBER}, {LINE}, reason, {RAW} FROM {parquet(rejected)}")
        connection.execute(f"CREATE VIEW records AS {' UNION ALL '.join(parts)}")

    def _exact_day(
        self,
        records: duckdb.DuckDBPyConnection,
        export: ExportInput,
        files: Sequence[RawFile],
        headers: Mapping[int, list[Header]],
        explained: Sequence[str],
        folder: Path,
    ) -> StagedDay:
        names = {file.number: file.raw.name for file in files if file.day == export.day}
        numbers = ", ".join(map(str, names)) or "NULL"
        counted = records.execute(
            f"SELECT {NUMBER}, count(*) FILTER (reason IS NULL), count(reason) FROM records "
            f"WHERE {NUMBER} IN ({numbers}) GROUP BY {NUMBER}"
        ).fetchall()
        of_file = {names[number]: (staged, rejected) for number, staged, rejected in counted}
        counts = [(file.name, *of_file.get(file.name, (0, 0))) for file in export.files]
        known = list(dict.fromkeys(header for number in names for header in headers.get(number, ())))
        rejects, first = self._rejects(records, export.day, names, folder) if any(c[2] for c in counts) else (None, ())
        return StagedDay(
            export.day,
            self._publishable(export.day, known, explained, folder, " WHERE _reason IS NULL"),
            tuple(FileCount(file, staged + rejected, staged, rejected) for file, staged, rejected in counts),
            rejects,
            first,
            self.typed.extra(known),
        )

    def _rejects(
        self, records: duckdb.DuckDBPyConnection, day: ExportDay, names: Mapping[int, str], folder: Path
    ) -> tuple[Path, tuple[str, ...]]:
        """The file of a day's rejects, and the first few as text."""
        file = folder / f"{day}.rejects.parquet"
        named = ", ".join(f"({number}, {text(file_name)})" for number, file_name in names.items())
        rows = (
            f"SELECT file, {LINE} AS line, reason, {RAW} AS raw FROM records "
            f"JOIN (VALUES {named}) AS named({NUMBER}, file) USING ({NUMBER}) "
            f"WHERE reason IS NOT NULL ORDER BY {NUMBER}, {LINE}, reason LIMIT {MOST_REJECTS}"
        )
        records.execute(f"COPY ({rows}) TO {text(str(file))} {parquet_format(self.settings)}")
        first = records.execute(f"SELECT file, line, reason FROM {parquet([str(file)])} LIMIT {QUOTED}").fetchall()
        return file, tuple(f"{found}, line {line}: {reason}" for found, line, reason in first)

    def _publishable(
        self, day: ExportDay, headers: Sequence[Header], files: Sequence[str], folder: Path, where: str = ""
    ) -> Path:
        """Write the day's file from Spark's files."""
        types = {**self.typed.types, **({DELETED: Type("boolean")} if self.source.tombstone else {})}
        types |= dict.fromkeys(self.typed.extra(headers), Type("string"))
        columns = ", ".join(f"CAST({name(c)} AS {type_.duckdb}) AS {name(c)}" for c, type_ in types.items())
        nothing = ", ".join(f"NULL AS {name(column)}" for column in types)
        found = f"{parquet(files)}{where}" if files else f"(SELECT {nothing}) WHERE false"
        staged = folder / f"{day}.parquet"
        with self.database.cursor() as cursor:
            cursor.execute(
                f"COPY (SELECT {columns} FROM {found}) TO {text(str(staged))} {parquet_format(self.settings)}"
            )
        return staged


def _with_rows(export: ExportInput) -> list[RawInput]:
    return [file for file in export.files if file.profile.records]


def _groups(files: Sequence[RawFile], bound: int) -> Iterator[tuple[RawFile, ...]]:
    """The files in groups of about `bound` bytes."""
    group: list[RawFile] = []
    size = 0
    for file in files:
        group.append(file)
        size += file.raw.path.stat().st_size
        if size >= bound:
            yield tuple(group)
            group, size = [], 0
    if group:
        yield tuple(group)
