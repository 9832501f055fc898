"""The Dagster job `housekeeping`: repair the catalog, then remove versions whose retention has ended.

Not here: comparing the catalog with the ledgers (lake.drift), removing versions
(lake.vacuum), the schedule that starts the job (schedules).
"""

import dagster as dg

from star_assets.model.errors import StarError
from star_assets.orchestration.failures import as_failure
from star_assets.orchestration.resources import WAREHOUSE


@dg.op(required_resource_keys={WAREHOUSE}, description="`star-assets repair`, then `star-assets vacuum`.")
def repair_and_vacuum(context: dg.OpExecutionContext) -> None:
    """The catalog first, so that what it still serves of older versions is served no more."""
    warehouse = context.resources.warehouse
    try:
        for drift in warehouse.mend(list(warehouse.star.tables)):
            context.log.warning(f"{drift.table} {drift.partition or ''}: {drift.what}")
        removed = warehouse.vacuum()
    except StarError as error:
        raise as_failure(error) from None
    context.add_output_metadata(
        {
            "versions removed": removed.versions,
            "files removed": removed.files,
            "bytes removed": removed.bytes,
            "versions waiting for their retention": removed.waiting,
        }
    )


@dg.job(description="Bring the catalog in step with what is live; remove versions that nobody needs any more.")
def housekeeping() -> None:
    """One step, which may run beside any other run."""
    repair_and_vacuum()
