"""The Dagster code location: the star that STAR_MODEL names, as assets. It assembles and opens nothing."""

from star_assets.model import load_star
from star_assets.orchestration.build import build_definitions
from star_assets.settings import load_settings

settings = load_settings()
defs = build_definitions(load_star(settings.model), settings)
