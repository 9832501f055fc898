"""DuckDB with the engine's primitive, for transforms over a few rows held in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis
import pytest
from ibis.expr.types import Table

from star_assets.engines.duckdb.session import business_date

Rows = list[dict[str, Any]]


@pytest.fixture(scope="session")
def run() -> Callable[[Table], Rows]:
    """Runs a transform's table and returns its rows."""
    database = ibis.duckdb.connect()
    database.raw_sql(f"CREATE MACRO business_date(ts) AS {business_date('ts', 'UTC')}")

    def rows(table: Table) -> Rows:
        return database.to_pyarrow(table).to_pylist()  # type: ignore[no-any-return]

    return rows
