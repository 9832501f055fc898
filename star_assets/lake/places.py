"""Which storage and catalog a lake has: told by the scheme of `STAR_LAKE`, through entry points.

A package that brings a place to keep lakes in has an entry point of each group
under its scheme, called with the settings; `folder` stands for a lake without
one. What is found is imported when its lake is opened, so that nobody waits for a
service that he does not use.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import cast

from star_assets.lake.catalog import Catalog
from star_assets.lake.storage import Storage
from star_assets.settings import CATALOGS, FOLDER, STORAGES, Settings


def open_storage(settings: Settings) -> Storage:
    """Where the lake's bytes are."""
    return cast(Storage, _open(settings, STORAGES))


def open_catalog(settings: Settings) -> Catalog:
    """What Athena sees of the lake."""
    return cast(Catalog, _open(settings, CATALOGS))


def _open(settings: Settings, group: str) -> object:
    scheme = settings.lake.partition("://")[0] if "://" in settings.lake else FOLDER
    return entry_points(group=group)[scheme].load()(settings)
