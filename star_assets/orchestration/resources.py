"""The warehouse as a Dagster resource: one per process, opened at its first use."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import dagster as dg

from star_assets.model import Star
from star_assets.settings import Settings

if TYPE_CHECKING:
    from star_assets.pipeline.warehouse import Warehouse

WAREHOUSE = "warehouse"


def warehouse_resource(star: Star, settings: Settings) -> dg.ResourceDefinition:
    """A resource whose value is the Warehouse of the star."""

    @cache
    def opened() -> Warehouse:
        # Imported here, so that loading the definitions needs no engine.
        from star_assets.pipeline.warehouse import Warehouse

        return Warehouse(star, settings)

    return dg.ResourceDefinition(lambda _: opened(), description=f"The star's lake at {settings.lake}.")
