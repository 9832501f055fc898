"""The modules of Glue's job: what the program needs is among them, Dagster is not."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from importlib.metadata import distribution, version
from pathlib import Path

import pytest

import star_assets
from star_assets.aws.job_modules import OF_GLUE, job_modules
from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.retailer import write_exports
from star_assets.settings import Settings
from star_assets.star import retail

from ..spark import INTERPRETED, LACKING, write_defaults

# What boto3 and Spark bring on Glue's machines.
OF_BOTO, OF_SPARK = {"botocore", "jmespath", "s3transfer", "urllib3"}, {"py4j"}

ENTRY_POINTS = distribution("star_assets").read_text("entry_points.txt") or ""

# Runs the job's program over a lake in a folder.
PROGRAM = """
import sys
lake, tables = sys.argv[1], sys.argv[2:]
import boto3, dagster_pipes
from star_assets.lake.versions import new_version_id
from star_assets.model import load_star
from star_assets.pipeline.glue.job import run
from star_assets.pipeline.warehouse import Warehouse
from star_assets.settings import Settings

settings = {"lake": lake, "engine": "spark", "threads": 2}
warehouse = Warehouse(load_star("star_assets.star:retail"), Settings(**settings))
for table, day in zip(tables[::2], tables[1::2]):
    build = warehouse.build(table).to_json()
    run({"table": table, "versions": {day: new_version_id()}, "build": build, "settings": settings}, print)
print(sorted({"dagster", "click", "dagster_webserver"} & sys.modules.keys()))
"""


def install(packages: set[str], folder: Path) -> None:
    """Make a folder hold these packages, as links to the installed ones, and this project."""
    folder.mkdir()
    for package in packages:
        for name in {file.parts[0] for file in distribution(package).files or ()} - {"..", "__pycache__"}:
            (folder / name).symlink_to(Path(str(distribution(package).locate_file(name))))
    (folder / "star_assets").symlink_to(Path(star_assets.__file__).parent)
    information = folder / "star_assets-0.dist-info"
    information.mkdir()
    for name, text in (("METADATA", "Name: star-assets\nVersion: 0\n"), ("entry_points.txt", ENTRY_POINTS)):
        (information / name).write_text(text)


def test_dagster_is_not_installed_before_each_run() -> None:
    """A job waits, and is paid, while pip installs."""
    names = {module.partition("==")[0] for module in job_modules()}
    assert {"duckdb", "ibis-framework", "sqlglot", "pyarrow", "dagster-pipes", "pydantic"} <= names
    assert names & {"dagster", "dagster-webserver", "click", "uvicorn", "grpcio", "sqlalchemy", "boto3"} == set()


@pytest.mark.parametrize("glue", ["5.1", "6.0"])
def test_each_module_is_pinned_to_the_version_of_this_process(glue: str) -> None:
    """A run of another Ibis, sqlglot or DuckDB refuses to compute."""
    for module in job_modules(glue):
        name, _, pinned = module.partition("==")
        assert pinned == version(name)


@pytest.mark.long
@pytest.mark.xdist_group("spark")
@pytest.mark.skipif(LACKING is not None, reason=str(LACKING))
def test_the_program_needs_nothing_but_its_modules_and_what_glue_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Glue's pip is told `--no-deps`: what the set lacks is missing in the account, and nowhere earlier."""
    write_exports(tmp_path / "lake", date(2023, 7, 1), 2, orders_per_day=5)
    write_defaults(tmp_path / "conf", **INTERPRETED)
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path / "conf"))
    warehouse = Warehouse(retail, Settings(lake=str(tmp_path / "lake")))
    *others, fact = retail.tables
    assert [o.error for table in others for o in warehouse.refresh(table, ["2023-07-01"]) if o.error] == []
    installed = {module.partition("==")[0] for module in job_modules()} | OF_GLUE | OF_BOTO | OF_SPARK
    work = ["stores", "2023-07-02", fact, "2023-07-01"]
    install(installed, tmp_path / "site")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    # Without `site`, the packages of this environment cannot be imported.
    command = [sys.executable, "-S", "-c", PROGRAM, str(tmp_path / "lake"), *work]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    *reports, loaded = done.stdout.strip().splitlines()
    assert len([report for report in reports if "'rows'" in report]) == 2, reports
    assert loaded == "[]"
