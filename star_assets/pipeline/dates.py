"""What each business date of a fact is made of, and the identity that follows from it.

The one place that knows: building a date (facts) and telling which ones are out
of date (out_of_date) both ask here, so they cannot disagree. Not here: how a date
is built and audited.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from star_assets.lake.versions import Partition, Pointer, PointerEntry, read_pointer
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


# Between the two halves of the identity of a date that refers to histories.
AND_HISTORIES = "+"


@dataclass(frozen=True)
class DateInputs:
    """What one date is built from: exports, as (source, day), with their staged bytes; what a manifest keeps of it.

    `for_histories` says that it is out of date for nothing but what its members were then.
    """

    identity: str
    exports: Mapping[tuple[str, str], int]
    named: Mapping[str, Any]
    for_histories: bool = False


class FactInputs:
    """What is staged for a fact, as of one look.

    `needed` holds, for the driving source and its parts, the export days that each
    date needs; `live` the live version of each export that was looked at;
    `states` the folded state of each look-up; `histories` what members were when.
    """

    def __init__(self, context: Context, fact: Fact, days: Sequence[str] | None = None) -> None:
        """Look at what these dates need; None: at all there is, in a few listings and one query."""
        self.fact = fact
        self.code = context.code_identity(fact.name)
        self.sources = fact_sources(context, fact)
        self.histories = Histories(context, fact)
        self.needed, self.live = _exports(context, fact, days)
        self.states = {source.name: source_state(context, source) for source in context.star.lookups(fact)}
        self._contents = {name: content(context, state) for name, state in self.states.items()}

    def of(self, pointers: Mapping[str, Pointer]) -> dict[str, DateInputs | NotStaged]:
        """The inputs of each date, given its pointer; NotStaged where exports are lacking.

        A date whose exports are those it was built from keeps its identity where its rows carry
        the surrogate keys of the versions in force, whatever else changed in a history.
        """
        self.histories.look_at(pointers)
        found = {day: self._of(day, pointer) for day, pointer in pointers.items()}
        same_exports = {}
        for day, inputs in found.items():
            live = pointers[day].live
            if live and isinstance(inputs, DateInputs) and inputs.for_histories:
                same_exports[day] = live
        unchanged = self.histories.hold_for(same_exports)
        return {
            day: replace(inputs, identity=same_exports[day].identity, for_histories=False)
            if day in unchanged and isinstance(inputs, DateInputs)
            else inputs
            for day, inputs in found.items()
        }

    def _of(self, day: str, pointer: Pointer) -> DateInputs | NotStaged:
        """A part may lag behind its header, or nothing is known of a day that was never published.

        A date that was is a date without rows once its last row has gone.
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
        if lacking or (unstaged and not headers and not pointer.live):
            elsewhere = [one for one in lacking if not one.endswith(f" {day}")]
            return NotStaged(self.fact.name, day, [*unstaged, *elsewhere])
        entries = {source: {e: self.live[source][e] for e in needed} for source, needed in exports.items()}
        identities = {source: {e: entry.identity for e, entry in found.items()} for source, found in entries.items()}
        named = {source: {e: entry.version for e, entry in found.items()} for source, found in entries.items()}
        identity = digest(code=self.code, exports=identities, states=self._contents)
        live = pointer.live.identity if pointer.live else ""
        whole = f"{identity}{self.histories.digest_of(day)}"
        return DateInputs(
            whole,
            {(source, e): entry.size for source, found in entries.items() for e, entry in found.items()},
            {"exports": named, "states": self._contents},
            for_histories=live != whole and live.partition(AND_HISTORIES)[0] == identity,
        )

    def dates(self) -> set[str]:
        """Every date that has a row, or that all its sources have exported."""
        exported = set.intersection(*(set(versions) for versions in self.live.values()))
        return exported.union(self.needed[self.sources[0].name])


class Histories:
    """The live histories that a fact refers to, and which of its dates they concern.

    A date depends on what its members were in its month: if a digest of that is as it
    was, nothing is read; if not, its own rows say whether their versions still hold.
    """

    def __init__(self, context: Context, fact: Fact) -> None:
        self.context = context
        self.fact = fact
        self.tables = {history.name: history for history in context.star.versioned(fact).values()}
        self.versions: dict[str, str] = {}
        for name in self.tables:
            live = read_pointer(context.storage, Partition("olap", name))[0].live
            if live:
                self.versions[name] = live.version
        self._digests: dict[str, dict[str, str]] = {}

    @property
    def files(self) -> dict[str, str]:
        """For each history that was ever built, its live version's file, where it can be read."""
        folders = [Partition("olap", name).version_folder(version) for name, version in self.versions.items()]
        files = self.context.storage.local([f"{folder}/part-00000.parquet" for folder in folders])
        return dict(zip(self.versions, files, strict=True))

    def look_at(self, days: Iterable[str]) -> None:
        """Compute the digests of the months that these days are in."""
        months = sorted({day[:7] for day in days})
        if months:
            for name, file in self.files.items():
                self._digests[name] = self.context.engine.history_digests(self.tables[name], file, months)

    def digest_of(self, day: str) -> str:
        """What of a date's identity the histories are; nothing for a fact without any."""
        if not self.tables:
            return ""
        return AND_HISTORIES + digest(**{name: found.get(day[:7]) for name, found in self._digests.items()})

    def hold_for(self, live: Mapping[str, PointerEntry]) -> set[str]:
        """Those of the dates whose rows, in these live versions, carry the surrogate keys that the histories say."""
        known = self.context.held
        asked = {day: (entry.version, *sorted(self.versions.values())) for day, entry in live.items()}
        unknown = [day for day, key in asked.items() if key not in known]
        if unknown and self.versions.keys() == self.tables.keys():
            folders = [Partition("olap", self.fact.name, day).version_folder(live[day].version) for day in unknown]
            files = self.context.storage.local([f"{folder}/part-00000.parquet" for folder in folders])
            by_day = {day: [file] for day, file in zip(unknown, files, strict=True)}
            outdated = set(self.context.engine.outdated_versions(self.fact, by_day, self.files))
            known.update({asked[day]: day not in outdated for day in unknown})
        return {day for day, key in asked.items() if known.get(key)}


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
