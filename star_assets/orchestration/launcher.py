"""Dagster's default run launcher, extended to report whether a run's process still exists.

Dagster's run monitoring asks the launcher, and marks a run as failed if its process has
ended. The default launcher cannot answer, so a run that was killed together with
`dagster dev` would count as started, and keep a slot and its days, until
`max_runtime_seconds` is over. Not here: what becomes of a failed run
(dagster.yaml: retries; due: requests).
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

from dagster import DagsterEventType, DagsterRun, DagsterRunStatus, DefaultRunLauncher
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.execution.retries import auto_reexecution_should_retry_run
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.storage.runs.sqlite import SqliteRunStorage
from dagster._core.storage.tags import GRPC_INFO_TAG, WILL_RETRY_TAG
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import GetCurrentRunsResult
from dagster._serdes import deserialize_value

# A process starts before its run does; its start time is known to hundredths of a second.
ROUNDING_SECONDS = 2.0

_PROC = Path("/proc")


class WatchedRunLauncher(DefaultRunLauncher):
    """Launches runs as the default launcher does, and checks that their processes still exist."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """True: run monitoring may call `check_run_worker_health`."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether the run is alive: its process, if it is on this machine, else as its code server answers."""
        health = self._health(run)
        # Dagster writes this tag once it has marked the run as failed. A backfill that looks in between ends as failed,
        # and no run of such a backfill is tried again.
        if health.status == WorkerStatus.NOT_FOUND and self._instance.run_retries_enabled:
            failed = run.with_status(DagsterRunStatus.FAILURE)
            will_retry = auto_reexecution_should_retry_run(self._instance, failed, None)
            self._instance.add_run_tags(run.run_id, {WILL_RETRY_TAG: str(will_retry).lower()})
        return health

    def _health(self, run: DagsterRun) -> CheckRunHealthResult:
        begun = self._instance.all_logs(run.run_id, of_type=DagsterEventType.RUN_START)
        if not begun:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        if not self._is_here(run):
            return _health_by_code_server(run)
        event = begun[-1].dagster_event
        if event is None or event.pid is None or is_running(event.pid, begun[-1].timestamp):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(
            WorkerStatus.NOT_FOUND, f"process {event.pid} has ended without reporting the run's end"
        )

    def _is_here(self, run: DagsterRun) -> bool:
        """Whether the run's process is on this machine: its code server is here, or the run storage is a file here."""
        server = json.loads(run.tags.get(GRPC_INFO_TAG, "{}"))
        if server:
            return server.get("host") in ("localhost", "127.0.0.1", "::1") or "socket" in server
        return isinstance(self._instance.run_storage, SqliteRunStorage)


def _health_by_code_server(run: DagsterRun) -> CheckRunHealthResult:
    """Whether the run's code server lists the run. If the server does not answer, the run counts as alive."""
    server = json.loads(run.tags.get(GRPC_INFO_TAG, "{}"))
    if not server:
        return CheckRunHealthResult(WorkerStatus.RUNNING)
    try:
        answer = DagsterGrpcClient(**server).get_current_runs()
    except DagsterUserCodeUnreachableError:
        return CheckRunHealthResult(WorkerStatus.RUNNING)
    if run.run_id in deserialize_value(answer, GetCurrentRunsResult).current_runs:
        return CheckRunHealthResult(WorkerStatus.RUNNING)
    return CheckRunHealthResult(WorkerStatus.NOT_FOUND, f"the code server {server['host']} was started anew since")


def is_running(pid: int, since: float) -> bool:
    """Whether the process that had this id at a time (Unix seconds) still runs. Process ids are reused."""
    began = _began_linux(pid) if _PROC.joinpath("self", "stat").exists() else _began_elsewhere(pid)
    return began is not None and began <= since + ROUNDING_SECONDS


def _began_linux(pid: int) -> float | None:
    """When the process began (Unix seconds); None if there is none, or only a zombie."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
        uptime = float((_PROC / "uptime").read_text().split()[0])
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name, in brackets, may contain any character; the state follows it, then, as the 19th field, the start.
    state, *fields = stat.rpartition(")")[2].split()
    age = uptime - int(fields[18]) / os.sysconf("SC_CLK_TCK")
    return None if state in "ZX" else time.time() - age


def _began_elsewhere(pid: int) -> float | None:
    """When the process began, by `ps`, for macOS; None as in `_began_linux`."""
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    answer = subprocess.run(command, env={"LC_ALL": "C", "PATH": os.defpath}, capture_output=True, text=True).stdout
    state, _, began = answer.strip().partition(" ")
    if not began or state.startswith("Z"):
        return None
    return time.mktime(time.strptime(began.strip(), "%a %b %d %H:%M:%S %Y"))
