"""What a database that exports are pulled from refuses, or cannot give now."""

from __future__ import annotations

from dataclasses import dataclass

from star_assets.model.errors.tree import Permanent, Transient


@dataclass(eq=False)
class DatabaseRefused(Permanent):
    """The database does not let us: credentials, a right, a table or a column is missing."""

    what: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}: {self.problem}. No export was written. {self.remedy}."


@dataclass(eq=False)
class DatabaseBusy(Transient):
    """The database cannot be reached, gave up, or has not come to the end of the day."""

    what: str
    problem: str

    def __str__(self) -> str:
        return f"{self.what}: {self.problem}. No export was written; run it again later."
