"""All books of a star, on one DuckDB database."""

from __future__ import annotations

from star_assets.books.accounts import Accounts
from star_assets.books.audits import Audits
from star_assets.books.keys import Keys
from star_assets.books.members import Members
from star_assets.books.states import States
from star_assets.engines.duckdb.session import Database
from star_assets.model.star import Star


class Books:
    """`states`, `keys` and `members` write files that are remembered; `audits` and `accounts` check tables."""

    def __init__(self, star: Star, database: Database) -> None:
        self.states = States(star, database)
        self.keys = Keys(star, database)
        self.members = Members(star, database)
        self.audits = Audits(star, database)
        self.accounts = Accounts(star, database)
