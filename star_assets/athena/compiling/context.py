"""The context in which a query is compiled: its statement's plan and text, and the tables that its names refer to.

Not here: compiling (queries, sources).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import duckdb

from star_assets.athena.compiling.scans import Scan
from star_assets.athena.compiling.scope import Field
from star_assets.lake.catalog import PartitionEntry, TableEntry
from star_assets.lake.listing import Listing

Tables = Mapping[tuple[str, str], tuple[TableEntry, Sequence[PartitionEntry]]]


@dataclass
class Plan:
    """What compiling a statement collects beside its SQL: the tables that it reads, notices, and generated names."""

    tables: Tables
    scans: list[Scan] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def alias(self) -> str:
        """A new name for a source, unique in the statement."""
        return f"_{next(self.numbers)}"

    def reads(self, connection: duckdb.DuckDBPyConnection, listing: Listing) -> str:
        """The WITH clause to put before the statement's SQL: for each table, the SQL that reads its files.

        Call this after compiling the whole statement: only then are the used columns and the conditions known.
        """
        tables = [f"{scan.table} AS NOT MATERIALIZED ({scan.sql(connection, listing)})" for scan in self.scans]
        return f"WITH {', '.join(tables)} " if tables else ""


@dataclass(frozen=True)
class Context:
    """The context in which a query is compiled.

    Attributes:
        plan: the plan of the whole statement.
        sql: the text of the statement or view, for the positions in error messages.
        database: the database of table names without one.
        ctes: the tables that WITH defines, by name: their DuckDB names and fields.
    """

    plan: Plan
    sql: str
    database: str
    ctes: Mapping[str, tuple[str, Sequence[Field]]] = field(default_factory=dict)

    def with_table(self, name: str, alias: str, fields: Sequence[Field]) -> Context:
        """The context with another table of a WITH clause."""
        return replace(self, ctes={**self.ctes, name: (alias, fields)})
