"""Assets that a Glue job computes: end to end with the job's own script, and every way in which a run may end.

Glue itself is simulated (glue_launcher); no account is asked.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from star_assets import __version__
from star_assets.lake.s3_storage import S3Storage
from star_assets.model import Star, load_star
from star_assets.model.errors import BadSetting
from star_assets.orchestration import assets as asset_module
from star_assets.orchestration.build import build_definitions
from star_assets.orchestration.glue import GlueLauncher
from star_assets.orchestration.run import QUIET, partition_tags
from star_assets.pipeline.glue.step import Launch
from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.retailer import write_exports
from star_assets.settings import Settings
from star_assets.star import retail

from ..spark import S3A, needs_spark, write_defaults
from .glue_launcher import SCRIPT, GlueOnThisMachine

DAYS = ["2023-07-01", "2023-07-02"]

# What `make glue` makes.
GLUE = Path(__file__).parents[2] / ".glue"

# For each version of Glue: what runs its job, and S3A for its Spark; what makes them.
VERSIONS = {
    "5.1": (GLUE / "bin/python", GLUE / "jars", "make glue"),
    "6.0": (Path(sys.executable), S3A, "make s3a"),
}

# What a script does that is not ours, or goes wrong.
SILENT = "print('nothing')"
BROKEN = "raise SystemExit('no such table')"
ENDLESS = "import time\ntime.sleep(600)"

# Ours, of a package that was shipped before.
OLDER = f"import star_assets\nstar_assets.__version__ = '0.0.9'\n{SCRIPT}"


@pytest.fixture
def settings(aws: Callable[..., Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A lake in a bucket with two days of exports."""
    made = aws(engine="glue", glue_job="star", glue_workers=4, glue_flex=True, glue_timeout=15, threads=2)
    write_exports(tmp_path / "exports", date(2023, 7, 1), 2, orders_per_day=5)
    storage = Warehouse(retail, made).storage
    for file in (tmp_path / "exports/oltp").rglob("*"):
        if file.is_file():
            storage.write(file.relative_to(tmp_path / "exports").as_posix(), file.read_bytes())
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path / "conf"))
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    return made


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Star:
    """Where jobs run, there is what a wheel has, and a module with somebody's star; this repository is not."""
    repository, place = Path(asset_module.__file__).parents[2], tmp_path / "site"
    source = shutil.copytree(repository / "star_assets", tmp_path / "source" / "star_assets").parent
    for file in ("setup.py", "pyproject.toml"):
        shutil.copy(repository / file, source)
    # What a wheel is packed of; the tool that packs it is not everywhere.
    build = [sys.executable, "setup.py", "--quiet", "build_py", "--build-lib", str(place)]
    subprocess.run(build, cwd=source, check=True)
    (place / "their_shop.py").write_text(
        "from star_assets.model import Star\nfrom star_assets.star import customers\nstar = Star([customers], [], [])\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(place))
    monkeypatch.syspath_prepend(place)
    return load_star("their_shop:star")


@pytest.fixture
def glue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., GlueOnThisMachine]]:
    """Makes the Glue that assets start runs on."""

    # Pipes waits so long for the last words of a job that said nothing.
    monkeypatch.setattr("dagster._core.pipes.utils.WAIT_FOR_LOGS_AFTER_EXECUTION_INTERVAL", 0)

    def make(*arguments: Any, **options: Any) -> GlueOnThisMachine:
        made = GlueOnThisMachine(tmp_path, *arguments, **options)

        def launcher(context: dg.AssetExecutionContext, settings: Settings) -> Launch:
            return GlueLauncher(context, settings, made, pause=0.2)

        monkeypatch.setattr(asset_module, "launcher", launcher)
        return made

    yield make


def materialize(settings: Settings, *tables: str, star: Star = retail) -> dg.ExecuteInProcessResult:
    definitions = build_definitions(star, settings)
    job = definitions.resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey(table) for table in tables],
            run_config=QUIET,
            tags=partition_tags(DAYS),
            raise_on_error=False,
        )


def failure(result: dg.ExecuteInProcessResult) -> str:
    (event,) = [event for event in result.all_events if event.is_step_failure]
    data: Any = event.event_specific_data
    return str(data.error.message)


@pytest.mark.long
class TestTheJobItself:
    """The script as a process, over moto's S3."""

    pytestmark = needs_spark

    @pytest.mark.parametrize("version", VERSIONS)
    def test_a_job_writes_and_dagster_audits_and_publishes(
        self, settings: Settings, shipped: Star, glue: Any, tmp_path: Path, version: str
    ) -> None:
        """The whole way: CSV that Spark reads off the bucket; each day with what it took and cost."""
        python, jars, made_by = VERSIONS[version]
        if not jars.exists():
            pytest.skip(f"{jars} does not hold S3A's jars; `{made_by}` fetches them")
        write_defaults(tmp_path / "conf", jars)
        settings = settings.model_copy(update={"model": "their_shop:star"})
        runs = glue(
            f"import pyspark, star_assets\nprint(pyspark.__version__, star_assets.__file__)\n{SCRIPT}", python=python
        )
        result = materialize(settings, "customers", star=shipped)
        assert result.success, failure(result)
        assert len(runs.started) == 1
        printed = (tmp_path / "jr_1.log").read_text()
        assert str(tmp_path / "site" / "star_assets") in printed
        assert ("3.5.6 " if version == "5.1" else "4.1.") in printed
        given = runs.started[0]
        assert (given["JobName"], given["NumberOfWorkers"], given["Timeout"]) == ("star", 4, 15)
        assert (given["WorkerType"], given["ExecutionClass"]) == ("G.1X", "FLEX")
        assert sorted(given["Arguments"]) == ["--dagster-pipes-context", "--dagster-pipes-messages"]
        warehouse = Warehouse(retail, settings)
        for day in DAYS:
            manifest = warehouse.live_manifest("customers", day)
            assert manifest is not None
            assert manifest.rows > 0
        shown = {event.partition: event.metadata for event in result.asset_materializations_for_node("customers")}
        (metadata,) = [shown[day] for day in DAYS[-1:]]
        assert metadata["glue dpu seconds"].value == 360.0
        assert metadata["glue estimated cost usd"].value == 0.029
        assert metadata["dagster/partition_row_count"].value == manifest.rows
        assert "/job/star/run/jr_1" in str(metadata["glue run"].value)
        storage = warehouse.storage
        assert isinstance(storage, S3Storage)
        assert [found.path for folder in ("_pipes", "_spark") for found in storage.walk(f"staging/{folder}")] == []
        # What is there is not computed again: no run is started for it.
        assert materialize(settings, "customers", star=shipped).success
        assert len(runs.started) == 1


ENDS = {
    "a script that is not ours": (SILENT, (), "succeeded without reporting what it wrote"),
    "a script that fails": (BROKEN, (), "ended as FAILED: SystemExit: 1. Nothing was published"),
    "a run that waited too long": (SILENT, ("EXPIRED",), "ended as EXPIRED"),
    "a run that worked too long": (SILENT, ("TIMEOUT",), "ended as TIMEOUT"),
    "an error of Glue's": (SILENT, ("ERROR",), "ended as ERROR: Glue gives no reason"),
}


@pytest.mark.parametrize("name", ENDS)
def test_every_other_end_is_told_and_publishes_nothing(settings: Settings, glue: Any, name: str) -> None:
    """One message for all days, from one run: a run for each day by itself would cost as much again."""
    script, states, message = ENDS[name]
    runs = glue(script, states)
    told = failure(materialize(settings, "customers"))
    assert message in told
    assert "/job/star/run/jr_1" in told
    assert "/aws-glue/jobs/error" in told
    assert len(runs.started) == 1
    assert Warehouse(retail, settings).live_manifest("customers", DAYS[0]) is None


def test_a_job_of_another_package_costs_one_run_and_says_what_to_ship(settings: Settings, glue: Any) -> None:
    """The job itself compares, before it starts Spark; what it says comes back as the error that it is."""
    runs = glue(OLDER)
    told = failure(materialize(settings, "customers"))
    assert f"expected a job of this process's build (star-assets {__version__}, ibis-framework " in told
    assert "found star-assets 0.0.9, ibis-framework " in told
    assert f"`star-assets aws modules s3://…/star_assets-{__version__}-py3-none-any.whl` prints" in told
    assert len(runs.started) == 1
    assert Warehouse(retail, settings).live_manifest("customers", DAYS[0]) is None


def test_as_many_runs_as_may_be_are_waited_for(settings: Settings, glue: Any) -> None:
    """Glue refuses a run above the job's own limit; that is no failure."""
    runs = glue(SILENT, ("REFUSED", "REFUSED"))
    assert "without reporting" in failure(materialize(settings, "customers"))
    assert len(runs.started) == 1


def test_a_cancelled_run_stops_its_job(settings: Settings, glue: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody waits for would go on, and cost."""
    runs = glue(ENDLESS)
    watched = runs.get_job_run

    def interrupted(**given: Any) -> Any:
        if runs.stopped:
            return watched(**given)
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "get_job_run", interrupted)
    with pytest.raises(BaseException):  # noqa: B017 - Dagster may raise its own
        materialize(settings, "customers")
        raise KeyboardInterrupt
    assert runs.stopped == ["jr_1"]


def test_jobs_are_started_by_dagster_alone(settings: Settings) -> None:
    with pytest.raises(BadSetting, match="duckdb or spark outside of Dagster"):
        list(Warehouse(retail, settings).refresh("customers", DAYS))


def test_a_job_needs_a_name_and_a_lake_in_a_bucket(settings: Settings) -> None:
    context: Any = None
    with pytest.raises(BadSetting, match="STAR_GLUE_JOB"):
        GlueLauncher(context, settings.model_copy(update={"glue_job": None}))
    with pytest.raises(BadSetting, match="s3://bucket/prefix, where Glue computes"):
        GlueLauncher(context, settings.model_copy(update={"lake": os.curdir}))
