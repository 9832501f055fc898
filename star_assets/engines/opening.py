"""The engines by name, as entry points of `star_assets.engines`. One is imported when it is opened."""

from __future__ import annotations

from importlib.metadata import entry_points

from star_assets.engines.engine import Engine, Workplace
from star_assets.model.errors import BadSetting
from star_assets.model.portable import require_portable
from star_assets.model.star import Star
from star_assets.settings import Settings

# Packages that bring an engine have an entry point of this group, which is called with a Workplace.
GROUP = "star_assets.engines"


# What STAR_ENGINE may say beside an engine's name: that one is chosen for each run, or that a job of Glue's computes.
AUTO, GLUE = "auto", "glue"


def require_known(star: Star, settings: Settings) -> None:
    """Raises BadSetting for an engine that no package has, BadDeclaration where one may compute else than DuckDB would.

    Who computes with DuckDB alone may use all that it has.
    """
    if settings.engine != "duckdb":
        known = entry_points(group=GROUP).names
        if settings.engine not in (*known, AUTO, GLUE):
            raise BadSetting("STAR_ENGINE", settings.engine, f"{', '.join(sorted(known))}, {AUTO} or {GLUE}")
        require_portable(star)


def open_engine(name: str, workplace: Workplace) -> Engine:
    """What computes a star. Nothing is started before it is used."""
    opened: Engine = entry_points(group=GROUP)[name].load()(workplace)
    return opened
