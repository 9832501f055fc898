"""A run whose process was killed is found, marked as failed and started again; nothing waits for it for a day."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.tags import GRPC_INFO_TAG, PARENT_RUN_ID_TAG, ROOT_RUN_ID_TAG
from dagster._grpc.client import DagsterGrpcClient

from star_assets.orchestration.launcher import WatchedRunLauncher, is_running
from star_assets.orchestration.run import history

from ..postgres_server import free_port

REPOSITORY = Path(__file__).parents[2]

# What a run of this code location does: it says its process id, and waits for a line.
WAITS = """\
import os
from pathlib import Path
import dagster as dg

@dg.asset
def waits() -> None:
    said = Path("pids").open("a")
    print(os.getpid(), file=said, flush=True)
    Path("answers").open().readline()

defs = dg.Definitions([waits], jobs=[dg.define_asset_job("waiting")], executor=dg.in_process_executor)
"""


# What a run that is tried again says of the first.
KIN, KIN_TAGS = ("root_run_id", "parent_run_id"), (ROOT_RUN_ID_TAG, PARENT_RUN_ID_TAG)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as whoever runs Dagster here has it, where the daemon looks every second."""
    given = (REPOSITORY / "dagster.yaml").read_text()
    (tmp_path / "dagster.yaml").write_text(given.replace("poll_interval_seconds: 60", "poll_interval_seconds: 1"))
    (tmp_path / "waits.py").write_text(WAITS)
    os.mkfifo(tmp_path / "answers")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    return tmp_path


def process() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)


def test_a_process_runs_until_it_is_killed() -> None:
    begun = process()
    now = time.time()
    assert is_running(begun.pid, now)
    begun.kill()
    # Whether or not its parent has collected it.
    os.waitid(os.P_PID, begun.pid, os.WEXITED | os.WNOWAIT)
    assert not is_running(begun.pid, now)
    begun.wait()
    assert not is_running(begun.pid, now)


def test_another_process_of_the_same_number_is_not_the_run() -> None:
    """After a restart of the machine, numbers begin anew: some process has the run's for sure."""
    assert not is_running(os.getpid(), time.time() - 86_400)


def started(instance: dg.DagsterInstance, pid: int, tags: dict[str, str] | None = None, **others: str) -> dg.DagsterRun:
    """A run that a process of this number has begun."""
    run = instance.create_run_for_job(dg.job(name="any")(lambda: None), tags=tags, **others)
    event = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, "any", pid=pid)
    instance.report_dagster_event(event, run.run_id)
    return run


@pytest.mark.parametrize(
    ("tags", "status"),
    [
        ({}, "NOT_FOUND"),
        ({GRPC_INFO_TAG: '{"host": "localhost", "port": 1}'}, "NOT_FOUND"),
        ({GRPC_INFO_TAG: '{"host": "localhost", "socket": "/tmp/gone"}'}, "NOT_FOUND"),
        # A server elsewhere, which does not answer.
        ({GRPC_INFO_TAG: '{"host": "code.invalid", "port": 1}'}, "RUNNING"),
    ],
)
def test_a_killed_run_is_found_where_its_process_was_here(folder: Path, tags: dict[str, str], status: str) -> None:
    """What another machine runs, this one cannot see; while its server does not answer, it must not be called dead."""
    ended = process()
    ended.kill()
    ended.wait()
    with history() as instance:
        launcher = instance.run_launcher
        assert isinstance(launcher, WatchedRunLauncher)
        assert launcher.check_run_worker_health(started(instance, ended.pid, tags)).status.value == status
        assert launcher.check_run_worker_health(started(instance, os.getpid(), tags)).status.value == "RUNNING"


def test_a_run_says_that_it_will_be_tried_again_before_it_is_marked_as_failed(folder: Path) -> None:
    """A backfill that looks in between ends as failed, and Dagster tries no run of such a backfill again."""
    ended = process()
    ended.kill()
    ended.wait()
    with history() as instance:
        first = started(instance, ended.pid)
        assert waits_for_another(instance, first)
        # dagster.yaml allows one more.
        tags, kin = (dict.fromkeys(names, first.run_id) for names in (KIN_TAGS, KIN))
        assert not waits_for_another(instance, started(instance, ended.pid, tags, **kin))


def waits_for_another(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether a run counts as one that will be tried again from the moment at which it is marked as failed."""
    assert instance.run_launcher.check_run_worker_health(run).status.value == "NOT_FOUND"
    (found,) = instance.get_runs(dg.RunsFilter(run_ids=[run.run_id]))
    waits: bool = found.with_status(dg.DagsterRunStatus.FAILURE).is_complete_and_waiting_to_retry
    return waits


@pytest.fixture
def code_server(folder: Path) -> Iterator[str]:
    """A code server in another container, as compose.yaml has it: what this machine calls it, and its port."""
    port = free_port()
    command = [sys.executable, "-m", "dagster", "api", "grpc", "-f", "waits.py", "-h", "127.0.0.2", "-p", str(port)]
    with (folder / "log").open("ab") as log:
        begun = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    client = DagsterGrpcClient(port, host="127.0.0.2")
    try:
        until(lambda: client.health_check_query() == "SERVING", folder)
        # All of 127.0.0.0/8 is this machine; the launcher knows this address as another's.
        yield json.dumps({"host": "127.0.0.2", "port": port})
    finally:
        begun.kill()
        begun.wait()


def test_a_run_of_a_server_that_was_started_anew_is_found(folder: Path, code_server: str) -> None:
    """A container that was killed, with the runs that worked in it, is back at once and knows of none."""
    with history() as instance:
        run = started(instance, os.getpid(), {GRPC_INFO_TAG: code_server})
        health = instance.run_launcher.check_run_worker_health(run)
        assert (health.status.value, "started anew" in (health.msg or "")) == ("NOT_FOUND", True)


@contextmanager
def dagster_dev(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Dagster's UI and daemon over the folder, as a group of processes of its own."""
    command = [sys.executable, "-m", "dagster", "dev", "-f", "waits.py", "-p", "0"]
    with (folder / "log").open("ab") as log:
        begun = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True)
    try:
        yield begun
    finally:
        if begun.poll() is None:
            os.killpg(begun.pid, signal.SIGKILL)
        begun.wait()


def until(met: Callable[[], object], folder: Path, seconds: float = 180) -> None:
    """Wait for what other processes do."""
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, (folder / "log").read_text()[-3000:]
        time.sleep(0.2)


@pytest.mark.long
def test_a_run_that_is_killed_with_dagster_is_started_again_and_ends(folder: Path) -> None:
    """Its slot and its days would be taken for a day, and both sensors would wait for it."""
    pids = folder / "pids"
    launch = [sys.executable, "-m", "dagster", "job", "launch", "-f", "waits.py", "-j", "waiting"]
    subprocess.run(launch, cwd=folder, check=True, capture_output=True)
    with dagster_dev(folder):
        until(lambda: pids.exists() and pids.read_text().endswith("\n"), folder)
    with history() as instance:
        (killed,) = instance.get_runs()
        assert killed.status is dg.DagsterRunStatus.STARTED
        with dagster_dev(folder):
            until(lambda: instance.get_run_by_id(killed.run_id).status is dg.DagsterRunStatus.FAILURE, folder)
            until(lambda: pids.read_text().count("\n") == 2, folder)
            (folder / "answers").write_text("go on\n")
            until(lambda: instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS])), folder)
        (again,) = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS]))
        assert again.parent_run_id == killed.run_id
