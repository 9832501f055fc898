"""The Dagster code location of the star of costs; it is empty unless STAR_COSTS_START_DATE is set."""

import dagster as dg

from star_assets.settings import load_settings

settings = load_settings()


def build() -> dg.Definitions:
    """The definitions. Without costs they are empty, and nothing else is imported."""
    if not settings.asks_for_costs:
        return dg.Definitions()
    from star_assets.orchestration.costs import build_costs

    return build_costs(settings)


defs = build()
