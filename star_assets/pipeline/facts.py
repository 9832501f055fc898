"""Building a fact: for each business date, the rows that its exports add up to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from star_assets.athena.derive import table_entry
from star_assets.engines.engine import FactInput, FactRules
from star_assets.lake.publish import live_manifest, serve
from star_assets.lake.storage import each
from star_assets.lake.versions import Manifest, Partition, PointerEntry, read_pointer
from star_assets.model.errors import LostRace, NotStaged, PointerContended, StarError
from star_assets.model.tables import Dimension, Fact
from star_assets.pipeline.context import Context
from star_assets.pipeline.fold import Folded, content, source_state
from star_assets.pipeline.identity import digest
from star_assets.pipeline.key_index import KeyIndex
from star_assets.pipeline.outcome import CheckResult, Outcome
from star_assets.pipeline.publishing import ROUNDS, Built, Plan

# Bytes of staged Parquet that one pass reads. In memory the rows take ten times
# as much, and sorting them twice that; larger passes are slower and save nothing.
PASS_BYTES = 12 * 1024 * 1024


@dataclass(frozen=True)
class _Work:
    """What a date is built from: its exports with their staged bytes, of the exports live when planned."""

    live: Mapping[str, Mapping[str, PointerEntry]]
    exports: Mapping[str, int]
    states: Mapping[str, Folded]


class FactStep:
    """The Step of one fact; its partitions are business dates."""

    def __init__(self, context: Context, fact: Fact) -> None:
        self.context = context
        self.fact = fact
        self.entry = table_entry(context.star, fact, context.storage)
        self.code = context.code_identity(fact.name)
        driving = context.star.driving_column(fact).source
        self.sources = (driving, *context.star.parts(fact))
        self._audited: dict[str, str] = {}

    def plan(self, days: Sequence[str]) -> Iterator[Plan | Outcome]:
        """Read the pointers first, then which staged exports each date needs."""
        if not days:
            return
        storage, name = self.context.storage, self.fact.name
        partitions = {day: Partition("olap", name, day) for day in days}
        try:
            read = each(storage, partial(read_pointer, storage), partitions.values())
            pointers = dict(zip(days, read, strict=True))
            needed, live = self._exports(days)
            states = {s.name: source_state(self.context, s) for s in self.context.star.lookups(self.fact)}
        except StarError as error:
            yield from (Outcome(name, day, partitions[day], "failed", error=error) for day in days)
            return
        lookups = {source: content(self.context, state) for source, state in states.items()}
        for day in days:
            exports = needed.get(day, [])
            missing = [source for source in live if day not in live[source]]
            # A part may lag behind its header, or the day may not be staged at all.
            missing += [f"{s} {e}" for s in live for e in exports if e not in live[s] and e != day]
            if missing and (not exports or any(e not in live[s] for s in live for e in exports)):
                yield Outcome(name, day, partitions[day], "failed", error=NotStaged(name, day, missing))
                continue
            identities = {s: {e: live[s][e].identity for e in exports} for s in live}
            inputs = {s: {e: live[s][e].version for e in exports} for s in live}
            identity = digest(code=self.code, exports=identities, states=lookups)
            size = {e: sum(live[s][e].size for s in live) for e in exports}
            work = _Work(live, size, states)
            yield Plan(day, partitions[day], *pointers[day], identity, {"exports": inputs, "states": lookups}, work)

    def batches(self, plans: Sequence[Plan]) -> Iterator[Sequence[Plan]]:
        """Dates in order, as many as one pass can hold."""
        batch: list[Plan] = []
        read: dict[str, int] = {}
        for plan in plans:
            new = {export: size for export, size in plan.work.exports.items() if export not in read}
            if batch and sum(read.values()) + sum(new.values()) > PASS_BYTES:
                yield batch
                batch, read = [], {}
            batch.append(plan)
            read.update(new)
        if batch:
            yield batch

    def build(self, plans: Sequence[Plan], folder: Path) -> Iterator[Built]:
        """One pass over all dates; then each file is held against rules and dimensions."""
        dimensions = {target.name: target for target in self.fact.references.values()}
        members = {name: self._live_dimension(target, plans[0].day) for name, target in dimensions.items()}
        given = self.given(plans)
        files = self.context.engine.build_fact(self.fact, given, folder)
        self._audited = {name: manifest.version for name, (manifest, _) in members.items()}
        rules = self.context.engine.audit_fact(
            self.fact,
            {day: str(file) for day, file in files.items()},
            {name: file for name, (_, file) in members.items()},
        )
        read = sum(len(exports) for exports in given.staged.values())
        for plan in plans:
            found = rules[plan.day]
            facts = {
                "exports": list(plan.work.exports),
                "exports_read_in_pass": read,
                "audited_against": self._audited,
                "sums": {column: str(value) for column, value in found.sums.items() if value is not None},
            }
            yield Built(plan, (files[plan.day],), facts, self._checks(plan.day, found))

    def before_commit(self, built: Built) -> None:
        """The catalog must serve the dimensions that the audit saw, or newer ones."""
        for name, version in self._audited.items():
            entry = self.context.catalog.table("olap", name)
            if entry is None or entry.parameters.get("version", "") < version:
                raise LostRace(f"olap.{name}")

    def _exports(self, days: Sequence[str]) -> tuple[dict[str, list[str]], dict[str, dict[str, PointerEntry]]]:
        """The export days that each date needs, and the live versions of those."""
        for _ in range(ROUNDS):
            index = KeyIndex(self.context, self.context.star.driving_column(self.fact))
            needed = index.exports_of(days)
            live, read = self._live({*days, *(export for exports in needed.values() for export in exports)})
            # An export that was staged again in between may hold other keys than the index knows of.
            if all(index.exports.get(day, etag) == etag for day, etag in read.items()):
                return needed, live
        raise PointerContended(self.sources[0].name, "all days", ROUNDS)

    def _live(self, exports: Iterable[str]) -> tuple[dict[str, dict[str, PointerEntry]], dict[str, str]]:
        """For each source, the live version of those exports that are staged; of the driving one, their ETags too."""
        found = {source.name: self.context.live_versions(source, exports) for source in self.sources}
        live = {source: {e: entry for e, (entry, _) in versions.items()} for source, versions in found.items()}
        return live, {e: etag for e, (_, etag) in found[self.sources[0].name].items()}

    def given(self, plans: Sequence[Plan]) -> FactInput:
        """What the engine needs to build these dates."""
        work: _Work = plans[0].work
        exports = sorted({export for plan in plans for export in plan.work.exports})
        staged = {
            source.name: self.context.staged_inputs(source, {e: work.live[source.name][e] for e in exports})
            for source in self.sources
        }
        states = self.context.storage.local([state.path for state in work.states.values()])
        return FactInput(tuple(plan.day for plan in plans), staged, dict(zip(work.states, states, strict=True)))

    def _live_dimension(self, dimension: Dimension, day: str) -> tuple[Manifest, str]:
        """The dimension's live version, which the catalog is made to serve, and its file."""
        storage, partition = self.context.storage, Partition("olap", dimension.name)
        manifest = live_manifest(storage, partition)
        if manifest is None:
            raise NotStaged(self.fact.name, day, [dimension.name])
        served = self.context.catalog.table("olap", dimension.name)
        if served is None or served.parameters.get("version") != manifest.version:
            serve(storage, self.context.catalog, table_entry(self.context.star, dimension, storage), [partition])
        folder = partition.version_folder(manifest.version)
        (file,) = storage.local([f"{folder}/{manifest.files[0].name}"])
        return manifest, file

    def _checks(self, day: str, found: FactRules) -> tuple[CheckResult, ...]:
        fact = self.fact
        counted: list[tuple[str, int, str]] = [
            ("key not null", found.null_keys, f"{fact.key}: rows without a key"),
            ("key unique", found.repeated_keys, f"{fact.key}: rows whose key occurs again"),
            ("business date", found.outside_date, f"{fact.date}: rows that are not of {day}"),
        ]
        for column, below in found.below_minimum.items():
            least: Mapping[str, Any] = {m.column: m.minimum for m in fact.measures}
            counted.append((f"{column} in bounds", below, f"{column}: rows below {least[column]}"))
        for column, unknown in found.unknown_references.items():
            target = fact.references[column].name
            counted.append((f"{column} in {target}", unknown, f"{column}: rows whose member {target} lacks"))
        return tuple(
            CheckResult(name, count == 0, f"{what}: expected 0 of {found.rows}, found {count}")
            for name, count, what in counted
        )
