"""Versions that a job writes: who started it audits and publishes them, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from star_assets.lake.ledger import read_day
from star_assets.lake.versions import Partition
from star_assets.model import Csv, Star, errors
from star_assets.model.errors import EngineFailed, JobFailed, JobOvertaken, OtherBuild, StarError, TooManyRejects
from star_assets.pipeline import identity
from star_assets.pipeline.glue.step import Job, JobResult, as_error, as_report
from star_assets.pipeline.outcome import Outcome
from star_assets.pipeline.stage import StageStep
from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.retailer import write_exports
from star_assets.settings import Settings
from star_assets.star import retail

from .comparing import live_rows

DAYS = ["2023-07-01", "2023-07-02"]


class Elsewhere:
    """A lake whose versions a job writes: another warehouse over the same files, in this process."""

    def __init__(self, root: Path, engine: str = "glue") -> None:
        self.settings = Settings(lake=str(root), engine=engine, auto_above=1, glue_job="star", threads=2)
        self.warehouse = Warehouse(retail, self.settings)
        self.jobs: list[Job] = []

    def launch(self, job: Job, star: Star = retail) -> JobResult:
        self.jobs.append(job)
        there = Warehouse(star, self.settings.model_copy(update={"engine": "duckdb"}))
        reports = list(there.write_versions(job))
        for day in job.versions:
            live = read_day(there.storage, there.partition(retail.table(job.table), day)).live
            assert live is None or live.version not in job.versions.values()
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
    "it ended without a report for this day": lambda elsewhere, job: JobResult({}),
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


@pytest.mark.parametrize("engine", ["glue", "auto"])
def test_inputs_that_move_during_every_job_cost_two_jobs(tmp_path: Path, engine: str) -> None:
    """An export that somebody rewrites every few minutes must not cost twenty runs of Glue."""
    write_exports(tmp_path, date(2023, 7, 1), 2, orders_per_day=10)
    elsewhere = Elsewhere(tmp_path, engine)
    (file,) = (tmp_path / "oltp/customers" / f"date={DAYS[0]}").glob("customers*")

    def late(job: Job) -> JobResult:
        last = file.read_text().splitlines()[-1]
        file.write_text(f"{file.read_text()}{424242 + len(elsewhere.jobs)},{last.partition(',')[2]}\n")
        return elsewhere.launch(job)

    moved, still = elsewhere.refresh("customers", late)
    assert [sorted(job.versions) for job in elsewhere.jobs] == [DAYS, DAYS[:1]]
    assert isinstance(moved.error, JobOvertaken)
    assert str(moved.error).startswith(f"customers {DAYS[0]}: ")
    assert still.status == "published"


def test_what_cannot_be_audited_together_is_audited_alone_and_not_computed_again(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One day's audit that breaks off must neither take the other with it nor start a job for each."""
    audit = StageStep.audit

    def breaking(self: StageStep, look: Any, built: Any) -> Any:
        for audited in audit(self, look, built):
            if audited.built.plan.day == DAYS[0]:
                raise EngineFailed("DuckDB", "auditing", "it broke.")
            yield audited

    monkeypatch.setattr(StageStep, "audit", breaking)
    bad, good = elsewhere.refresh("customers")
    assert (type(bad.error), good.status) == (EngineFailed, "published")
    assert len(elsewhere.jobs) == 1


# Another build


def with_customers(csv: Csv | None) -> Star:
    """The retailer's sources and customers, whose exports are in this dialect, or in their own."""
    customers = retail.sources["customers"]
    others = [source for source in retail.sources.values() if source is not customers]
    changed = replace(customers, csv=csv or customers.csv)
    return Star([changed, *others], [retail.dimensions["dim_customer"]], [])


def with_other_customers() -> Star:
    """The same, with another text for what is not known."""
    return with_customers(Csv(null=("", "n/a")))


def an_older_package(there: pytest.MonkeyPatch) -> None:
    there.setattr(identity, "__version__", "0.0.9")


def another_ibis(there: pytest.MonkeyPatch) -> None:
    present = identity.version
    there.setattr(identity, "version", lambda name: "11.9.0" if name == "ibis-framework" else present(name))


def another_revision(there: pytest.MonkeyPatch) -> None:
    there.setattr(identity, "REVISION", 2)


OTHERS = {
    "star-assets 0.0.9": an_older_package,
    "ibis-framework 11.9.0": another_ibis,
    "revision 2": another_revision,
}


@pytest.mark.parametrize("found", OTHERS)
def test_a_job_of_another_build_refuses_before_it_computes(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, found: str
) -> None:
    """Its versions would have identities that nobody asks for, so each round would start one more job."""

    def of_another_build(job: Job) -> JobResult:
        with monkeypatch.context() as there:
            OTHERS[found](there)
            return elsewhere.launch(job)

    outcomes = elsewhere.refresh("customers", of_another_build)
    assert [type(outcome.error) for outcome in outcomes] == [OtherBuild, OtherBuild]
    assert len(elsewhere.jobs) == 1
    told = str(outcomes[0].error)
    for build in (elsewhere.jobs[0].build, identity.Build.from_json(outcomes[0].error.args[2])):
        assert f"star-assets {build.star_assets}, ibis-framework {build.ibis_framework}, sqlglot " in told
    assert found in told
    assert "`star-assets aws modules s3://" in told, "what to ship instead"
    assert list((tmp_path / "staging").rglob("*.parquet")) == []


def test_a_job_of_another_star_refuses_before_it_computes(elsewhere: Elsewhere, tmp_path: Path) -> None:
    """The packages are the same, and the star that was shipped beside them is last month's."""
    outcomes = elsewhere.refresh("customers", lambda job: elsewhere.launch(job, with_other_customers()))
    assert [type(outcome.error) for outcome in outcomes] == [OtherBuild, OtherBuild]
    assert len(elsewhere.jobs) == 1
    assert list((tmp_path / "staging").rglob("*.parquet")) == []


def test_a_job_of_a_package_that_compares_no_builds_costs_one_job(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was shipped before builds were compared tells none, and writes other identities."""

    def comparing_nothing(job: Job) -> JobResult:
        with monkeypatch.context() as there:
            another_revision(there)
            done = elsewhere.launch(replace(job, build=Warehouse(retail, elsewhere.settings).build(job.table)))
        reports = {day: {k: v for k, v in report.items() if k != "build"} for day, report in done.reports.items()}
        return JobResult(reports)

    outcomes = elsewhere.refresh("customers", comparing_nothing)
    assert [type(outcome.error) for outcome in outcomes] == [OtherBuild, OtherBuild]
    assert "found star-assets unknown" in str(outcomes[0].error)
    assert len(elsewhere.jobs) == 1


def test_a_build_that_tells_more_or_less_is_another_one(elsewhere: Elsewhere) -> None:
    """A later package may tell of more than this one knows; comparing must not break."""
    build = elsewhere.warehouse.build("fact_sales")
    told = build.to_json()
    assert identity.Build.from_json(json.loads(json.dumps(told))) == build
    assert identity.Build.from_json({**told, "arrow": "26"}) == build
    assert identity.Build.from_json({k: v for k, v in told.items() if k != "duckdb"}) != build
    assert all(told.values())


def test_a_tables_build_changes_with_what_it_is_built_from(elsewhere: Elsewhere) -> None:
    """A state that a job folds by other code of a source is another state."""
    here, other = (Warehouse(star, elsewhere.settings) for star in (with_customers(None), with_other_customers()))
    assert other.code_identity("dim_customer") == here.code_identity("dim_customer")
    assert other.build("dim_customer") != here.build("dim_customer")
    assert other.build("orders") == here.build("orders")


ERRORS: list[StarError] = [
    OtherBuild("customers", {"star_assets": "0.2.0", "code": "1a2b"}, {"star_assets": "0.1.0", "code": "3c4d"}),
    EngineFailed("Spark", "building a fact", "it broke."),
    TooManyRejects("orders", DAYS[0], 3, 10, 0.001, "s3://b/kept", ("a.csv, line 2: bad", "a.csv, line 3: bad")),
    errors.NotStaged("fact_sales", DAYS[0], ["orders"]),
    errors.NotForgotten("dim_customer", {"oltp/orders": 2}),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_says_the_same_after_the_way(error: StarError) -> None:
    told: Any = as_error(json.loads(json.dumps(as_report(error))))
    assert (type(told), str(told)) == (type(error), str(error))


def test_an_error_of_a_newer_package_is_told_in_its_words() -> None:
    told = as_error(["NoSuchError", ["a"], "It went wrong."])
    assert "It went wrong." in str(told)
    assert isinstance(told, EngineFailed)
