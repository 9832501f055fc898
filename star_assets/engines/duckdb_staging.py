"""Staging with DuckDB: raw files → typed, valid rows and rejects.

Plain CSV files are read by DuckDB, many at once. That is trusted only where it
agrees with the independent count of the file and every value is valid; any
other file is read again by the exact reader, which knows lines and raw text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from star_assets.engines.duckdb_session import name, sql_type, text, text_list
from star_assets.engines.engine import ExportInput, FileCount, RawInput, StagedDay
from star_assets.model.source import Source
from star_assets.model.star import PARTITION_COLUMN
from star_assets.model.types import Type
from star_assets.settings import Settings
from star_assets.staging import grammar
from star_assets.staging.reading import read_records
from star_assets.staging.winners import DELETED, EXPORT

# Names that a staged table needs for itself; an export's column of such a name
# is carried along as raw_<name>.
RESERVED = frozenset({PARTITION_COLUMN, EXPORT, DELETED})

# Rows of the exact reader that are typed in one statement.
EXACT_BATCH = 200_000

# How many rejects are told in an error's text; all are kept in the rejects' file.
TOLD = 3

REJECTS = pa.schema([("file", pa.string()), ("line", pa.int64()), ("reason", pa.string()), ("raw", pa.string())])


@dataclass
class _Day:
    """A day being staged: its rejects, its counts, and the tables that hold its rows.

    `tables` has, for each table, the header of its files and which of them are this day's.
    """

    tables: dict[str, tuple[tuple[str, ...], list[str]]] = field(default_factory=dict)
    rejects: list[dict[str, object]] = field(default_factory=list)
    counts: list[FileCount] = field(default_factory=list)


class Staging:
    """One staging pass over a batch of a source's exports."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        source: Source,
        reserved_keys: Mapping[str, object],
        settings: Settings,
    ) -> None:
        self.connection = connection
        self.source = source
        self.reserved_keys = reserved_keys
        self.settings = settings
        self.types = {column: Type.parse(spec.type) for column, spec in source.declared.items()}
        self._tables = 0

    def stage(self, exports: Sequence[ExportInput], folder: Path) -> Iterator[StagedDay]:
        """Stage a batch; the caller bounds its size."""
        # A timestamp without offset is read in the session's zone.
        self.connection.execute(f"SET TimeZone = {text(self.source.timezone)}")
        days = {export.day: _Day() for export in exports}
        by_header: dict[tuple[str, ...], list[tuple[str, RawInput]]] = {}
        exactly: list[tuple[str, RawInput]] = []
        for export in exports:
            for file in export.files:
                if file.profile.records == 0 and not file.profile.lines:
                    days[export.day].counts.append(FileCount(file.name, 0, 0, 0))
                elif file.profile.plain and file.profile.header:
                    by_header.setdefault(file.profile.header, []).append((export.day, file))
                else:
                    exactly.append((export.day, file))
        for header, files in by_header.items():
            exactly += self._read_plain(header, files, days)
        self._read_exactly(exactly, days)
        with ThreadPoolExecutor(self.settings.threads) as pool:
            yield from pool.map(self._write, days, days.values(), repeat(folder))
        for number in range(self._tables):
            self.connection.execute(f"DROP TABLE IF EXISTS staged_{number}")
        self._tables = 0

    # Reading

    def _read_plain(
        self, header: tuple[str, ...], files: list[tuple[str, RawInput]], days: dict[str, _Day]
    ) -> list[tuple[str, RawInput]]:
        """Let DuckDB read files of one header. Returns those it cannot be trusted with."""
        csv, by_path = self.source.csv, {str(file.path): (day, file) for day, file in files}
        columns = ", ".join(f"{text(column)}: 'VARCHAR'" for column in header)
        reader = (
            f"read_csv({text_list(list(by_path))}, auto_detect=false, header=true, columns={{{columns}}}, "
            f"delim={text(csv.delimiter)}, quote={text(csv.quote)}, escape={text(csv.quote)}, "
            f"nullstr={text_list(csv.null)}, allow_quoted_nulls=false, store_rejects=true, "
            f"rejects_table='csv_rejects', rejects_scan='csv_scans', filename=true, max_line_size=16777216)"
        )
        table = self._typed_table(f"SELECT *, filename AS _file FROM {reader}", header)
        rejected = self.connection.execute(
            "SELECT DISTINCT file_path FROM csv_rejects JOIN csv_scans USING (scan_id, file_id)"
        ).fetchall()
        self.connection.execute("DROP TABLE csv_rejects; DROP TABLE csv_scans")
        counted = self.connection.execute(
            f"SELECT _file, count(*), count(*) FILTER (_reason IS NOT NULL) FROM {table} GROUP BY _file"
        ).fetchall()
        found = {path: (rows, invalid) for path, rows, invalid in counted}
        doubtful = {path for (path,) in rejected}
        for path, (_, file) in by_path.items():
            rows, invalid = found.get(path, (0, 0))
            if invalid or rows != file.profile.records:
                doubtful.add(path)
        if doubtful:
            self.connection.execute(f"DELETE FROM {table} WHERE list_contains({text_list(sorted(doubtful))}, _file)")
        for path, (day, file) in by_path.items():
            if path not in doubtful:
                days[day].counts.append(FileCount(file.name, file.profile.records, file.profile.records, 0))
                self._attach(days[day], table, header, path)
        return [by_path[path] for path in sorted(doubtful)]

    def _read_exactly(self, files: Sequence[tuple[str, RawInput]], days: dict[str, _Day]) -> None:
        """Read files with the exact reader; what is invalid becomes a reject."""
        pending: dict[tuple[str, ...], list[pa.Table]] = {}
        by_path = {str(file.path): (days[day], file) for day, file in files}
        staged = dict.fromkeys(by_path, 0)
        rejected = dict.fromkeys(by_path, 0)
        for path, (day, file) in by_path.items():
            for records in read_records(file.path, file.name, self.source, file.profile):
                rejects = [self._reject(file, found.line, found.reason, found.raw) for found in records.rejects]
                day.rejects += rejects
                rejected[path] += len(rejects)
                header = tuple(column for column in records.table.column_names if column not in ("_line", "_raw"))
                named = pa.array([path] * records.table.num_rows, pa.string())
                tables = pending.setdefault(header, [])
                tables.append(records.table.append_column("_file", named))
                if sum(table.num_rows for table in tables) >= EXACT_BATCH:
                    self._type_exactly(header, pending.pop(header), by_path, staged, rejected)
        for header, tables in pending.items():
            self._type_exactly(header, tables, by_path, staged, rejected)
        for path, (day, file) in by_path.items():
            records_in = staged[path] + rejected[path]
            day.counts.append(FileCount(file.name, records_in, staged[path], rejected[path]))

    def _type_exactly(
        self,
        header: tuple[str, ...],
        tables: list[pa.Table],
        by_path: Mapping[str, tuple[_Day, RawInput]],
        staged: dict[str, int],
        rejected: dict[str, int],
    ) -> None:
        """Type rows that the exact reader found, of files with one header."""
        rows = pa.concat_tables(tables)
        self.connection.register("exact_records", rows)
        table = self._typed_table("SELECT * FROM exact_records", header)
        self.connection.unregister("exact_records")
        invalid = self.connection.execute(
            f"SELECT _file, _line, _reason, _raw FROM {table} WHERE _reason IS NOT NULL ORDER BY _file, _line"
        ).fetchall()
        for path, line, reason, raw in invalid:
            day, file = by_path[path]
            day.rejects.append(self._reject(file, line, reason, raw))
            rejected[path] += 1
            staged[path] -= 1
        for found in pc.value_counts(rows["_file"]).to_pylist():
            path = found["values"]
            staged[path] += found["counts"]
            self._attach(by_path[path][0], table, header, path)

    @staticmethod
    def _reject(file: RawInput, line: int, reason: str, raw: str) -> dict[str, object]:
        return {"file": file.name, "line": line, "reason": reason, "raw": raw}

    @staticmethod
    def _attach(day: _Day, table: str, header: tuple[str, ...], path: str) -> None:
        day.tables.setdefault(table, (header, []))[1].append(path)

    def _typed_table(self, texts: str, header: tuple[str, ...]) -> str:
        """A table of the typed columns, with the reason why a row is invalid, if it is."""
        table = f"staged_{self._tables}"
        self._tables += 1
        typed = [f"{self._cast(column)} AS {name('typed_' + column)}" for column in self.types if column in header]
        result = [f"{name('typed_' + c)} AS {name(c)}" if c in header else self._null(c) for c in self.types]
        result += [f"{name(c)} AS {name(carried(c))}" for c in self._extra(header)]
        if self.source.tombstone:
            result.append(f"{self._is_deleted(header)} AS {DELETED}")
        kept = "_file, _line, _raw" if "exact_records" in texts else "_file"
        self.connection.execute(
            f"CREATE TABLE {table} AS SELECT {', '.join(result)}, {kept}, {self._reason(header)} AS _reason "
            f"FROM (SELECT *, {', '.join(typed)} FROM ({texts}))"
        )
        return table

    def _extra(self, header: tuple[str, ...]) -> list[str]:
        return [column for column in header if column not in self.types]

    def _null(self, column: str) -> str:
        return f"CAST(NULL AS {sql_type(self.types[column])}) AS {name(column)}"

    def _is_deleted(self, header: tuple[str, ...]) -> str:
        assert self.source.tombstone is not None
        column, value = self.source.tombstone
        return f"coalesce({name(column)} = {text(value)}, false)" if column in header else "false"

    def _cast(self, column: str) -> str:
        """SQL for a column's value: NULL where its text does not match the grammar."""
        type_, raw = self.types[column], name(column)
        pattern = grammar.pattern(type_)
        if pattern is None:
            return raw
        if type_.name == "timestamp":
            # Beyond milliseconds a cast would round, into the next second or day.
            value = f"date_trunc('milliseconds', timezone('UTC', TRY_CAST({raw} AS TIMESTAMPTZ)))::TIMESTAMP_MS"
        elif type_.name == "boolean":
            value = f"lower({raw}) IN ('true', 't', '1')"
        else:
            value = f"TRY_CAST({raw} AS {sql_type(type_)})"
        return f"CASE WHEN regexp_full_match({raw}, {text(pattern)}) THEN {value} END"

    def _reason(self, header: tuple[str, ...]) -> str:
        """SQL for the first rule that a row breaks, NULL where it breaks none.

        An empty quoted text is NULL in any column that is not text.
        """
        cases = []
        for column, type_ in self.types.items():
            if column in header and type_.name != "string":
                shown = f"'column {column}: ' || chr(39) || {name(column)} || chr(39) || "
                cases.append(
                    f"WHEN {name('typed_' + column)} IS NULL AND {name(column)} <> '' "
                    f"THEN {shown}{text(' is not ' + grammar.expected(type_))}"
                )
        alive = f" AND NOT {self._is_deleted(header)}" if self.source.tombstone else ""
        for column in self.source.required_values:
            typed = name("typed_" + column) if column in header else "NULL"
            only_alive = alive if column not in self.source.keys else ""
            cases.append(f"WHEN {typed} IS NULL{only_alive} THEN {text(f'column {column}: no value')}")
        for column, value in self.reserved_keys.items():
            if column not in header:
                continue
            cases.append(
                f"WHEN CAST({name('typed_' + column)} AS VARCHAR) = {text(str(value))} "
                f"THEN {text(f'column {column}: {value} is the key of the Unknown member')}"
            )
        return f"CASE {' '.join(cases)} END" if cases else "CAST(NULL AS VARCHAR)"

    # Writing

    def _write(self, day: str, found: _Day, folder: Path) -> StagedDay:
        headers = [header for header, _ in found.tables.values()]
        extra = tuple(dict.fromkeys(carried(column) for header in headers for column in self._extra(header)))
        columns = [f"{name(column)}" for column in self.types]
        columns += [DELETED] if self.source.tombstone else []
        columns += [name(column) for column in extra]
        empty = [self._null(column) for column in self.types]
        empty += [f"CAST(NULL AS BOOLEAN) AS {DELETED}"] if self.source.tombstone else []
        parts = [f"(SELECT {', '.join(empty)} WHERE false)"]
        for table, (_, paths) in found.tables.items():
            files = ", ".join(text(path) for path in paths)
            parts.append(f"(SELECT * FROM {table} WHERE _file IN ({files}) AND _reason IS NULL)")
        file = folder / f"{day}.parquet"
        with self.connection.cursor() as cursor:
            cursor.execute(
                f"COPY (SELECT {', '.join(columns)} FROM ({' UNION ALL BY NAME '.join(parts)})) TO {text(str(file))} "
                f"(FORMAT parquet, COMPRESSION {self.settings.compression})"
            )
        rejects = None
        if found.rejects:
            rejects = folder / f"{day}.rejects.parquet"
            pq.write_table(pa.Table.from_pylist(found.rejects, REJECTS), rejects, compression=self.settings.compression)
        told = tuple(f"{r['file']}, line {r['line']}: {r['reason']}" for r in found.rejects[:TOLD])
        return StagedDay(day, file, tuple(sorted(found.counts, key=lambda c: c.name)), rejects, told, extra)


def carried(column: str) -> str:
    """The staged name of a column that the declaration does not list."""
    usable = re.sub(r"[^a-z0-9_]", "_", column.lower())
    if not usable[0].isalpha() or usable in RESERVED:
        usable = f"raw_{usable.lstrip('_')}"
    return usable
