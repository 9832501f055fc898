"""Materializes every table in one Dagster run in this process, recorded in Dagster's run history.

`star-assets demo` uses it. Not here: what the demo prints.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from star_assets.model import Star
from star_assets.orchestration.build import build_definitions
from star_assets.orchestration.jobs import all_tables
from star_assets.pipeline.glue.step import Launch
from star_assets.pipeline.outcome import Outcome
from star_assets.pipeline.warehouse import Warehouse
from star_assets.settings import Settings

OnOutcome = Callable[[Outcome], None]

# The caller shows progress, so Dagster's own log lines go only into its run history.
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

# The code location of workspace.yaml, and the name that Dagster gives the repository in it.
CODE_LOCATION, REPOSITORY = "star_assets.definitions", "__repository__"


class ReportingWarehouse(Warehouse):
    """A warehouse that calls back with each outcome as soon as it is known."""

    def __init__(self, star: Star, settings: Settings, on_outcome: OnOutcome) -> None:
        super().__init__(star, settings)
        self.on_outcome = on_outcome

    def refresh(
        self, table: str, days: Sequence[str], launch: Launch | None = None, undo_rollbacks: bool = True
    ) -> Iterator[Outcome]:
        """Refresh, and call back with each outcome."""
        for outcome in super().refresh(table, days, launch, undo_rollbacks):
            self.on_outcome(outcome)
            yield outcome


def materialize_all(star: Star, settings: Settings, days: Sequence[str], on_outcome: OnOutcome) -> bool:
    """Materialize every asset for consecutive days. Whether the run succeeded.

    A failed day is an outcome with an error, which `on_outcome` gets. The run belongs to the
    job `all_tables` of the code location that the web UI loads, because the UI's first page
    omits runs without a code location.
    """
    definitions = build_definitions(star, settings, ReportingWarehouse(star, settings, on_outcome))
    job = definitions.resolve_job_def(all_tables.name)
    location = ManagedGrpcPythonEnvCodeLocationOrigin(LoadableTargetOrigin(module_name=CODE_LOCATION), CODE_LOCATION)
    with history() as instance:
        run = instance.create_run_for_job(
            job,
            run_config=QUIET,
            tags=partition_tags(days),
            remote_job_origin=RemoteJobOrigin(RemoteRepositoryOrigin(location, REPOSITORY), job.name),
        )
        return execute_run(InMemoryJob(job), run, instance).success


def partition_tags(days: Sequence[str]) -> dict[str, str]:
    """The Dagster tags of a run's day, or of its range of days."""
    if len(days) == 1:
        return {"dagster/partition": days[0]}
    return {"dagster/asset_partition_range_start": days[0], "dagster/asset_partition_range_end": days[-1]}


def history() -> AbstractContextManager[dg.DagsterInstance]:
    """The Dagster instance that `dagster dev` would use here: of DAGSTER_HOME, or of this folder's dagster.yaml.

    If there is neither, an ephemeral one.
    """
    if os.getenv("DAGSTER_HOME"):
        return dg.DagsterInstance.get()
    if Path("dagster.yaml").exists():
        return dg.DagsterInstance.from_config(".")
    return dg.DagsterInstance.ephemeral()
