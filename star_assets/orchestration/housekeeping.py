"""The Dagster job `housekeeping`: repair the catalog, vacuum superseded versions, verify the lake's files.

Not here: comparing the catalog with the ledgers (lake.drift), removing versions
(lake.vacuum), how damage is found (keeping.verify), the schedule that starts the job
(schedules).
"""

import dagster as dg

from star_assets.keeping.verify import verify
from star_assets.model.errors import StarError
from star_assets.orchestration.failures import as_failure
from star_assets.orchestration.resources import WAREHOUSE

# So many damages are named in the failure; the rest are counted.
NAMED = 5


@dg.op(required_resource_keys={WAREHOUSE}, description="Mend the catalog, `star-assets vacuum`, `verify --quick`.")
def repair_and_vacuum(context: dg.OpExecutionContext) -> None:
    """Mend the catalog first, so that it serves no version that vacuum is about to remove.

    The job fails if it finds damage, so that the people who are notified of failures learn of it.
    """
    warehouse = context.resources.warehouse
    try:
        for drift in warehouse.mend(list(warehouse.star.tables)):
            context.log.warning(f"{drift.table} {drift.partition or ''}: {drift.what}")
        removed = warehouse.vacuum()
        damages = verify(warehouse, quick=True).damages
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
    if damages:
        named = "\n".join(map(str, damages[:NAMED]))
        message = f"Damaged: {len(damages):,}. `star-assets verify` lists all of it, and what mends it.\n{named}"
        raise dg.Failure(message, allow_retries=False)


@dg.job(description="Repair the catalog, remove superseded versions whose retention has ended, and look for damage.")
def housekeeping() -> None:
    """One step, which may run at the same time as any other run."""
    repair_and_vacuum()
