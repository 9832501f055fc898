"""What a database that exports are pulled from refuses, or cannot give now."""

from __future__ import annotations

from star_assets.model.errors.tree import Permanent, Transient


class DatabaseRefused(Permanent):
    """The database does not let us: credentials, a right, a table or a column is missing."""

    def __init__(self, what: str, problem: str, remedy: str) -> None:
        super().__init__(what, problem, remedy)

    def __str__(self) -> str:
        what, problem, remedy = self.args
        return f"{what}: {problem}. No export was written. {remedy}."


class DatabaseBusy(Transient):
    """The database cannot be reached, gave up, or has not come to the end of the day."""

    def __init__(self, what: str, problem: str) -> None:
        super().__init__(what, problem)

    def __str__(self) -> str:
        what, problem = self.args
        return f"{what}: {problem}. No export was written; run it again later."
