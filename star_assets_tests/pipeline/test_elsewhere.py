"""Versions that a job writes: who started it audits and publishes them, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from star_assets.lake.versions import Partition, read_pointer
from star_assets.model import errors
from star_assets.model.errors import EngineFailed, JobFailed, StarError, TooManyRejects
from star_assets.pipeline.elsewhere import Job, JobResult, as_error, as_report
from star_assets.pipeline.outcome import Outcome
from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.retailer import write_exports
from star_assets.settings import Settings
from star_assets.star import retail

from .comparing import live_rows

DAYS = ["2023-07-01", "2023-07-02"]


class Elsewhere:
    """A lake whose versions a job writes: another warehouse over the same files, in this process."""

    def __init__(self, root: Path) -> None:
        self.settings = Settings(lake=str(root), engine="glue", glue_job="star", threads=2)
        self.warehouse = Warehouse(retail, self.settings)
        self.jobs: list[Job] = []

    def launch(self, job: Job) -> JobResult:
        self.jobs.append(job)
        there = Warehouse(retail, self.settings.model_copy(update={"engine": "duckdb"}))
        reports = list(there.write_versions(job.table, job.versions))
        for day in job.versions:
            pointer, _ = read_pointer(there.storage, there.partition(retail.table(job.table), day))
            assert pointer.live is None or pointer.live.version not in job.versions.values()
        return JobResult({report["day"]: report for report in reports}, {"glue_seconds": 7})

    def refresh(
        self, table: str, launch: Callable[[Job], JobResult] | None = None, days: list[str] = DAYS
    ) -> list[Outcome]:
        found = list(self.warehouse.refresh(table, days, launch or self.launch))
        return sorted(found, key=lambda outcome: outcome.day)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Elsewhere:
    write_exports(tmp_path, date(2023, 7, 1), 2, orders_per_day=10)
    return Elsewhere(tmp_path)


def test_every_table_is_as_if_it_were_built_here(elsewhere: Elsewhere, tmp_path: Path) -> None:
    """Sources, dimensions, a history and a fact; one job for all days of each, and none for what is up to date."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here/oltp").symlink_to(tmp_path / "oltp")
    here = Warehouse(retail, Settings(lake=str(tmp_path / "here"), threads=2))
    for table in retail.tables:
        outcomes = elsewhere.refresh(table)
        assert [str(outcome.error) for outcome in outcomes if outcome.error] == []
        assert all(outcome.manifest and outcome.manifest.facts["glue_seconds"] == 7 for outcome in outcomes)
        assert all(outcome.error is None for outcome in here.refresh(table, DAYS))
        for day in DAYS:
            assert live_rows(elsewhere.warehouse, table, day) == live_rows(here, table, day)
    assert len(elsewhere.jobs) == len(retail.tables)
    assert {outcome.status for table in retail.tables for outcome in elsewhere.refresh(table)} == {"unchanged"}
    assert len(elsewhere.jobs) == len(retail.tables)


def test_a_bad_day_is_told_as_itself_and_the_other_is_published(elsewhere: Elsewhere, tmp_path: Path) -> None:
    """The job's error comes back as the error that it was."""
    (file,) = (tmp_path / "oltp/customers" / f"date={DAYS[0]}").glob("customers*")

    def breaking(job: Job) -> JobResult:
        file.write_bytes(b"no_such_column\n1\n")
        return elsewhere.launch(job)

    bad, good = elsewhere.refresh("customers", breaking)
    assert isinstance(bad.error, errors.BrokenFile)
    assert good.status == "published"


def test_too_many_rejects_are_judged_here(elsewhere: Elsewhere, tmp_path: Path) -> None:
    (file,) = (tmp_path / "oltp/customers" / f"date={DAYS[0]}").glob("customers*")
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0], *(f"x{line}" for line in lines[1:])]) + "\n")
    bad, _ = elsewhere.refresh("customers")
    assert isinstance(bad.error, TooManyRejects)


def test_a_failed_job_fails_every_day_and_is_not_started_again_for_each(elsewhere: Elsewhere) -> None:
    started: list[Job] = []

    def failing(job: Job) -> JobResult:
        started.append(job)
        raise JobFailed("star", "jr_1", "it ended as FAILED: out of memory", "https://console", "java.lang.Error")

    outcomes = elsewhere.refresh("customers", failing)
    assert [type(outcome.error) for outcome in outcomes] == [JobFailed, JobFailed]
    assert len(started) == 1


LIES: dict[str, Callable[[Elsewhere, Job], JobResult]] = {
    "it ended without a word of this day": lambda elsewhere, job: JobResult({}),
    "has no manifest": lambda elsewhere, job: JobResult({day: {"day": day} for day in job.versions}),
}


@pytest.mark.parametrize("message", LIES)
def test_what_a_job_does_not_deliver_is_not_published(elsewhere: Elsewhere, message: str) -> None:
    outcomes = elsewhere.refresh("customers", lambda job: LIES[message](elsewhere, job))
    assert all(message in str(outcome.error) for outcome in outcomes)


def test_a_file_that_is_not_as_its_manifest_says_is_not_published(elsewhere: Elsewhere, tmp_path: Path) -> None:
    def damaging(job: Job) -> JobResult:
        done = elsewhere.launch(job)
        folder = Partition("staging", "customers", DAYS[0]).version_folder(job.versions[DAYS[0]])
        (file,) = (tmp_path / folder).glob("part-*.parquet")
        pq.write_table(pq.read_table(file).slice(1), file)
        return done

    damaged, whole = elsewhere.refresh("customers", damaging)
    assert "expected as the manifest says" in str(damaged.error)
    assert whole.status == "published"


def test_a_job_that_found_other_inputs_is_started_again(elsewhere: Elsewhere, tmp_path: Path) -> None:
    """An export that changed between plan and job is planned anew, and what is published is the newer one."""
    (file,) = (tmp_path / "oltp/customers" / f"date={DAYS[0]}").glob("customers*")

    def late(job: Job) -> JobResult:
        if not elsewhere.jobs:
            last = file.read_text().splitlines()[-1]
            file.write_text(f"{file.read_text()}424242,{last.partition(',')[2]}\n")
        return elsewhere.launch(job)

    assert [outcome.error for outcome in elsewhere.refresh("customers", late)] == [None, None]
    assert [sorted(job.versions) for job in elsewhere.jobs] == [DAYS, DAYS[:1]]
    assert any("424242" in row for row in live_rows(elsewhere.warehouse, "customers", DAYS[0]))


ERRORS: list[StarError] = [
    EngineFailed("Spark", "building a fact", "it broke."),
    TooManyRejects("orders", DAYS[0], 3, 10, 0.001, "s3://b/kept", ("a.csv, line 2: bad", "a.csv, line 3: bad")),
    errors.NotStaged("fact_sales", DAYS[0], ["orders"]),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_says_the_same_after_the_way(error: StarError) -> None:
    import json

    told: Any = as_error(json.loads(json.dumps(as_report(error))))
    assert (type(told), str(told)) == (type(error), str(error))


def test_an_error_of_a_newer_package_is_told_in_its_words() -> None:
    told = as_error(["NoSuchError", ["a"], "It went wrong."])
    assert "It went wrong." in str(told)
    assert isinstance(told, EngineFailed)
