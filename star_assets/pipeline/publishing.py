"""How every step publishes: plan, build, audit, commit, serve, in rounds.

A round plans each partition (reading its pointer before its inputs), builds
what is not live yet, audits it, and swaps the pointers. Partitions that lose
the race are planned again in the next round, from their pointer on.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from star_assets.lake.catalog import Catalog, TableEntry
from star_assets.lake.publish import commit, serve, tell_statistics, write_version
from star_assets.lake.storage import Storage
from star_assets.lake.versions import Manifest, Partition, Pointer, new_version_id, now, read_manifest
from star_assets.model.errors import AuditFailed, LostRace, PointerContended, StarError
from star_assets.pipeline.describe import describe
from star_assets.pipeline.outcome import CheckResult, Outcome

# A race is lost only to a writer that won, so rounds end quickly; a limit
# keeps a faulty storage from holding a run forever.
ROUNDS = 20

# Commits that are under way at the same time.
COMMITS_AT_ONCE = 4


@dataclass(frozen=True)
class Plan:
    """What a partition should become: its pointer as read first, then its inputs.

    `note` is what people should know of it even where nothing is to be done.
    """

    day: str
    partition: Partition
    pointer: Pointer
    etag: str | None
    identity: str
    inputs: Mapping[str, Any]
    work: Any = None
    version: str = field(default_factory=new_version_id)
    note: str = ""

    @property
    def folder(self) -> str:
        """Where the version's files will lie."""
        return self.partition.version_folder(self.version)


@dataclass(frozen=True)
class Built:
    """Files that an engine wrote for a plan, what is to be told of them, and their audit.

    `beside` are files that lie in the version's folder but are no part of the
    table; their names begin with `_`. `manifest` is set where the version is
    written already, by somebody else; then `files` are copies of what lies there.
    """

    plan: Plan
    files: tuple[Path, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)
    checks: tuple[CheckResult, ...] = ()
    refusal: StarError | None = None
    beside: Mapping[str, Path] = field(default_factory=dict)
    manifest: Manifest | None = None


@dataclass(frozen=True)
class Written:
    """A version that somebody else wrote: its manifest, and a local copy of its file."""

    manifest: Manifest
    file: Path


class Step(Protocol):
    """One table's way from inputs to audited files."""

    entry: TableEntry

    def plan(self, days: Sequence[str]) -> Iterator[Plan | Outcome]:
        """A plan for each day, or an outcome where it comes to none. Never raises StarError."""
        ...

    def batches(self, plans: Sequence[Plan]) -> Iterator[Sequence[Plan]]:
        """The plans in portions that one pass of the engine can hold."""
        ...

    def build(self, plans: Sequence[Plan], folder: Path) -> Iterator[Built]:
        """Files for each plan, audited, in the folder. Raises StarError for all or none."""
        ...

    def before_commit(self, built: Built) -> None:
        """Raises LostRace if what the audit relied on is no longer served."""
        ...


def publish(storage: Storage, catalog: Catalog, step: Step, days: Sequence[str]) -> Iterator[Outcome]:
    """Bring partitions up to date; an outcome for each day, batch by batch."""
    remaining = list(days)
    for _ in range(ROUNDS):
        plans: list[Plan] = []
        unchanged: list[Outcome] = []
        for planned in step.plan(remaining):
            if isinstance(planned, Outcome):
                yield planned
            elif found := _unchanged(storage, step, planned):
                unchanged.append(found)
            else:
                plans.append(planned)
        # A run that was killed after the commit left the catalog behind.
        yield from _served(storage, catalog, step, unchanged)
        remaining = []
        for batch in step.batches(plans):
            for outcome in _publish_batch(storage, catalog, step, batch):
                if isinstance(outcome.error, LostRace):
                    remaining.append(outcome.day)
                else:
                    yield outcome
        if not remaining:
            return
    for day in remaining:
        partition = Partition(step.entry.database, step.entry.name, day)
        yield Outcome(step.entry.name, day, partition, "failed", error=PointerContended(step.entry.name, day, ROUNDS))


def _unchanged(storage: Storage, step: Step, plan: Plan) -> Outcome | None:
    """The outcome of a plan whose identity is live already; None where it is not, or its files are gone."""
    live = plan.pointer.live
    if live is None or live.identity != plan.identity:
        return None
    try:
        manifest = read_manifest(storage, plan.partition, live.version)
    except FileNotFoundError:
        return None
    location = storage.uri(plan.partition.version_folder(live.version))
    return Outcome(step.entry.name, plan.day, plan.partition, "unchanged", manifest, location, note=plan.note)


def _served(storage: Storage, catalog: Catalog, step: Step, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The outcomes, once the catalog serves what they published; those failed where it could not be told."""
    live = list(dict.fromkeys(outcome.partition for outcome in outcomes if outcome.error is None))
    try:
        if live:
            serve(storage, catalog, step.entry, live, [outcome.manifest for outcome in outcomes if outcome.manifest])
    except StarError as error:
        return [outcome if outcome.error else _failed(step, outcome, error) for outcome in outcomes]
    return list(outcomes)


def _publish_batch(storage: Storage, catalog: Catalog, step: Step, plans: Sequence[Plan]) -> Iterator[Outcome]:
    started, failure = time.monotonic(), None
    commits: list[Future[Outcome]] = []
    # Analysts join and filter what is in olap; looking at every value of staged rows would serve nobody.
    thoroughly = takes_long(catalog, step)
    try:
        # Each commit waits for the disk; the others need not wait with it.
        with scratch(storage) as folder, ThreadPoolExecutor(max(COMMITS_AT_ONCE, storage.at_once)) as pool:
            for built in step.build(plans, folder):
                commits.append(pool.submit(_commit, storage, step, built, thoroughly))
    except StarError as error:
        failure = error
    outcomes = _served(storage, catalog, step, [commit.result() for commit in commits])
    published = {outcome.partition: outcome.manifest for outcome in outcomes if outcome.manifest}
    tell_statistics(catalog, step.entry, published)
    seconds = (time.monotonic() - started) / len(plans)
    yield from (replace(outcome, seconds=seconds) for outcome in outcomes)
    if failure and len(plans) > 1:
        # One bad day must not take the others with it: find it by building each alone.
        done = {outcome.day for outcome in outcomes}
        for plan in plans:
            if plan.day not in done:
                yield from _publish_batch(storage, catalog, step, [plan])
    elif failure:
        yield replace(_failed(step, plans[0], failure), seconds=seconds)


@contextmanager
def scratch(storage: Storage) -> Iterator[Path]:
    """A local folder for files on their way into the lake."""
    folder = storage.scratch()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def takes_long(catalog: Catalog, step: Step) -> bool:
    """Whether all that can be known of a version's columns is wanted, which takes reading every value."""
    return catalog.takes_statistics and step.entry.database == "olap"


def write(storage: Storage, built: Built, thoroughly: bool) -> Manifest:
    """Write a version: its files, those beside them, and last its manifest. Nothing points at it yet."""
    plan = built.plan
    files, schema, statistics = describe(built.files, thoroughly)
    manifest = Manifest(
        version=plan.version,
        identity=plan.identity,
        created_at=now(),
        files=files,
        schema=schema,
        inputs=plan.inputs,
        statistics=statistics,
        facts={**built.facts, "checks": {check.name: check.passed for check in built.checks}},
    )
    for file_name, file in built.beside.items():
        storage.adopt(file, f"{plan.folder}/{file_name}")
    write_version(storage, plan.partition, manifest, built.files)
    return manifest


def _commit(storage: Storage, step: Step, built: Built, thoroughly: bool) -> Outcome:
    plan = built.plan
    kept = storage.uri(plan.folder)
    try:
        if built.refusal and not built.files:
            return _failed(step, plan, built.refusal)
        manifest = built.manifest or write(storage, built, thoroughly)
        broken = [check.description for check in built.checks if not check.passed]
        if built.refusal or broken:
            error = built.refusal or AuditFailed(step.entry.name, plan.partition.name, broken, kept)
            return replace(_failed(step, plan, error), checks=built.checks)
        step.before_commit(built)
        commit(storage, plan.partition, manifest, plan.pointer, plan.etag)
    except StarError as error:
        return _failed(step, plan, error)
    return Outcome(step.entry.name, plan.day, plan.partition, "published", manifest, kept, checks=built.checks)


def _failed(step: Step, about: Plan | Outcome, error: StarError) -> Outcome:
    return Outcome(step.entry.name, about.day, about.partition, "failed", error=error)
