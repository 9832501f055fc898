"""Dagster's history in PostgreSQL, as host/dagster.yaml keeps it, against a real server."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import psycopg
import pytest
import yaml
from dagster._core.test_utils import instance_for_test
from dagster_postgres.event_log import PostgresEventLogStorage

from star_assets.orchestration.postgres_log import PostgresEventLog

from ..postgres_server import programs

HOST = Path(__file__).parents[2] / "host" / "dagster.yaml"
ORDERS = dg.AssetKey("orders")


@pytest.fixture
def url(postgres_url: str) -> str:
    """A database of its own."""
    name = f"dagster_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
    return f"{postgres_url.rpartition('/')[0]}/{name}"


@contextmanager
def history(url: str, folder: Path, log: str = "PostgresEventLog") -> Iterator[dg.DagsterInstance]:
    """An instance whose storages are those of host/dagster.yaml, but for where the server is and the kind of log."""
    settings = yaml.safe_load(HOST.read_text())
    chosen = {name: settings[name] for name in ("event_log_storage", "run_storage", "schedule_storage")}
    for storage in chosen.values():
        storage["config"] = {"postgres_url": url.replace("postgresql", storage["config"]["postgres_db"]["scheme"], 1)}
    if log != "PostgresEventLog":
        chosen["event_log_storage"] |= {"module": "dagster_postgres.event_log", "class": log}
    with instance_for_test(temp_dir=str(folder), overrides=chosen) as instance:
        yield instance


@pytest.fixture
def instance(url: str, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with history(url, tmp_path) as found:
        yield found


def tell(instance: dg.DagsterInstance, *days: str) -> None:
    for day in days:
        instance.report_runless_asset_event(dg.AssetMaterialization(ORDERS, partition=day))


def connections(url: str) -> list[int]:
    """The processes with which the server answers others than this question."""
    question = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(url) as server:
        return [pid for (pid,) in server.execute(question).fetchall()]


def test_events_go_over_one_connection_that_stays_open(instance: dg.DagsterInstance, url: str) -> None:
    """A connection for each statement costs ten times as much as what is written."""
    tell(instance, "2023-07-01")
    before = connections(url)
    tell(instance, *(f"2023-07-{day:02d}" for day in range(2, 12)))
    assert len(before) == 1
    assert connections(url) == before
    assert len(instance.get_materialized_partitions(ORDERS)) == 11


def test_a_server_that_was_restarted_loses_no_event(instance: dg.DagsterInstance, url: str) -> None:
    """PostgreSQL killed amid a backfill: the next event finds its connection closed."""
    tell(instance, "2023-07-01")
    with psycopg.connect(url) as server:
        ended = server.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()
    assert ended == (1,)
    tell(instance, "2023-07-02")
    assert instance.get_materialized_partitions(ORDERS) == {"2023-07-01", "2023-07-02"}


def test_dagsters_own_log_can_read_and_continue_what_ours_wrote(url: str, tmp_path: Path) -> None:
    """Whoever drops our class from dagster.yaml keeps the history, and the other way round."""
    with history(url, tmp_path) as instance:
        assert isinstance(instance.event_log_storage, PostgresEventLog)
        tell(instance, "2023-07-01")
    with history(url, tmp_path, "PostgresEventLogStorage") as instance:
        assert type(instance.event_log_storage) is PostgresEventLogStorage
        tell(instance, "2023-07-02")
    with history(url, tmp_path) as instance:
        assert instance.get_materialized_partitions(ORDERS) == {"2023-07-01", "2023-07-02"}


def test_a_run_ends_with_its_history_in_the_server_and_in_its_backup(
    instance: dg.DagsterInstance, url: str, tmp_path: Path
) -> None:
    """The way of docs/aws.md: pg_dump, and pg_restore into another database."""
    job = dg.define_asset_job("any")
    defs = dg.Definitions([dg.AssetsDefinition.from_op(dg.op(name="numbers")(lambda: 1))], jobs=[job])
    assert defs.get_job_def("any").execute_in_process(instance=instance).success
    bin_ = programs()
    assert bin_ is not None
    dump, other = tmp_path / "dagster.dump", f"{url}_restored"
    subprocess.run([bin_ / "pg_dump", "-Fc", "-f", dump, url], check=True)
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {other.rpartition('/')[2]}")
    subprocess.run([bin_ / "pg_restore", "-d", other, dump], check=True)
    with history(other, tmp_path) as restored:
        (run,) = restored.get_runs()
        assert run.status is dg.DagsterRunStatus.SUCCESS
        assert len(restored.all_logs(run.run_id)) == len(instance.all_logs(run.run_id)) > 5


def test_a_table_that_is_not_there_is_not_remembered_as_there(instance: dg.DagsterInstance) -> None:
    log = instance.event_log_storage
    assert isinstance(log, PostgresEventLog)
    assert log.has_table("event_logs")
    assert not log.has_table("no_such_table")
