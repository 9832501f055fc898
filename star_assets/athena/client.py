"""What every Athena offers: a statement in, an Arrow table out.

Here: the interface and its result. Not here: who answers (embedded).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import pyarrow as pa


@dataclass(frozen=True)
class Result:
    """The answer to a statement.

    Attributes:
        table: the rows. DDL answers with what Athena prints, as a table of text.
        types: the Athena name of each column's type, such as `decimal(38,4)`.
        notices: what a user should know and that is no error.
        bytes_scanned: bytes of the files that had to be opened.
        seconds: wall time, planning included.
        statement: whether rows were asked for or the catalog was changed or shown.
    """

    table: pa.Table
    types: tuple[str, ...]
    notices: tuple[str, ...] = ()
    bytes_scanned: int = 0
    seconds: float = 0.0
    statement: Literal["query", "ddl"] = "query"


class Athena(Protocol):
    """SQL over the tables of a catalog."""

    def query(self, sql: str) -> Result:
        """Run the statements of `sql`, separated by `;`, in order; the last one's result.

        Raises BadQuery for what is wrong in itself, Unfaithful for what Athena
        would answer and this client cannot.
        """
        ...
