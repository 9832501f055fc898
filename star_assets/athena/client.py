"""What every Athena offers: a statement in, an Arrow table out.

Here: the interface and its result. Not here: who answers (embedded, service),
which of them (opening).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

import pyarrow as pa


@dataclass(frozen=True)
class Execution:
    """What the Athena service says of a statement that it ran.

    Attributes:
        query_id: under which Athena's history lists it.
        queue_seconds: how long it waited for its turn.
        engine_seconds: how long Athena's engine took.
        cost_usd: an estimate, by the prices in `star_assets.prices`.
        reused: whether the answer is that of an earlier run, for nothing.
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
        notices: what a user should know and that is no error.
        bytes_scanned: bytes that Athena read; embedded, of the files that had to be opened.
        seconds: wall time, planning included.
        statement: whether rows were asked for or the catalog was changed or shown.
        execution: what the service says of it; None where the embedded Athena answered.
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

    Raises BadQuery for what is wrong in itself, Unfaithful for what Athena would
    answer and this client cannot; the service also QueryStopped, QueryInterrupted,
    AwsRefused and AwsBusy.
    """

    def results(self, sql: str) -> Iterator[Result]:
        """Run the statements of `sql`, separated by `;`, in order; each one's result as it comes."""
        ...

    def query(self, sql: str) -> Result:
        """Run the statements of `sql` in order; the last one's result."""
        for result in self.results(sql):
            last = result
        return last
