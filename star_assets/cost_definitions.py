"""The Dagster code location of costs: the star of costs, as assets, where the settings ask for costs; else nothing."""

import dagster as dg

from star_assets.settings import load_settings

settings = load_settings()


def build() -> dg.Definitions:
    """The definitions; none where nobody asks for costs, who need not wait for their import."""
    if not settings.asks_for_costs:
        return dg.Definitions()
    from star_assets.orchestration.costs import build_costs

    return build_costs(settings)


defs = build()
