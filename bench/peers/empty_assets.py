"""As many assets and checks as a star has, that do nothing: what Dagster itself takes.

Each asset is recorded for each day of a run, and so is its check. Beside them
the first asset has so many checks that are recorded once a run.

    EMPTY_ASSETS=10 EMPTY_RUN_CHECKS=4 \\
        dagster asset materialize -f empty_assets.py --select '*' --partition 2023-07-01
"""

import os
from collections.abc import Iterator

import dagster as dg

ASSETS, RUN_CHECKS = int(os.environ["EMPTY_ASSETS"]), int(os.environ["EMPTY_RUN_CHECKS"])
DAYS = dg.DailyPartitionsDefinition("2023-07-01")


def empty_asset(number: int) -> dg.AssetsDefinition:
    name = f"empty_{number}"
    checks = [f"check_{n}" for n in range(RUN_CHECKS)] if number == 0 else []

    @dg.asset(
        name=name,
        partitions_def=DAYS,
        backfill_policy=dg.BackfillPolicy.single_run(),
        check_specs=[dg.AssetCheckSpec(check, asset=name) for check in checks],
    )
    def empty(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        for day in context.partition_keys:
            context.log_event(
                dg.AssetCheckEvaluation(
                    context.asset_key, check_name="audit", passed=True, metadata={}, blocking=True, partition=day
                )
            )
        yield dg.MaterializeResult(
            check_results=[dg.AssetCheckResult(passed=True, check_name=check) for check in checks]
        )

    return empty


defs = dg.Definitions(
    assets=[empty_asset(number) for number in range(ASSETS)],
    executor=dg.in_process_executor,
)
