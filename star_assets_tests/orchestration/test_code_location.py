"""The code location as Dagster's own commands see it, each in a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from star_assets.orchestration.run import history, materialize_all
from star_assets.pipeline.outcome import Outcome
from star_assets.pipeline.warehouse import Warehouse
from star_assets.star import retail

from .conftest import DAYS

REPOSITORY = Path(__file__).parents[2]
FACT = dg.AssetKey("fact_sales")


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("STAR_", "DAGSTER_"))}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def dagster(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(folder, sys.executable, "-m", "dagster", *arguments)


@pytest.fixture
def clone(tmp_path: Path, lake: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as a fresh clone is, with three days of exports in its lake."""
    for name in ("dagster.yaml", "workspace.yaml", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return tmp_path


def test_loading_the_definitions_opens_nothing(tmp_path: Path) -> None:
    """A code location is loaded on machines without a lake, and often."""
    program = """
import socket, sys
def refuse(*_): raise AssertionError("network")
socket.socket.connect = refuse
import star_assets.definitions
heavy = {"duckdb", "pyspark", "boto3", "star_assets.pipeline.warehouse"} & sys.modules.keys()
assert not heavy, heavy
"""
    loaded = run(tmp_path, sys.executable, "-c", program)
    assert loaded.returncode == 0, loaded.stderr
    assert not loaded.stderr
    assert not list(tmp_path.iterdir())


def test_the_definitions_are_valid(clone: Path) -> None:
    validated = dagster(clone, "definitions", "validate")
    assert validated.returncode == 0, validated.stderr
    assert "All code locations passed validation" in validated.stdout + validated.stderr


def test_a_day_and_then_a_range_from_the_command_line(clone: Path) -> None:
    """Two commands, one history, which outlives them; the fact is what was asked for."""
    every = ("asset", "materialize", "-m", "star_assets.definitions", "--select", "*")
    one = dagster(clone, *every, "--partition", DAYS[0])
    assert one.returncode == 0, one.stderr
    rest = dagster(clone, *every, "--partition-range", f"{DAYS[0]}...{DAYS[-1]}")
    assert rest.returncode == 0, rest.stderr
    with history() as instance:
        assert instance.get_runs_count() == 2
        assert instance.get_materialized_partitions(FACT) == set(DAYS)
    assert not list(clone.glob(".tmp_dagster_home_*"))


def test_a_bad_day_fails_the_command_with_our_message(clone: Path) -> None:
    file = next((clone / "lake" / "oltp" / "orders" / f"date={DAYS[1]}").glob("[!_]*"))
    file.write_text("order_id,customer_id\n1,2\n")
    select = ("--select", "orders", "--partition-range", f"{DAYS[0]}...{DAYS[-1]}")
    failed = dagster(clone, "asset", "materialize", "-m", "star_assets.definitions", *select)
    assert failed.returncode != 0
    assert "orders: 1 of 3 days failed; the others are published." in failed.stdout + failed.stderr
    assert "expected columns 'store_id', " in failed.stdout + failed.stderr


def test_a_program_materializes_all_in_one_run_and_tells_of_each_day(clone: Path, lake: Warehouse) -> None:
    told: list[Outcome] = []
    assert materialize_all(retail, lake.settings, DAYS, told.append)
    assert [(o.table, o.day, o.status) for o in told if o.table == "fact_sales"] == [
        ("fact_sales", day, "published") for day in DAYS
    ]
    assert len(told) == len(DAYS) * len(retail.tables)
    with history() as instance:
        (record,) = instance.get_run_records()
        assert record.dagster_run.status is dg.DagsterRunStatus.SUCCESS
        # The web UI's first page shows runs of a code location that it knows, by their jobs.
        origin = record.dagster_run.remote_job_origin
        assert origin is not None
        assert (origin.location_name, origin.job_name) == ("star_assets.definitions", "all_tables")
        assert instance.get_materialized_partitions(FACT) == set(DAYS)
    again: list[Outcome] = []
    assert materialize_all(retail, lake.settings, DAYS, again.append)
    assert {outcome.status for outcome in again} == {"unchanged"}


def test_without_a_configuration_the_history_ends_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A demo in somebody's folder must not litter it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    with history() as instance:
        assert instance.is_ephemeral
    assert not list(tmp_path.iterdir())
