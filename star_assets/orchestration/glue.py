"""Runs an AWS Glue job for an asset's days through Dagster Pipes: starts it, waits for its end, stops it if cancelled.

Dagster's PipesGlueClient is not used to start and watch the run: it waits for ever
for a run that expired, counts a run without any message as a success, shows no
logs of a failed run, and polls every five seconds. Messages do go through a
Dagster Pipes session. Not here: what the job computes (pipeline/glue/job), the
audit and commit of the versions that it wrote (pipeline/glue/step).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from star_assets.lake.aws import DENIED, Client, aws_errors, region, warn_denied
from star_assets.lake.consoles import job_run_page
from star_assets.lake.places import open_storage
from star_assets.model.errors import BadSetting, JobFailed, JobInterrupted, StarError
from star_assets.orchestration.glue_pipes import LakeContext, LakeMessages
from star_assets.pipeline.glue.step import Job, JobResult
from star_assets.prices import DPUS, glue_run
from star_assets.settings import Settings

# The states in which a run has ended, and those of them after which a retry may succeed.
ENDED = {"SUCCEEDED", "FAILED", "ERROR", "STOPPED", "TIMEOUT", "EXPIRED"}
RETRYABLE = {"STOPPED", "TIMEOUT", "EXPIRED"}

# Seconds between two polls of a run, growing by LONGER: the smallest runs take half a minute.
FIRST_PAUSE, LONGEST_PAUSE, LONGER = 2.0, 30.0, 1.3

# The failure message quotes so many lines of the run's log.
LAST_LINES = 20

# Settings that belong to the machine that starts jobs, and are not passed to them.
LOCAL_SETTINGS = {"engine", "spark_master", "source_dsn", "webhook", "threads", "memory_limit", "cache_size"}


class GlueLauncher:
    """Starts runs of the settings' job for an asset, one for each call, and waits for them."""

    def __init__(
        self, context: dg.AssetExecutionContext, settings: Settings, glue: Any = None, pause: float = FIRST_PAUSE
    ) -> None:
        self.storage = open_storage(settings)
        if not self.storage.uri("").startswith("s3://"):
            raise BadSetting("STAR_LAKE", settings.lake, "s3://bucket/prefix, where Glue computes")
        if not settings.glue_job:
            raise BadSetting("STAR_GLUE_JOB", "", "the name of a job of Glue's; docs/scale.md says how to make one")
        self.job = settings.glue_job
        self.context, self.settings = context, settings
        self.glue = Client("glue", (lambda: glue) if glue else None)
        self.pause = pause

    def __call__(self, job: Job) -> JobResult:
        """Start a run and wait for its end. Raises JobFailed, JobInterrupted, AwsRefused, AwsBusy."""
        reader = LakeMessages(self.storage, interval=self.pause)
        asked = {"table": job.table, "versions": dict(job.versions), "build": job.build.to_json()}
        extras = {**asked, "settings": self._settings()}
        with dg.open_pipes_session(self.context, LakeContext(self.storage), reader, extras) as session:
            run_id = self._start(session.get_bootstrap_cli_arguments())
            self.context.log.info(f"Run {run_id} of Glue's job {self.job}: {self._page(run_id)}")
            run = self._ended(run_id)
        messages = [message for message in session.get_custom_messages() if isinstance(message, Mapping)]
        if error := self._error(run_id, run, any(message.get("done") for message in messages)):
            raise error
        return JobResult(
            {message["day"]: message for message in messages if "day" in message}, self._usage(run_id, run)
        )

    def _settings(self) -> dict[str, Any]:
        """The settings that are passed to the run."""
        return {**self.settings.model_dump(mode="json", exclude=LOCAL_SETTINGS, exclude_unset=True), "engine": "spark"}

    def _start(self, arguments: Mapping[str, str]) -> str:
        """Start a run, once fewer than STAR_GLUE_AT_ONCE are under way. Returns its id."""
        for pause in self._pauses():
            if len(self._under_way()) < self.settings.glue_at_once:
                try:
                    with aws_errors(f"Glue's job {self.job}", "glue:StartJobRun"):
                        return str(self.glue().start_job_run(**self._parameters(arguments))["JobRunId"])
                except Exception as error:
                    if isinstance(error, StarError) or _code(error) != "ConcurrentRunsExceededException":
                        raise
            self.context.log.info(
                f"Waiting: STAR_GLUE_AT_ONCE runs ({self.settings.glue_at_once}) of {self.job} are under way."
            )
            time.sleep(pause)
        raise AssertionError("pauses do not end")

    def _parameters(self, arguments: Mapping[str, str]) -> dict[str, Any]:
        settings = self.settings
        return {
            "JobName": self.job,
            "Arguments": dict(arguments),
            "Timeout": settings.glue_timeout,
            "WorkerType": settings.glue_worker_type,
            "NumberOfWorkers": settings.glue_workers,
            "ExecutionClass": "FLEX" if settings.glue_flex else "STANDARD",
        }

    def _under_way(self) -> list[str]:
        with aws_errors(f"Glue's job {self.job}", "glue:GetJobRuns"):
            runs = self.glue().get_job_runs(JobName=self.job, MaxResults=200)["JobRuns"]
        return [run["Id"] for run in runs if run["JobRunState"] not in ENDED]

    def _ended(self, run_id: str) -> Mapping[str, Any]:
        """The run, once it has ended. If Dagster's run is cancelled meanwhile, Glue's run is stopped."""
        try:
            for pause in self._pauses():
                with aws_errors(f"Run {run_id}", "glue:GetJobRun"):
                    run: Mapping[str, Any] = self.glue().get_job_run(JobName=self.job, RunId=run_id)["JobRun"]
                if run["JobRunState"] in ENDED:
                    return run
                time.sleep(pause)
        except BaseException:
            self.context.log.warning(f"Stopping run {run_id} of Glue's job {self.job}.")
            self.glue().batch_stop_job_run(JobName=self.job, JobRunIds=[run_id])
            raise
        raise AssertionError("pauses do not end")

    def _pauses(self) -> Iterator[float]:
        pause = self.pause
        while True:
            yield pause
            pause = min(pause * LONGER, LONGEST_PAUSE)

    def _error(self, run_id: str, run: Mapping[str, Any], done: bool) -> StarError | None:
        """The error of a run that failed; None if it succeeded."""
        state, page = run["JobRunState"], self._page(run_id)
        if state == "SUCCEEDED":
            silent = "it succeeded without reporting what it wrote; is its script star_assets.pipeline.glue.job?"
            return None if done else JobFailed(self.job, run_id, silent, page, self._log(run_id, run))
        problem = f"it ended as {state}: {run.get('ErrorMessage', 'Glue gives no reason')}".rstrip(".")
        kind = JobInterrupted if state in RETRYABLE else JobFailed
        return kind(self.job, run_id, problem, page, self._log(run_id, run))

    def _log(self, run_id: str, run: Mapping[str, Any]) -> str:
        """The last lines that a run logged, as far as they can be read."""
        lines: list[str] = []
        logs = Client("logs")
        for kind in ("error", "output"):
            group = f"{run.get('LogGroupName') or '/aws-glue/jobs'}/{kind}"
            try:
                found = logs().get_log_events(logGroupName=group, logStreamName=run_id, limit=LAST_LINES)["events"]
            except Exception as error:  # A failure is reported even if its log may not be read.
                if _code(error) in DENIED:
                    warn_denied("logs:GetLogEvents", f"a failed run is shown without its log ({group})", "ReadJobLogs")
                lines.append(f"({group}: {_code(error) or error})")
            else:
                lines += [event["message"].rstrip() for event in found]
        return "\n".join(lines[-LAST_LINES:])

    def _usage(self, run_id: str, run: Mapping[str, Any]) -> dict[str, Any]:
        """The seconds and cost of a run, for all its days together."""
        workers = run.get("NumberOfWorkers") or self.settings.glue_workers
        seconds = run.get("ExecutionTime") or 0
        dpus = DPUS.get(run.get("WorkerType") or self.settings.glue_worker_type, 1)
        used = run.get("DPUSeconds") or float(seconds * workers * dpus)
        flex = run.get("ExecutionClass", "FLEX" if self.settings.glue_flex else "STANDARD") == "FLEX"
        return {
            "glue_run": dg.MetadataValue.url(self._page(run_id)),
            "glue_seconds": seconds,
            "glue_dpu_seconds": used,
            "glue_estimated_cost_usd": float(glue_run(used, flex)),
        }

    def _page(self, run_id: str) -> str:
        return job_run_page(region(), self.job, run_id)


def _code(error: Exception) -> str:
    """AWS's code of an error; empty if the error does not come from AWS."""
    response: Mapping[str, Any] = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code", ""))
