"""Staging with DuckDB: turning raw files into typed, valid rows and rejects, several days at a time on all threads.

DuckDB reads plain CSV files, many at once, straight into the staged file, and stops at
the first invalid value. Its result is used only if it has as many rows as the independent
count of the files. Any other day is read again by the exact reader, which knows the line
and the raw text of each record.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from star_assets.engines.duckdb.row_keys import RowKeys
from star_assets.engines.duckdb.session import (
    SMALL,
    Database,
    duckdb_errors,
    labelled,
    name,
    parquet_format,
    text,
    text_list,
)
from star_assets.engines.duckdb.typed_sql import DuckDBTypedSql
from star_assets.engines.engine import ExportInput, FileCount, RawInput, StagedDay
from star_assets.engines.portions import portions
from star_assets.engines.typed_sql import Header
from star_assets.exports.formats.opening import read_records
from star_assets.exports.records import LINE, RAW
from star_assets.exports.rejects_file import Reject, RejectsFile
from star_assets.model.days import ExportDay
from star_assets.model.errors import StarError
from star_assets.model.source import Source

# Bytes of small days that share one statement: few enough to keep all cores busy.
GROUP = 4 * 1024 * 1024

# Bytes of days whose repeated keys one statement looks for, which takes two thirds of
# the time of one statement per day.
PORTION = 8 * 1024 * 1024

# DuckDB's errors for a file, or a value in a file, that is not as the statement expects.
INVALID = (duckdb.InvalidInputException, duckdb.ConversionException)

# The text for NULL that DuckDB gets if the dialect has none, because it must have one: no unquoted field equals it.
NO_NULL = ("\n",)

# Columns of statements over several days, with a row's file and day. Their names differ from all others: names
# in headers do not begin with a space, those of typed columns begin with one space, and those of staged columns
# do not begin with an underscore.
RAW_FILE, RAW_DAY, DAY = "  file", "  day", "_day"


class Staging:
    """Stages the exports of one source."""

    def __init__(
        self,
        database: Database,
        source: Source,
        reserved_keys: Mapping[str, object],
        receipt: Mapping[str, Source],
    ) -> None:
        self.database = database
        self.source = source
        self.settings = database.settings
        self.sql = DuckDBTypedSql(source, reserved_keys, receipt)
        self.row_keys = RowKeys(self.sql, parquet_format(database.settings))

    def stage(self, exports: Sequence[ExportInput], folder: Path) -> Iterator[StagedDay]:
        """Stage each day into a file, and yield the days in the order of `exports`."""
        together = {day.day: day for group in small_groups(exports) for day in self._stage_group(group, folder)}
        for group in exact_groups(exports):
            together |= {day.day: day for day in self._stage_exactly_together(group, folder)}

        def stage(days: Sequence[ExportInput]) -> list[StagedDay]:
            return self.with_row_keys(
                days, [together.get(day.day) or self._stage_day(day, folder) for day in days], folder
            )

        with ThreadPoolExecutor(self.settings.threads) as pool:
            yield from chain.from_iterable(pool.map(stage, self.portions(exports)))

    def portions(self, exports: Sequence[ExportInput]) -> Iterator[list[ExportInput]]:
        """Neighbours that one thread stages and looks over for rows of one key, in order; enough for all threads."""
        return portions(exports, _bytes, min(PORTION, sum(map(_bytes, exports)) / self.settings.threads))

    def _stage_group(self, group: Sequence[ExportInput], folder: Path) -> list[StagedDay]:
        """Stage small exports with the same header in one statement. Days with a doubtful result are left out."""
        header = group[0].files[0].profile.header
        days = {export.day: [str(file.path) for file in export.files] for export in group}
        paths = [path for several in days.values() for path in several]
        file, day = name(RAW_FILE), name(RAW_DAY)
        texts = f"{self._read_csv(header, paths)} JOIN {labelled(days, day, file)} USING ({file})"
        with self._session(group[0].day) as cursor:
            try:
                typed = self.sql.strict(texts, header, f"{day} AS {DAY}")
                written = self._write_days(cursor, header, f"({typed})", folder)
            except INVALID:
                return []
        return [
            staged
            for export in group
            if export.day in written and (staged := self._trusted(export, written[export.day], [header]))
        ]

    def _write_days(
        self, cursor: duckdb.DuckDBPyConnection, header: Header, rows: str, folder: Path
    ) -> dict[ExportDay, Path]:
        """Write rows of one header, and return each day's file. Days with several files, or none, are left out."""
        out = Path(tempfile.mkdtemp(prefix="days-", dir=folder))
        columns = ", ".join(map(name, [*self.sql.columns, *self.sql.extra([header])]))
        cursor.execute(
            f"COPY (SELECT {columns}, {DAY} FROM {rows}) TO {text(str(out))} "
            f"{parquet_format(self.settings, f'PARTITION_BY ({DAY})')}"
        )
        written = {ExportDay(day.name.partition("=")[2]): list(day.iterdir()) for day in out.iterdir()}
        return {day: files[0] for day, files in written.items() if len(files) == 1}

    def _stage_day(self, export: ExportInput, folder: Path) -> StagedDay:
        with self._session(export.day) as cursor:
            files = [file for file in export.files if file.profile.records]
            found = None
            if all(file.profile.plain and file.profile.header for file in files):
                found = self._stage_plain(cursor, export, files, folder)
            return found or self._stage_exactly(cursor, export, files, folder)

    @contextmanager
    def _session(self, day: str) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection to the same database, in the source's time zone."""
        with duckdb_errors(f"staging {self.source.name} {day}"), self.database.cursor() as cursor:
            if self.source.timezone != "UTC":
                # A timestamp without offset is read in the session's zone.
                cursor.execute(f"SET TimeZone = {text(self.source.timezone)}")
            yield cursor

    def with_row_keys(
        self, exports: Sequence[ExportInput], staged: Sequence[StagedDay], folder: Path
    ) -> list[StagedDay]:
        """The staged days of some exports, after their rows' keys were added or compared.

        If the source has no key, each row gets an id; else rows of one key and version
        are counted or rejected. Any engine's staged days can be passed.
        """
        with self._session(staged[0].day) as cursor:
            if self.source.key is None:
                return [self.row_keys.with_ids(cursor, day) for day in staged]
            counted = self.row_keys.counted(cursor, staged)
        return self.without_duplicates(exports, counted, folder)

    def without_duplicates(
        self, exports: Sequence[ExportInput], counted: Sequence[StagedDay], folder: Path
    ) -> list[StagedDay]:
        """The staged days, with several rows of one key and version as rejects where the source declares that."""
        if self.source.duplicates == "collapse":
            return list(counted)
        return [
            self._stage_without_duplicates(export, folder) if day.repeated_keys or day.identical_rows else day
            for export, day in zip(exports, counted, strict=True)
        ]

    def _stage_plain(
        self, cursor: duckdb.DuckDBPyConnection, export: ExportInput, files: list[RawInput], folder: Path
    ) -> StagedDay | None:
        """Stage a day by DuckDB's CSV reader. None if its result cannot be trusted."""
        by_header: dict[Header, list[str]] = {}
        for file in files:
            by_header.setdefault(file.profile.header, []).append(str(file.path))
        parts = [
            (self.sql.strict(self._read_csv(header, paths), header), header) for header, paths in by_header.items()
        ]
        try:
            staged = self._write(cursor, export.day, parts, folder)
        except INVALID:
            return None
        return self._trusted(export, staged, list(by_header))

    def _trusted(self, export: ExportInput, staged: Path, headers: list[Header]) -> StagedDay | None:
        """The day as DuckDB staged it; None unless it has as many rows as inspection counted."""
        if pq.read_metadata(staged).num_rows != sum(file.profile.records for file in export.files):
            return None
        counts = [FileCount(file.name, file.profile.records, file.profile.records, 0) for file in export.files]
        return StagedDay(export.day, staged, tuple(counts), extra=self.sql.extra(headers))

    def _read_csv(self, header: Header, paths: list[str]) -> str:
        csv = self.source.csv
        columns = ", ".join(f"{text(column)}: 'VARCHAR'" for column in header)
        return (
            f"read_csv({text_list(paths)}, auto_detect=false, hive_partitioning=false, "
            f"header={str(csv.header).lower()}, columns={{{columns}}}, delim={text(csv.delimiter)}, "
            f"quote={text(csv.quote)}, escape={text(csv.quote)}, nullstr={text_list(csv.null or NO_NULL)}, "
            f"allow_quoted_nulls=false, max_line_size=16777216, filename={text(RAW_FILE)})"
        )

    def _stage_without_duplicates(self, export: ExportInput, folder: Path) -> StagedDay:
        """Read a day again, exactly: only the exact reader knows the lines of the rows to reject."""
        with self._session(export.day) as cursor:
            return self._stage_exactly(cursor, export, [file for file in export.files if file.profile.records], folder)

    def _stage_exactly(
        self, cursor: duckdb.DuckDBPyConnection, export: ExportInput, files: list[RawInput], folder: Path
    ) -> StagedDay:
        """Stage a day by the exact reader; invalid records become rejects."""
        counts = {file.name: FileCount(file.name, 0, 0, 0) for file in export.files}
        tables: dict[Header, str] = {}
        with self.rejects_file(export.day, folder) as rejects:
            for file in files:
                for records in read_records(file.path, file.name, self.source, file.profile):
                    header = tuple(column for column in records.table.column_names if column not in (LINE, RAW))
                    table = tables.setdefault(header, f"exact_{len(tables)}")
                    invalid = self._explain(cursor, records.table, header, table, file.name)
                    found = [*((one.line, one.reason, one.raw) for one in records.rejects), *invalid]
                    rejects.add(file.name, sorted(found))
                    counts[file.name] = counts[file.name].plus(records.table.num_rows - len(invalid), len(found))
            for file_name, duplicates in self.row_keys.rejected(cursor, tables):
                rejects.add(file_name, duplicates)
                counts[file_name] = counts[file_name].plus(-len(duplicates), len(duplicates))
        valid = [(self.row_keys.kept(table), header) for header, table in tables.items()]
        staged = self._write(cursor, export.day, valid, folder)
        return self._exact_day(export.day, staged, counts, list(tables), rejects)

    def _exact_day(
        self,
        day: ExportDay,
        staged: Path,
        counts: Mapping[str, FileCount],
        headers: Sequence[Header],
        rejects: RejectsFile,
    ) -> StagedDay:
        """A day that the exact reader read, with its rejects."""
        extra, first = self.sql.extra(headers), tuple(rejects.first)
        return StagedDay(day, staged, tuple(counts.values()), rejects.path, first, extra)

    def _stage_exactly_together(self, group: Sequence[ExportInput], folder: Path) -> list[StagedDay]:
        """Stage small exports by the exact reader, those with the same header in one statement.

        Days whose files have several headers are left out, and so are days that cannot be read:
        they are staged one by one later, where the error concerns that day alone.
        """
        read: dict[Header, dict[ExportDay, _ReadDay]] = {}
        for export in group:
            with suppress(StarError):
                day = _ReadDay.of(export, self.source)
                if day.header and day.records:
                    read.setdefault(day.header, {})[export.day] = day
        return [staged for header, days in read.items() for staged in self._stage_read(header, days, folder)]

    def _stage_read(self, header: Header, days: Mapping[ExportDay, _ReadDay], folder: Path) -> Iterator[StagedDay]:
        records = pa.concat_tables([table for day in days.values() for table in day.records])
        kept = (f"{name(RAW_DAY)} AS {DAY}", f"{name(RAW_FILE)} AS _name")
        with self._session(next(iter(days))) as cursor:
            cursor.register("exact_records", records)
            cursor.execute(f"CREATE TEMP TABLE explained AS {self.sql.explained('exact_records', header, *kept)}")
            written = self._write_days(cursor, header, "explained WHERE _reason IS NULL", folder)
            invalid = cursor.execute(
                f"SELECT {DAY}, _name, {LINE}, _reason, {RAW} FROM explained WHERE _reason IS NOT NULL"
            ).fetchall()
        for of_day, raw_file, line, reason, raw in invalid:
            days[of_day].rejects[raw_file].append((line, reason, raw))
        for of_day, file in written.items():
            with self.rejects_file(of_day, folder) as rejects:
                for raw_file, found in days[of_day].rejects.items():
                    rejects.add(raw_file, sorted(found))
            yield self._exact_day(of_day, file, days[of_day].counts(), [header], rejects)

    def _explain(
        self, cursor: duckdb.DuckDBPyConnection, records: pa.Table, header: Header, table: str, file: str
    ) -> list[tuple[int, str, str]]:
        """Add the valid rows to a temporary table of the cursor. Returns the invalid ones as (line, reason, raw)."""
        cursor.register("exact_records", records)
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE explained AS {self.sql.explained('exact_records', header)}")
        cursor.unregister("exact_records")
        valid = f"{self.row_keys.marked(file)} FROM explained WHERE _reason IS NULL"
        cursor.execute(f"CREATE TEMP TABLE IF NOT EXISTS {table} AS FROM ({valid}) WHERE false")
        cursor.execute(f"INSERT INTO {table} {valid}")
        invalid = f"SELECT {LINE}, _reason, {RAW} FROM explained WHERE _reason IS NOT NULL"
        return cursor.execute(invalid).fetchall()

    def _write(
        self, cursor: duckdb.DuckDBPyConnection, day: str, parts: Sequence[tuple[str, Header]], folder: Path
    ) -> Path:
        """The valid rows of all parts, by column name; columns that a part lacks are NULL."""
        columns = [*self.sql.columns, *self.sql.extra([header for _, header in parts])]
        rows = " UNION ALL BY NAME ".join(f"({part})" for part in (self.sql.no_rows(), *(part for part, _ in parts)))
        file = folder / f"{day}.parquet"
        cursor.execute(
            f"COPY (SELECT {', '.join(name(column) for column in columns)} FROM ({rows})) "
            f"TO {text(str(file))} {parquet_format(self.settings)}"
        )
        return file

    def rejects_file(self, day: str, folder: Path) -> RejectsFile:
        """The writer of a day's file of rejects."""
        return RejectsFile(folder / f"{day}.rejects.parquet", self.settings.compression)


@dataclass
class _ReadDay:
    """A small export as the exact reader read it: its records as text, and the rejects of each file.

    `header` is empty if the files have different headers.
    """

    header: Header
    records: list[pa.Table]
    read: dict[str, int]
    rejects: dict[str, list[Reject]]

    @classmethod
    def of(cls, export: ExportInput, source: Source) -> _ReadDay:
        """Read an export. Raises BrokenFile, ColumnMissing, LakeRefused."""
        names = [file.name for file in export.files]
        found = cls((), [], dict.fromkeys(names, 0), {name: [] for name in names})
        headers: set[Header] = set()
        for file in (file for file in export.files if file.profile.records):
            for records in read_records(file.path, file.name, source, file.profile):
                rows = records.table
                found.rejects[file.name] += [(one.line, one.reason, one.raw) for one in records.rejects]
                found.read[file.name] += rows.num_rows + len(records.rejects)
                headers.add(tuple(column for column in rows.column_names if column not in (LINE, RAW)))
                for column, value in ((RAW_DAY, export.day), (RAW_FILE, file.name)):
                    rows = rows.append_column(column, pa.repeat(pa.scalar(value), rows.num_rows))
                found.records.append(rows)
        if len(headers) == 1:
            (found.header,) = headers
        return found

    def counts(self) -> dict[str, FileCount]:
        """The numbers of records staged and rejected, by file; call it once all rejects are known."""
        rejected = {name: len(found) for name, found in self.rejects.items()}
        return {name: FileCount(name, read, read - rejected[name], rejected[name]) for name, read in self.read.items()}


def exact_groups(exports: Sequence[ExportInput]) -> Iterator[list[ExportInput]]:
    """Groups of small exports that only the exact reader can read, to be staged together because that is faster."""
    exact = [export for export in exports if _is_exact(export) and _bytes(export) <= SMALL]
    return portions(exact, _bytes, GROUP)


def _is_exact(export: ExportInput) -> bool:
    files = [file.profile for file in export.files if file.profile.records]
    return any(not (profile.plain and profile.header) for profile in files)


def small_groups(exports: Sequence[ExportInput]) -> Iterator[list[ExportInput]]:
    """Groups of small, plain exports with the same header, one after another, to be staged together."""
    group: list[ExportInput] = []
    size = 0
    for export in filter(_is_small, exports):
        raw = _bytes(export)
        if group and (size + raw > GROUP or _headers(export) != _headers(group[0])):
            yield group
            group, size = [], 0
        group.append(export)
        size += raw
    if group:
        yield group


def _is_small(export: ExportInput) -> bool:
    plain = all(file.profile.plain and file.profile.records for file in export.files)
    return plain and len(_headers(export)) == 1 and _bytes(export) <= SMALL


def _bytes(export: ExportInput) -> int:
    return sum(file.path.stat().st_size for file in export.files)


def _headers(export: ExportInput) -> set[Header]:
    return {file.profile.header for file in export.files}
