"""The key index: for each key of a source, the exports with a row of it and the business dates of these rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from star_assets.books.book import Book
from star_assets.engines.duckdb.relations import names
from star_assets.engines.duckdb.session import name, parquet
from star_assets.engines.engine import StagedInput
from star_assets.model.days import BusinessDate, ExportDay, ExportsByDate
from star_assets.model.source import Source
from star_assets.model.types import Type
from star_assets.rules.winners import EXPORT


class Keys(Book):
    """Writes and reads index files. There is one for each month of exports; a look-up reads all of them."""

    def index_keys(
        self, source: Source, column: str, base: str | None, exports: Sequence[StagedInput], file: Path
    ) -> None:
        """Write (keys, export, date) of the rows of the base file and of the exports, sorted by date.

        The index of a stream has the receipts beside the keys.
        """
        with self._tables("indexing keys") as tables:
            columns = tuple(dict.fromkeys((*source.keys, *self.star.receipt_of(source))))
            keys = names(columns)
            parts = [f"SELECT {keys}, export, date FROM {parquet([base])}"] if base else []
            rows = tables.staged(source, exports)
            day = f"business_date({name(column)})"
            parts.append(f"SELECT {keys}, {EXPORT} AS export, {day} AS date FROM {rows.get_name()}")
            tables.copy(
                f"SELECT {_typed(source, columns)}, export, date FROM ({' UNION ALL '.join(parts)}) "
                f"ORDER BY date, {keys}",
                file,
            )

    def exports_of_dates(self, source: Source, index: Sequence[str]) -> ExportsByDate:
        """For each date, the exports with any row of a key that has a row of that date."""
        if not index:
            return {}
        with self._tables("reading the key index") as tables:
            files, keys = parquet(index, evolving=False), names(source.keys)
            return dict(tables.execute(f"{_needed(files, keys)} {_BY_DATE}").fetchall())

    def exports_of_receipts(
        self, header: Source, index: Sequence[str], receipt: Sequence[str], events: Sequence[str]
    ) -> ExportsByDate:
        """For each date, the header's exports with any row of a receipt that has an event of that date."""
        if not index or not events:
            return {}
        with self._tables("reading the key index") as tables:
            joined = _events_and_headers(header, index, receipt, events)
            found = tables.execute(
                f"WITH needed AS (SELECT DISTINCT event.date, header.export FROM {joined}) {_BY_DATE}"
            )
            return dict(found.fetchall())

    def moved_receipts(
        self, header: Source, index: Sequence[str], receipt: Sequence[str], events: Sequence[str]
    ) -> list[tuple[BusinessDate, BusinessDate]]:
        """The different pairs (date of events, date of headers) of receipts whose dates are not the same."""
        if not index or not events:
            return []
        with self._tables("reading the key index") as tables:
            return tables.execute(
                "SELECT DISTINCT CAST(event.date AS VARCHAR), CAST(header.date AS VARCHAR) "
                f"FROM {_events_and_headers(header, index, receipt, events)} WHERE header.date <> event.date"
            ).fetchall()

    def index_lines(self, part: Source, base: str | None, exports: Sequence[StagedInput], file: Path) -> None:
        """Write (keys, header's keys, export) of the base file's and the exports' lines, sorted by header's keys."""
        with self._tables("indexing lines") as tables:
            columns = names(_line_columns(part))
            parts = [f"SELECT {columns}, export FROM {parquet([base])}"] if base else []
            parts.append(f"SELECT {columns}, {EXPORT} AS export FROM {tables.staged(part, exports).get_name()}")
            typed = _typed(part, _line_columns(part))
            tables.copy(
                f"SELECT DISTINCT {typed}, export FROM ({' UNION ALL '.join(parts)}) ORDER BY {columns}, export", file
            )

    def line_exports_of_dates(
        self, header: Source, index: Sequence[str], part: Source, lines: Sequence[str]
    ) -> ExportsByDate:
        """For each date, the exports with any row of a line that ever belonged to a header of that date."""
        if not index or not lines:
            return {}
        with self._tables("reading the key index") as tables:
            named = ", ".join(f"{name(k)} AS {name(c)}" for k, c in zip(header.keys, part.header_keys, strict=True))
            files, keys = parquet(lines, evolving=False), names(part.keys)
            owned = (
                f"owned AS (SELECT DISTINCT {keys}, date FROM {files} JOIN wanted USING ({names(part.header_keys)}))"
            )
            needed = f"SELECT DISTINCT date, export FROM {files} JOIN owned USING ({keys})"
            if set(part.header_keys) <= set(part.keys):
                # The header's key is part of the line's key, so no line can move to another header.
                owned, needed = "owned AS (FROM wanted)", f"SELECT DISTINCT date, export FROM {files} JOIN owned USING "
                needed += f"({names(part.header_keys)})"
            found = tables.execute(
                f"WITH wanted AS (SELECT DISTINCT {named}, date FROM {parquet(index, evolving=False)} "
                f"WHERE date IS NOT NULL), {owned}, needed AS ({needed}) {_BY_DATE}"
            )
            return dict(found.fetchall())

    def header_exports(
        self, header: Source, index: Sequence[str], columns: Sequence[str], files: Sequence[str]
    ) -> list[ExportDay]:
        """The exports with any row of a header that the rows of staged files refer to by these columns."""
        if not index or not files:
            return []
        with self._tables("finding headers") as tables:
            found = tables.execute(
                f"SELECT DISTINCT CAST(export AS VARCHAR) FROM {parquet(index, evolving=False)} AS header "
                f"SEMI JOIN {parquet(files)} AS row ON {_refers('row', columns, header)} ORDER BY 1"
            )
            return [export for (export,) in found.fetchall()]

    def exports_of_lines(self, part: Source, index: Sequence[str], lines: Sequence[str]) -> list[ExportDay]:
        """The exports with any row of the lines in these files, found in the lines' index."""
        if not index or not lines:
            return []
        with self._tables("finding other rows of lines") as tables:
            found = tables.execute(
                f"SELECT DISTINCT CAST(known.export AS VARCHAR) FROM {parquet(index, evolving=False)} AS known "
                f"SEMI JOIN {parquet(lines)} AS line USING ({names(part.keys)}) ORDER BY 1"
            )
            return [export for (export,) in found.fetchall()]


# From `needed`, (date, export): each date with a list of its exports.
_BY_DATE = (
    "SELECT CAST(date AS VARCHAR), list_sort(list(CAST(export AS VARCHAR))) FROM needed "
    "WHERE date IS NOT NULL GROUP BY date"
)


def _typed(source: Source, columns: Sequence[str]) -> str:
    """SQL for columns in their declared types: DuckDB reads a timestamp in milliseconds as one in microseconds."""
    types = {column: Type.parse(source.staged[column].type).duckdb for column in columns}
    return ", ".join(f"CAST({name(column)} AS {type_}) AS {name(column)}" for column, type_ in types.items())


def _refers(row: str, columns: Sequence[str], header: Source) -> str:
    """SQL for whether columns of `row` have the key of a `header`."""
    pairs = zip(columns, header.keys, strict=True)
    return " AND ".join(f"{row}.{name(column)} = header.{name(key)}" for column, key in pairs)


def _events_and_headers(header: Source, index: Sequence[str], receipt: Sequence[str], events: Sequence[str]) -> str:
    """SQL that joins each `event`'s receipt and date, in a stream's index, with the rows of its `header`."""
    return (
        f"(SELECT DISTINCT {names(receipt)}, date FROM {parquet(events, evolving=False)}) AS event "
        f"JOIN {parquet(index, evolving=False)} AS header ON {_refers('event', receipt, header)}"
    )


def _line_columns(part: Source) -> Sequence[str]:
    """The columns of the header's key and of the line's key, each once."""
    return tuple(dict.fromkeys((*part.header_keys, *part.keys)))


def _needed(files: str, keys: str) -> str:
    """SQL that defines `needed`: each date with the exports that it needs.

    A date needs the exports with its own rows, and for each key that moved to another date, all exports of that key.
    """
    return (
        f"WITH moved AS (SELECT {keys} FROM {files} GROUP BY ALL "
        "HAVING min(date) IS DISTINCT FROM max(date) OR count(date) < count(*)), "
        f"rows AS (SELECT {keys}, date, export FROM {files} SEMI JOIN moved USING ({keys})), "
        f"needed AS (SELECT date, export FROM {files} "
        f"UNION SELECT a.date, b.export FROM rows AS a JOIN rows AS b USING ({keys}))"
    )
