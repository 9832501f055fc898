"""Dagster resources: the warehouse, an Athena, PySpark if the engine is Spark, and on AWS clients of S3 and Glue.

Each is opened at its first use. Of dagster-aws, `S3Resource` is used. Its
`AthenaClientResource` is not: it returns values as text without their types, does not
report bytes scanned or cost, reuses no result, stops waiting after ten minutes while the
query goes on, and needs AWS. dagster-aws has no resource for Glue's catalog.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import dagster as dg

from star_assets.model import Star
from star_assets.orchestration.powerbi_refresh import WORKSPACE, workspace_resource
from star_assets.settings import Settings

if TYPE_CHECKING:
    from star_assets.athena.client import Athena
    from star_assets.pipeline.warehouse import Warehouse

WAREHOUSE, ATHENA, S3, GLUE, PYSPARK = "warehouse", "athena", "s3", "glue", "pyspark"


def build_resources(star: Star, settings: Settings, warehouse: object | None = None) -> dict[str, object]:
    """The resources of a star; `warehouse` replaces the one that its settings describe."""
    found = {WAREHOUSE: warehouse or warehouse_resource(star, settings), ATHENA: athena_resource()}
    if settings.engine in ("spark", "auto"):
        found[PYSPARK] = pyspark_resource(settings)
    if settings.powerbi_model:
        found[WORKSPACE] = workspace_resource(settings)
    return {**found, S3: s3_resource(), GLUE: glue_resource()} if settings.on_aws else found


def warehouse_resource(star: Star, settings: Settings) -> dg.ResourceDefinition:
    """A resource whose value is the Warehouse of the star."""

    @cache
    def opened() -> Warehouse:
        # Imported here, so that loading the definitions needs no engine.
        from star_assets.pipeline.warehouse import Warehouse

        return Warehouse(star, settings)

    return dg.ResourceDefinition(lambda _: opened(), description=f"The star's lake at {settings.lake}.")


def athena_resource() -> dg.ResourceDefinition:
    """A resource whose value is an Athena over the lake: the service, or the embedded one, as the settings say."""

    def opened(context: dg.InitResourceContext) -> Athena:
        from star_assets.athena.opening import open_athena

        warehouse: Warehouse = getattr(context.resources, WAREHOUSE)
        return open_athena(warehouse.storage, warehouse.catalog, warehouse.settings)

    return dg.ResourceDefinition(opened, description="SQL over the lake.", required_resource_keys={WAREHOUSE})


def pyspark_resource(settings: Settings) -> dg.ResourceDefinition:
    """A resource whose value is dagster-pyspark's: its `spark_session` is of the Spark that the engine uses."""

    def opened(_: object) -> Any:
        from dagster_pyspark import LazyPySparkResource

        # An asset may ask for the session before the engine does, so it starts Spark with the engine's settings.
        from star_assets.engines.spark.session import QUIET

        master = {"spark.master": settings.spark_master} if settings.spark_master else {}
        return LazyPySparkResource(spark_config={**QUIET, **master})

    return dg.ResourceDefinition(opened, description="PySpark, by dagster-pyspark.")


def s3_resource() -> dg.ResourceDefinition:
    """A resource whose value is dagster-aws's S3Resource: `get_client()` gives boto3's client."""

    def opened(_: object) -> Any:
        # It takes two seconds to import.
        from dagster_aws.s3 import S3Resource

        return S3Resource()

    return dg.ResourceDefinition(opened, description="S3, by dagster-aws.")


def glue_resource() -> dg.ResourceDefinition:
    """A resource whose value is boto3's client of Glue, with the region, retries and endpoint of the lake's own."""

    def opened(_: object) -> Any:
        from star_assets.lake.aws import Client

        return Client("glue")()

    return dg.ResourceDefinition(opened, description="Glue's Data Catalog, by boto3.")
