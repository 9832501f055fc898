"""`publish`, the way of every table from inputs to live versions: look, plan, build, audit, commit, serve.

A round reads the ledgers and brings the books up to date with them, plans each
day from that snapshot, builds the days that are out of date, audits them, and commits a
batch of days by one swap for each month; then the catalog serves the live versions. Days
that lost a race to another process start again in the next round. Not here: the
steps of each kind of table (stage, dimensions, facts).
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from star_assets.lake.catalog import Catalog, TableEntry
from star_assets.lake.ledger import Entry
from star_assets.lake.publish import send_statistics, serve, write_version
from star_assets.lake.storage import Storage
from star_assets.lake.versions import Identity, Manifest, Partition, now, read_manifest
from star_assets.model.errors import AuditFailed, LedgerContended, LostRace, StarError
from star_assets.pipeline.outcome import CheckResult, Outcome
from star_assets.usage import Meter, with_files

if TYPE_CHECKING:
    from star_assets.engines.description import Description

# A race is lost only to a writer that won, so rounds end quickly; a limit
# keeps a faulty storage from holding a run forever.
ROUNDS = 20

# Seconds before another round, after one that lost a race.
PAUSE = 0.05

# The name, among a manifest's facts, of what building and auditing the version used (usage).
USED = "used"

# L is a kind of table's snapshot of its inputs; W is the work that its plans carry to `build`.
L = TypeVar("L")
L_contra = TypeVar("L_contra", contravariant=True)
W = TypeVar("W")


@dataclass(frozen=True)
class Plan(Generic[W]):
    """The version that a requested day should have.

    Args:
        day: the requested day.
        partition: the partition that contains the day.
        seen: the live version when the ledger was read.
        identity: the identity of the version that should be live.
        inputs: the inputs of that version, for its manifest.
        work: the values that `build` needs.
        version: the id of the version, if it has to be built.
        export: for a source's day, the digest of its raw files.
        rolled_back: whether somebody rolled back from a version of this identity.
        note: a warning for people, also for a day that is up to date.
    """

    day: str
    partition: Partition
    seen: Entry | None
    identity: Identity
    inputs: Mapping[str, Any]
    work: W
    version: str
    export: str = ""
    rolled_back: bool = False
    note: str = ""

    @property
    def folder(self) -> str:
        """The folder of the version's files."""
        return self.partition.version_folder(self.version)


@dataclass(frozen=True)
class Built(Generic[W]):
    """The files that an engine wrote for a plan, with the facts for their manifest.

    `beside` are files in the version's folder that are not part of the table; their
    names begin with `_`. `manifest` is set if a job has written the version already;
    then `files` are local copies. `refusal` is the error because of which there are no
    files, or the version must not become live. `description` is what the engine says of the files, if it said so.
    """

    plan: Plan[W]
    files: tuple[Path, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)
    beside: Mapping[str, Path] = field(default_factory=dict)
    manifest: Manifest | None = None
    refusal: StarError | None = None
    description: Description | None = None


@dataclass(frozen=True)
class Audited(Generic[W]):
    """A built version with the results of its audit: the checks, further facts, and the error if it is refused."""

    built: Built[W]
    checks: tuple[CheckResult, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    refusal: StarError | None = None


@dataclass(frozen=True)
class Written(Generic[W]):
    """A version whose files and manifest are in the lake and that is in no ledger yet."""

    plan: Plan[W]
    manifest: Manifest
    checks: tuple[CheckResult, ...]


class Step(Protocol[L, W]):
    """The steps of one table, which `publish` calls in order."""

    entry: TableEntry

    def look(self, days: Sequence[str], keep: bool) -> L:
        """Take a snapshot of the table's ledgers, then of its inputs'; then bring the books up to it.

        Without `keep`, nothing is written to the lake: what the books lack is
        computed into a temporary folder. Raises StarError.
        """
        ...

    def plan(self, look: L, days: Sequence[str]) -> Iterator[Plan[W] | Outcome]:
        """A plan for each day, or its outcome if the day cannot be planned. Depends on the snapshot alone."""
        ...

    def batches(self, look: L, plans: Sequence[Plan[W]]) -> Iterator[Sequence[Plan[W]]]:
        """The plans in batches; the days of one batch are built and committed together."""
        ...

    def build(self, look: L, plans: Sequence[Plan[W]], folder: Path) -> Iterator[Sequence[Built[W]]]:
        """Write files for each plan into the folder; yields some plans at a time. Raises StarError."""
        ...

    def audit(self, look: L, built: Sequence[Built[W]]) -> Iterator[Audited[W]]:
        """Check the files by the rules that follow from the model."""
        ...

    def commit(self, look: L, written: Sequence[Written[W]]) -> Mapping[Partition, bool]:
        """Make versions live. Returns for each whether it became live; False if another process was faster."""
        ...


def publish(
    storage: Storage, catalog: Catalog, step: Step[L, W], days: Sequence[str], undo_rollbacks: bool = True
) -> Iterator[Outcome]:
    """Bring days up to date, and yield an outcome for each, batch by batch.

    A version that somebody rolled back from is built again only with `undo_rollbacks`, and
    never if the rollback happened during this call.
    """
    remaining = list(days)
    for attempt in range(ROUNDS):
        if not remaining:
            return
        time.sleep(PAUSE * attempt)
        try:
            look = step.look(remaining, keep=True)
        except StarError as error:
            yield from (_failed(step, day, _partition(step, day), error) for day in remaining)
            return
        plans: list[Plan[W]] = []
        unchanged: list[Outcome] = []
        for planned in step.plan(look, remaining):
            if isinstance(planned, Outcome):
                yield planned
            elif found := _unchanged(storage, step, planned, undo_rollbacks and attempt == 0):
                unchanged.append(found)
            else:
                plans.append(planned)
        # A run that was killed after its commit has not updated the catalog.
        yield from _served(storage, catalog, step, unchanged)
        remaining = []
        for batch in step.batches(look, plans):
            for outcome in _publish_batch(storage, catalog, step, look, batch):
                if isinstance(outcome.error, LostRace):
                    remaining.append(outcome.day)
                else:
                    yield outcome
    for day in remaining:
        yield _failed(step, day, _partition(step, day), LedgerContended(f"{step.entry.name} {day}", ROUNDS))


def _partition(step: Step[L, W], day: str) -> Partition:
    return Partition(step.entry.database, step.entry.name, day if step.entry.partition_columns else None)


def _unchanged(storage: Storage, step: Step[L, W], plan: Plan[W], undo_rollbacks: bool) -> Outcome | None:
    """The outcome of a plan whose live version is up to date; None if it has to be built."""
    live, note = plan.seen, plan.note
    if live is None:
        return None
    if plan.rolled_back and not undo_rollbacks:
        note = (
            f"{step.entry.name} {plan.day}: what its inputs give was rolled back from, so {live.version} stays live. "
            "A run of this very day, or `star-assets rollback --version`, makes it live again."
        )
    elif live.identity != plan.identity:
        return None
    try:
        manifest = read_manifest(storage, plan.partition, live.version)
    except FileNotFoundError:
        return None
    location = storage.uri(plan.partition.version_folder(live.version))
    return Outcome(step.entry.name, plan.day, plan.partition, "unchanged", manifest, location, note=note)


def _served(storage: Storage, catalog: Catalog, step: Step[L, W], outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The outcomes, after the catalog was updated. If that fails, published days become failed ones."""
    live = list(dict.fromkeys(outcome.partition for outcome in outcomes if outcome.error is None))
    try:
        if live:
            serve(storage, catalog, step.entry, live, [outcome.manifest for outcome in outcomes if outcome.manifest])
    except StarError as error:
        return [
            outcome if outcome.error else _failed(step, outcome.day, outcome.partition, error) for outcome in outcomes
        ]
    return list(outcomes)


def _publish_batch(
    storage: Storage, catalog: Catalog, step: Step[L, W], look: L, plans: Sequence[Plan[W]]
) -> Iterator[Outcome]:
    started, failure = time.monotonic(), None
    written: list[Written[W]] = []
    outcomes: list[Outcome] = []
    try:
        for found in _write_built(storage, catalog, step, look, plans):
            if isinstance(found, Outcome):
                outcomes.append(found)
            else:
                written.append(found)
    except StarError as error:
        failure = error
    outcomes += _served(storage, catalog, step, _committed(storage, step, look, written))
    published = {outcome.partition: outcome.manifest for outcome in outcomes if outcome.manifest}
    send_statistics(catalog, step.entry, published)
    seconds = (time.monotonic() - started) / len(plans)
    yield from (replace(outcome, seconds=seconds) for outcome in outcomes)
    if failure and len(plans) > 1:
        # One bad day must not take the others with it: find it by building each alone.
        done = {outcome.day for outcome in outcomes}
        for plan in plans:
            if plan.day not in done:
                yield from _publish_batch(storage, catalog, step, look, [plan])
    elif failure:
        yield replace(_failed(step, plans[0].day, plans[0].partition, failure), seconds=seconds)


def _write_built(
    storage: Storage, catalog: Catalog, step: Step[L, W], look: L, plans: Sequence[Plan[W]]
) -> Iterator[Written[W] | Outcome]:
    """Build, audit and write versions. Yields those that may become live, and an outcome for each that is refused.

    A StarError of the build is raised after the versions that were built before it.
    """
    thoroughly, found = wants_statistics(catalog, step), list[Future[Written[W] | Outcome]]()
    failure, meter = None, Meter()
    with scratch(storage) as folder, ThreadPoolExecutor(storage.at_once) as pool:
        try:
            for group in step.build(look, plans, folder):
                audited = list(step.audit(look, group))
                used = meter.read(len(audited))
                # Versions are written while the next ones are built.
                found += [pool.submit(_write, storage, step, one, thoroughly, used) for one in audited]
        except StarError as error:
            failure = error
        yield from (one.result() for one in found)
    if failure:
        raise failure


def _write(
    storage: Storage, step: Step[L, W], audited: Audited[W], thoroughly: bool, used: Mapping[str, float]
) -> Written[W] | Outcome:
    plan = audited.built.plan
    try:
        if audited.refusal and not audited.built.files:
            return _failed(step, plan.day, plan.partition, audited.refusal)
        manifest = write(storage, audited, thoroughly, used)
    except StarError as error:
        return _failed(step, plan.day, plan.partition, error)
    broken = [check.description for check in audited.checks if not check.passed]
    if audited.refusal or broken:
        kept = storage.uri(plan.folder)
        refusal = audited.refusal or AuditFailed(step.entry.name, plan.partition.name, broken, kept)
        return replace(_failed(step, plan.day, plan.partition, refusal), checks=audited.checks)
    return Written(plan, manifest, audited.checks)


def write(storage: Storage, audited: Audited[W], thoroughly: bool, used: Mapping[str, float]) -> Manifest:
    """Write a version: its files, those beside them, and last its manifest. Nothing points at it yet.

    `used` is what building and auditing it took; the manifest keeps it, with the requests that write the version.
    """
    from star_assets.pipeline.describe import describe

    built, plan = audited.built, audited.built.plan
    if built.manifest:
        return built.manifest
    files, schema, statistics = describe(built.files, thoroughly, built.description)
    rules = {check.name: check.passed for check in audited.checks}
    taken = with_files(used, len(built.files) + len(built.beside) + 1)
    manifest = Manifest(
        version=plan.version,
        identity=plan.identity,
        created_at=now(),
        files=files,
        schema=schema,
        inputs=plan.inputs,
        statistics=statistics,
        facts={**built.facts, **audited.facts, "checks": rules, USED: taken},
    )
    for file_name, file in built.beside.items():
        storage.adopt(file, f"{plan.folder}/{file_name}")
    write_version(storage, plan.partition, manifest, built.files)
    return manifest


def _committed(storage: Storage, step: Step[L, W], look: L, written: Sequence[Written[W]]) -> list[Outcome]:
    """The outcomes of written versions: published, or failed with LostRace or with the commit's error."""
    try:
        won = step.commit(look, written) if written else {}
    except StarError as error:
        return [_failed(step, one.plan.day, one.plan.partition, error) for one in written]
    return [
        Outcome(
            step.entry.name,
            one.plan.day,
            one.plan.partition,
            "published",
            one.manifest,
            storage.uri(one.plan.folder),
            checks=one.checks,
        )
        if won[one.plan.partition]
        else _failed(step, one.plan.day, one.plan.partition, LostRace(one.plan.partition.ledger))
        for one in written
    ]


@contextmanager
def scratch(storage: Storage) -> Iterator[Path]:
    """A temporary local folder for files that will be moved into the lake."""
    folder = storage.scratch()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def wants_statistics(catalog: Catalog, step: Step[L, W]) -> bool:
    """Whether statistics that need every value are computed: if the catalog stores them, for tables in olap only."""
    return catalog.takes_statistics and step.entry.database == "olap"


def _failed(step: Step[L, W], day: str, partition: Partition, error: StarError) -> Outcome:
    return Outcome(step.entry.name, day, partition, "failed", error=error)
