"""What the lake, its catalog, the engine or AWS refuses."""

from __future__ import annotations

from collections.abc import Mapping

from star_assets.model.errors.tree import Permanent, Transient


class EngineFailed(Permanent):
    """The engine gave up on a statement."""

    def __init__(self, engine: str, doing: str, problem: str) -> None:
        super().__init__(engine, doing, problem)

    def __str__(self) -> str:
        engine, doing, problem = self.args
        return f"{engine} failed while {doing}: {problem} Nothing was published; the live versions stay."


class JobFailed(Permanent):
    """A job elsewhere ended without what it was to write."""

    def __init__(self, job: str, run: str, problem: str, page: str, log: str) -> None:
        super().__init__(job, run, problem, page, log)

    def __str__(self) -> str:
        return _of_job(*self.args)


class JobInterrupted(Transient):
    """A job elsewhere was stopped, or waited or worked for too long."""

    def __init__(self, job: str, run: str, problem: str, page: str, log: str) -> None:
        super().__init__(job, run, problem, page, log)

    def __str__(self) -> str:
        return _of_job(*self.args)


class JobOvertaken(Transient):
    """What jobs wrote was no longer wanted when they ended: each time, inputs or the live version had changed."""

    def __init__(self, table: str, day: str, jobs: int) -> None:
        super().__init__(table, day, jobs)

    def __str__(self) -> str:
        table, day, jobs = self.args
        return (
            f"{table} {day}: its exports, or what is live, changed while a job computed it, {jobs} times in a row. "
            "Nothing of it was published; the live version stays. "
            "Run it again when its exports have arrived and the other runs have ended."
        )


class OtherBuild(Permanent):
    """A job is of another build than the process that started it: its versions would have other identities.

    `expected` and `found` tell the builds as {package: version}, and a digest as `code`.
    """

    def __init__(self, table: str, expected: Mapping[str, str], found: Mapping[str, str]) -> None:
        super().__init__(table, dict(expected), dict(found))

    def __str__(self) -> str:
        table, expected, found = self.args
        packages = {
            name.replace("_", "-"): number for name, number in expected.items() if name not in ("code", "revision")
        }
        wheel = f"star_assets-{packages.pop('star-assets', '…')}-py3-none-any.whl"
        modules = ",".join([f"s3://…/{wheel}", *(f"{name}=={number}" for name, number in packages.items())])
        return (
            f"{table}: expected a job of this process's build ({_of_build(expected)}), found {_of_build(found)}. "
            "Nothing was published; the live versions stay. Ship the package that this process runs: "
            f"`pip wheel --no-deps --wheel-dir dist .`, upload dist/{wheel}, and start the job with "
            f"--additional-python-modules {modules}, and the wheel of your star, if it has one; "
            "docs/scale.md has the commands."
        )


def _of_build(build: Mapping[str, str]) -> str:
    return ", ".join(f"{name.replace('_', '-')} {version[:12]}" for name, version in build.items())


def _of_job(job: str, run: str, problem: str, page: str, log: str) -> str:
    last = f" The end of its log:\n{log}" if log else ""
    return f"Run {run} of {job}: {problem}. Nothing was published; the live versions stay. See {page}.{last}"


class LakeRefused(Permanent):
    """The lake's folder cannot be read or written."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)

    def __str__(self) -> str:
        path, problem = self.args
        return (
            f"{path}: {problem}. What was live stays live. Give this user read and write rights to the lake, "
            "or set STAR_LAKE to another place."
        )


class AwsRefused(LakeRefused):
    """AWS does not let us: a right, the credentials, a bucket or a key is missing."""

    def __init__(self, what: str, problem: str, remedy: str) -> None:
        Permanent.__init__(self, what, problem, remedy)

    def __str__(self) -> str:
        what, problem, remedy = self.args
        return f"{what}: {problem}. What was live stays live. {remedy}."


class LakeFull(Transient):
    """No space left for a new version."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)

    def __str__(self) -> str:
        path, problem = self.args
        return (
            f"{path}: {problem}. What was live stays live. Make room (`star-assets vacuum` frees what "
            "superseded versions hold) and run again."
        )


class CatalogBusy(Transient):
    """Other processes hold the catalog."""

    def __init__(self, catalog: str, seconds: float) -> None:
        super().__init__(catalog, seconds)

    def __str__(self) -> str:
        catalog, seconds = self.args
        return (
            f"{catalog}: other processes held the catalog for {seconds:g} s. What was published is safe; "
            "run `star-assets repair` when they have ended."
        )


class AwsBusy(Transient):
    """AWS throttles, failed in itself, or cannot be reached; it was tried several times."""

    def __init__(self, what: str, problem: str) -> None:
        super().__init__(what, problem)

    def __str__(self) -> str:
        what, problem = self.args
        return f"{what}: {problem}. It was tried several times. What was live stays live; run it again later."


class CrawlFailed(Permanent):
    """A crawler of Glue ended with an error."""

    def __init__(self, crawler: str, problem: str, log: str) -> None:
        super().__init__(crawler, problem, log)

    def __str__(self) -> str:
        crawler, problem, log = self.args
        return (
            f"Glue crawler {crawler} failed: {problem.rstrip('.') or 'without a message'}. What is staged stays. "
            f"Its log is in CloudWatch, {log}; correct it, and `star-assets repair` crawls again."
        )


class CrawlUnfinished(Transient):
    """A crawler of Glue was stopped, or takes too long."""

    def __init__(self, crawler: str, problem: str) -> None:
        super().__init__(crawler, problem)

    def __str__(self) -> str:
        crawler, problem = self.args
        return f"Glue crawler {crawler}: {problem}. What is staged stays; `star-assets repair` crawls again."
