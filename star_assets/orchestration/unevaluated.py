"""Checks that a run planned and did not evaluate, because a step failed: their last evaluations are recorded again.

Dagster would show these checks as failed. After a bad day of a source, that is each check of each
table built from it, though every live version is unchanged. Not here: evaluating checks (checks).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster_shared.record import replace

from star_assets.model import Star
from star_assets.model.schema import AnyTable
from star_assets.orchestration.dependencies import downstream
from star_assets.orchestration.describe import AUDIT
from star_assets.orchestration.keys import asset_key
from star_assets.settings import Settings

EVALUATED = {AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED}


def repeat_last_evaluations(
    context: dg.AssetExecutionContext, star: Star, settings: Settings, table: AnyTable
) -> Iterator[dg.AssetCheckEvaluation]:
    """The last evaluation of each check that the run planned and cannot evaluate, because this table failed.

    A check without any earlier evaluation is left out: Dagster shows it as failed.
    """
    storage = context.instance.event_log_storage
    tables = {asset_key(settings, name) for name in star.tables}
    kept = {asset_key(settings, name) for name in downstream(star, [table.name])}
    planned = storage.get_records_for_run(
        context.run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED
    )
    for record in planned.records:
        event: Any = record.event_log_entry.get_dagster_event().event_specific_data
        key = dg.AssetCheckKey(event.asset_key, event.check_name)
        own_audit = key == dg.AssetCheckKey(context.asset_key, AUDIT)
        if own_audit or (event.asset_key in tables and event.asset_key not in kept):
            continue
        # Dagster plans every check for the run's days; for checks without partitions it records one evaluation.
        days = context.partition_keys if key.name == AUDIT else [None]
        for day in days:
            chosen = PartitionKeyFilter(key=day)
            for before in storage.get_asset_check_execution_history(key, 1, None, EVALUATED, chosen):
                evaluation = before.evaluation
                assert evaluation is not None
                note = dg.MetadataValue.text(f"before this run, in which {table.name} failed")
                yield replace(evaluation, metadata={**evaluation.metadata, "evaluated": note})
