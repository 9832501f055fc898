"""The choice of the Athena that answers, by the settings.

The service answers for a lake on S3 if `STAR_ATHENA_WORKGROUP` is set; otherwise the
embedded Athena does, for a local lake and for one on S3.
"""

from __future__ import annotations

from star_assets.athena.client import Athena
from star_assets.lake.catalog import Catalog
from star_assets.lake.storage import Storage
from star_assets.settings import Settings


def open_athena(storage: Storage, catalog: Catalog, settings: Settings) -> Athena:
    """An Athena over a lake and its catalog. It connects when the first statement comes."""
    if settings.on_aws and settings.athena_workgroup:
        from star_assets.athena.service.service import AthenaService

        return AthenaService(
            storage,
            catalog,
            workgroup=settings.athena_workgroup,
            output=settings.athena_output,
            prefix=settings.glue_prefix,
        )
    from star_assets.athena.embedded import EmbeddedAthena

    return EmbeddedAthena(storage, catalog, threads=settings.threads, memory_limit=settings.memory_limit)
