"""Opening a lake's storage and catalog, which entry points provide by the scheme of `STAR_LAKE`.

A package that provides another kind of place for lakes has an entry point in each of two
groups, named after its URL scheme and called with the settings. The name `folder` stands for
a lake without a scheme. An entry point is imported when its lake is opened, so that nobody
waits for the import of a service that is not used.
"""

from __future__ import annotations

from typing import cast

from star_assets.lake.catalog import Catalog
from star_assets.lake.storage import Storage
from star_assets.packages import provided
from star_assets.settings import CATALOGS, FOLDER, STORAGES, Settings


def open_storage(settings: Settings) -> Storage:
    """The storage of the lake at `STAR_LAKE`."""
    return cast(Storage, _open(settings, STORAGES))


def open_catalog(settings: Settings) -> Catalog:
    """The catalog of the lake at `STAR_LAKE`."""
    return cast(Catalog, _open(settings, CATALOGS))


def _open(settings: Settings, group: str) -> object:
    scheme = settings.lake.partition("://")[0] if "://" in settings.lake else FOLDER
    return provided(group)[scheme].load()(settings)
