"""The inputs of each business date of a fact, and the identity that follows from them.

Both building a date (facts) and deciding which dates are out of date (out_of_date)
use this module, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from star_assets.lake.ledger import Day, Entry, Snapshot
from star_assets.lake.versions import Identity
from star_assets.model.days import BusinessDate, ExportDay, ExportsByDate
from star_assets.model.errors import NotStaged
from star_assets.model.source import Source
from star_assets.model.tables import Fact
from star_assets.pipeline.context import Context
from star_assets.pipeline.fold import source_state
from star_assets.pipeline.folded_book import FoldedBook
from star_assets.pipeline.histories import FactHistories
from star_assets.pipeline.identity import digest
from star_assets.pipeline.key_index import KeyIndex, LineIndex, superseding_exports


@dataclass(frozen=True)
class DateInputs:
    """What one business date is built from.

    Args:
        identity: of the version that these inputs make.
        exports: the staged versions, by source and export day.
        states: the content of each look-up's book.
        for_histories: whether only what its members were has changed since it was built.
    """

    identity: Identity
    exports: Mapping[tuple[str, ExportDay], Entry]
    states: Mapping[str, str]
    for_histories: bool = False

    @property
    def size(self) -> int:
        """The bytes of its staged exports."""
        return sum(entry.size for entry in self.exports.values())

    @property
    def inputs(self) -> Mapping[str, Any]:
        """The inputs as a manifest names them."""
        exports: dict[str, dict[str, str]] = {}
        for (source, day), entry in self.exports.items():
            exports.setdefault(source, {})[day] = entry.version
        return {"exports": exports, "states": dict(self.states)}


@dataclass(frozen=True)
class FactLook:
    """All that decides a fact's dates, as of one look.

    Args:
        fact: the fact.
        code: a digest of the code that computes it.
        dates: its own ledgers, which are read first.
        dimensions: those of the dimensions that it refers to.
        staged: those of its driving source, the driving one first, its parts, and the stream of its provisional rows.
        needed: for each of these, the export days that each date needs.
        states: the book of each look-up source.
        histories: what the members were, and which dates that concerns.
    """

    fact: Fact
    code: str
    dates: Snapshot
    dimensions: Mapping[str, Snapshot]
    staged: Mapping[str, Snapshot]
    needed: Mapping[str, ExportsByDate]
    states: Mapping[str, FoldedBook]
    histories: FactHistories
    _contents: Mapping[str, str] = field(default_factory=dict)
    stream: str | None = None

    @property
    def final(self) -> Mapping[str, Snapshot]:
        """What is staged of the sources of final rows: all but the stream."""
        return {source: found for source, found in self.staged.items() if source != self.stream}

    def events(self, date: BusinessDate) -> Sequence[ExportDay]:
        """The export days of the stream that a date needs."""
        return self.needed[self.stream].get(date, ()) if self.stream else ()

    @property
    def driving(self) -> str:
        """The name of the driving source."""
        return next(iter(self.staged))

    def all_dates(self) -> set[BusinessDate]:
        """Every date that has a row, that all its sources have exported, or that is live."""
        exported = set.intersection(*(set(found.live) for found in self.final.values()))
        of_events = self.needed[self.stream] if self.stream else {}
        return {BusinessDate(date) for date in exported.union(self.needed[self.driving], of_events, self.dates.live)}

    def awaited(self, date: BusinessDate) -> list[str]:
        """The sources of final rows that have not exported a date that has events."""
        return [name for name, found in self.final.items() if date not in found.live] if self.events(date) else []

    def inputs_of(self, date: BusinessDate) -> DateInputs | NotStaged:
        """What a date is built from; NotStaged where exports are lacking.

        A date whose exports are those it was built from keeps its identity where its rows carry
        the surrogate keys of the versions in force, whatever else changed in a history.
        """
        day = self.dates.day(date)
        exports = self._exports_of(date, day)
        if isinstance(exports, NotStaged):
            return exports
        identities: dict[str, dict[str, str]] = {source: {} for source in self.staged}
        for (source, export), entry in exports.items():
            identities[source][export] = entry.identity.made_of
        made_of = digest(code=self.code, exports=identities, states=self._contents)
        wanted = Identity(made_of, histories=self.histories.digest_of(date))
        live = day.live
        if live is None or live.identity == wanted or live.identity.made_of != made_of:
            return DateInputs(wanted, exports, self._contents)
        if self.histories.holds(date, live):
            return DateInputs(live.identity, exports, self._contents)
        return DateInputs(wanted, exports, self._contents, for_histories=True)

    def _exports_of(self, date: BusinessDate, day: Day) -> Mapping[tuple[str, ExportDay], Entry] | NotStaged:
        """The staged exports of a date. A part may lag behind its header, or the date may never have been published.

        A date whose last row moved to another date stays published, with zero rows. A date that has events
        is built though nothing of it was exported yet.
        """
        headers = self.needed[self.driving].get(date, [])
        needed = {source: by_date.get(date, []) for source, by_date in self.needed.items()}
        lacking = [
            f"{source} {export}"
            for source, found in self.final.items()
            for export in dict.fromkeys((*headers, *needed[source]))
            if export not in found.live
        ]
        unstaged = [source for source, found in self.final.items() if date not in found.live]
        if lacking or (unstaged and not headers and not self.events(date) and not day.live):
            elsewhere = [one for one in lacking if not one.endswith(f" {date}")]
            return NotStaged(self.fact.name, date, [*unstaged, *elsewhere])
        return {(source, e): self.staged[source].live[e] for source, exports in needed.items() for e in exports}


def look_at_fact(context: Context, fact: Fact, keep: bool) -> FactLook:
    """Read the fact's ledgers, then its dimensions', then its sources'; bring the books up to these."""
    star = context.star
    dates = context.look("olap", fact.name)
    targets = dict.fromkeys((*fact.references.values(), *star.versioned(fact).values()))
    dimensions = {target.name: context.look("olap", target.name) for target in targets}
    sources, lookups = fact_sources(context, fact), star.lookups(fact)
    staged = {source.name: context.look("staging", source.name) for source in sources}
    folded = {one.name: context.look("staging", one.name) for one in lookups}
    needed = _needed(context, fact, staged, keep)
    states = {one.name: source_state(context, one, folded[one.name], keep) for one in lookups}
    months = {date[:7] for by_date in needed.values() for date in by_date} | {date[:7] for date in dates.live}
    histories = FactHistories(context, fact, dimensions, dates, sorted(months), keep)
    contents = {name: state.content for name, state in states.items()}
    code, stream = context.code_identity(fact.name), star.stream(fact)
    return FactLook(
        fact,
        code,
        dates,
        dimensions,
        staged,
        needed,
        states,
        histories,
        contents,
        stream.source.name if stream else None,
    )


def fact_sources(context: Context, fact: Fact) -> tuple[Source, ...]:
    """The driving source of a fact, its parts, and the stream of its provisional rows."""
    stream = context.star.stream(fact)
    streams = (stream.source,) if stream else ()
    return (context.star.driving_column(fact).source, *context.star.parts(fact), *streams)


def _needed(context: Context, fact: Fact, staged: Mapping[str, Snapshot], keep: bool) -> dict[str, ExportsByDate]:
    """The export days that each date needs, for the driving source, each part, and the stream."""
    column, parts, stream = context.star.driving_column(fact), context.star.parts(fact), context.star.stream(fact)
    headers = KeyIndex(context, column, staged[column.source.name], keep)
    by_date = headers.exports_by_date()
    needed = {}
    if stream and fact.provisional:
        events = KeyIndex(context, stream, staged[stream.source.name], keep)
        needed[stream.source.name] = events.exports_by_date()
        by_date = _together(by_date, superseding_exports(headers, events, fact.provisional.receipt))
    needed |= dict.fromkeys((source.name for source in (column.source, *parts)), by_date)
    for part in parts:
        if part.lines == "changed":
            needed[part.name] = LineIndex(context, headers, part, staged[part.name], keep).exports_by_date()
    return needed


def _together(*several: ExportsByDate) -> ExportsByDate:
    """For each date, the export days of all of these, sorted."""
    dates = {date for by_date in several for date in by_date}
    return {date: sorted({export for found in several for export in found.get(date, ())}) for date in dates}
