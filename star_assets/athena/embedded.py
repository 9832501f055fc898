"""The embedded Athena: DuckDB over the live versions of the catalog's tables.

Here: parsing, compiling and running a text of statements. Not here: the translation of queries
into DuckDB's SQL (queries), DDL (statements), messages for DuckDB's errors (failures).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import duckdb
from sqlglot import exp

from star_assets.athena.client import Athena, Result
from star_assets.athena.compiling.context import Context, Plan, Tables
from star_assets.athena.compiling.output import in_their_zones, shown
from star_assets.athena.compiling.queries import compile_query
from star_assets.athena.compiling.scope import CATALOG, Field
from star_assets.athena.ddl.statements import Statements, is_ddl
from star_assets.athena.failures import translated
from star_assets.athena.parse import Statement, at_offset, closest, parse_query, place_of, split
from star_assets.athena.session import Session
from star_assets.lake.catalog import Catalog, PartitionEntry, TableEntry
from star_assets.lake.listing import Listing
from star_assets.lake.storage import Storage
from star_assets.model.errors import Unfaithful


class EmbeddedAthena(Athena):
    """Athena's SQL on this machine. Threads may share it."""

    def __init__(
        self,
        storage: Storage,
        catalog: Catalog,
        *,
        database: str = "olap",
        threads: int | None = None,
        memory_limit: str = "1GB",
    ) -> None:
        self.storage, self.catalog, self.database = storage, catalog, database
        self._listing = Listing(storage)
        self._session = Session(threads, memory_limit)

    def results(self, sql: str) -> Iterator[Result]:
        """Run the statements of `sql` in order. Yields each result as soon as it is there.

        Raises BadQuery, Unfaithful.
        """
        for statement in split(sql):
            yield self._run(statement)

    def _run(self, statement: Statement) -> Result:
        started = time.perf_counter()
        if is_ddl(statement):
            result = Statements(self.storage, self.catalog, self.database, self._check).run(statement)
        else:
            result = self._select(statement)
        return replace(result, seconds=time.perf_counter() - started)

    def _select(self, statement: Statement) -> Result:
        plan, sql, fields = self._compiled(statement, self.database)
        connection = self._session.cursor(sql)
        try:
            read = plan.reads(connection, self._listing)
            table = in_their_zones(connection.sql(f"{read}{sql}").to_arrow_table(), fields)
        except duckdb.Error as error:
            raise translated(error, statement.sql) from error
        names = [field.name or f"_col{index}" for index, field in enumerate(fields)]
        return Result(
            table.rename_columns(names),
            tuple(str(field.type) for field in fields),
            tuple(dict.fromkeys(plan.notices)),
            sum(scan.bytes for scan in plan.scans),
        )

    def _check(self, statement: Statement, database: str) -> Sequence[Field]:
        """The columns of a query's answer; the query is not run. Raises BadQuery, Unfaithful."""
        return self._compiled(statement, database)[2]

    def _compiled(self, statement: Statement, database: str) -> tuple[Plan, str, Sequence[Field]]:
        parsed = parse_query(statement)
        plan = Plan(self._tables(parsed, statement.sql, database))
        sql, fields = compile_query(Context(plan, statement.sql, database), parsed, None)
        listed = ", ".join(f"{shown(field)} AS {field.sql}" for field in fields)
        return plan, f"SELECT {listed} FROM ({sql})", fields

    # Tables

    def _tables(self, parsed: exp.Expression, sql: str, database: str) -> Tables:
        """Every table that a query may read, also through views, from one snapshot of the catalog."""
        places = dict(_names(parsed, database))
        wanted = set(places)
        found: dict[tuple[str, str], tuple[TableEntry, Sequence[PartitionEntry]] | None] = {}
        while wanted - found.keys():
            found = dict.fromkeys(wanted) | self.catalog.snapshot(sorted(wanted))
            for table in found.values():
                if table and table[0].view_sql is not None:
                    inside = parse_query(split(table[0].view_sql)[0])
                    wanted |= {name for name, _ in _names(inside, table[0].view_database or table[0].database)}
        for key, place in places.items():
            if key[0] == "information_schema":
                raise Unfaithful("information_schema", "Write SHOW TABLES, SHOW COLUMNS or DESCRIBE.")
            if found[key] is None:
                known = closest(".".join(key), self._known())
                listed = ", ".join(name.removeprefix(f"{self.database}.") for name in known[:12])
                listed = listed or f"none, in {self.storage.uri('')}"
                problem = f"There is no table {'.'.join(key)}. Known, closest first: {listed}."
                raise at_offset(problem, sql, place_of(place))
        return {key: table for key, table in found.items() if table}

    def _known(self) -> list[str]:
        """Every table and view that queries may name."""
        return [
            f"{database}.{table.name}"
            for database in self.catalog.databases()
            for table in self.catalog.tables(database)
            if table.format in ("parquet", "view")
        ]


def _names(parsed: exp.Expression, database: str) -> list[tuple[tuple[str, str], exp.Table]]:
    """The tables that a query names, without those that its WITH clauses define."""
    defined = {cte.alias.lower() for cte in parsed.find_all(exp.CTE)}
    return [
        ((table.db.lower() or database, table.name.lower()), table)
        for table in parsed.find_all(exp.Table)
        if table.name and (table.db or table.name.lower() not in defined) and table.catalog.lower() in ("", CATALOG)
    ]
