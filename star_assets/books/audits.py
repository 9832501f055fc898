"""Audits: checks of a new version's Parquet files, of a fact, dimension or history, against the rules of the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from star_assets.books.book import Book
from star_assets.engines.duckdb.relations import Relations, names
from star_assets.engines.duckdb.session import FILE, are_small, labelled, name, parquet, text
from star_assets.engines.duckdb.sql import sql
from star_assets.model.calendars import calendar_of
from star_assets.model.members import MEMBER_KIND, SUPERSEDED
from star_assets.model.tables import (
    IS_CURRENT,
    IS_PROVISIONAL,
    KEY_PREFIX,
    PARTITION_DATE,
    VALID_FROM,
    VALID_TO,
    Dimension,
    Fact,
    History,
    surrogate,
)
from star_assets.model.types import UNKNOWN
from star_assets.rules.histories import BEGINNING, END, with_versions


@dataclass(frozen=True)
class FactRules:
    """The result of the audit of one date's file: how many rows break each rule."""

    rows: int
    null_keys: int
    repeated_keys: int
    outside_date: int
    other_reference: int
    wrongly_marked: int
    below_minimum: Mapping[str, int]
    unknown_references: Mapping[str, int]
    sums: Mapping[str, Any]


class Audits(Book):
    """Checks files by DuckDB, whichever engine wrote them."""

    def audit_fact(self, fact: Fact, files: Mapping[str, str], dimensions: Mapping[str, str]) -> dict[str, FactRules]:
        """Check each date's file against the rules of the model and the members of the dimensions' files."""
        with self._tables("auditing a fact") as tables:
            unknown = {column: self._unknown(tables, fact, column, files, dimensions) for column in fact.references}
            if are_small(list(files.values()), len(files)):
                found = self._audit_together(tables, fact, files)
            else:
                # File by file: one statement over all of them takes four times as long
                # to find repeated keys, because it keeps every key of the range at once.
                with ThreadPoolExecutor(self.database.settings.threads) as pool:
                    audited = pool.map(lambda date: self._audit_file(tables, fact, date, files[date]), files)
                    found = dict(zip(files, audited, strict=True))
            return {
                date: replace(
                    rules, unknown_references={c: counts.get(files[date], 0) for c, counts in unknown.items()}
                )
                for date, rules in found.items()
            }

    def _audit_together(self, tables: Relations, fact: Fact, files: Mapping[str, str]) -> dict[str, FactRules]:
        """Audit small files in one statement: starting a statement for each would take longer than reading it."""
        found = tables.execute(
            f"SELECT _date, {self._counts(fact, 'CAST(_date AS DATE)')} FROM {parquet(list(files.values()))} "
            f"JOIN {labelled({date: [file] for date, file in files.items()}, '_date')} USING ({FILE}) GROUP BY _date"
        ).fetchall()
        counted = {date: counts for date, *counts in found}
        # The statement's result has no line for a file without rows.
        nothing = [0] * 6 + [0] * len(_minimums(fact)) + [None] * len(fact.summed)
        return {date: self._rules(fact, counted.get(date, nothing)) for date in files}

    def _audit_file(self, tables: Relations, fact: Fact, date: str, file: str) -> FactRules:
        with tables.cursor() as cursor:
            counts = self._counts(fact, f"DATE {text(date)}")
            found = cursor.execute(f"SELECT {counts} FROM {parquet([file])}").fetchone()
        assert found is not None
        return self._rules(fact, found)

    def _counts(self, fact: Fact, date: str) -> str:
        """SQL for the counts and sums that `_rules` takes, over rows that should all have this date."""
        key, calendar = name(fact.key), calendar_of(self.star, fact)
        counts = [
            "count(*)",
            f"count(*) - count({key})",
            f"count({key}) - count(DISTINCT {key})",
            f"count(*) FILTER (business_date({name(fact.date)}) IS DISTINCT FROM {date})",
            f"count(*) FILTER ({name(calendar.column)} IS DISTINCT FROM {date})" if calendar else "0",
            f"count(*) FILTER ({name(IS_PROVISIONAL)} IS DISTINCT FROM starts_with({key}, {text(KEY_PREFIX)}))"
            if fact.provisional
            else "0",
            *(f"count(*) FILTER ({name(column)} < {least})" for column, least in _minimums(fact).items()),
            *(f"sum({name(column)})" for column in fact.summed),
        ]
        return ", ".join(counts)

    def _rules(self, fact: Fact, counts: Sequence[Any]) -> FactRules:
        sums, minimums = fact.summed, _minimums(fact)
        rows, null_keys, repeated_keys, outside_date, other_reference, wrongly_marked, *measured = counts
        below, totals = measured[: len(minimums)], measured[len(minimums) :]
        return FactRules(
            rows,
            null_keys,
            repeated_keys,
            outside_date,
            other_reference,
            wrongly_marked,
            below_minimum=dict(zip(minimums, below, strict=True)),
            unknown_references={},
            sums=dict(zip(sums, totals, strict=True)),
        )

    def _unknown(
        self, tables: Relations, fact: Fact, column: str, files: Mapping[str, str], dimensions: Mapping[str, str]
    ) -> dict[str, int]:
        """By file, the number of rows whose reference is NULL or the key of no member."""
        target = fact.references[column]
        members = parquet([dimensions[target.name]])
        found = tables.execute(
            f"SELECT {FILE}, count(*) FROM {parquet(list(files.values()))} "
            f"WHERE {name(column)} NOT IN (SELECT {name(target.key)} FROM {members}) OR {name(column)} IS NULL "
            f"GROUP BY {FILE}"
        )
        return dict(found.fetchall())

    def missing_members(self, column: str, files: Sequence[str], dimension: Dimension, members: str) -> list[str]:
        """Up to ten values of a fact's column that the dimension's file lacks, as text."""
        if not files:
            return []
        with self._tables("comparing members") as tables:
            found = tables.execute(
                f"SELECT DISTINCT CAST({name(column)} AS VARCHAR) FROM {parquet(files)} "
                f"WHERE {name(column)} NOT IN (SELECT {name(dimension.key)} FROM {parquet([members])}) "
                "ORDER BY 1 LIMIT 10"
            )
            return [value for (value,) in found.fetchall()]

    def audit_dimension(self, dimension: Dimension, file: str) -> dict[str, int]:
        """The numbers of rows, of NULL keys, of repeated keys, and of Unknown members (there must be one)."""
        with self._tables("auditing a dimension") as tables:
            key = name(dimension.key)
            unknown = next(f.type for f in self.star.fields(dimension) if f.name == dimension.key)
            found = tables.execute(
                f"SELECT count(*), count(*) - count({key}), count({key}) - count(DISTINCT {key}), "
                f"count(*) FILTER (CAST({key} AS VARCHAR) = {text(str(UNKNOWN[str(unknown)]))}) FROM {parquet([file])}"
            ).fetchone()
            assert found is not None
            return dict(zip(("rows", "null_keys", "repeated_keys", "unknown_members"), found, strict=True))

    def audit_calendar(self, calendar: Dimension, file: str) -> int:
        """The number of members whose `partition_date` is not their key as text."""
        with self._tables("auditing a calendar") as tables:
            found = tables.execute(
                f"SELECT count(*) FROM {parquet([file])} "
                f"WHERE {PARTITION_DATE} IS DISTINCT FROM CAST({name(calendar.key)} AS VARCHAR)"
            ).fetchone()
            assert found is not None
            return int(found[0])

    def audit_history(self, history: History, file: str) -> int:
        """The number of members whose intervals begin late, leave gaps, overlap, or are wrongly marked as current."""
        with self._tables("auditing a history") as tables:
            in_order = f"(PARTITION BY {name(history.of.key)} ORDER BY {VALID_FROM})"
            in_force = f"{MEMBER_KIND} <> {text(SUPERSEDED)}"
            broken = (
                f"{VALID_FROM} >= {VALID_TO} OR {VALID_FROM} <> coalesce(before, {_moment(BEGINNING)}) "
                f"OR {IS_CURRENT} <> ({VALID_TO} = {_moment(END)}) OR ({IS_CURRENT} AND after IS NOT NULL)"
            )
            found = tables.execute(
                f"SELECT count(DISTINCT {name(history.of.key)}) FROM ("
                f"SELECT *, lag({VALID_TO}) OVER {in_order} AS before, lead({VALID_FROM}) OVER {in_order} AS after "
                f"FROM {parquet([file])} WHERE {in_force}) WHERE {broken}"
            ).fetchone()
            assert found is not None
            return int(found[0])

    def history_digests(self, history: History, file: str, months: Sequence[str]) -> dict[str, str]:
        """By month, a digest of the intervals that the month's dates can refer to: surrogate keys and bounds."""
        with self._tables("comparing histories") as tables:
            listed = ", ".join(f"({text(month)}, DATE '{month}-01')" for month in months)
            # In some time zones a business date begins up to a day before the UTC date, or ends up to a day after it.
            begin, end = "begins - INTERVAL 1 DAY", "begins + INTERVAL 1 MONTH + INTERVAL 1 DAY"
            bounds = f"greatest({VALID_FROM}, {begin}), least({VALID_TO}, {end})"
            found = tables.execute(
                f"SELECT month, count(*) || '-' || bit_xor(hash({name(history.key)}, {bounds})) "
                f"FROM (VALUES {listed}) AS months(month, begins) JOIN {parquet([file])} "
                f"ON {MEMBER_KIND} <> {text(SUPERSEDED)} AND {VALID_FROM} < {end} AND {VALID_TO} > {begin} "
                "GROUP BY month"
            )
            return dict(found.fetchall())

    def outdated_versions(
        self, fact: Fact, files: Mapping[str, Sequence[str]], histories: Mapping[str, str]
    ) -> list[str]:
        """The dates with a row whose surrogate key is not that of the member's interval at the row's time."""
        with self._tables("comparing versions") as tables:
            roles = self.star.versioned(fact)
            columns = dict.fromkeys([*roles, *map(surrogate, roles), fact.date])
            every = [file for several in files.values() for file in several]
            tables.view("carried", f"SELECT {names(columns)}, {FILE} FROM {parquet(every)}")
            kept = tables.table("carried").rename({f"_{column}": surrogate(column) for column in roles})
            rows = with_versions(kept, fact.date, tables.histories(fact, histories))
            differs = " OR ".join(f"{name(f'_{c}')} IS DISTINCT FROM {name(surrogate(c))}" for c in roles)
            found = tables.execute(
                f"SELECT DISTINCT _date FROM ({sql(rows)}) JOIN {labelled(files, '_date')} USING ({FILE}) "
                f"WHERE {differs} ORDER BY 1"
            )
            return [date for (date,) in found.fetchall()]


def _minimums(fact: Fact) -> dict[str, Any]:
    """The least allowed value of each measure that declares one."""
    return {measure.column: measure.minimum for measure in fact.measures if measure.minimum is not None}


def _moment(moment: datetime) -> str:
    return f"TIMESTAMP '{moment}'"
