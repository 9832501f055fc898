"""The Dagster job `housekeeping`: repair the catalog, remove versions whose retention has ended, look for damage.

Not here: comparing the catalog with the ledgers (lake.drift), removing versions
(lake.vacuum), what is damage (pipeline.verify), the schedule that starts the job
(schedules).
"""

import dagster as dg

from star_assets.keeping.verify import verify
from star_assets.model.errors import StarError
from star_assets.orchestration.failures import as_failure
from star_assets.orchestration.resources import WAREHOUSE

# Damages that the failure names before it only counts them.
NAMED = 5


@dg.op(required_resource_keys={WAREHOUSE}, description="Mend the catalog, `star-assets vacuum`, `verify --quick`.")
def repair_and_vacuum(context: dg.OpExecutionContext) -> None:
    """The catalog first, so that what it still serves of older versions is served no more.

    Damage is told by failing, so that whoever is told of failures learns of it; a person decides to repair it.
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
        told = f"Damaged: {len(damages):,}. `star-assets verify` lists all of it, and what mends it.\n{named}"
        raise dg.Failure(told, allow_retries=False)


@dg.job(description="Bring the catalog in step; remove versions that nobody needs any more; look for damage.")
def housekeeping() -> None:
    """One step, which may run beside any other run."""
    repair_and_vacuum()
