"""What tests open engines and books with: DuckDB of their own, and one file system for all workers."""

from __future__ import annotations

from star_assets.engines.duckdb.session import Database
from star_assets.engines.engine import Workplace
from star_assets.lake.worker_files import SharedFiles
from star_assets.model.star import Star
from star_assets.settings import Settings


def workplace(star: Star, settings: Settings) -> Workplace:
    """A place for an engine on this machine."""
    return Workplace(star, settings, Database(settings), SharedFiles())
