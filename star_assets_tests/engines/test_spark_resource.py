"""Assets of one's own beside those that Spark computes."""

from pathlib import Path
from typing import Any

import dagster as dg

from star_assets.orchestration.build import build_definitions
from star_assets.orchestration.run import QUIET
from star_assets.settings import Settings
from star_assets.star import retail

from ..spark import needs_spark

pytestmark = needs_spark


@dg.asset(required_resource_keys={"pyspark"})
def counted(context: dg.AssetExecutionContext) -> int:
    """As a user writes it."""
    rows: int = context.resources.pyspark.spark_session.range(3).count()
    return rows


def test_an_asset_of_ones_own_has_the_engines_spark(tmp_path: Path) -> None:
    """A second Spark in one process is impossible, so it must be the same."""
    definitions: Any = build_definitions(retail, Settings(lake=str(tmp_path), engine="spark"))
    job = dg.Definitions.merge(definitions, dg.Definitions([counted])).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        done = job.execute_in_process(instance=instance, asset_selection=[counted.key], run_config=QUIET)
    assert done.output_for_node("counted") == 3
