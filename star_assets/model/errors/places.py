"""What the lake, its catalog, the engine or AWS refuses."""

from __future__ import annotations

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
