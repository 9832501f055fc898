"""SQL that is not answered."""

from __future__ import annotations

from star_assets.model.errors.tree import Permanent, Transient


class QueryError(Permanent):
    """A SQL statement that cannot be answered."""


class BadQuery(QueryError):
    """A statement that is wrong in itself: syntax, names, types or values.

    `line` and `column` count from 1 and are None where the place is unknown.
    """

    def __init__(self, problem: str, sql: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(problem, sql, line, column)

    def __str__(self) -> str:
        problem, sql, line, column = self.args
        if line is None:
            return str(problem)
        text = sql.splitlines()[line - 1] if line <= len(sql.splitlines()) else ""
        return f"line {line}:{column}: {problem}\n  {text}\n  {' ' * (column - 1)}^"


class Unfaithful(QueryError):
    """Athena would answer this; the embedded Athena cannot do so faithfully."""

    def __init__(self, what: str, instead: str) -> None:
        super().__init__(what, instead)

    def __str__(self) -> str:
        what, instead = self.args
        return f"The embedded Athena does not answer {what}, because it could not do so faithfully. {instead}"


class QueryStopped(QueryError):
    """A statement that Athena, or somebody, stopped: a limit, a timeout, a cancellation."""

    def __init__(self, problem: str, query_id: str, remedy: str) -> None:
        super().__init__(problem, query_id, remedy)

    def __str__(self) -> str:
        problem, query_id, remedy = self.args
        return f"Athena query {query_id}: {problem}. {remedy}."


class QueryInterrupted(Transient):
    """A statement during which Athena failed in itself."""

    def __init__(self, problem: str, query_id: str) -> None:
        super().__init__(problem, query_id)

    def __str__(self) -> str:
        problem, query_id = self.args
        return f"Athena query {query_id}: Athena failed in itself ({problem}). Run it again later."
