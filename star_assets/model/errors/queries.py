"""The errors of SQL statements: wrong ones, unfaithful ones, and those that Athena stopped or failed to run."""

from __future__ import annotations

from dataclasses import dataclass

from star_assets.model.errors.tree import Permanent, Transient


class QueryError(Permanent):
    """A SQL statement that cannot be answered."""


@dataclass(eq=False)
class BadQuery(QueryError):
    """A wrong statement: its syntax, a name, a type or a value.

    `line` and `column` count from 1; they are None if the place is unknown.
    """

    problem: str
    sql: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        if self.line is None or self.column is None:
            return self.problem
        text = self.sql.splitlines()[self.line - 1] if self.line <= len(self.sql.splitlines()) else ""
        return f"line {self.line}:{self.column}: {self.problem}\n  {text}\n  {' ' * (self.column - 1)}^"


@dataclass(eq=False)
class Unfaithful(QueryError):
    """Athena would answer this; the embedded Athena cannot do so faithfully."""

    what: str
    instead: str

    def __str__(self) -> str:
        return f"The embedded Athena does not answer {self.what}, because it could not do so faithfully. {self.instead}"


@dataclass(eq=False)
class QueryStopped(QueryError):
    """A statement that was stopped on Athena: by a limit, a timeout, or a person."""

    problem: str
    query_id: str
    remedy: str

    def __str__(self) -> str:
        return f"Athena query {self.query_id}: {self.problem}. {self.remedy}."


@dataclass(eq=False)
class QueryInterrupted(Transient):
    """A statement during which Athena itself failed."""

    problem: str
    query_id: str

    def __str__(self) -> str:
        return f"Athena query {self.query_id}: Athena itself failed ({self.problem}). Run it again later."
