"""Translating Ibis expressions into DuckDB statements, and DuckDB's types into Ibis's, with caches for both."""

from __future__ import annotations

from functools import cache, lru_cache

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
from ibis.expr.types import Table


def sql(table: Table) -> str:
    """The DuckDB statement of an Ibis expression."""
    return _sql(table.op())


# Cached, because all batches of a run have the same few expressions.
@lru_cache(maxsize=1000)
def _sql(operation: ops.Relation) -> str:
    return str(ibis.to_sql(operation.to_expr(), dialect="duckdb"))


@cache
def ibis_type(duckdb_type: str) -> dt.DataType:
    """The Ibis type of a DuckDB type, which is given by its name."""
    from ibis.backends.sql.datatypes import DuckDBType

    return DuckDBType.from_string(duckdb_type)
