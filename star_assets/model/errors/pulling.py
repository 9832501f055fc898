"""The errors of pulling exports from a database: DatabaseRefused and DatabaseBusy."""

from __future__ import annotations

from dataclasses import dataclass

from star_assets.model.errors.tree import Permanent, Transient


@dataclass(eq=False)
class DatabaseRefused(Permanent):
    """The database refuses a statement: credentials, a right, a table or a column is missing."""

    what: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}: {self.problem}. No export was written. {self.remedy}."


@dataclass(eq=False)
class DatabaseBusy(Transient):
    """The database cannot be reached, gave up on a statement, or its clock has not reached the end of the day."""

    what: str
    problem: str

    def __str__(self) -> str:
        return f"{self.what}: {self.problem}. No export was written; run it again later."
