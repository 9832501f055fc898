"""What a query is compiled in: the plan of its statement, its text, and what its names stand for.

Not here: compiling (queries, sources).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import duckdb

from star_assets.athena.scans import Scan
from star_assets.athena.scope import Field
from star_assets.lake.catalog import PartitionEntry, TableEntry
from star_assets.lake.listing import Listing

Tables = Mapping[tuple[str, str], tuple[TableEntry, Sequence[PartitionEntry]]]


@dataclass
class Plan:
    """What a whole statement needs besides its SQL: the tables it reads, notices, fresh names."""

    tables: Tables
    scans: list[Scan] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def alias(self) -> str:
        """A name that no other source of the statement has."""
        return f"_{next(self.numbers)}"

    def reads(self, connection: duckdb.DuckDBPyConnection, listing: Listing) -> str:
        """The WITH clause that the statement's SQL needs before it: each table, as what is read of its files.

        Only now: which columns and which partitions it must hold is known when all is compiled.
        """
        tables = [f"{scan.table} AS NOT MATERIALIZED ({scan.sql(connection, listing)})" for scan in self.scans]
        return f"WITH {', '.join(tables)} " if tables else ""


@dataclass(frozen=True)
class Context:
    """What a query is compiled in.

    Attributes:
        plan: of the whole statement.
        sql: the text of the statement or view, to point into.
        database: where names without a database are looked up.
        ctes: the tables that WITH defines: their DuckDB names and fields.
    """

    plan: Plan
    sql: str
    database: str
    ctes: Mapping[str, tuple[str, Sequence[Field]]] = field(default_factory=dict)

    def with_table(self, name: str, alias: str, fields: Sequence[Field]) -> Context:
        """The context with another table of a WITH clause."""
        return replace(self, ctes={**self.ctes, name: (alias, fields)})
