"""Asset keys: a table's name, after STAR_KEY_PREFIX if several stars share a Dagster."""

from __future__ import annotations

import dagster as dg

from star_assets.settings import Settings


def asset_key(settings: Settings, name: str) -> dg.AssetKey:
    """The key of the asset of a table or a report."""
    return dg.AssetKey([*filter(None, [settings.key_prefix]), name])
