"""Glue jobs as a step of publishing: a job writes versions; the process that started the job audits and commits them.

Here: the messages between the two, and both sides' work. Not here: starting a job and
waiting for it (orchestration/glue), the program that Glue runs (pipeline/glue/job).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Generic

from star_assets.lake.catalog import TableEntry
from star_assets.lake.storage import Storage
from star_assets.lake.versions import Manifest, Partition, read_manifest
from star_assets.model import errors
from star_assets.model.errors import EngineFailed, JobOvertaken, LostRace, OtherBuild, StarError
from star_assets.pipeline.context import Context
from star_assets.pipeline.identity import Build
from star_assets.pipeline.outcome import CheckResult, Outcome
from star_assets.pipeline.publishing import (
    Audited,
    Built,
    L,
    Plan,
    Step,
    W,
    Written,
    scratch,
    wants_statistics,
    write,
)
from star_assets.prices import DPUS
from star_assets.settings import Settings
from star_assets.usage import BEGAN, Meter

# Jobs that one request may start for a table. The second is for days whose inputs moved during the
# first. If they move again, the days fail, since each job costs money; the next request starts anew.
MOST_JOBS = 2


@dataclass(frozen=True)
class Job:
    """The order for a job: the version ids to write, by day of one table, and the build of the process that asks."""

    table: str
    versions: Mapping[str, str]
    build: Build


@dataclass(frozen=True)
class JobResult:
    """The result of a job: a report for each day, of the version that it wrote or of the error.

    `usage` is the job's time and cost, which go into the facts of each version's manifest.
    """

    reports: Mapping[str, Mapping[str, Any]]
    usage: Mapping[str, Any] = field(default_factory=dict)


# Starts a job and waits for its end. Raises StarError if the job failed.
Launch = Callable[[Job], JobResult]


class GlueStep(Generic[L, W]):
    """A Step whose versions are written by a job."""

    def __init__(self, context: Context, step: Step[L, W], launch: Launch) -> None:
        self.context = context
        self.step = step
        self.launch = launch
        self.entry: TableEntry = step.entry
        self._jobs = 0

    def look(self, days: Sequence[str], keep: bool) -> L:
        """Delegates to the step."""
        return self.step.look(days, keep)

    def plan(self, look: L, days: Sequence[str]) -> Iterator[Plan[W] | Outcome]:
        """Delegates to the step."""
        return self.step.plan(look, days)

    def batches(self, look: L, plans: Sequence[Plan[W]]) -> Iterator[Sequence[Plan[W]]]:
        """One batch, for one job."""
        if plans:
            yield plans

    def build(self, look: L, plans: Sequence[Plan[W]], folder: Path) -> Iterator[Sequence[Built[W]]]:
        """Run the job, then fetch copies of the files that it wrote. Refuses all days after MOST_JOBS jobs."""
        if self._jobs == MOST_JOBS:
            yield [Built(plan, (), refusal=JobOvertaken(self.entry.name, plan.day, MOST_JOBS)) for plan in plans]
            return
        self._jobs += 1
        try:
            done = self.launch(Job(self.entry.name, {plan.day: plan.version for plan in plans}, self._build))
        except StarError as error:
            # If it were raised, publishing would start one job for each day.
            yield [Built(plan, (), refusal=error) for plan in plans]
            return
        yield [self._built(plan, done) for plan in plans]

    def audit(self, look: L, built: Sequence[Built[W]]) -> Iterator[Audited[W]]:
        """The step's audits, and one more: that each file agrees with its manifest."""
        for audited in self._audited(look, built):
            manifest = audited.built.manifest
            if manifest is None:
                yield audited
                continue
            from star_assets.pipeline.describe import describe

            (file,) = audited.built.files
            whole = describe([file])[0] == manifest.files
            same = CheckResult("files as written", whole, f"{file.name}: expected as the manifest says")
            yield replace(audited, checks=(*audited.checks, same))

    def commit(self, look: L, written: Sequence[Written[W]]) -> Mapping[Partition, bool]:
        """Delegates to the step."""
        return self.step.commit(look, written)

    @cached_property
    def _build(self) -> Build:
        return self.context.build(self.entry.name)

    def _audited(self, look: L, built: Sequence[Built[W]]) -> Iterator[Audited[W]]:
        """Audit all versions together, or each alone if that fails, so that no job is started again for good ones."""
        try:
            found = list(self.step.audit(look, built))
        except StarError as error:
            if len(built) == 1:
                found = [Audited(replace(built[0], files=(), manifest=None), refusal=error)]
            else:
                found = [audited for one in built for audited in self._audited(look, [one])]
        yield from found

    def _built(self, plan: Plan[W], done: JobResult) -> Built[W]:
        try:
            manifest = self._manifest(plan, done.reports.get(plan.day))
        except StarError as error:
            return Built(plan, (), refusal=error)
        (file,) = self.context.storage.local([f"{plan.folder}/{manifest.files[0].name}"])
        return Built(plan, (Path(file),), manifest=replace(manifest, facts={**manifest.facts, **done.usage}))

    def _manifest(self, plan: Plan[W], report: Mapping[str, Any] | None) -> Manifest:
        """The manifest of a version that a job wrote.

        Raises OtherBuild if the job had another build, LostRace if it read other inputs, and the job's own error.
        """
        doing = f"building {self.entry.name} {plan.day}"
        if report is None:
            raise EngineFailed("The job", doing, "it ended without a report for this day.")
        if "error" in report:
            raise as_error(report["error"])
        try:
            manifest = read_manifest(self.context.storage, plan.partition, plan.version)
        except FileNotFoundError as error:
            raise EngineFailed("The job", doing, f"version {plan.version} has no manifest.") from error
        # Which superseded members a dimension keeps is only known once it is built.
        if replace(manifest.identity, superseded="") != replace(plan.identity, superseded=""):
            # Earlier packages' jobs neither report nor compare a build.
            _require_build(self.entry.name, self._build, Build.from_json(report.get("build", {})))
            raise LostRace(f"{self.entry.name} {plan.day}")
        return manifest


def write_versions(context: Context, step: Step[L, W], job: Job) -> Iterator[dict[str, Any]]:
    """The job's side: write versions under the ordered ids, and make none live. Yields a report for each day.

    If the job's build differs from the asking process's, nothing is computed and every day's report is OtherBuild.
    """
    build, versions, meter = context.build(job.table), job.versions, _job_meter(context.settings)
    try:
        _require_build(job.table, job.build, build)
    except OtherBuild as error:
        yield from ({"day": day, "error": as_report(error)} for day in versions)
        return
    plans: list[Plan[W]] = []
    look = step.look(list(versions), keep=True)
    for planned in step.plan(look, list(versions)):
        if isinstance(planned, Outcome):
            assert planned.error is not None
            yield {"day": planned.day, "error": as_report(planned.error)}
        else:
            plans.append(replace(planned, version=versions[planned.day]))
    for batch in step.batches(look, plans):
        thoroughly = wants_statistics(context.catalog, step)
        for report in _write_batch(context.storage, step, look, batch, thoroughly, meter):
            yield {**report, "build": build.to_json()}


def _job_meter(settings: Settings) -> Meter:
    """A meter of the DPUs that the job has, from its start on."""
    unit = "flex_dpu_seconds" if settings.glue_flex else "dpu_seconds"
    return Meter(unit, settings.glue_workers * DPUS[settings.glue_worker_type], BEGAN)


def _require_build(table: str, expected: Build, found: Build) -> None:
    """Raises OtherBuild unless both are the same."""
    if found != expected:
        raise OtherBuild(table, expected.to_json(), found.to_json())


def _write_batch(
    storage: Storage, step: Step[L, W], look: L, plans: Sequence[Plan[W]], thoroughly: bool, meter: Meter
) -> Iterator[dict[str, Any]]:
    done = set()
    try:
        with scratch(storage) as folder:
            for group in step.build(look, plans, folder):
                audits = list(step.audit(look, group))
                used = meter.read(len(audits))
                for audited in audits:
                    manifest = write(storage, audited, thoroughly, used)
                    day = audited.built.plan.day
                    done.add(day)
                    yield {"day": day, "version": manifest.version, "rows": manifest.rows, "bytes": manifest.size}
    except StarError as error:
        if len(plans) == 1:
            yield {"day": plans[0].day, "error": as_report(error)}
            return
        # One bad day must not take the others with it: find it by building each alone.
        for plan in plans:
            if plan.day not in done:
                yield from _write_batch(storage, step, look, [plan], thoroughly, meter)


def as_report(error: StarError) -> list[Any]:
    """An error as JSON: its class's name, its arguments (None if they are not JSON), and its message."""
    facts = [list(fact) if isinstance(fact, tuple) else fact for fact in error.args]
    plain = all(isinstance(fact, str | int | float | list | dict | None) for fact in facts)
    return [type(error).__name__, facts if plain else None, str(error)]


def as_error(report: Sequence[Any]) -> StarError:
    """The error of a report; EngineFailed with its message if its class or its arguments are unknown here."""
    name, facts, words = report
    known = getattr(errors, name, None)
    if facts is not None and isinstance(known, type) and issubclass(known, StarError):
        found: StarError = known(*facts)
        return found
    return EngineFailed("The job", name, words)
