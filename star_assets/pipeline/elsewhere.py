"""Versions that are written elsewhere: a job computes and writes them; who started it audits and publishes them.

Here: both sides, and what passes between them. Not here: how a job is started and
waited for (orchestration/glue), the program that it runs (engines/glue_job).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from star_assets.lake.catalog import Catalog, TableEntry
from star_assets.lake.storage import Storage
from star_assets.lake.versions import read_manifest
from star_assets.model import errors
from star_assets.model.errors import EngineFailed, LostRace, StarError
from star_assets.pipeline.describe import describe
from star_assets.pipeline.outcome import CheckResult, Outcome
from star_assets.pipeline.publishing import Built, Plan, Step, Written, scratch, takes_long, write
from star_assets.pipeline.superseded import AND_SUPERSEDED


@dataclass(frozen=True)
class Job:
    """What a job is to do: write these versions of a table, by day."""

    table: str
    versions: Mapping[str, str]


@dataclass(frozen=True)
class JobResult:
    """What became of a job: by day, what it says of the version that it wrote, or why it wrote none.

    `told` is what it took and cost, for the metadata of what it wrote.
    """

    reports: Mapping[str, Mapping[str, Any]]
    told: Mapping[str, Any] = field(default_factory=dict)


# Starts a job and waits for its end. Raises StarError where it came to no good one.
Launch = Callable[[Job], JobResult]


class JudgingStep(Step, Protocol):
    """A Step that can audit what it did not write itself."""

    def judge(self, plans: Sequence[Plan], written: Mapping[str, Written]) -> Iterator[Built]:
        """Each plan's version, audited. Raises StarError for all or none."""
        ...


class ElsewhereStep:
    """A Step that lets a job write its versions."""

    def __init__(self, storage: Storage, step: JudgingStep, launch: Launch) -> None:
        self.storage = storage
        self.step = step
        self.launch = launch
        self.entry: TableEntry = step.entry

    def plan(self, days: Sequence[str]) -> Iterator[Plan | Outcome]:
        """As the step plans."""
        return self.step.plan(days)

    def batches(self, plans: Sequence[Plan]) -> Iterator[Sequence[Plan]]:
        """One job for all of them."""
        if plans:
            yield plans

    def build(self, plans: Sequence[Plan], folder: Path) -> Iterator[Built]:
        """Start the job; then audit copies of what it wrote."""
        try:
            done = self.launch(Job(self.entry.name, {plan.day: plan.version for plan in plans}))
        except StarError as error:
            # Raised, it would start a job for each day by itself.
            yield from (Built(plan, (), refusal=error) for plan in plans)
            return
        written: dict[str, Written] = {}
        for plan in plans:
            try:
                written[plan.day] = self._written(plan, done.reports.get(plan.day))
            except StarError as error:
                yield Built(plan, (), refusal=error)
        judged = [plan for plan in plans if plan.day in written]
        for built in self.step.judge(judged, written) if judged else ():
            found = written[built.plan.day]
            whole = describe([found.file])[0] == found.manifest.files
            same = CheckResult("files as written", whole, f"{found.file.name}: expected as the manifest says")
            manifest = replace(found.manifest, facts={**found.manifest.facts, **done.told})
            yield replace(built, checks=(*built.checks, same), manifest=manifest)

    def before_commit(self, built: Built) -> None:
        """As the step says."""
        self.step.before_commit(built)

    def _written(self, plan: Plan, report: Mapping[str, Any] | None) -> Written:
        """A version that a job wrote. Raises why it did not, and LostRace where it found other inputs."""
        doing = f"building {self.entry.name} {plan.day}"
        if report is None:
            raise EngineFailed("The job", doing, "it ended without a word of this day.")
        if "error" in report:
            raise as_error(report["error"])
        try:
            manifest = read_manifest(self.storage, plan.partition, plan.version)
        except FileNotFoundError as error:
            raise EngineFailed("The job", doing, f"version {plan.version} has no manifest.") from error
        if _inputs(manifest.identity) != _inputs(plan.identity):
            raise LostRace(f"{self.entry.name} {plan.day}")
        (file,) = self.storage.local([f"{plan.folder}/{manifest.files[0].name}"])
        return Written(manifest, Path(file))


def write_versions(
    storage: Storage, catalog: Catalog, step: Step, versions: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """The job's side: write versions under these ids, and make none live. Yields a report for each day."""
    plans: list[Plan] = []
    for planned in step.plan(list(versions)):
        if isinstance(planned, Outcome):
            assert planned.error is not None
            yield {"day": planned.day, "error": as_report(planned.error)}
        else:
            plans.append(replace(planned, version=versions[planned.day]))
    for batch in step.batches(plans):
        yield from _write_batch(storage, step, batch, takes_long(catalog, step))


def _write_batch(storage: Storage, step: Step, plans: Sequence[Plan], thoroughly: bool) -> Iterator[dict[str, Any]]:
    done = set()
    try:
        with scratch(storage) as folder:
            for built in step.build(plans, folder):
                manifest = write(storage, built, thoroughly)
                done.add(built.plan.day)
                yield {
                    "day": built.plan.day,
                    "version": manifest.version,
                    "rows": manifest.rows,
                    "bytes": manifest.size,
                }
    except StarError as error:
        if len(plans) == 1:
            yield {"day": plans[0].day, "error": as_report(error)}
            return
        # One bad day must not take the others with it: find it by building each alone.
        for plan in plans:
            if plan.day not in done:
                yield from _write_batch(storage, step, [plan], thoroughly)


def as_report(error: StarError) -> list[Any]:
    """An error as JSON: its name, its facts (None where they are no JSON), and its words."""
    facts = [list(fact) if isinstance(fact, tuple) else fact for fact in error.args]
    plain = all(isinstance(fact, str | int | float | list | None) for fact in facts)
    return [type(error).__name__, facts if plain else None, str(error)]


def as_error(report: Sequence[Any]) -> StarError:
    """The error that a report tells of."""
    name, facts, words = report
    known = getattr(errors, name, None)
    if facts is not None and isinstance(known, type) and issubclass(known, StarError):
        found: StarError = known(*facts)
        return found
    return EngineFailed("The job", name, words)


def _inputs(identity: str) -> str:
    return identity.partition(AND_SUPERSEDED)[0]
