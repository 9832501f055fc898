"""Staging with Spark: turning raw files into typed, valid rows and rejects, a range of days in one job.

Spark's CSV reader reads the plain files. Its result for a day is used only if it has as
many valid rows as the independent count of the day's files. Any other day is read by the
exact reader: file by file on all workers, or, if workers do not share this machine's file
system, on this machine. Not here: what workers write of a day (finishing).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from star_assets.engines.duckdb.session import Database, name
from star_assets.engines.duckdb.staging import Staging
from star_assets.engines.engine import ExportInput, FileCount, RawInput, StagedDay
from star_assets.engines.spark.exact import DAY, NUMBER, RawFile, ReadTask, Texts, place, read_tasks
from star_assets.engines.spark.finishing import WriteDay, WriteExactDay, WrittenDay, listed
from star_assets.engines.spark.relations import SOURCE_FILE, SparkRelations, location, union
from star_assets.engines.spark.session import spark_errors
from star_assets.engines.spark.sql import name as spark_name
from star_assets.engines.spark.typed_sql import SparkTypedSql
from star_assets.engines.spark.writing import ROWS, worker_database
from star_assets.engines.typed_sql import Header
from star_assets.exports.formats.opening import format_named
from star_assets.exports.records import LINE, RAW
from star_assets.lake.worker_files import Place, SharedFiles, SharedPlace
from star_assets.model.days import ExportDay
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

# What writes an export day.
DayWriter = WriteDay | WriteExactDay


class SparkStaging:
    """Stages one source by Spark, whose workers write its days and handle row keys."""

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
            staged = self._read_plainly(exports, folder)
            exact = [export for export in exports if export.day not in staged]
            if self.spark.files.shared:
                staged |= self._stage_exact_days(exact, folder)
            elif exact:
                staged |= {day.day: day for day in self.local.stage(exact, folder)}
        yield from (staged[export.day] for export in exports)

    # Plain files

    def _read_plainly(self, exports: Sequence[ExportInput], folder: Path) -> dict[ExportDay, StagedDay]:
        """Stage the days whose files are all plain. Days with other rows than inspection counted are left out."""
        by_header: dict[Header, dict[str, str]] = {}
        plain = [export for export in exports if all(map(self._is_plain, _with_rows(export)))]
        for export in plain:
            for file in _with_rows(export):
                by_header.setdefault(file.profile.header, {})[str(file.path)] = export.day
        finish = self._day_writer({export.day: _headers(export) for export in plain})
        place = self.spark.files.place(folder / "plain")
        found: dict[str, WrittenDay] = {}
        if by_header:
            rows = union([self._plain_rows(header, days) for header, days in by_header.items()])
            found = self.spark.finish(rows, (), finish, place, DAY)
        self.spark.files.require_unchanged([file for days in by_header.values() for file in days])
        whole = [export for export in plain if _rows(found.get(export.day)) == _records(export)]
        return self._fetched(whole, found, place, folder, finish)

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

    # Other files

    def _stage_exact_days(self, exports: Sequence[ExportInput], folder: Path) -> dict[ExportDay, StagedDay]:
        """Stage days by the exact reader on all workers; invalid records become rejects."""
        if not exports:
            return {}
        numbered = [(export.day, file) for export in exports for file in _with_rows(export)]
        files = [
            RawFile(number, day, file, format_named(file.profile.format)) for number, (day, file) in enumerate(numbered)
        ]
        texts = self._read_exactly(files, folder / "texts")
        by_header: dict[Header, list[str]] = {}
        for several in texts:
            for header, file in several.files.items():
                by_header.setdefault(header, []).append(file)
        finish = self._exact_day_writer(exports, files, texts)
        place = self.spark.files.place(folder / "exact")
        rows = [self._exact_rows(header, paths) for header, paths in by_header.items()]
        found = self.spark.finish(union(rows), (NUMBER, LINE), finish, place, DAY) if rows else {}
        return self._fetched(exports, found, place, folder, finish)

    def _exact_day_writer(
        self, exports: Sequence[ExportInput], files: Sequence[RawFile], texts: Sequence[Texts]
    ) -> WriteExactDay:
        headers = {number: several for found in texts for number, several in found.headers.items()}
        of_day: dict[ExportDay, list[RawFile]] = {export.day: [] for export in exports}
        for file in files:
            of_day[file.day].append(file)
        known = {
            day: list(dict.fromkeys(header for file in several for header in headers.get(file.number, ())))
            for day, several in of_day.items()
        }
        names = {day: {file.number: file.raw.name for file in several} for day, several in of_day.items()}
        every = {export.day: [file.name for file in export.files] for export in exports}
        return WriteExactDay(self._day_writer(known), names, every, [found.rejects for found in texts if found.rejects])

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

    # Both

    def _day_writer(self, headers: Mapping[ExportDay, Sequence[Header]]) -> WriteDay:
        """Writes the valid rows of days whose files have these headers."""
        declared = {**self.typed.types, **({DELETED: Type("boolean")} if self.source.tombstone else {})}
        columns: dict[ExportDay, tuple[str, Header]] = {}
        for day, several in headers.items():
            extra = self.typed.extra(several)
            types = declared | dict.fromkeys(extra, Type("string"))
            columns[day] = listed({column: type_.duckdb for column, type_ in types.items()}), extra
        return WriteDay(columns, self.local.row_keys)

    def _fetched(
        self,
        exports: Sequence[ExportInput],
        found: Mapping[str, WrittenDay],
        place: Place,
        folder: Path,
        finish: DayWriter,
    ) -> dict[ExportDay, StagedDay]:
        """Staged days whose files workers wrote. This process writes those without rows."""
        here, without_rows = SharedFiles(), SharedPlace(str(folder / "without rows"))
        staged: dict[ExportDay, StagedDay] = {}
        for export in exports:
            written = found.get(export.day) or self._write_without_rows(export.day, finish, without_rows)
            file, rejects = folder / f"{export.day}.parquet", folder / f"{export.day}.rejects.parquet"
            files = {written.file.name: file, **({written.rejects: rejects} if written.rejects else {})}
            if export.day in found:
                self.spark.fetch(place, files)
            else:
                here.fetch(without_rows, files)
            plain = tuple(FileCount(file.name, file.profile.records, file.profile.records, 0) for file in export.files)
            staged[export.day] = replace(
                written.day,
                file=file,
                counts=written.day.counts or plain,
                rejects=rejects if written.rejects else None,
                description=written.file.description,
            )
        return dict(zip(staged, self.local.without_duplicates(exports, list(staged.values()), folder), strict=True))

    def _write_without_rows(self, day: ExportDay, finish: DayWriter, place: Place) -> WrittenDay:
        """Write the files of a day of which Spark has no row."""
        columns = [*self.typed.columns, *finish.extra(day), LINE, RAW, NUMBER, "_reason"]
        nothing = ", ".join(f"NULL AS {name(column)}" for column in columns)
        with worker_database(self.settings.memory_limit) as connection:
            connection.execute(f"CREATE TEMP VIEW {ROWS} AS SELECT {nothing} WHERE false")
            return finish(connection, day, place)


def _headers(export: ExportInput) -> list[Header]:
    return list(dict.fromkeys(file.profile.header for file in _with_rows(export)))


def _records(export: ExportInput) -> int:
    return sum(file.profile.records for file in export.files)


def _rows(written: WrittenDay | None) -> int:
    return written.file.description.files[0].rows if written else 0


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
