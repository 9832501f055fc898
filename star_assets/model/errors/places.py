"""The errors of the places where a star is computed and kept: engines, jobs, the lake, its catalog, crawlers, AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from star_assets.model.errors.tree import Permanent, Transient


@dataclass(eq=False)
class EngineFailed(Permanent):
    """A statement of the engine failed."""

    engine: str
    doing: str
    problem: str

    def __str__(self) -> str:
        damaged = " `star-assets verify` finds files that are damaged." if "No files found" in self.problem else ""
        failure = f"{self.engine} failed while {self.doing}: {self.problem} "
        return f"{failure}Nothing was published; the live versions stay.{damaged}"


@dataclass(eq=False)
class JobFailed(Permanent):
    """A job on another machine ended without writing its result."""

    job: str
    run: str
    problem: str
    page: str
    log: str

    def __str__(self) -> str:
        return _of_job(*self.args)


@dataclass(eq=False)
class JobInterrupted(Transient):
    """A job on another machine was stopped, or waited or worked for too long."""

    job: str
    run: str
    problem: str
    page: str
    log: str

    def __str__(self) -> str:
        return _of_job(*self.args)


@dataclass(eq=False)
class JobOvertaken(Transient):
    """The results of several jobs were out of date when they ended: inputs or the live version changed meanwhile."""

    table: str
    day: str
    jobs: int

    def __str__(self) -> str:
        return (
            f"{self.table} {self.day}: its exports, or its live version, changed while a job computed it, "
            f"{self.jobs} times in a row. Nothing of it was published; the live version stays. "
            "Run it again when its exports have arrived and the other runs have ended."
        )


@dataclass(eq=False)
class OtherBuild(Permanent):
    """A job runs another build of the package than the process that started it: its versions' identities would differ.

    `expected` and `found` describe the two builds as {package: version}, with a digest under `code`.
    """

    table: str
    expected: Mapping[str, str]
    found: Mapping[str, str]

    def __str__(self) -> str:
        wheel = f"star_assets-{self.expected.get('star_assets', '…')}-py3-none-any.whl"
        return (
            f"{self.table}: expected a job of this process's build ({_of_build(self.expected)}), "
            f"found {_of_build(self.found)}. Nothing was published; the live versions stay. "
            "Ship the package that this process runs: "
            f"`pip wheel --no-deps --wheel-dir dist .`, upload dist/{wheel}, and give the job what "
            f"`star-assets aws modules s3://…/{wheel}` prints; docs/scale.md has the commands."
        )


def _of_build(build: Mapping[str, str]) -> str:
    return ", ".join(f"{name.replace('_', '-')} {version[:12]}" for name, version in build.items())


def _of_job(job: str, run: str, problem: str, page: str, log: str) -> str:
    last = f" The end of its log:\n{log}" if log else ""
    return f"Run {run} of {job}: {problem}. Nothing was published; the live versions stay. See {page}.{last}"


RIGHTS = "Give this user read and write rights to the lake, or set STAR_LAKE to another place"


@dataclass(eq=False)
class LakeRefused(Permanent):
    """The lake's folder cannot be read or written."""

    path: str
    problem: str
    remedy: str = RIGHTS

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}. The live versions stay. {self.remedy}."


@dataclass(eq=False)
class AwsRefused(LakeRefused):
    """AWS refuses a call: a right, the credentials, a bucket or a key is missing."""


@dataclass(eq=False)
class AwsDenied(AwsRefused):
    """A right is missing: no policy allows the action, or one denies it."""


@dataclass(eq=False)
class LakeFull(Transient):
    """No space left for a new version."""

    path: str
    problem: str

    def __str__(self) -> str:
        return (
            f"{self.path}: {self.problem}. The live versions stay. Make room (`star-assets vacuum` frees what "
            "superseded versions hold) and run again."
        )


@dataclass(eq=False)
class CatalogBusy(Transient):
    """Other processes keep the catalog locked."""

    catalog: str
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.catalog}: other processes kept the catalog locked for {self.seconds:g} s. "
            "What was published is safe; run `star-assets repair` when they have ended."
        )


@dataclass(eq=False)
class AwsBusy(Transient):
    """AWS throttles a call, fails, or cannot be reached, although the call was tried several times."""

    what: str
    problem: str

    def __str__(self) -> str:
        return f"{self.what}: {self.problem}. It was tried several times. The live versions stay; run it again later."


@dataclass(eq=False)
class CrawlFailed(Permanent):
    """A Glue crawler ended with an error."""

    crawler: str
    problem: str
    log: str

    def __str__(self) -> str:
        return (
            f"Glue crawler {self.crawler} failed: {self.problem.rstrip('.') or 'without a message'}. "
            f"What is staged stays. Its log is in CloudWatch, {self.log}; "
            "correct it, and `star-assets repair` crawls again."
        )


@dataclass(eq=False)
class CrawlUnfinished(Transient):
    """A Glue crawler was stopped, or takes too long."""

    crawler: str
    problem: str

    def __str__(self) -> str:
        return f"Glue crawler {self.crawler}: {self.problem}. What is staged stays; `star-assets repair` crawls again."
