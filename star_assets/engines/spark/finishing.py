"""What Spark's workers write of each partition's rows: the files that are published, rejects, and their description.

This module runs in the workers' processes and does not import Spark. Not here: how rows
reach it (writing), what is staged how (staging).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from star_assets.engines.description import Description, describe_files
from star_assets.engines.duckdb.row_keys import RowKeys
from star_assets.engines.duckdb.session import name, parquet, text
from star_assets.engines.engine import FileCount, StagedDay
from star_assets.engines.spark.exact import NUMBER
from star_assets.engines.spark.writing import ROWS
from star_assets.exports.records import LINE, RAW
from star_assets.exports.rejects_file import QUOTED
from star_assets.lake.worker_files import Place
from star_assets.model.days import ExportDay
from star_assets.model.errors.exports import MOST_REJECTS


@dataclass(frozen=True)
class Written:
    """A file that a worker wrote: its name in the place, and its description."""

    name: str
    description: Description


@dataclass(frozen=True)
class WriteTable:
    """Writes a table's rows as one file, in the order in which they come.

    `columns` is DuckDB's SQL for them, `form` the options of its COPY; `thoroughly` says how the file is described.
    """

    columns: str
    form: str
    thoroughly: bool = False

    def __call__(self, connection: duckdb.DuckDBPyConnection, value: str, place: Place) -> Written:
        """Write the file."""
        with place.writing(file_name := unique(value or "table")) as file:
            connection.execute(f"COPY (SELECT {self.columns} FROM {ROWS}) TO {text(str(file))} {self.form}")
            return Written(file_name, describe_files([file], self.thoroughly))


@dataclass(frozen=True)
class WrittenDay:
    """A staged day that a worker wrote: what `StagedDay` says, with the names of files in the place."""

    day: StagedDay
    file: Written
    rejects: str | None = None


@dataclass(frozen=True)
class WriteDay:
    """Writes the valid rows of a source's export day, and handles row keys.

    Args:
        columns: by day, DuckDB's SQL for the columns, and the names of those that are not declared.
        row_keys: adds or compares the keys of its rows.
    """

    columns: Mapping[ExportDay, tuple[str, tuple[str, ...]]]
    row_keys: RowKeys

    def extra(self, day: ExportDay) -> tuple[str, ...]:
        """The columns of a day that are not declared."""
        return self.columns[day][1]

    def __call__(self, connection: duckdb.DuckDBPyConnection, value: str, place: Place) -> WrittenDay:
        """Write the day's file. The counts of its raw files are left to the caller, who knows them."""
        columns, extra = self.columns[ExportDay(value)]
        with place.writing(file_name := unique(value)) as file:
            connection.execute(f"COPY (SELECT {columns} FROM {ROWS}) TO {text(str(file))} {self.row_keys.form}")
            day = StagedDay(ExportDay(value), file, (), extra=extra)
            if self.row_keys.source.key is None:
                self.row_keys.with_ids(connection, day).file.replace(file)
            else:
                (day,) = self.row_keys.counted(connection, [day])
            return WrittenDay(day, Written(file_name, describe_files([file])))


@dataclass(frozen=True)
class WriteExactDay:
    """Writes the valid rows and the rejects of an export day that the exact reader read.

    Args:
        valid: writes the valid rows.
        names: by day, the raw files with records, by number.
        every: by day, the names of all raw files.
        rejected: the Parquet files of records that the reader itself rejected.
    """

    valid: WriteDay
    names: Mapping[ExportDay, Mapping[int, str]]
    every: Mapping[ExportDay, Sequence[str]]
    rejected: Sequence[str]

    def extra(self, day: ExportDay) -> tuple[str, ...]:
        """The columns of a day that are not declared."""
        return self.valid.extra(day)

    def __call__(self, connection: duckdb.DuckDBPyConnection, value: str, place: Place) -> WrittenDay:
        """Write the day's files, and count its records."""
        connection.execute(f"CREATE TEMP TABLE explained AS FROM {ROWS}")
        self._view_records(connection)
        counts = self._counts(connection, ExportDay(value))
        rejects, first = None, tuple[str, ...]()
        if any(count.rejected for count in counts):
            with place.writing(rejects := unique(f"{value}-rejects")) as file:
                first = self._write_rejects(connection, ExportDay(value), file)
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {ROWS} AS FROM explained WHERE _reason IS NULL")
        written = self.valid(connection, value, place)
        return replace(written, day=replace(written.day, counts=counts, first_rejects=first), rejects=rejects)

    def _view_records(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Define the view `records`: the file's number of every record, and line, reason and text of rejected ones."""
        parts = [f"SELECT {NUMBER}, {LINE}, _reason AS reason, {RAW} FROM explained"]
        if self.rejected:
            parts.append(f"SELECT {NUMBER}, {LINE}, reason, {RAW} FROM {parquet(self.rejected)}")
        connection.execute(f"CREATE TEMP VIEW records AS {' UNION ALL '.join(parts)}")

    def _counts(self, connection: duckdb.DuckDBPyConnection, day: ExportDay) -> tuple[FileCount, ...]:
        names = self.names.get(day, {})
        numbers = ", ".join(map(str, names)) or "NULL"
        counted = connection.execute(
            f"SELECT {NUMBER}, count(*) FILTER (reason IS NULL), count(reason) FROM records "
            f"WHERE {NUMBER} IN ({numbers}) GROUP BY {NUMBER}"
        ).fetchall()
        of_file = {names[number]: (staged, rejected) for number, staged, rejected in counted}
        found = [(file, *of_file.get(file, (0, 0))) for file in self.every[day]]
        return tuple(FileCount(file, staged + rejected, staged, rejected) for file, staged, rejected in found)

    def _write_rejects(self, connection: duckdb.DuckDBPyConnection, day: ExportDay, file: Path) -> tuple[str, ...]:
        """Write the file of a day's rejects. Returns the first few as text."""
        named = ", ".join(f"({number}, {text(file_name)})" for number, file_name in self.names[day].items())
        rows = (
            f"SELECT file, {LINE} AS line, reason, {RAW} AS raw FROM records "
            f"JOIN (VALUES {named}) AS named({NUMBER}, file) USING ({NUMBER}) "
            f"WHERE reason IS NOT NULL ORDER BY {NUMBER}, {LINE}, reason LIMIT {MOST_REJECTS}"
        )
        connection.execute(f"COPY ({rows}) TO {text(str(file))} {self.valid.row_keys.form}")
        first = connection.execute(f"SELECT file, line, reason FROM {parquet([str(file)])} LIMIT {QUOTED}").fetchall()
        return tuple(f"{found}, line {line}: {reason}" for found, line, reason in first)


def unique(prefix: str) -> str:
    """A file's name that no other attempt of the same task has."""
    return f"{prefix}-{uuid.uuid4().hex}.parquet"


def listed(columns: Mapping[str, str]) -> str:
    """DuckDB's SQL for columns, each cast to the type that it has in Parquet."""
    return ", ".join(f"CAST({name(column)} AS {type_}) AS {name(column)}" for column, type_ in columns.items())
