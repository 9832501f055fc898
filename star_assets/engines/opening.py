"""Opens an engine by its name, an entry point of `star_assets.engines`, which is imported only then."""

from __future__ import annotations

from star_assets.engines.engine import Engine, Workplace
from star_assets.model.errors import BadSetting
from star_assets.model.portable import require_portable
from star_assets.model.star import Star
from star_assets.packages import provided
from star_assets.settings import Settings

# The group of entry points by which packages provide engines. An entry point is called with a Workplace.
GROUP = "star_assets.engines"


# Values of STAR_ENGINE that are no engine's name: choose an engine for each step, or compute by a Glue job.
AUTO, GLUE = "auto", "glue"


def require_known(star: Star, settings: Settings) -> None:
    """Raises BadSetting if no package provides the engine, BadDeclaration if it may compute other results than DuckDB.

    With STAR_ENGINE=duckdb, transforms may use all operations of DuckDB.
    """
    if settings.engine != "duckdb":
        known = provided(GROUP).names
        if settings.engine not in (*known, AUTO, GLUE):
            raise BadSetting("STAR_ENGINE", settings.engine, f"{', '.join(sorted(known))}, {AUTO} or {GLUE}")
        require_portable(star)


def open_engine(name: str, workplace: Workplace) -> Engine:
    """The engine of that name. Opening it starts no session yet; its first use does."""
    opened: Engine = provided(GROUP)[name].load()(workplace)
    return opened
