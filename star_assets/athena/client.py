"""The interface of both Athenas: SQL statements in, Arrow tables out.

Here: the interface and its result. Not here: the implementations (embedded, service),
the choice between them (opening).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

import pyarrow as pa


@dataclass(frozen=True)
class Execution:
    """What the Athena service reports about a statement that it ran.

    Attributes:
        query_id: the id of the statement in Athena's history.
        queue_seconds: how long the statement waited in the queue.
        engine_seconds: how long Athena's engine took.
        cost_usd: an estimate, by the prices in `star_assets.prices`.
        reused: whether Athena returned the stored result of an earlier run, free of charge.
    """

    query_id: str
    queue_seconds: float
    engine_seconds: float
    cost_usd: Decimal
    reused: bool


@dataclass(frozen=True)
class Result:
    """The answer to a statement.

    Attributes:
        table: the rows. DDL answers with what Athena prints, as a table of text.
        types: the Athena name of each column's type, such as `decimal(38,4)`.
        notices: remarks for the user that are no errors.
        bytes_scanned: the bytes that Athena read; for the embedded Athena, the size of the files that it opened.
        seconds: wall time, planning included.
        statement: "query" for a statement that returns rows of tables, "ddl" for one that changes or shows the catalog.
        execution: the service's report; None from the embedded Athena.
    """

    table: pa.Table
    types: tuple[str, ...]
    notices: tuple[str, ...] = ()
    bytes_scanned: int = 0
    seconds: float = 0.0
    statement: Literal["query", "ddl"] = "query"
    execution: Execution | None = None


class Athena(Protocol):
    """SQL over the tables of a catalog. Threads may share one.

    Raises BadQuery for a wrong statement, and Unfaithful for a statement that Athena would
    answer and this client cannot. The service also raises QueryStopped, QueryInterrupted,
    AwsRefused and AwsBusy.
    """

    def results(self, sql: str) -> Iterator[Result]:
        """Run the statements of `sql`, separated by `;`, in order. Yields each result as soon as it is there."""
        ...

    def query(self, sql: str) -> Result:
        """Run the statements of `sql` in order. Returns the result of the last one."""
        for result in self.results(sql):
            last = result
        return last
