"""Materializing every table from a program: one Dagster run, in this process, kept in the history.

Used by `star-assets demo`. Not here: what the demo prints.
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

Tell = Callable[[Outcome], None]

# The caller shows progress; Dagster's own lines go into the history alone.
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

# The code location of workspace.yaml, and the name that Dagster gives the repository in it.
CODE_LOCATION, REPOSITORY = "star_assets.definitions", "__repository__"


class TellingWarehouse(Warehouse):
    """A warehouse that tells each outcome as soon as it is known."""

    def __init__(self, star: Star, settings: Settings, tell: Tell) -> None:
        super().__init__(star, settings)
        self.tell = tell

    def refresh(
        self, table: str, days: Sequence[str], launch: Launch | None = None, undo_rollbacks: bool = True
    ) -> Iterator[Outcome]:
        """Refresh, and tell."""
        for outcome in super().refresh(table, days, launch, undo_rollbacks):
            self.tell(outcome)
            yield outcome


def materialize_all(star: Star, settings: Settings, days: Sequence[str], tell: Tell) -> bool:
    """Materialize every asset for days that follow each other. Whether the run succeeded.

    What went wrong has been told: a failed day is an outcome with an error. The run
    is one of the job `all_tables`, of the code location that the web UI loads: its
    first page leaves out runs of none.
    """
    definitions = build_definitions(star, settings, TellingWarehouse(star, settings, tell))
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
    """The tags by which Dagster knows a run's day, or its range of days."""
    if len(days) == 1:
        return {"dagster/partition": days[0]}
    return {"dagster/asset_partition_range_start": days[0], "dagster/asset_partition_range_end": days[-1]}


def history() -> AbstractContextManager[dg.DagsterInstance]:
    """The instance that `dagster dev` would use here: of DAGSTER_HOME, or of this folder's dagster.yaml.

    Where there is neither, one that lasts as long as the run.
    """
    if os.getenv("DAGSTER_HOME"):
        return dg.DagsterInstance.get()
    if Path("dagster.yaml").exists():
        return dg.DagsterInstance.from_config(".")
    return dg.DagsterInstance.ephemeral()
