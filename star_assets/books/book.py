"""The base class of all books: it has a star, and opens sessions of DuckDB on this machine."""

from __future__ import annotations

from contextlib import AbstractContextManager

from star_assets.engines.duckdb.relations import Relations, relations
from star_assets.engines.duckdb.session import Database
from star_assets.model.star import Star


class Book:
    """A book of a star. Each call works in its own DuckDB session, so threads may share a book."""

    def __init__(self, star: Star, database: Database) -> None:
        self.star = star
        self.database = database

    def _tables(self, doing: str) -> AbstractContextManager[Relations]:
        """A session with the star's tables. `doing` says in error messages what failed."""
        return relations(self.star, self.database, doing)
