"""Glue's runs of jobs, simulated: each runs the job's own script as a process here, with the arguments it was given.

Real are the script, Spark, the arguments, Pipes' messages and the lake on moto's S3;
simulated are Glue's queue, its workers and its meter. It takes the place of boto3's
client of Glue, since moto's runs execute nothing.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

# What a job's ScriptLocation holds: the package is the script.
SCRIPT = "import runpy\nrunpy.run_module('star_assets.pipeline.glue.job', run_name='__main__')\n"


class ConcurrentRunsExceeded(Exception):
    """As botocore raises it."""

    response: dict[str, Any] = {"Error": {"Code": "ConcurrentRunsExceededException", "Message": "too many runs"}}  # noqa: RUF012


class GlueOnThisMachine:
    """The calls of boto3's client that start, watch and stop runs."""

    def __init__(
        self, folder: Path, script: str = SCRIPT, states: tuple[str, ...] = (), python: Path = Path(sys.executable)
    ) -> None:
        self.folder, self.states, self.python = folder, list(states), python
        self.script = folder / "script.py"
        self.script.write_text(script)
        self.started: list[dict[str, Any]] = []
        self.stopped: list[str] = []
        self._runs: dict[str, subprocess.Popen[bytes]] = {}

    def start_job_run(self, **given: Any) -> dict[str, str]:
        if self.states and self.states[0] == "REFUSED":
            self.states.pop(0)
            raise ConcurrentRunsExceeded
        self.started.append(given)
        run_id = f"jr_{len(self.started)}"
        arguments = [text for pair in given["Arguments"].items() for text in pair]
        output = (self.folder / f"{run_id}.log").open("wb")
        self._runs[run_id] = subprocess.Popen(
            [self.python, self.script, *arguments],
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        return {"JobRunId": run_id}

    def get_job_run(self, JobName: str, RunId: str) -> dict[str, Any]:  # noqa: N803
        given = self.started[int(RunId.removeprefix("jr_")) - 1]
        state = self._state(RunId)
        run = {
            "Id": RunId,
            "JobRunState": state,
            "ExecutionTime": 90,
            "WorkerType": given["WorkerType"],
            "NumberOfWorkers": given["NumberOfWorkers"],
            "ExecutionClass": given["ExecutionClass"],
        }
        return {"JobRun": {**run, **({"ErrorMessage": "SystemExit: 1"} if state == "FAILED" else {})}}

    def get_job_runs(self, JobName: str, MaxResults: int) -> dict[str, Any]:  # noqa: N803
        return {"JobRuns": [{"Id": run_id, "JobRunState": self._state(run_id)} for run_id in self._runs]}

    def batch_stop_job_run(self, JobName: str, JobRunIds: list[str]) -> dict[str, Any]:  # noqa: N803
        for run_id in JobRunIds:
            self.stopped.append(run_id)
            os.killpg(self._runs[run_id].pid, signal.SIGKILL)
            self._runs[run_id].wait()
        return {"SuccessfulSubmissions": [], "Errors": []}

    def _state(self, run_id: str) -> str:
        code = self._runs[run_id].poll()
        if run_id in self.stopped:
            return "STOPPED"
        if code is None:
            return "RUNNING"
        return self.states.pop(0) if self.states else "SUCCEEDED" if code == 0 else "FAILED"
