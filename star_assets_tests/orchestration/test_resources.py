"""What assets of one's own may ask for, here and on AWS, and what they can show of a query."""

import warnings
from collections.abc import Callable
from datetime import date
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from star_assets.athena.client import Athena
from star_assets.athena.embedded import EmbeddedAthena
from star_assets.athena.service.service import AthenaService
from star_assets.lake import consoles
from star_assets.orchestration.build import build_definitions
from star_assets.orchestration.describe import query_metadata
from star_assets.orchestration.run import QUIET
from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.lake import export_samples
from star_assets.settings import Settings
from star_assets.star import retail

from .conftest import DAYS, materialize

SQL = "SELECT count(*) AS n FROM dim_time"


@dg.asset
def asked(athena: dg.ResourceParam[Athena]) -> dg.MaterializeResult:
    """As a user writes it."""
    result = athena.query(SQL)
    return dg.MaterializeResult(metadata={"rows": result.table["n"][0].as_py(), **query_metadata(result)})


def run(settings: Settings, instance: dg.DagsterInstance, asset: dg.AssetsDefinition) -> dict[str, Any]:
    """Materialize a user's asset beside the star's; what it shows."""
    definitions = dg.Definitions.merge(build_definitions(retail, settings), dg.Definitions([asset]))
    job = definitions.resolve_implicit_global_asset_job_def()
    done = job.execute_in_process(instance=instance, asset_selection=[asset.key], run_config=QUIET)
    (event,) = done.asset_materializations_for_node(asset.key.to_user_string())
    return {name: value.value for name, value in event.metadata.items()}


def test_an_asset_that_asks_shows_what_was_read(lake: Warehouse, instance: dg.DagsterInstance) -> None:
    """Numbers, which Dagster charts; and no cost where there is none."""
    for table in ("orders", "dim_time"):
        assert [outcome.error for outcome in lake.refresh(table, DAYS)] == [None] * 3
    shown = run(lake.settings, instance, asked)
    assert (shown["rows"] > 0, shown["bytes_scanned"] > 0, shown["seconds"] > 0) == (True, True, True)
    assert shown.keys() == {"rows", "bytes_scanned", "seconds"}


def test_an_asset_that_asks_athena_shows_what_it_cost_and_where(
    aws: Callable[..., Settings], decided_athena: Any, instance: dg.DagsterInstance
) -> None:
    decided_athena.answer(pa.table({"n": [7]}), ["bigint"])
    decided_athena.decide({"scanned": 2**40})
    shown = run(aws(athena_workgroup=decided_athena.workgroup), instance, asked)
    page = shown.pop("athena query")
    assert page.startswith(
        "https://us-east-1.console.aws.amazon.com/athena/home?region=us-east-1#/query-editor/history/"
    )
    assert (shown["rows"], shown["bytes_scanned"], shown["estimated_cost_usd"]) == (7, 2**40, 5.0)


@pytest.mark.parametrize(("workgroup", "kind"), [(None, EmbeddedAthena), ("analysts", AthenaService)])
def test_the_settings_say_which_athena_answers(
    aws: Callable[..., Settings], instance: dg.DagsterInstance, workgroup: str | None, kind: type[Athena]
) -> None:
    @dg.asset
    def seen(athena: dg.ResourceParam[Athena]) -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata={"is": type(athena).__name__})

    assert run(aws(athena_workgroup=workgroup), instance, seen)["is"] == kind.__name__


def test_on_aws_assets_get_clients_of_s3_and_glue(aws: Callable[..., Settings], instance: dg.DagsterInstance) -> None:
    """By the names and types that users of dagster-aws know."""
    with warnings.catch_warnings():
        # Dagster's libraries warn where they were not released on the same day.
        warnings.simplefilter("ignore")
        from dagster_aws.s3 import S3Resource

    @dg.asset
    def listed(s3: S3Resource, glue: dg.ResourceParam[Any]) -> dg.MaterializeResult:
        buckets = [bucket["Name"] for bucket in s3.get_client().list_buckets()["Buckets"]]
        glue.create_database(DatabaseInput={"Name": f"of_{buckets[0].replace('-', '_')}"})
        return dg.MaterializeResult(metadata={"buckets": len(buckets)})

    assert run(aws(), instance, listed)["buckets"] > 0


def test_a_lake_here_asks_for_nothing_of_aws(settings: Settings) -> None:
    assert build_definitions(retail, settings).resources.keys() == {"warehouse", "athena"}


def test_a_day_on_aws_links_to_its_table_and_its_folder(
    aws: Callable[..., Settings], instance: dg.DagsterInstance
) -> None:
    """From an asset's page to what it made, in one click."""
    settings = aws()
    warehouse = Warehouse(retail, settings)
    export_samples(warehouse.storage, date(2023, 7, 1), 1, orders_per_day=5)
    done = materialize(warehouse, instance, DAYS[:1], "stores")
    (event,) = done.asset_materializations_for_node("stores")
    region = "https://us-east-1.console.aws.amazon.com"
    assert event.metadata["glue table"].value == (
        f"{region}/glue/home?region=us-east-1#/v2/data-catalog/tables/view/stores"
        f"?database={settings.glue_prefix}staging"
    )
    bucket, _, prefix = str(event.metadata["location"].value).removeprefix("s3://").partition("/")
    folder = f"{prefix}/".replace("=", "%3D")
    assert event.metadata["s3 folder"].value == f"{region}/s3/buckets/{bucket}?region=us-east-1&prefix={folder}"


@pytest.mark.parametrize(
    ("region", "console"),
    [
        ("eu-central-1", "https://eu-central-1.console.aws.amazon.com/athena/home?region=eu-central-1"),
        ("cn-north-1", "https://cn-north-1.console.amazonaws.cn/athena/home?region=cn-north-1"),
        ("us-gov-west-1", "https://us-gov-west-1.console.amazonaws-us-gov.com/athena/home?region=us-gov-west-1"),
    ],
)
def test_each_part_of_aws_has_a_console_of_its_own(region: str, console: str) -> None:
    assert consoles.query_page(region, "id") == f"{console}#/query-editor/history/id"
