"""The checks that a failed step keeps a run from evaluating: what was found last is recorded of them once more.

Dagster shows every check that a failed run planned and did not evaluate as failed. After a bad
day of a source, that is each check of each table built from it, though all is live as it was.
Not here: the evaluations themselves (describe, checks).
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


def found_before(
    context: dg.AssetExecutionContext, star: Star, settings: Settings, table: AnyTable
) -> Iterator[dg.AssetCheckEvaluation]:
    """What was found last by each check that the run planned, and does not come to because this table failed.

    A check that was never evaluated is left out: Dagster shows that it failed.
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
        # Dagster plans every check for the run's days; of those that have none, it records one evaluation.
        days = context.partition_keys if key.name == AUDIT else [None]
        for day in days:
            chosen = PartitionKeyFilter(key=day)
            for before in storage.get_asset_check_execution_history(key, 1, None, EVALUATED, chosen):
                evaluation = before.evaluation
                assert evaluation is not None
                said = dg.MetadataValue.text(f"before this run, in which {table.name} failed")
                yield replace(evaluation, metadata={**evaluation.metadata, "evaluated": said})
