"""Building a fact: for each business date, the rows that its exports add up to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from star_assets.athena.derive import table_entry
from star_assets.engines.engine import FactInput, FactRules
from star_assets.lake.publish import live_manifest, serve
from star_assets.lake.storage import each
from star_assets.lake.versions import Manifest, Partition, read_pointer
from star_assets.model.errors import LostRace, NotStaged, StarError
from star_assets.model.tables import Dimension, Fact
from star_assets.pipeline.context import Context
from star_assets.pipeline.dates import FactInputs
from star_assets.pipeline.outcome import CheckResult, Outcome
from star_assets.pipeline.publishing import Built, Plan, Written


@dataclass(frozen=True)
class _Work:
    """A date's exports, as (source, day), with their staged bytes; the look at what is staged that named them."""

    exports: Mapping[tuple[str, str], int]
    seen: FactInputs


class FactStep:
    """The Step of one fact; its partitions are business dates."""

    def __init__(self, context: Context, fact: Fact) -> None:
        self.context = context
        self.fact = fact
        self.entry = table_entry(context.star, fact, context.storage)
        self.engine = context.engine
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
            seen = FactInputs(self.context, self.fact, days)
            inputs = seen.of({day: pointer for day, (pointer, _) in pointers.items()})
        except StarError as error:
            yield from (Outcome(name, day, partitions[day], "failed", error=error) for day in days)
            return
        for day in days:
            found, (pointer, etag) = inputs[day], pointers[day]
            if isinstance(found, NotStaged):
                yield Outcome(name, day, partitions[day], "failed", error=found)
                continue
            yield Plan(day, partitions[day], pointer, etag, found.identity, found.named, _Work(found.exports, seen))

    def input_bytes(self, plans: Sequence[Plan]) -> int:
        """Of the staged exports that the dates need."""
        return sum({export: size for plan in plans for export, size in plan.work.exports.items()}.values())

    def batches(self, plans: Sequence[Plan]) -> Iterator[Sequence[Plan]]:
        """Dates in order, as many as one pass can hold."""
        batch: list[Plan] = []
        read: dict[tuple[str, str], int] = {}
        for plan in plans:
            new = {export: size for export, size in plan.work.exports.items() if export not in read}
            if batch and sum(read.values()) + sum(new.values()) > self.engine.pass_bytes:
                yield batch
                batch, read, new = [], {}, plan.work.exports
            batch.append(plan)
            read.update(new)
        if batch:
            yield batch

    def build(self, plans: Sequence[Plan], folder: Path) -> Iterator[Built]:
        """One pass over all dates; then each file is held against rules and dimensions."""
        members = self._members(plans)
        given = replace(self.given(plans), histories=plans[0].work.seen.histories.files)
        files = self.engine.build_fact(self.fact, given, folder)
        read = sum(len(exports) for exports in given.staged.values())
        yield from self._held_against(members, plans, files, {"exports_read_in_pass": read})

    def judge(self, plans: Sequence[Plan], written: Mapping[str, Written]) -> Iterator[Built]:
        """Each file that was written elsewhere is held against the same rules, and dimensions as they are now."""
        files = {day: one.file for day, one in written.items()}
        for built in self._held_against(self._members(plans), plans, files, {}):
            yield replace(built, manifest=written[built.plan.day].manifest)

    def _members(self, plans: Sequence[Plan]) -> Mapping[str, tuple[Manifest, str]]:
        """The live dimensions. Raises LostRace where a history moved since the plan."""
        dimensions = {target.name: target for target in self.fact.references.values()}
        members = {name: self._live_dimension(target, plans[0].day) for name, target in dimensions.items()}
        seen: FactInputs = plans[0].work.seen
        for name, version in seen.histories.versions.items():
            if members[name][0].version != version:
                raise LostRace(f"olap.{name}")
        return members

    def _held_against(
        self,
        members: Mapping[str, tuple[Manifest, str]],
        plans: Sequence[Plan],
        files: Mapping[str, Path],
        known: Mapping[str, Any],
    ) -> Iterator[Built]:
        self._audited = {name: manifest.version for name, (manifest, _) in members.items()}
        rules = self.context.engine.audit_fact(
            self.fact,
            {day: str(file) for day, file in files.items()},
            {name: file for name, (_, file) in members.items()},
        )
        for plan in plans:
            found = rules[plan.day]
            facts = {
                "exports": sorted({day for _, day in plan.work.exports}),
                **known,
                "audited_against": self._audited,
                "sums": {column: str(value) for column, value in found.sums.items() if value is not None},
            }
            yield Built(plan, (files[plan.day],), facts, self._checks(plan.day, found))

    def before_commit(self, built: Built) -> None:
        """The catalog must serve the dimensions that the audit saw: newer ones may lack a member."""
        for name, version in self._audited.items():
            entry = self.context.catalog.table("olap", name)
            if entry is None or entry.parameters.get("version") != version:
                raise LostRace(f"olap.{name}")

    def given(self, plans: Sequence[Plan]) -> FactInput:
        """What the engine needs to build these dates."""
        seen: FactInputs = plans[0].work.seen
        exports = sorted({export for plan in plans for export in plan.work.exports})
        staged = {
            source.name: self.context.staged_inputs(
                source, {day: seen.live[name][day] for name, day in exports if name == source.name}
            )
            for source in seen.sources
        }
        states = self.context.storage.local([state.path for state in seen.states.values()])
        return FactInput(tuple(plan.day for plan in plans), staged, dict(zip(seen.states, states, strict=True)))

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
