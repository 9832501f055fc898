"""Building with DuckDB: states of sources, the key index, dimensions, facts, and what audits count.

The transforms and the rules of which row wins are Ibis expressions, compiled to
one SQL statement per step: a range of dates is computed in one pass, then
written as one file per date.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import ibis
from ibis.expr.types import Table

from star_assets.engines.duckdb_session import FILE, connect, name, parquet, parquet_format, sql_type, tells, text
from star_assets.engines.engine import DimensionInput, FactInput, FactRules, StagedInput
from star_assets.model.functions import business_date
from star_assets.model.members import with_members, without_nulls
from star_assets.model.source import Source
from star_assets.model.star import Star
from star_assets.model.tables import CALENDAR, Dimension, Fact
from star_assets.model.types import UNKNOWN, Type
from star_assets.settings import Settings
from star_assets.staging.winners import DELETED, EXPORT, current, lines_of, winners

# Rows per row group of a fact's file: Athena skips whole groups by their
# statistics, so groups are smaller than the writers' default of 122,880.
ROW_GROUP = 65_536


class Tables:
    """The building half of the DuckDB engine."""

    def __init__(self, star: Star, settings: Settings) -> None:
        self.star = star
        self.settings = settings
        self._spill = tempfile.TemporaryDirectory(prefix="star_assets_spill_")

    @cached_property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The one connection of this engine, opened when first used."""
        return connect(self.settings, self._spill.name)

    # States

    @tells("folding exports")
    def fold(self, source: Source, base: str | None, exports: Sequence[StagedInput], file: Path) -> None:
        """One row per key: the winner over the base state and the exports."""
        found = winners(self._staged(source, exports, base), source)
        self._copy(f"SELECT {_physical(found)} FROM ({sql(found)}) ORDER BY {_names(source.keys)}", file)

    @tells("folding keys")
    def fold_keys(self, column: str, key: str, base: str | None, exports: Sequence[StagedInput], file: Path) -> None:
        """The distinct values of a column, over the base's and the exports'."""
        parts = [f"SELECT {name(key)} FROM {parquet([base])}"] if base else []
        files = [file_ for export in exports for file_ in export.files]
        parts += [f"SELECT {name(column)} AS {name(key)} FROM {parquet(files)}"] if files else []
        self._copy(
            f"SELECT DISTINCT {name(key)} FROM ({' UNION ALL '.join(parts)}) WHERE {name(key)} IS NOT NULL ORDER BY 1",
            file,
        )

    # The key index

    @tells("indexing keys")
    def index_keys(
        self, source: Source, column: str, base: str | None, exports: Sequence[StagedInput], file: Path
    ) -> None:
        """(keys, export, date) of the base's and the exports' rows, sorted by date."""
        keys = _names(source.keys)
        parts = [f"SELECT {keys}, export, date FROM {parquet([base])}"] if base else []
        rows = self._staged(source, exports)
        is_date = source.declared[column].type == "date"
        day = name(column) if is_date else f"business_date({name(column)})"
        parts.append(f"SELECT {keys}, CAST({EXPORT} AS DATE) AS export, {day} AS date FROM {rows.get_name()}")
        self._copy(f"SELECT * FROM ({' UNION ALL '.join(parts)}) ORDER BY date, {keys}", file)

    @tells("reading the key index")
    def exports_of_dates(
        self, source: Source, index: Sequence[str], dates: Sequence[str] | None
    ) -> dict[str, list[str]]:
        """For each date, the exports with any row of a key that has a row of that date."""
        if not index or (dates is not None and not dates):
            return {}
        files, keys = parquet(index, evolving=False), _names(source.keys)
        pairs = _pairs(files, keys) if dates is None else _pairs_of(files, keys, dates)
        return dict(self.connection.execute(f"{pairs} {_BY_DATE}").fetchall())

    @tells("indexing lines")
    def index_lines(self, part: Source, base: str | None, exports: Sequence[StagedInput], file: Path) -> None:
        """(keys, header's keys, export) of the base's and the exports' lines, sorted by the header's keys."""
        columns = _names(_line_columns(part))
        parts = [f"SELECT {columns}, export FROM {parquet([base])}"] if base else []
        parts.append(
            f"SELECT {columns}, CAST({EXPORT} AS DATE) AS export FROM {self._staged(part, exports).get_name()}"
        )
        self._copy(f"SELECT DISTINCT * FROM ({' UNION ALL '.join(parts)}) ORDER BY {columns}, export", file)

    @tells("reading the key index")
    def line_exports_of_dates(
        self, header: Source, index: Sequence[str], part: Source, lines: Sequence[str], dates: Sequence[str] | None
    ) -> dict[str, list[str]]:
        """For each date, the exports with any row of a line that ever belonged to a header of that date."""
        if not index or not lines or (dates is not None and not dates):
            return {}
        wanted = "date IS NOT NULL" if dates is None else _is_among(dates)
        named = ", ".join(f"{name(k)} AS {name(c)}" for k, c in zip(header.keys, part.header_keys, strict=True))
        files, keys = parquet(lines, evolving=False), _names(part.keys)
        owned = f"owned AS (SELECT DISTINCT {keys}, date FROM {files} JOIN wanted USING ({_names(part.header_keys)}))"
        needed = f"SELECT DISTINCT date, export FROM {files} JOIN owned USING ({keys})"
        if set(part.header_keys) <= set(part.keys):
            # No line can move to another header.
            owned, needed = "owned AS (FROM wanted)", f"SELECT DISTINCT date, export FROM {files} JOIN owned USING "
            needed += f"({_names(part.header_keys)})"
        found = self.connection.execute(
            f"WITH wanted AS (SELECT DISTINCT {named}, date FROM {parquet(index, evolving=False)} WHERE {wanted}), "
            f"{owned}, needed AS ({needed}) {_BY_DATE}"
        )
        return dict(found.fetchall())

    @tells("reading the key index")
    def dates_of_exports(self, source: Source, index: Sequence[str], exports: Sequence[str]) -> list[str]:
        """Every date of any row of a key that has a row in one of the exports."""
        if not index or not exports:
            return []
        keys = _names(source.keys)
        files, touched = parquet(index, evolving=False), ", ".join(f"DATE {text(export)}" for export in exports)
        found = self.connection.execute(
            f"WITH touched AS (SELECT DISTINCT {keys} FROM {files} WHERE export IN ({touched})) "
            f"SELECT DISTINCT CAST(date AS VARCHAR) AS date FROM {files} JOIN touched USING ({keys}) "
            "WHERE date IS NOT NULL ORDER BY date"
        )
        return [date for (date,) in found.fetchall()]

    # Dimensions

    @tells("building a dimension")
    def build_dimension(self, dimension: Dimension, given: DimensionInput, file: Path) -> None:
        """The transform over the states, with the members that nothing describes."""
        upstream = {source: self._state(self.star.sources[source], state) for source, state in given.states.items()}
        if CALENDAR in dimension.upstream:
            upstream[CALENDAR] = self._calendar(*given.years)
        described = self.star.transformed(dimension, upstream)
        key = described[dimension.key]
        unknown = UNKNOWN[str(Type.of(key.type()))]
        type_ = sql_type(Type.of(key.type()))
        parts = [f"SELECT CAST({text(str(unknown))} AS {type_}) AS {name(dimension.key)}"]
        parts += [f"SELECT {name(dimension.key)} FROM {parquet(given.used)}"] if given.used else []
        self._view("used", " UNION ALL ".join(parts))
        used = ibis.table({dimension.key: key.type()}, name="used")
        rows = with_members(dimension, described, used)
        self._copy(f"SELECT {_physical(rows)} FROM ({sql(rows)}) ORDER BY {name(dimension.key)}", file)

    @tells("auditing a dimension")
    def audit_dimension(self, dimension: Dimension, file: str) -> dict[str, int]:
        """Rows, NULL keys, keys that occur again, and Unknown members (there must be one)."""
        key = name(dimension.key)
        unknown = next(f.type for f in self.star.fields(dimension) if f.name == dimension.key)
        found = self.connection.execute(
            f"SELECT count(*), count(*) - count({key}), count({key}) - count(DISTINCT {key}), "
            f"count(*) FILTER (CAST({key} AS VARCHAR) = {text(str(UNKNOWN[str(unknown)]))}) FROM {parquet([file])}"
        ).fetchone()
        assert found is not None
        return dict(zip(("rows", "null_keys", "repeated_keys", "unknown_members"), found, strict=True))

    # Facts

    @tells("building a fact")
    def build_fact(self, fact: Fact, given: FactInput, folder: Path) -> dict[str, Path]:
        """One statement computes the range; then each date is sorted into its file."""
        with self._fact_rows(fact, given) as rows:
            self.connection.execute(f"CREATE OR REPLACE TABLE built AS {rows}")
        # Sorting each date by itself takes half the time of sorting the range.
        order = _names(dict.fromkeys((*fact.sort_by, fact.key)))

        def write(date: str) -> tuple[str, Path]:
            file = folder / f"{date}.parquet"
            with self.connection.cursor() as cursor:
                cursor.execute(
                    f"COPY (SELECT * EXCLUDE (_date) FROM built WHERE _date = {text(date)} "
                    f"ORDER BY {order}) TO {text(str(file))} "
                    f"{parquet_format(self.settings, f'ROW_GROUP_SIZE {ROW_GROUP}')}"
                )
            return date, file

        with ThreadPoolExecutor(self.settings.threads) as pool:
            files = dict(pool.map(write, given.dates))
        self.connection.execute("DROP TABLE built")
        return files

    @tells("adding up sources")
    def totals(self, fact: Fact, given: FactInput) -> dict[str, dict[str, Any]]:
        """Per date: rows, and the sum of each measure that adds up."""
        sums = fact.summed
        with self._fact_rows(fact, given) as rows:
            found = self.connection.execute(
                f"SELECT CAST(_date AS VARCHAR), count(*), {', '.join(f'sum({name(c)})' for c in sums)} "
                f"FROM ({rows}) GROUP BY _date"
            ).fetchall()
        return {date: dict(zip(("rows", *sums), values, strict=True)) for date, *values in found}

    @tells("adding up files")
    def file_totals(self, fact: Fact, files: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]:
        """Per date: the same totals, read from the date's files."""
        sums = fact.summed
        by_file = {file: date for date, several in files.items() for file in several}
        if not by_file:
            return {}
        self.connection.execute(f"CREATE OR REPLACE TABLE dated_files ({FILE} VARCHAR, _date VARCHAR)")
        self.connection.executemany("INSERT INTO dated_files VALUES (?, ?)", list(by_file.items()))
        found = self.connection.execute(
            f"SELECT _date, count(*), {', '.join(f'sum({name(c)})' for c in sums)} "
            f"FROM {parquet(list(by_file))} JOIN dated_files USING ({FILE}) GROUP BY _date"
        ).fetchall()
        self.connection.execute("DROP TABLE dated_files")
        return {date: dict(zip(("rows", *sums), values, strict=True)) for date, *values in found}

    @tells("auditing a fact")
    def audit_fact(self, fact: Fact, files: Mapping[str, str], dimensions: Mapping[str, str]) -> dict[str, FactRules]:
        """Hold each date's file against the rules of the model and the dimensions' members."""
        unknown = {column: self._unknown(fact, column, files, dimensions) for column in fact.references}
        # File by file: one statement over all of them takes four times as long
        # to find repeated keys, because it keeps every key of the range at once.
        with ThreadPoolExecutor(self.settings.threads) as pool:
            audited = pool.map(lambda date: self._audit_file(fact, date, files[date]), files)
            found = dict(zip(files, audited, strict=True))
        return {
            date: replace(rules, unknown_references={c: counts.get(files[date], 0) for c, counts in unknown.items()})
            for date, rules in found.items()
        }

    def _audit_file(self, fact: Fact, date: str, file: str) -> FactRules:
        key, sums = name(fact.key), fact.summed
        minimums = {m.column: m.minimum for m in fact.measures if m.minimum is not None}
        counts = [
            "count(*)",
            f"count(*) - count({key})",
            f"count({key}) - count(DISTINCT {key})",
            f"count(*) FILTER (business_date({name(fact.date)}) IS DISTINCT FROM DATE {text(date)})",
            *(f"count(*) FILTER ({name(column)} < {least})" for column, least in minimums.items()),
            *(f"sum({name(column)})" for column in sums),
        ]
        with self.connection.cursor() as cursor:
            found = cursor.execute(f"SELECT {', '.join(counts)} FROM {parquet([file])}").fetchone()
        assert found is not None
        rows, null_keys, repeated_keys, outside_date, *measured = found
        below, totals = measured[: len(minimums)], measured[len(minimums) :]
        return FactRules(
            rows,
            null_keys,
            repeated_keys,
            outside_date,
            below_minimum=dict(zip(minimums, below, strict=True)),
            unknown_references={},
            sums=dict(zip(sums, totals, strict=True)),
        )

    @tells("comparing members")
    def missing_members(self, column: str, files: Sequence[str], dimension: Dimension, members: str) -> list[str]:
        """Up to ten values of a fact's column that the dimension's file lacks, as text."""
        if not files:
            return []
        found = self.connection.execute(
            f"SELECT DISTINCT CAST({name(column)} AS VARCHAR) FROM {parquet(files)} "
            f"WHERE {name(column)} NOT IN (SELECT {name(dimension.key)} FROM {parquet([members])}) ORDER BY 1 LIMIT 10"
        )
        return [value for (value,) in found.fetchall()]

    def _unknown(
        self, fact: Fact, column: str, files: Mapping[str, str], dimensions: Mapping[str, str]
    ) -> dict[str, int]:
        """Per file, the rows whose reference is NULL or no member."""
        target = fact.references[column]
        members = parquet([dimensions[target.name]])
        found = self.connection.execute(
            f"SELECT {FILE}, count(*) FROM {parquet(list(files.values()))} "
            f"WHERE {name(column)} NOT IN (SELECT {name(target.key)} FROM {members}) OR {name(column)} IS NULL "
            f"GROUP BY {FILE}"
        )
        return dict(found.fetchall())

    @contextmanager
    def _fact_rows(self, fact: Fact, given: FactInput) -> Iterator[str]:
        """SQL for the fact's rows of the given dates, with `_date`, in physical types."""
        column = self.star.driving_column(fact)
        headers = current(self._staged(column.source, given.staged[column.source.name]), column.source)
        day = business_date(headers[column.column])
        headers = headers.filter(day.between(ibis.date(min(given.dates)), ibis.date(max(given.dates))))
        self.connection.execute(f"CREATE OR REPLACE TABLE headers AS {sql(headers)}")
        known = ibis.table(headers.schema(), name="headers")
        upstream = {column.source.name: known.drop(*_system(known))}
        for part in self.star.parts(fact):
            lines = lines_of(known, self._staged(part, given.staged[part.name]), column.source, part)
            upstream[part.name] = lines.drop(*_system(lines))
        for source, state in given.states.items():
            upstream[source] = self._state(self.star.sources[source], state)
        rows = without_nulls(fact, self.star.transformed(fact, upstream))
        dates = ", ".join(f"DATE {text(date)}" for date in given.dates)
        yield (
            f"SELECT {_physical(rows)}, business_date({name(fact.date)}) AS _date FROM ({sql(rows)}) "
            f"WHERE business_date({name(fact.date)}) IN ({dates})"
        )
        self.connection.execute("DROP TABLE headers")

    # Upstream tables

    def _staged(self, source: Source, exports: Sequence[StagedInput], base: str | None = None) -> Table:
        """The staged rows of some exports, each with `_export`, and of a base state."""
        view, files = f"staged_{source.name}", f"files_{source.name}"
        days = {file: export.day for export in exports for file in export.files}
        self.connection.execute(f"CREATE OR REPLACE TABLE {files} ({FILE} VARCHAR, {EXPORT} VARCHAR)")
        if days:
            self.connection.executemany(f"INSERT INTO {files} VALUES (?, ?)", list(days.items()))
        parts = [self._no_rows(source)]
        parts += [f"SELECT * FROM {parquet([base])}"] if base else []
        parts += [f"SELECT * FROM {parquet(list(days))} JOIN {files} USING ({FILE})"] if days else []
        self._view(view, f"SELECT * EXCLUDE ({FILE}) FROM ({' UNION ALL BY NAME '.join(parts)})")
        return self._table(view)

    def _no_rows(self, source: Source) -> str:
        """The columns that staged rows have at least, in their declared types."""
        columns = [f"CAST(NULL AS {sql_type(f.type)}) AS {name(f.name)}" for f in self.star.fields(source)]
        columns += [f"CAST(NULL AS BOOLEAN) AS {DELETED}"] if source.tombstone else []
        return f"SELECT {', '.join(columns)}, '' AS {EXPORT}, '' AS {FILE} WHERE false"

    def _state(self, source: Source, file: str) -> Table:
        view = f"state_{source.name}"
        alive = f" WHERE NOT {DELETED}" if source.tombstone else ""
        self._view(view, f"SELECT * EXCLUDE ({FILE}) FROM {parquet([file])}{alive}")
        rows = self._table(view)
        return rows.drop(*_system(rows))

    def _calendar(self, first: int, last: int) -> Table:
        self._view(
            CALENDAR,
            f"SELECT CAST(range AS DATE) AS date_key FROM range(DATE '{first}-01-01', DATE '{last + 1}-01-01', "
            "INTERVAL 1 DAY)",
        )
        return ibis.table({"date_key": "date"}, name=CALENDAR)

    def _view(self, view: str, select: str) -> None:
        self.connection.execute(f"CREATE OR REPLACE VIEW {name(view)} AS {select}")

    def _table(self, view: str) -> Table:
        """A view as an Ibis table, with the columns that it really has."""
        described = self.connection.execute(f"DESCRIBE {name(view)}").fetchall()
        return ibis.table({column: _ibis_type(type_) for column, type_, *_ in described}, name=view)

    def _copy(self, select: str, file: Path) -> None:
        self.connection.execute(f"COPY ({select}) TO {text(str(file))} {parquet_format(self.settings)}")


def sql(table: Table) -> str:
    """The DuckDB statement of an Ibis expression."""
    return str(ibis.to_sql(table, dialect="duckdb"))


def _ibis_type(duckdb_type: str) -> Any:
    from ibis.backends.sql.datatypes import DuckDBType

    return DuckDBType.from_string(duckdb_type)


# From `needed`, (date, export): each date with a list of its exports.
_BY_DATE = (
    "SELECT CAST(date AS VARCHAR), list_sort(list(CAST(export AS VARCHAR))) FROM needed "
    "WHERE date IS NOT NULL GROUP BY date"
)


def _is_among(dates: Sequence[str]) -> str:
    """SQL that finds the dates. The bounds let the reader skip row groups; the list alone would not."""
    listed = ", ".join(f"DATE {text(date)}" for date in dates)
    return f"date IN ({listed}) AND date BETWEEN {text(min(dates))} AND {text(max(dates))}"


def _line_columns(part: Source) -> Sequence[str]:
    """The header's key and the line's own, each column once."""
    return tuple(dict.fromkeys((*part.header_keys, *part.keys)))


def _pairs_of(files: str, keys: str, dates: Sequence[str]) -> str:
    """SQL that defines `needed`: the dates, each with the exports that it needs."""
    return (
        f"WITH wanted AS (SELECT {keys}, date FROM {files} WHERE {_is_among(dates)}), "
        f"needed AS (SELECT DISTINCT wanted.date, export FROM {files} AS every JOIN wanted USING ({keys}))"
    )


def _pairs(files: str, keys: str) -> str:
    """The same for every date. Only keys that moved join a date to exports that have no row of it."""
    return (
        f"WITH moved AS (SELECT {keys} FROM {files} GROUP BY ALL "
        "HAVING min(date) IS DISTINCT FROM max(date) OR count(date) < count(*)), "
        f"rows AS (SELECT {keys}, date, export FROM {files} SEMI JOIN moved USING ({keys})), "
        f"needed AS (SELECT date, export FROM {files} "
        f"UNION SELECT a.date, b.export FROM rows AS a JOIN rows AS b USING ({keys}))"
    )


def _system(rows: Table) -> list[str]:
    return [column for column in (EXPORT, DELETED) if column in rows.columns]


def _physical(rows: Table) -> str:
    """Every column, cast to the type that Parquet holds it in."""
    return ", ".join(
        f"CAST({name(column)} AS {sql_type(Type.of(dtype))}) AS {name(column)}"
        for column, dtype in rows.schema().items()
    )


def _names(columns: Sequence[str] | Mapping[str, Any]) -> str:
    return ", ".join(name(column) for column in columns)
