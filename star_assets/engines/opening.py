"""The engines by name. One is imported when it is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from star_assets.model.portable import require_portable
from star_assets.model.star import Star
from star_assets.settings import Settings

if TYPE_CHECKING:
    from star_assets.engines.engine import Engine
    from star_assets.engines.spark_files import SparkFiles

ENGINES = ("duckdb", "spark")


def require_known(star: Star, settings: Settings) -> None:
    """Raises BadDeclaration where an engine may compute something else than DuckDB would.

    Who computes with DuckDB alone may use all that it has.
    """
    if settings.engine != "duckdb":
        require_portable(star)


def open_engine(engine: str, star: Star, settings: Settings, files: SparkFiles) -> Engine:
    """What computes this star. Nothing is started before it is used."""
    if engine == "spark":
        from star_assets.engines.spark_engine import SparkEngine

        return SparkEngine(star, settings, files)
    from star_assets.engines.duckdb_engine import DuckDBEngine

    return DuckDBEngine(star, settings)
