"""What all books have in common: a star, and DuckDB on this machine."""

from __future__ import annotations

from contextlib import AbstractContextManager

from star_assets.engines.duckdb.relations import Relations, relations
from star_assets.engines.duckdb.session import Database
from star_assets.model.star import Star


class Book:
    """Each call works in a session of its own, so that threads may share a book."""

    def __init__(self, star: Star, database: Database) -> None:
        self.star = star
        self.database = database

    def _tables(self, doing: str) -> AbstractContextManager[Relations]:
        """A session. `doing` says in an error what failed."""
        return relations(self.star, self.database, doing)
