"""Explaining with DuckDB: for each staged line, whether it became a sale, and if not, why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ibis.expr.types import Table

from star_assets.engines.assembling import system_columns
from star_assets.engines.duckdb_relations import Relations, names, sql
from star_assets.engines.duckdb_session import name, parquet, text, told
from star_assets.engines.engine import FactInput
from star_assets.model.rowwise import carry, unfiltered
from star_assets.model.source import Source
from star_assets.model.tables import Fact
from star_assets.staging.accounts import CAUSE, judged, rivals
from star_assets.staging.winners import DELETED, EXPORT, LINE, lines_of, winners


class Reconciling(Relations):
    """The half of the DuckDB engine that accounts for every line."""

    @told("finding the headers of lines")
    def header_exports_of_lines(self, part: Source, index: Sequence[str], lines: Sequence[str]) -> list[str]:
        """The exports, by the header's index, that hold any row of a header of these lines."""
        if not index or not lines or part.part_of is None:
            return []
        on = " AND ".join(
            f"line.{name(k)} = header.{name(h)}" for k, h in zip(part.header_keys, part.part_of.keys, strict=True)
        )
        found = self.connection.execute(
            f"SELECT DISTINCT CAST(export AS VARCHAR) FROM {parquet(index, evolving=False)} AS header "
            f"SEMI JOIN {parquet(lines)} AS line ON {on} ORDER BY 1"
        )
        return [export for (export,) in found.fetchall()]

    @told("finding other rows of lines")
    def exports_of_lines(self, part: Source, index: Sequence[str], lines: Sequence[str]) -> list[str]:
        """The exports, by the lines' own index, that hold any row of these lines."""
        if not index or not lines:
            return []
        found = self.connection.execute(
            f"SELECT DISTINCT CAST(known.export AS VARCHAR) FROM {parquet(index, evolving=False)} AS known "
            f"SEMI JOIN {parquet(lines)} AS line USING ({names(part.keys)}) ORDER BY 1"
        )
        return [export for (export,) in found.fetchall()]

    @told("explaining lines")
    def explain(self, fact: Fact, given: FactInput) -> list[dict[str, Any]]:
        """The staged lines by export, cause and date; a sale has a date and no cause."""
        driving, grain = self.star.driving_column(fact).source, self.star.grain(fact)
        headers = self._keep("headers", winners(self._staged(driving, given.staged[driving.name]), driving))
        staged = self._staged(grain, given.staged[grain.name])
        self._create("numbered", f"FROM {staged.get_name()}")
        self._view("lines", f"SELECT *, rowid AS {LINE} FROM numbered")
        self._create("again", f"SELECT {names(rivals(grain, driving))} FROM lines GROUP BY ALL HAVING count(*) > 1")
        self._keep("judged", judged(self._table("lines"), self._table("again"), headers, grain, driving))
        self._view("candidates", f"FROM lines ANTI JOIN (FROM judged WHERE {CAUSE} IS NOT NULL) USING ({LINE})")
        self._view("alive", "FROM headers" + (f" WHERE NOT {DELETED}" if driving.tombstone else ""))
        date = f"business_date({name(fact.date)})"
        self._create("sold", _by_line(fact, self._followed(fact, grain, given, "alive", "candidates"), date))
        # What a sale is worth is known; only the other lines, a few in a hundred, are valued once more.
        self._create("others", f"FROM lines ANTI JOIN sold USING ({LINE})")
        self._view("every_header", f"FROM headers{_unknown_headers(grain, driving)}")
        worth = unfiltered(self._followed(fact, grain, given, "every_header", "others"))
        found = self.connection.execute(_explained(fact, _by_line(fact, worth, "CAST(NULL AS DATE)")))
        columns = [described[0] for described in found.description or ()]
        explained = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
        self._drop("headers", "numbered", "again", "judged", "sold", "others")
        return explained

    def _followed(self, fact: Fact, grain: Source, given: FactInput, headers: str, lines: str) -> Table:
        """The fact's rows of some headers and lines, each with the number of its line."""
        driving = self.star.driving_column(fact).source
        followed, known = self._table(lines), self._table(headers)
        marked = followed.drop(*system_columns(followed))
        upstream = {driving.name: known.drop(*system_columns(known)), grain.name: marked}
        for part in self.star.parts(fact):
            if part is not grain:
                others = lines_of(known, self._staged(part, given.staged[part.name]), driving, part)
                upstream[part.name] = others.drop(*system_columns(others))
        for source, state in given.states.items():
            upstream[source] = self._state(self.star.sources[source], state)
        return carry(self.star.transformed(fact, upstream), marked, LINE)


def _unknown_headers(grain: Source, header: Source) -> str:
    """SQL that adds headers that never came, so that their lines can be valued all the same."""
    if grain is header:
        return ""
    named = list(zip(grain.header_keys, header.keys, strict=True))
    columns = ", ".join(f"{name(key)} AS {name(column)}" for key, column in named)
    on = " AND ".join(f"others.{name(key)} = headers.{name(column)}" for key, column in named)
    return f" UNION ALL BY NAME (SELECT DISTINCT {columns} FROM others ANTI JOIN headers ON {on})"


def _by_line(fact: Fact, rows: Table, date: str) -> str:
    """SQL for each line's date, and what its rows add up to."""
    sums = [f"sum({name(column)}) AS {name(column)}" for column in fact.summed]
    return f"SELECT {', '.join([LINE, f'any_value({date}) AS date', *sums])} FROM ({sql(rows)}) GROUP BY {LINE}"


def _explained(fact: Fact, others: str) -> str:
    """SQL that adds up lines and what they are worth, by export, date and cause."""
    sums = [f"sum({name(column)}) AS {name(column)}" for column in fact.summed]
    return (
        f"SELECT CAST({EXPORT} AS VARCHAR) AS export, CAST(date AS VARCHAR) AS date, "
        f"CASE WHEN {CAUSE} IS NULL AND date IS NULL THEN {text(fact.excluded)} ELSE {CAUSE} END AS cause, "
        f"{', '.join(['count(*) AS rows', *sums])} "
        f"FROM judged LEFT JOIN (FROM sold UNION ALL BY NAME ({others})) USING ({LINE}) GROUP BY ALL"
    )
