"""Staging with DuckDB: raw files → typed, valid rows and rejects, day by day on all threads.

Plain CSV files are read by DuckDB, many at once, straight into the staged file;
the first value that is not valid ends that. It is trusted only where the rows it
wrote are as many as the independent count of the files says. Any other day is
read again by the exact reader, which knows lines and raw text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import chain, count
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from star_assets.engines.duckdb_session import name, sql_type, text, text_list, told
from star_assets.engines.engine import ExportInput, FileCount, RawInput, StagedDay
from star_assets.model.members import MEMBER_KIND
from star_assets.model.source import NAME, Source
from star_assets.model.star import PARTITION_COLUMN
from star_assets.model.types import Type
from star_assets.settings import Settings
from star_assets.staging import grammar
from star_assets.staging.reading import read_records
from star_assets.staging.records import LINE, RAW
from star_assets.staging.winners import DELETED

# Names that published tables need for themselves; an export's column of such a
# name is carried along as raw_<name>.
RESERVED = frozenset({PARTITION_COLUMN, MEMBER_KIND})

# How many rejects are told in an error's text; all are kept in the rejects' file.
TOLD = 3

REJECTS = pa.schema([("file", pa.string()), ("line", pa.int64()), ("reason", pa.string()), ("raw", pa.string())])

Header = tuple[str, ...]


class Staging:
    """How one source is staged."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        source: Source,
        reserved_keys: Mapping[str, object],
        settings: Settings,
    ) -> None:
        self.connection = connection
        self.source = source
        self.settings = settings
        self.sql = TypedSql(source, reserved_keys)

    def stage(self, exports: Sequence[ExportInput], folder: Path) -> Iterator[StagedDay]:
        """Stage days, a file each, in the order given."""
        with ThreadPoolExecutor(self.settings.threads) as pool:
            yield from pool.map(lambda export: self._stage_day(export, folder), exports)

    def _stage_day(self, export: ExportInput, folder: Path) -> StagedDay:
        with told(f"staging {self.source.name} {export.day}"), self.connection.cursor() as cursor:
            # A timestamp without offset is read in the session's zone.
            cursor.execute(f"SET TimeZone = {text(self.source.timezone)}")
            files = [file for file in export.files if file.profile.records]
            if all(file.profile.plain and file.profile.header for file in files):
                found = self._stage_plain(cursor, export, files, folder)
                if found:
                    return replace(found, repeated_keys=self._repeated_keys(cursor, found.file))
            found = self._stage_exactly(cursor, export, files, folder)
            return replace(found, repeated_keys=self._repeated_keys(cursor, found.file))

    def _repeated_keys(self, cursor: duckdb.DuckDBPyConnection, staged: Path) -> int:
        """Keys with several rows of one version that are not identical."""
        keys = ", ".join(map(name, self.source.keys))
        version = f", {name(self.source.version)}" if self.source.version else ""
        rows = f"read_parquet({text(str(staged))})"
        # The keys alone first: reading whole rows of all keys takes twice as long.
        found = cursor.execute(
            f"WITH again AS (SELECT DISTINCT {keys} FROM {rows} GROUP BY {keys}{version} HAVING count(*) > 1) "
            f"SELECT count(*) FROM (SELECT DISTINCT {keys} FROM {rows} AS row SEMI JOIN again USING ({keys}) "
            f"GROUP BY {keys}{version} HAVING count(DISTINCT row) > 1)"
        ).fetchone()
        assert found is not None
        return int(found[0])

    def _stage_plain(
        self, cursor: duckdb.DuckDBPyConnection, export: ExportInput, files: list[RawInput], folder: Path
    ) -> StagedDay | None:
        """Let DuckDB read the files. None where it cannot be trusted with them."""
        by_header: dict[Header, list[str]] = {}
        for file in files:
            by_header.setdefault(file.profile.header or (), []).append(str(file.path))
        parts = [
            (self.sql.strict(self._read_csv(header, paths), header), header) for header, paths in by_header.items()
        ]
        try:
            staged = self._write(cursor, export.day, parts, folder)
        except (duckdb.InvalidInputException, duckdb.ConversionException):
            return None
        if pq.read_metadata(staged).num_rows != sum(file.profile.records for file in files):
            return None
        counts = [FileCount(file.name, file.profile.records, file.profile.records, 0) for file in export.files]
        return StagedDay(export.day, staged, tuple(counts), extra=self._extra(list(by_header)))

    def _read_csv(self, header: Header, paths: list[str]) -> str:
        csv = self.source.csv
        columns = ", ".join(f"{text(column)}: 'VARCHAR'" for column in header)
        return (
            f"read_csv({text_list(paths)}, auto_detect=false, hive_partitioning=false, header=true, "
            f"columns={{{columns}}}, delim={text(csv.delimiter)}, quote={text(csv.quote)}, escape={text(csv.quote)}, "
            f"nullstr={text_list(csv.null)}, allow_quoted_nulls=false, max_line_size=16777216)"
        )

    def _stage_exactly(
        self, cursor: duckdb.DuckDBPyConnection, export: ExportInput, files: list[RawInput], folder: Path
    ) -> StagedDay:
        """Read the files with the exact reader; what is invalid becomes a reject."""
        accounts = {file.name: _Account() for file in export.files}
        tables: dict[Header, str] = {}
        for file in files:
            for records in read_records(file.path, file.name, self.source, file.profile):
                account = accounts[file.name]
                account.rejects += [(found.line, found.reason, found.raw) for found in records.rejects]
                header = tuple(column for column in records.table.column_names if column not in (LINE, RAW))
                table = tables.setdefault(header, f"exact_{len(tables)}")
                invalid = self._explain(cursor, records.table, header, table)
                account.rejects += invalid
                account.staged += records.table.num_rows - len(invalid)
        valid = [(f"FROM {table}", header) for header, table in tables.items()]
        staged = self._write(cursor, export.day, valid, folder)
        counts = [FileCount(n, a.staged + len(a.rejects), a.staged, len(a.rejects)) for n, a in accounts.items()]
        rejects = [(file, *found) for file, account in accounts.items() for found in sorted(account.rejects)]
        return StagedDay(
            export.day,
            staged,
            tuple(counts),
            self._write_rejects(export.day, rejects, folder) if rejects else None,
            tuple(f"{file}, line {line}: {reason}" for file, line, reason, _ in rejects[:TOLD]),
            self._extra(list(tables)),
        )

    def _explain(
        self, cursor: duckdb.DuckDBPyConnection, records: pa.Table, header: Header, table: str
    ) -> list[tuple[int, str, str]]:
        """Add the valid rows to a table of this cursor's own; the others as (line, reason, raw)."""
        cursor.register("exact_records", records)
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE explained AS {self.sql.explained('exact_records', header)}")
        cursor.unregister("exact_records")
        valid = f"SELECT * EXCLUDE ({LINE}, {RAW}, _reason) FROM explained WHERE _reason IS NULL"
        cursor.execute(f"CREATE TEMP TABLE IF NOT EXISTS {table} AS FROM ({valid}) WHERE false")
        cursor.execute(f"INSERT INTO {table} {valid}")
        invalid = f"SELECT {LINE}, _reason, {RAW} FROM explained WHERE _reason IS NOT NULL"
        return cursor.execute(invalid).fetchall()

    def _write(
        self, cursor: duckdb.DuckDBPyConnection, day: str, parts: Sequence[tuple[str, Header]], folder: Path
    ) -> Path:
        """The valid rows of all parts, by column name; columns that a part lacks are NULL."""
        columns = [*self.sql.columns, *self._extra([header for _, header in parts])]
        rows = " UNION ALL BY NAME ".join(f"({part})" for part in (self.sql.no_rows(), *(part for part, _ in parts)))
        file = folder / f"{day}.parquet"
        cursor.execute(
            f"COPY (SELECT {', '.join(name(column) for column in columns)} FROM ({rows})) "
            f"TO {text(str(file))} (FORMAT parquet, COMPRESSION {self.settings.compression})"
        )
        return file

    def _write_rejects(self, day: str, rejects: list[tuple[str, int, str, str]], folder: Path) -> Path:
        file = folder / f"{day}.rejects.parquet"
        columns = [
            pa.array(values, field.type) for values, field in zip(zip(*rejects, strict=True), REJECTS, strict=True)
        ]
        pq.write_table(pa.Table.from_arrays(columns, schema=REJECTS), file, compression=self.settings.compression)
        return file

    def _extra(self, headers: Sequence[Header]) -> Header:
        """The staged names of columns that the declaration does not list, in order of appearance."""
        return tuple(dict.fromkeys(column for header in headers for column in self.sql.carried(header).values()))


@dataclass
class _Account:
    """What became of one file's records: staged, or rejected as (line, reason, raw)."""

    staged: int = 0
    rejects: list[tuple[int, str, str]] = field(default_factory=list)


class TypedSql:
    """SQL that types a source's text columns by the grammar, and says what is wrong with a row."""

    def __init__(self, source: Source, reserved_keys: Mapping[str, object]) -> None:
        self.source = source
        self.reserved_keys = reserved_keys
        self.types = {column: Type.parse(spec.type) for column, spec in source.declared.items()}

    @property
    def columns(self) -> Header:
        """The columns that every staged file of the source has."""
        return (*self.types, DELETED) if self.source.tombstone else tuple(self.types)

    def strict(self, texts: str, header: Header) -> str:
        """Typed columns of a table of texts; a row that is not valid raises an error.

        Telling the reason of each row instead, as `explained` does, takes twice the time.
        """
        typed = [f"{self._strict(c, header)} AS {name(c)}" if c in header else self._null(c) for c in self.types]
        return f"SELECT {', '.join([*typed, *self._beside(header)])} FROM {texts}"

    def explained(self, texts: str, header: Header) -> str:
        """Typed columns, `_line`, `_raw`, and `_reason`: why a row is not valid, NULL if it is."""
        typed = [f"{self._cast(column)} AS {_typed(column)}" for column in self.types if column in header]
        result = [f"{_typed(c)} AS {name(c)}" if c in header else self._null(c) for c in self.types]
        result += [*self._beside(header), LINE, RAW, f"{self._reason(header)} AS _reason"]
        return f"SELECT {', '.join(result)} FROM (SELECT {', '.join(['*', *typed])} FROM {texts})"

    def no_rows(self) -> str:
        """No rows, with the columns that every staged file has, in their types."""
        nulls = [self._null(column) for column in self.types]
        nulls += [f"CAST(NULL AS BOOLEAN) AS {DELETED}"] if self.source.tombstone else []
        return f"SELECT {', '.join(nulls)} WHERE false"

    def carried(self, header: Header) -> dict[str, str]:
        """The columns of a header that the declaration does not list, each with a staged name of its own."""
        unlisted = [column for column in header if column not in self.types]
        names = {column: column for column in unlisted if _is_usable(column)}
        for column in unlisted:
            if column not in names:
                taken = {*self.types, *names.values()}
                usable = re.sub(r"[^a-z0-9_]", "_", column.lower())
                usable = usable if _is_usable(usable) else f"raw_{usable.lstrip('_')}"
                numbered = (f"{usable}_{number}" for number in count(2))
                names[column] = next(found for found in chain([usable], numbered) if found not in taken)
        return {column: names[column] for column in unlisted}

    def _beside(self, header: Header) -> list[str]:
        """The columns that the declaration does not list, and whether the row is a tombstone."""
        carried_along = [f"{name(column)} AS {name(staged)}" for column, staged in self.carried(header).items()]
        return [*carried_along, f"{self._is_deleted(header)} AS {DELETED}"] if self.source.tombstone else carried_along

    def _null(self, column: str) -> str:
        return f"CAST(NULL AS {sql_type(self.types[column])}) AS {name(column)}"

    def _is_deleted(self, header: Header) -> str:
        assert self.source.tombstone is not None
        column, value = self.source.tombstone
        return f"coalesce({name(column)} = {text(value)}, false)" if column in header else "false"

    def _strict(self, column: str, header: Header) -> str:
        """SQL for a column's value; an error where it is not valid."""
        invalid, pattern = f"error({text(column)})", grammar.pattern(self.types[column])
        nothing = f"{name(column)} IS NULL" + (f" OR {name(column)} = ''" if pattern else "")
        if column in self.source.keys:
            nothing = "false"
        elif column in self.source.required_values:
            nothing = f"({nothing}) AND {self._is_deleted(header)}" if self.source.tombstone else "false"
        matches = self._matches(column) if pattern else f"{name(column)} IS NOT NULL"
        cases = f"WHEN {matches} THEN {self._value(column, 'CAST')} WHEN {nothing} THEN NULL ELSE {invalid}"
        if canonical := self._canonical(column):
            cases = f"WHEN {canonical} THEN TRY_CAST({name(column)} AS {sql_type(self.types[column])}) {cases}"
        if column in self.reserved_keys:
            reserved = text(str(self.reserved_keys[column]))
            cases = f"WHEN CAST({self._value(column, 'TRY_CAST')} AS VARCHAR) = {reserved} THEN {invalid} {cases}"
        return f"CASE {cases} END"

    def _canonical(self, column: str) -> str | None:
        """SQL that finds most valid texts in half the time: those that their value is written as.

        The grammar has the last word on all others. Beyond the years 1000 to
        9999, and for floats, what DuckDB writes is not always in the grammar.
        """
        type_, raw = self.types[column], name(column)
        value = f"TRY_CAST({raw} AS {sql_type(type_)})"
        if type_.name in ("int32", "int64"):
            return f"CAST({value} AS VARCHAR) = {raw}"
        if type_.name == "date" or (type_.name == "timestamp" and self.source.timezone == "UTC"):
            return f"CAST({value} AS VARCHAR) = {raw} AND {value} BETWEEN '1000-01-01' AND '9999-12-31'"
        return None

    def _cast(self, column: str) -> str:
        """SQL for a column's value: NULL where its text is not valid."""
        if grammar.pattern(self.types[column]) is None:
            return name(column)
        return f"CASE WHEN {self._matches(column)} THEN {self._value(column, 'TRY_CAST')} END"

    def _matches(self, column: str) -> str:
        """SQL that finds the texts in the grammar whose value is one on every engine."""
        type_, raw = self.types[column], name(column)
        matches = f"regexp_full_match({raw}, {text(grammar.pattern(type_) or '')})"
        if type_.name == "timestamp":
            # Years end at 9999. Only the first and the last one can be left by going over to UTC.
            utc = f"TRY_CAST({raw} AS TIMESTAMPTZ) BETWEEN '0001-01-01 00:00:00+00' AND '9999-12-31 23:59:59.999999+00'"
            return f"{matches} AND ({raw} BETWEEN '0002' AND '9999' OR {utc})"
        return f"{matches} AND isfinite(TRY_CAST({raw} AS DOUBLE))" if type_.name == "float64" else matches

    def _value(self, column: str, cast: str) -> str:
        """SQL for the value of a text that matches the grammar."""
        type_, raw = self.types[column], name(column)
        if type_.name == "string":
            return raw
        if type_.name == "timestamp":
            # A cast to milliseconds would round, into the next second or day.
            return f"date_trunc('milliseconds', timezone('UTC', {cast}({raw} AS TIMESTAMPTZ)))::TIMESTAMP_MS"
        if type_.name == "boolean":
            return f"lower({raw}) IN ('true', 't', '1')"
        return f"{cast}({raw} AS {sql_type(type_)})"

    def _reason(self, header: Header) -> str:
        """SQL for the first rule that a row breaks, NULL where it breaks none.

        An empty quoted text is NULL in any column that is not text.
        """
        cases: list[str] = []
        for column, type_ in self.types.items():
            if column in header and type_.name != "string":
                shown = f"{text(f'column {column}: ')} || chr(39) || {name(column)} || chr(39)"
                cases.append(
                    f"WHEN {_typed(column)} IS NULL AND {name(column)} <> '' "
                    f"THEN {shown} || {text(f' is not {grammar.expected(type_)}')}"
                )
        alive = f" AND NOT {self._is_deleted(header)}" if self.source.tombstone else ""
        for column in self.source.required_values:
            typed = _typed(column) if column in header else "NULL"
            only_alive = alive if column not in self.source.keys else ""
            cases.append(f"WHEN {typed} IS NULL{only_alive} THEN {text(f'column {column}: no value')}")
        for column, value in self.reserved_keys.items():
            if column in header:
                cases.append(
                    f"WHEN CAST({_typed(column)} AS VARCHAR) = {text(str(value))} "
                    f"THEN {text(f'column {column}: {value} is the key of the Unknown member')}"
                )
        return f"CASE {' '.join(cases)} END"


def _typed(column: str) -> str:
    """What a typed column is called beside the texts: no header has a name that begins with a space."""
    return name(f" {column}")


def _is_usable(column: str) -> bool:
    return NAME.fullmatch(column) is not None and column not in RESERVED
