"""The asset `powerbi`, which writes the star's Power BI project into the lake, and its check.

The asset has no partitions: the project depends on the star's declaration, not on a day.
Not here: what is in the project (reports/powerbi).
"""

from typing import Any

import dagster as dg

from star_assets.model import Star
from star_assets.model.errors import StarError
from star_assets.orchestration.describe import check_result, lineage_table
from star_assets.orchestration.failures import SHOWN, as_failure
from star_assets.orchestration.keys import asset_key
from star_assets.orchestration.reports import WHEN_TABLES_CHANGED
from star_assets.orchestration.resources import WAREHOUSE
from star_assets.pipeline.outcome import CheckResult
from star_assets.reports.powerbi.fitting import misfits, model_lineage
from star_assets.reports.powerbi.project import project_files, put_in_lake
from star_assets.settings import Settings

NAME, CHECK = "powerbi", "fits_live_tables"


def build_powerbi(star: Star, settings: Settings) -> tuple[dg.AssetsDefinition, dg.AssetChecksDefinition]:
    """The asset, and the check that the model fits the tables that the catalog serves."""
    lineage = _lineage(star, settings)

    @dg.asset(
        key=asset_key(settings, NAME),
        description="The Power BI project: a semantic model over Athena and a report, as docs/power-bi.md describes.",
        owners=[star.default_owner],
        group_name="bi",
        kinds={"powerbi"},
        deps=[asset_key(settings, name) for name in (*star.dimensions, *star.facts)],
        automation_condition=WHEN_TABLES_CHANGED,
        # Dagster requires this policy of every asset in a run over a range of days.
        backfill_policy=dg.BackfillPolicy.single_run(),
        metadata={"dagster/column_lineage": lineage, "lineage": lineage_table(lineage)},
        required_resource_keys={WAREHOUSE},
    )
    def powerbi(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        files = project_files(star, settings)
        try:
            location = put_in_lake(context.resources.warehouse.storage, files)
        except StarError as error:
            raise as_failure(error) from None
        return dg.MaterializeResult(metadata={"files": len(files), "location": dg.MetadataValue.path(location)})

    @dg.asset_check(
        name=CHECK,
        asset=asset_key(settings, NAME),
        description="Every column of the model is in the table that the catalog serves, with its type.",
        required_resource_keys={WAREHOUSE},
    )
    def fits_live_tables(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        try:
            return check_result(_fits(misfits(star, context.resources.warehouse.catalog)), dg.AssetCheckSeverity.ERROR)
        except StarError as error:
            raise as_failure(error) from None

    return powerbi, fits_live_tables


def _lineage(star: Star, settings: Settings) -> dg.TableColumnLineage:
    """The lake's columns that each column and measure of the model comes from."""
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(asset_key(settings, table), name) for table, name in origins]
            for column, origins in model_lineage(star).items()
        }
    )


def _fits(found: list[str]) -> CheckResult:
    """The check's result. `found` names the columns that do not fit."""
    text = " ".join(found[:SHOWN]) or "every column of the model is served with its type"
    return CheckResult(CHECK, not found, text, {"expected": 0, "actual": len(found), "columns": found})
