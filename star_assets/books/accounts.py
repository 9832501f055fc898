"""Accounts: row counts and sums of measures, by sources and by files, and why staged lines did not become sales."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from duckdb import DuckDBPyConnection
from ibis.expr.types import Table

from star_assets.books.book import Book
from star_assets.engines.assembling import DATE, system_columns
from star_assets.engines.duckdb.relations import Relations, names, physical
from star_assets.engines.duckdb.session import FILE, labelled, name, parquet, text
from star_assets.engines.duckdb.sql import sql
from star_assets.engines.engine import FactInput
from star_assets.model.calendars import calendar_of
from star_assets.model.rowwise import carry, unfiltered
from star_assets.model.source import Source
from star_assets.model.tables import IS_PROVISIONAL, Fact, History
from star_assets.rules.accounts import CAUSE, event_causes, exported_receipts, line_causes, rivals
from star_assets.rules.winners import DELETED, EXPORT, LINE, lines_of, winners


class Accounts(Book):
    """Computes totals of facts, from their sources and from their files. A total has a number of rows and sums."""

    def totals(self, fact: Fact, given: FactInput) -> dict[str, dict[str, Any]]:
        """By business date, computed from the sources: the number of rows, and the sum of each measure that adds up."""
        with self._tables("adding up sources") as tables:
            sums = fact.summed
            rows = tables.fact_rows(fact, given)
            found = tables.execute(
                f"SELECT CAST({DATE} AS VARCHAR), count(*), {', '.join(f'sum({name(c)})' for c in sums)} "
                f"FROM (SELECT {physical(rows)} FROM ({sql(rows)})) GROUP BY {DATE}"
            ).fetchall()
            return {date: dict(zip(("rows", *sums), values, strict=True)) for date, *values in found}

    def file_totals(self, fact: Fact, files: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]:
        """By business date, read from the date's files: the number of rows, and the same sums as in `totals`."""
        sums, listed = fact.summed, [file for several in files.values() for file in several]
        if not listed:
            return {}
        with self._tables("adding up files") as tables:
            found = tables.execute(
                f"SELECT _date, count(*), {', '.join(f'sum({name(c)})' for c in sums)} "
                f"FROM {parquet(listed)} JOIN {labelled(files, '_date')} USING ({FILE}) GROUP BY _date"
            ).fetchall()
            return {date: dict(zip(("rows", *sums), values, strict=True)) for date, *values in found}

    def joined_totals(
        self, fact: Fact, files: Sequence[str], dimensions: Mapping[str, str]
    ) -> dict[str, dict[str, Any]]:
        """The totals of a query of the fact alone, and of one query per reference that joins it with the dimension."""
        if not files:
            return {}
        with self._tables("joining dimensions") as tables:
            joins = {"": ""}
            for column, target in fact.references.items():
                if target.name in dimensions:
                    members = parquet([dimensions[target.name]])
                    joins[column] = f"JOIN {members} AS member ON fact.{name(column)} = member.{name(target.key)}"
            sums = ", ".join(["count(*)", *(f"sum(fact.{name(column)})" for column in fact.summed)])
            totals = {}
            for column, join in joins.items():
                found = tables.execute(f"SELECT {sums} FROM {parquet(files)} AS fact {join}").fetchone()
                totals[column] = dict(zip(("rows", *fact.summed), found or (), strict=True))
            return totals

    def provisional_receipts(self, fact: Fact, files: Sequence[str], before: datetime) -> list[dict[str, Any]]:
        """The receipts with provisional rows that first sold before a moment (UTC), and that voids do not cancel out.

        By receipt: its columns, the members that all its rows refer to, `since`, `rows`, and the sums of measures.
        """
        if not files:
            return []
        calendar = calendar_of(self.star, fact)
        receipt, sums = self.star.receipt(fact), fact.summed
        members = [
            column
            for column, target in fact.references.items()
            if not isinstance(target, History) and not (calendar and column == calendar.column)
        ]
        one = [f"CASE WHEN min({name(c)}) = max({name(c)}) THEN min({name(c)}) END AS {name(c)}" for c in members]
        with self._tables("looking for provisional receipts") as tables:
            found = tables.execute(
                f"SELECT {', '.join([*map(name, receipt), *one])}, min({name(fact.date)}) AS since, count(*) AS rows, "
                f"{', '.join(f'sum({name(c)}) AS {name(c)}' for c in sums)} FROM {parquet(files)} "
                f"WHERE {name(IS_PROVISIONAL)} GROUP BY {', '.join(map(name, receipt))} "
                f"HAVING min({name(fact.date)}) < TIMESTAMP {text(before.isoformat(' '))} "
                f"AND ({' OR '.join(f'sum({name(c)}) <> 0' for c in sums) or 'true'}) "
                f"ORDER BY since, {', '.join(map(name, receipt))}"
            )
            return _named(found)

    def explain(self, fact: Fact, given: FactInput) -> list[dict[str, Any]]:
        """The staged lines by export, cause and date; a sale has a date and no cause."""
        with self._tables("explaining lines") as tables:
            driving, grain = self.star.driving_column(fact).source, self.star.grain(fact)
            headers = tables.keep("headers", winners(tables.staged(driving, given.staged[driving.name]), driving))
            staged = tables.staged(grain, given.staged[grain.name])
            tables.create("numbered", f"FROM {staged.get_name()}")
            tables.view("lines", f"SELECT *, rowid AS {LINE} FROM numbered")
            tables.create(
                "again", f"SELECT {names(rivals(grain, driving))} FROM lines GROUP BY ALL HAVING count(*) > 1"
            )
            tables.keep("causes", line_causes(tables.table("lines"), tables.table("again"), headers, grain, driving))
            tables.view("candidates", f"FROM lines ANTI JOIN (FROM causes WHERE {CAUSE} IS NOT NULL) USING ({LINE})")
            tables.view("alive", "FROM headers" + (f" WHERE NOT {DELETED}" if driving.tombstone else ""))
            date = f"business_date({name(fact.date)})"
            tables.create(
                "sold", _by_line(fact, self._followed(tables, fact, grain, given, "alive", "candidates"), date)
            )
            # The values of sales are known from the fact. Only the other lines, a few percent, are computed again.
            tables.create("others", f"FROM lines ANTI JOIN sold USING ({LINE})")
            tables.view("every_header", f"FROM headers{_unknown_headers(grain, driving)}")
            worth = unfiltered(self._followed(tables, fact, grain, given, "every_header", "others"))
            found = tables.execute(_explained(fact, _by_line(fact, worth, "CAST(NULL AS DATE)")))
            return _named(found)

    def explain_events(self, fact: Fact, given: FactInput) -> list[dict[str, Any]]:
        """The staged events of the fact's stream, as `explain` has its lines; a provisional sale has no cause."""
        stream, provisional = self.star.stream(fact), fact.provisional
        if stream is None or provisional is None or not given.staged[stream.source.name]:
            return []
        with self._tables("explaining events") as tables:
            driving, source = self.star.driving_column(fact).source, stream.source
            tables.create("numbered", f"FROM {tables.staged(source, given.staged[source.name]).get_name()}")
            tables.view("lines", f"SELECT *, rowid AS {LINE} FROM numbered")
            exported = tables.staged(driving, given.staged[driving.name])
            receipts = tables.keep("receipts", exported_receipts(exported, provisional.receipt, driving))
            tables.keep("causes", event_causes(tables.table("lines"), source, receipts))
            tables.view("candidates", f"FROM lines ANTI JOIN (FROM causes WHERE {CAUSE} IS NOT NULL) USING ({LINE})")
            date = f"business_date({name(fact.date)})"
            sold = self._followed_events(tables, fact, source, given, "candidates")
            tables.create("sold", _by_line(fact, sold, date))
            tables.create("others", f"FROM lines ANTI JOIN sold USING ({LINE})")
            worth = unfiltered(self._followed_events(tables, fact, source, given, "others"))
            found = tables.execute(_explained(fact, _by_line(fact, worth, "CAST(NULL AS DATE)")))
            return _named(found)

    def _followed_events(self, tables: Relations, fact: Fact, stream: Source, given: FactInput, events: str) -> Table:
        """The fact's rows that some events become, each with the number of its event."""
        assert fact.provisional is not None
        followed = tables.table(events)
        marked = followed.drop(*system_columns(followed))
        upstream = {name: tables.state(self.star.sources[name], file) for name, file in given.states.items()}
        upstream[stream.name] = marked
        return carry(self.star.provisional_rows(fact.provisional, upstream), marked, LINE)

    def _followed(
        self, tables: Relations, fact: Fact, grain: Source, given: FactInput, headers: str, lines: str
    ) -> Table:
        """The fact's rows that some headers and lines become, each with the number of its line."""
        driving = self.star.driving_column(fact).source
        followed, known = tables.table(lines), tables.table(headers)
        marked = followed.drop(*system_columns(followed))
        upstream = {driving.name: known.drop(*system_columns(known)), grain.name: marked}
        for part in self.star.parts(fact):
            if part is not grain:
                others = lines_of(known, tables.staged(part, given.staged[part.name]), driving, part)
                upstream[part.name] = others.drop(*system_columns(others))
        for source, state in given.states.items():
            upstream[source] = tables.state(self.star.sources[source], state)
        return carry(self.star.transformed(fact, upstream), marked, LINE)


def _named(found: DuckDBPyConnection) -> list[dict[str, Any]]:
    """The rows of an answer, each value with its column's name."""
    columns = [described[0] for described in found.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


def _unknown_headers(grain: Source, header: Source) -> str:
    """SQL that adds a header for each line without one, so that the line's measures can be computed too."""
    if grain is header:
        return ""
    named = list(zip(grain.header_keys, header.keys, strict=True))
    columns = ", ".join(f"{name(key)} AS {name(column)}" for key, column in named)
    on = " AND ".join(f"others.{name(key)} = headers.{name(column)}" for key, column in named)
    return f" UNION ALL BY NAME (SELECT DISTINCT {columns} FROM others ANTI JOIN headers ON {on})"


def _by_line(fact: Fact, rows: Table, date: str) -> str:
    """SQL for the date of each line, and the sums of the measures of its rows."""
    sums = [f"sum({name(column)}) AS {name(column)}" for column in fact.summed]
    return f"SELECT {', '.join([LINE, f'any_value({date}) AS date', *sums])} FROM ({sql(rows)}) GROUP BY {LINE}"


def _explained(fact: Fact, others: str) -> str:
    """SQL for the number of lines and the sums of their measures, by export, date and cause."""
    sums = [f"sum({name(column)}) AS {name(column)}" for column in fact.summed]
    return (
        f"SELECT CAST({EXPORT} AS VARCHAR) AS export, CAST(date AS VARCHAR) AS date, "
        f"CASE WHEN {CAUSE} IS NULL AND date IS NULL THEN {text(fact.excluded)} ELSE {CAUSE} END AS cause, "
        f"{', '.join(['count(*) AS rows', *sums])} "
        f"FROM causes LEFT JOIN (FROM sold UNION ALL BY NAME ({others})) USING ({LINE}) GROUP BY ALL"
    )
