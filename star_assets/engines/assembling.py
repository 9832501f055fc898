"""The rows of dimensions, histories and facts as Ibis expressions, which are the same on every engine.

Not here: how an engine reads files and computes (duckdb.relations, spark.relations), how it writes files.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import ibis
from ibis.expr.types import Table

from star_assets.engines.engine import DimensionInput, FactInput, StagedInput
from star_assets.model.functions import business_date
from star_assets.model.members import MEMBER_KIND, SUPERSEDED, unknown_key, with_members, without_nulls
from star_assets.model.rowwise import carry
from star_assets.model.source import Source
from star_assets.model.star import Star
from star_assets.model.tables import CALENDAR, IS_PROVISIONAL, KEY_PREFIX, Dimension, Fact, History
from star_assets.rules.accounts import exported_receipts
from star_assets.rules.histories import ROW, SINCE, history_rows, in_force, with_versions
from star_assets.rules.winners import DELETED, EXPORT, LISTED, current, lines_of

# The column that is added to a fact's rows, with their business date.
DATE = "_date"


class Assembling(ABC):
    """The rows of a star's tables as expressions. An engine implements reading files and keeping rows used twice."""

    star: Star

    @abstractmethod
    def staged(self, source: Source, exports: Sequence[StagedInput]) -> Table:
        """The staged rows of some exports, each with `_export`."""

    @abstractmethod
    def read(self, table: str, files: Sequence[str]) -> Table:
        """The rows of Parquet files, by column name, as a table of that name."""

    @abstractmethod
    def _named(self, table: str, rows: Table) -> Table:
        """The same rows as a view of that name, so that an expression over it does not contain theirs."""

    @abstractmethod
    def keep(self, table: str, rows: Table) -> Table:
        """The same rows, computed once, as a table of that name."""

    @abstractmethod
    def _calendar(self, first: int, last: int) -> Table:
        """A table of one column, `date_key`: every day from the first year to the last one."""

    def state(self, source: Source, file: str) -> Table:
        """A source's current rows, as a transform sees them."""
        rows = self.read(f"state_{source.name}", [file])
        return self._alive(f"alive_{source.name}", rows, source)

    def _alive(self, table: str, rows: Table, source: Source) -> Table:
        alive = self._named(table, rows.filter(~rows[DELETED])) if source.tombstone else rows
        return alive.drop(*system_columns(alive))

    def members(self, dimension: Dimension, given: DimensionInput) -> Table:
        """The dimension's rows, with the Unknown member and the inferred members."""
        described = self.star.transformed(dimension, self._upstream(dimension, given))
        key = described[dimension.key]
        unknown = ibis.literal(unknown_key(described, dimension.key), type=key.type())
        used = unknown.name(dimension.key).as_table()
        if given.used:
            used = used.union(self.read("used", given.used).select(dimension.key))
        return with_members(dimension, described, used, self._vanished(dimension, given))

    def intervals(self, history: History, given: DimensionInput) -> Table:
        """The history's rows: for each member, its intervals and its tracked values in each."""
        column = self.star.describing(history.of)
        assert column is not None
        assert given.versions is not None
        steps = self.keep("steps", in_force(self.read("versions", [given.versions]), column.source))
        alive = self._alive("alive_steps", steps, column.source).drop(SINCE)
        upstream = {**self._upstream(history, given), column.source.name: alive}
        described = carry(self.star.transformed(history, upstream), alive, ROW)
        return history_rows(history, column.column, steps, described, self.members(history.of, given))

    def _upstream(self, dimension: Dimension, given: DimensionInput) -> dict[str, Table]:
        upstream = {source: self.state(self.star.sources[source], state) for source, state in given.states.items()}
        if CALENDAR in dimension.upstream:
            upstream[CALENDAR] = self._calendar(*given.years)
        return upstream

    def _vanished(self, dimension: Dimension, given: DimensionInput) -> Table | None:
        """The members that the newest snapshot lacks; None if the source does not export snapshots."""
        column = self.star.describing(dimension)
        if column is None or column.source.exports != "snapshots":
            return None
        state = self.read(f"listed_{column.source.name}", [given.states[column.source.name]])
        last = state.group_by(state[column.column].name(dimension.key)).agg(_last=state[LISTED].max())
        return last.filter(last["_last"] < state[LISTED].max().as_scalar()).select(dimension.key)

    def fact_rows(self, fact: Fact, given: FactInput) -> Table:
        """The fact's rows of the given dates, each with its `_date`."""
        column = self.star.driving_column(fact)
        exported = self.staged(column.source, given.staged[column.source.name])
        headers = self._current(exported, column.source)
        headers = self.keep("headers", headers.filter(_within(headers[column.column], given.dates)))
        upstream = {column.source.name: headers.drop(*system_columns(headers))}
        for part in self.star.parts(fact):
            lines = self._lines(headers, self.staged(part, given.staged[part.name]), column.source, part)
            upstream[part.name] = lines.drop(*system_columns(lines))
        for source, state in given.states.items():
            upstream[source] = self.state(self.star.sources[source], state)
        rows = self.star.transformed(fact, upstream)
        if fact.provisional:
            stream = self.star.stream(fact)
            assert stream is not None
            events = self.unsuperseded(fact, given, exported)
            events = self.keep("events", events.filter(_within(events[stream.column], given.dates)))
            upstream[stream.source.name] = events.drop(*system_columns(events))
            rows = with_provisional(fact, rows, self.star.provisional_rows(fact.provisional, upstream))
        rows = with_versions(without_nulls(fact, rows), fact.date, self.histories(fact, given.histories))
        dated = rows.mutate(**{DATE: business_date(rows[fact.date])})
        return dated.filter(dated[DATE].isin([ibis.date(date) for date in given.dates]))

    def unsuperseded(self, fact: Fact, given: FactInput, exported: Table) -> Table:
        """The events of a fact's stream, each once, whose receipts have no row among the exported ones.

        `exported` has every staged row of these receipts, tombstones and cancellations included.
        """
        stream, provisional = self.star.stream(fact), fact.provisional
        assert stream is not None
        assert provisional is not None
        events = self._current(self.staged(stream.source, given.staged[stream.source.name]), stream.source)
        receipts = exported_receipts(exported, provisional.receipt, provisional.until)
        return events.anti_join(receipts, list(provisional.receipt))

    def _current(self, rows: Table, source: Source) -> Table:
        """The winning rows that are no tombstones."""
        return current(rows, source)

    def _lines(self, headers: Table, lines: Table, header: Source, part: Source) -> Table:
        """The lines that belong to winning headers, each line's winning row."""
        return lines_of(headers, lines, header, part)

    def histories(self, fact: Fact, files: Mapping[str, str]) -> dict[str, tuple[History, Table]]:
        """For each column that refers to a history among `files`, that history and its rows."""
        found = {}
        for column, history in self.star.versioned(fact).items():
            if history.name in files:
                rows = self.read(f"every_{history.name}", [files[history.name]])
                found[column] = history, self._named(history.name, rows.filter(rows[MEMBER_KIND] != SUPERSEDED))
        return found


def with_provisional(fact: Fact, final: Table, events: Table) -> Table:
    """The final and the provisional rows of a fact, each marked as what it is; keys of provisional rows say so too."""
    key = ibis.literal(KEY_PREFIX) + events[fact.key]
    marked = events.mutate(**{fact.key: key, IS_PROVISIONAL: ibis.literal(True)})
    rows = final.mutate(**{IS_PROVISIONAL: ibis.literal(False)})
    # Engines read timestamps in finer units than declared; a union needs one type.
    return rows.union(marked.select(**{name: marked[name].cast(type_) for name, type_ in rows.schema().items()}))


def _within(moment: ibis.Value, dates: Sequence[str]) -> ibis.Value:
    """Whether a moment's business date is between the first and the last of these."""
    return business_date(moment).between(ibis.date(min(dates)), ibis.date(max(dates)))


def system_columns(rows: Table) -> list[str]:
    """The columns of staged or folded rows that no transform sees."""
    return [column for column in (EXPORT, DELETED, LISTED) if column in rows.columns]
