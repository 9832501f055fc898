"""Which storage and catalog a lake has: told by `STAR_LAKE`.

Here: one line per kind of place. An adapter is imported when its lake is opened,
so that nobody waits for a service that he does not use.
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

from star_assets.lake.catalog import Catalog
from star_assets.lake.storage import Storage
from star_assets.settings import Settings

# URL scheme → what opens the storage, what opens the catalog. A folder has no scheme.
PLACES = {
    "": ("local_storage:open_folder", "local_catalog:open_folder"),
    "s3": ("s3_storage:open_s3", "glue_catalog:open_glue"),
}


def open_storage(settings: Settings) -> Storage:
    """Where the lake's bytes are."""
    return cast(Storage, _open(settings, 0))


def open_catalog(settings: Settings) -> Catalog:
    """What Athena sees of the lake."""
    return cast(Catalog, _open(settings, 1))


def _open(settings: Settings, which: int) -> object:
    scheme = settings.lake.partition("://")[0] if "://" in settings.lake else ""
    module, _, function = PLACES[scheme][which].partition(":")
    return getattr(import_module(f"star_assets.lake.{module}"), function)(settings)
