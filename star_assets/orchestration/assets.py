"""The assets: one per source, dimension and fact, generated from the star.

Here: what an asset declares, and how a step records each day in Dagster. Not here:
how a day is staged, built, audited and published (pipeline).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.storage.partition_status_cache import AssetPartitionStatus

from star_assets.model import Dimension, Source, Star
from star_assets.model.errors import StarError
from star_assets.model.schema import AnyTable
from star_assets.orchestration.dependencies import upstream
from star_assets.orchestration.describe import (
    AUDIT,
    DAYS_SHOWN,
    audit_evaluation,
    bars,
    column_lineage,
    console_metadata,
    definition_metadata,
    included_metadata,
    outcome_metadata,
    sample_table,
)
from star_assets.orchestration.failures import as_failure, failed_days
from star_assets.orchestration.keys import asset_key
from star_assets.orchestration.partitions import daily_partitions
from star_assets.orchestration.resources import WAREHOUSE
from star_assets.orchestration.unevaluated import repeat_last_evaluations
from star_assets.pipeline.identity import code_identity
from star_assets.pipeline.outcome import Outcome
from star_assets.settings import Settings

if TYPE_CHECKING:
    from star_assets.pipeline.glue.step import Launch


# The tags of runs that a schedule or sensor started: these runs do not undo a rollback.
AUTOMATIC = {"dagster/schedule_name", "dagster/sensor_name"}


def build_assets(star: Star, settings: Settings) -> list[dg.AssetsDefinition]:
    """An asset for every table, in the order data flows."""
    partitions = daily_partitions(settings)
    return [build_asset(star, table, settings, partitions) for table in star.tables.values()]


def build_asset(
    star: Star, table: AnyTable, settings: Settings, partitions: dg.PartitionsDefinition[Any]
) -> dg.AssetsDefinition:
    """One table's asset. Its key is the table's name; its `audit` check is recorded for each day.

    A range is one run, because a pass over many days costs little more than one.
    """
    is_source, key = isinstance(table, Source), asset_key(settings, table.name)
    audit = dg.AssetCheckSpec(
        AUDIT,
        asset=key,
        blocking=True,
        partitions_def=partitions,
        description="The rules that the model implies. A version that breaks one is not published.",
    )

    @dg.asset(
        key=key,
        description=table.description,
        owners=[star.owner(table)],
        group_name="oltp" if is_source else "olap",
        kinds={"duckdb" if settings.engine == "auto" else settings.engine, "parquet"}
        | (set() if is_source else {"athena"}),
        deps=[asset_key(settings, name) for name in upstream(star, table)],
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        code_version=code_identity(star, table, settings),
        metadata=definition_metadata(star, table, settings),
        check_specs=[audit],
        required_resource_keys={WAREHOUSE},
    )
    def step(context: dg.AssetExecutionContext) -> Iterator[Any]:
        try:
            yield from refresh(context, table)
        except dg.Failure:
            yield from repeat_last_evaluations(context, star, settings, table)
            raise
        yield dg.Output(None, output_name=audit.get_python_identifier())
        yield dg.MaterializeResult()

    return step


def launcher(context: dg.AssetExecutionContext, settings: Settings) -> "Launch":
    """Starts Glue jobs for the run's days. Raises BadSetting if the settings name no job."""
    # Imported here, because only runs on Glue need it.
    from star_assets.orchestration.glue import GlueLauncher

    return GlueLauncher(context, settings)


def refresh(context: dg.AssetExecutionContext, table: AnyTable) -> Iterator[Any]:
    """Publish the run's days, record each in Dagster, and fail at the end if a day failed.

    If no day failed, Dagster records all of them when the step ends. If one failed,
    the step records the good days itself before it raises: Dagster would record none
    of them after a failure, and the bad ones too after a success.
    """
    warehouse = context.resources.warehouse
    outcomes: list[Outcome] = []
    try:
        options: dict[str, Any] = {"undo_rollbacks": not AUTOMATIC & context.run.tags.keys()}
        if warehouse.settings.uses_glue:
            options["launch"] = launcher(context, warehouse.settings)
        for outcome in warehouse.refresh(table.name, context.partition_keys, **options):
            yield audit_evaluation(context.asset_key, outcome)
            outcomes.append(outcome)
    except StarError as error:
        raise as_failure(error) from None
    published = sorted((outcome for outcome in outcomes if not outcome.error), key=lambda outcome: outcome.day)
    good = {
        outcome.day: {**outcome_metadata(table, outcome), **console_metadata(warehouse, table, outcome.location or "")}
        for outcome in published
    }
    if good:
        last = max(good)
        good[last]["sample"] = sample_table(warehouse.sample(table.name, last))
        if not isinstance(table, Dimension):
            rows = warehouse.newest_rows(table.name, DAYS_SHOWN)
            good[last][f"rows of the last {DAYS_SHOWN} days"] = dg.MetadataValue.md(bars(rows))
        # Dagster+ takes column lineage from the newest event alone.
        if not isinstance(table, Source):
            good[last]["dagster/column_lineage"] = column_lineage(warehouse.star, table, warehouse.settings)
    yield from included(context, published)
    if len(good) < len(outcomes):
        for day, metadata in good.items():
            yield dg.AssetMaterialization(context.asset_key, partition=day, metadata=metadata)
        raise failed_days(table.name, outcomes)
    for day, metadata in good.items():
        context.add_asset_metadata(metadata, partition_key=day)


def included(context: dg.AssetExecutionContext, published: list[Outcome]) -> Iterator[dg.AssetMaterialization]:
    """A materialization of each day that a dimension includes and that Dagster shows as not materialized.

    A dimension is one table, so a run of any day brings all days up to date. The run's
    own days are recorded elsewhere.
    """
    newest = published[-1] if published else None
    if newest is None or not newest.included:
        return
    asked, last = set(context.partition_keys), context.resources.warehouse.settings.last_partition.isoformat()
    days = [day for day in newest.included if day not in asked and day <= last]
    known = context.instance.get_status_by_partition(context.asset_key, days, context.assets_def.partitions_def) or {}
    for day in days:
        if known.get(day) is not AssetPartitionStatus.MATERIALIZED:
            yield dg.AssetMaterialization(context.asset_key, partition=day, metadata=included_metadata(newest))
