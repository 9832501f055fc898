"""What each business date of a fact is made of, and the identity that follows from it.

The one place that knows: building a date (facts) and telling which ones are out
of date (out_of_date) both ask here, so they cannot disagree. Not here: how a date
is built and audited.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from star_assets.lake.versions import PointerEntry
from star_assets.model.errors import NotStaged, PointerContended
from star_assets.model.source import Source
from star_assets.model.tables import Fact
from star_assets.pipeline.context import Context
from star_assets.pipeline.fold import content, source_state
from star_assets.pipeline.identity import digest
from star_assets.pipeline.key_index import ExportsByDate, KeyIndex, LineIndex
from star_assets.pipeline.publishing import ROUNDS

# For each source, the live version of its export days.
Live = Mapping[str, Mapping[str, PointerEntry]]


@dataclass(frozen=True)
class DateInputs:
    """What one date is built from: exports, as (source, day), with their staged bytes; what a manifest keeps of it."""

    identity: str
    exports: Mapping[tuple[str, str], int]
    named: Mapping[str, Any]


class FactInputs:
    """What is staged for a fact, as of one look.

    `needed` holds, for the driving source and its parts, the export days that each
    date needs; `live` the live version of each export that was looked at;
    `states` the folded state of each look-up.
    """

    def __init__(self, context: Context, fact: Fact, days: Sequence[str] | None = None) -> None:
        """Look at what these dates need; None: at all there is, in a few listings and one query."""
        self.fact = fact
        self.code = context.code_identity(fact.name)
        self.sources = fact_sources(context, fact)
        self.needed, self.live = _exports(context, fact, days)
        self.states = {source.name: source_state(context, source) for source in context.star.lookups(fact)}
        self._contents = {name: content(context, state) for name, state in self.states.items()}

    def of(self, day: str, published: bool) -> DateInputs:
        """The inputs of one date, which has been `published` before or not.

        Raises NotStaged where a part lags behind its header, or where nothing is
        known of a day that was never published. A date that was is a date
        without rows once its last row has gone.
        """
        headers = self.needed[self.sources[0].name].get(day, [])
        exports = {source: needed.get(day, []) for source, needed in self.needed.items()}
        lacking = [
            f"{source} {export}"
            for source, versions in self.live.items()
            for export in dict.fromkeys((*headers, *exports[source]))
            if export not in versions
        ]
        unstaged = [source for source in self.live if day not in self.live[source]]
        if lacking or (unstaged and not headers and not published):
            raise NotStaged(self.fact.name, day, [*unstaged, *(one for one in lacking if not one.endswith(f" {day}"))])
        entries = {source: {e: self.live[source][e] for e in needed} for source, needed in exports.items()}
        identities = {source: {e: entry.identity for e, entry in found.items()} for source, found in entries.items()}
        named = {source: {e: entry.version for e, entry in found.items()} for source, found in entries.items()}
        return DateInputs(
            digest(code=self.code, exports=identities, states=self._contents),
            {(source, e): entry.size for source, found in entries.items() for e, entry in found.items()},
            {"exports": named, "states": self._contents},
        )

    def dates(self) -> set[str]:
        """Every date that has a row, or that all its sources have exported."""
        exported = set.intersection(*(set(versions) for versions in self.live.values()))
        return exported.union(self.needed[self.sources[0].name])


def fact_sources(context: Context, fact: Fact) -> tuple[Source, ...]:
    """The driving source of a fact, and its parts."""
    return (context.star.driving_column(fact).source, *context.star.parts(fact))


def _exports(context: Context, fact: Fact, days: Sequence[str] | None) -> tuple[Mapping[str, ExportsByDate], Live]:
    """The export days that each date needs, for each source, and the live versions of those."""
    driving, *parts = fact_sources(context, fact)
    for _ in range(ROUNDS):
        headers = KeyIndex(context, context.star.driving_column(fact))
        lines = {part.name: LineIndex(context, headers, part) for part in parts if part.lines == "changed"}
        of_headers = headers.exports_of(days)
        needed = dict.fromkeys((source.name for source in (driving, *parts)), of_headers)
        needed |= {part: index.exports_of(days) for part, index in lines.items()}
        read = {s.name: context.live_versions(s, _wanted(days, of_headers, needed[s.name])) for s in (driving, *parts)}
        indexed = {driving.name: headers.exports, **{part: index.exports for part, index in lines.items()}}
        # An export that was staged again in between may hold other keys than the index knows of.
        if all(known.get(e, etag) == etag for name, known in indexed.items() for e, (_, etag) in read[name].items()):
            return needed, {name: {e: entry for e, (entry, _) in found.items()} for name, found in read.items()}
    raise PointerContended(driving.name, "all days", ROUNDS)


def _wanted(days: Sequence[str] | None, *needed: ExportsByDate) -> set[str] | None:
    """The exports to look at: the days' own, their headers', because each has lines too, and those that lines need."""
    if days is None:
        return None
    return {*days, *(export for by_date in needed for exports in by_date.values() for export in exports)}
