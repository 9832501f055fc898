"""What each business date of a fact is made of, and the identity that follows from it.

The one place that knows: building a date (facts) and telling which ones are out
of date (out_of_date) both ask here, so they cannot disagree. Not here: how a date
is built and audited.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from star_assets.lake.versions import PointerEntry
from star_assets.model.errors import NotStaged, PointerContended
from star_assets.model.source import Source
from star_assets.model.tables import Fact
from star_assets.pipeline.context import Context
from star_assets.pipeline.fold import content, source_state
from star_assets.pipeline.identity import digest
from star_assets.pipeline.key_index import KeyIndex
from star_assets.pipeline.publishing import ROUNDS

Live = Mapping[str, Mapping[str, PointerEntry]]


@dataclass(frozen=True)
class DateInputs:
    """What one date is built from: export days with their staged bytes, and what a manifest keeps of it."""

    identity: str
    exports: Mapping[str, int]
    named: Mapping[str, Any]


class FactInputs:
    """What is staged for a fact, as of one look.

    `live` holds, for the driving source and its parts, the live version of each
    export that was looked at; `states` the folded state of each look-up.
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
        exports = self.needed.get(day, [])
        lacking = [
            f"{source} {export}" for source in self.live for export in exports if export not in self.live[source]
        ]
        unstaged = [source for source in self.live if day not in self.live[source]]
        if lacking or (unstaged and not exports and not published):
            raise NotStaged(self.fact.name, day, [*unstaged, *(one for one in lacking if not one.endswith(f" {day}"))])
        identities = {source: {e: versions[e].identity for e in exports} for source, versions in self.live.items()}
        named = {source: {e: versions[e].version for e in exports} for source, versions in self.live.items()}
        return DateInputs(
            digest(code=self.code, exports=identities, states=self._contents),
            {export: sum(versions[export].size for versions in self.live.values()) for export in exports},
            {"exports": named, "states": self._contents},
        )

    def dates(self) -> set[str]:
        """Every date that has a row, or that all its sources have exported."""
        return set(self.needed).union(set.intersection(*(set(versions) for versions in self.live.values())))


def fact_sources(context: Context, fact: Fact) -> tuple[Source, ...]:
    """The driving source of a fact, and its parts."""
    return (context.star.driving_column(fact).source, *context.star.parts(fact))


def _exports(context: Context, fact: Fact, days: Sequence[str] | None) -> tuple[Mapping[str, list[str]], Live]:
    """The export days that each date needs, and the live versions of those."""
    for _ in range(ROUNDS):
        index = KeyIndex(context, context.star.driving_column(fact))
        needed = index.exports_of(days)
        wanted = None if days is None else {*days, *(export for exports in needed.values() for export in exports)}
        live, read = _live(context, fact, wanted)
        # An export that was staged again in between may hold other keys than the index knows of.
        if all(index.exports.get(day, etag) == etag for day, etag in read.items()):
            return needed, live
    raise PointerContended(fact_sources(context, fact)[0].name, "all days", ROUNDS)


def _live(context: Context, fact: Fact, exports: Iterable[str] | None) -> tuple[Live, Mapping[str, str]]:
    """For each source, the live version of those exports that are staged; of the driving one, their ETags too."""
    driving, *parts = fact_sources(context, fact)
    found = {source.name: context.live_versions(source, exports) for source in (driving, *parts)}
    live = {source: {e: entry for e, (entry, _) in versions.items()} for source, versions in found.items()}
    return live, {e: etag for e, (_, etag) in found[driving.name].items()}
