"""Reading a table of the catalog with DuckDB: which partitions, files and columns a query needs.

Here: pruning partitions as Athena does, by their values alone, and the SQL that reads the files
of the remaining ones. Not here: what the columns mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

import duckdb

from star_assets.athena.compiling.nested import rebuilt
from star_assets.athena.compiling.scope import Source
from star_assets.athena.type_names import parse_type
from star_assets.athena.types import Type
from star_assets.engines.duckdb.session import name, text
from star_assets.lake.catalog import CatalogColumn, PartitionEntry, TableEntry
from star_assets.lake.listing import Files, Listing
from star_assets.lake.storage import each
from star_assets.model.errors import Unfaithful
from star_assets.model.types import Type as Modelled

# Names and types.
Columns = tuple[tuple[str, str], ...]

_HIVE = re.compile(r"/([^/=]+)=([^/]*)(?=/|$)")


@dataclass
class Scan:
    """One use of a table in a query.

    Attributes:
        source: the table in the query's scope, which notes the columns that the query uses.
        conditions: SQL conditions on partition columns alone that every row of the answer fulfils.
        bytes: the size of the files that it reads; set by `sql`.
    """

    entry: TableEntry
    partitions: Sequence[PartitionEntry]
    alias: str
    source: Source
    conditions: list[str] = field(default_factory=list)
    bytes: int = 0

    @property
    def table(self) -> str:
        """The name of the table in the statement's SQL."""
        return f"scan{self.alias}"

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the partition columns."""
        return tuple(column.name for column in self.entry.partition_columns)

    def sql(self, connection: duckdb.DuckDBPyConnection, listing: Listing) -> str:
        """SQL that selects the used columns from the files of the partitions that may have rows of the answer."""
        if not self.entry.partition_columns:
            found = listing.files(self.entry.location or "", self.entry.parameters)
            self.bytes = found.size
            if not found.paths:
                return self._nothing()
            return self._select(connection, listing, [((), found)], self.entry.columns)
        chosen = list(self._chosen(connection))
        listed = each(
            listing.storage, lambda partition: listing.files(partition.location, partition.parameters), chosen
        )
        groups: dict[tuple[Columns, bool], list[tuple[tuple[str, ...], Files]]] = {}
        for partition, found in zip(chosen, listed, strict=True):
            if not found.paths:
                continue
            self.bytes += found.size
            # Partitions with different column types are read apart: DuckDB would cast all to the types of the first.
            columns = tuple((c.name, c.type) for c in partition.columns) if self.entry.is_ours else ()
            by_path = self._in_path(partition)
            key = (columns, by_path) if by_path else (columns, False, partition.values)
            groups.setdefault(key, []).append((partition.values, found))  # type: ignore[arg-type]
        selects = [self._partitioned(connection, listing, *key[:2], members) for key, members in groups.items()]
        return " UNION ALL ".join(selects) or self._nothing()

    def _chosen(self, connection: duckdb.DuckDBPyConnection) -> Iterable[PartitionEntry]:
        """The partitions whose values fulfil the conditions."""
        if not self.conditions or not self.partitions:
            return self.partitions
        columns = [
            f"CAST(unnest($v{i}) AS {_type(c)}) AS {name(c.name)}" for i, c in enumerate(self.entry.partition_columns)
        ]
        given = {f"v{i}": [p.values[i] for p in self.partitions] for i in range(len(columns))}
        given["n"] = list(range(len(self.partitions)))  # type: ignore[arg-type]
        sql = (
            f"SELECT {self.alias}.n FROM (SELECT {', '.join(columns)}, unnest($n) AS n) AS {self.alias}"
            f" WHERE {' AND '.join(self.conditions)}"
        )
        chosen = {row[0] for row in connection.execute(sql, given).fetchall()}
        return [partition for number, partition in enumerate(self.partitions) if number in chosen]

    def _in_path(self, partition: PartitionEntry) -> bool:
        """Whether the location has the partition's values as `key=value` folders."""
        found = {key.lower(): unquote(value) for key, value in _HIVE.findall(partition.location)}
        # DuckDB takes every `key=value` of the path for a column, also the `v=` of a version.
        hidden = found.keys() & {column.name for column in self.entry.columns}
        return not hidden and all(
            found.get(key) == value for key, value in zip(self.keys, partition.values, strict=True)
        )

    def _partitioned(
        self,
        connection: duckdb.DuckDBPyConnection,
        listing: Listing,
        columns: Columns,
        by_path: bool,
        members: Sequence[tuple[tuple[str, ...], Files]],
    ) -> str:
        there = dict(columns)
        known = [column for column in self.entry.columns if not columns or column.name in there]
        for column in known:
            if self._is_used(column):
                self._require_castable(column, there.get(column.name, column.type), members[0][0])
        return self._select(connection, listing, members, known, by_path, uniform=bool(columns))

    def _require_castable(self, column: CatalogColumn, found: str, partition: tuple[str, ...]) -> None:
        """Raises Unfaithful if Athena's cast of a partition's column to the table's type fails or loses digits."""
        if found == column.type:
            return
        type_, held = Modelled.of_athena(column.type), Modelled.of_athena(found)
        if type_ is None or held is None or not type_.holds(held):
            raise Unfaithful(
                f"{self.entry.name}.{column.name} as {column.type} where partition {', '.join(partition)} has {found}",
                "Athena fails there with HIVE_PARTITION_SCHEMA_MISMATCH, or loses digits. Build that partition again, "
                "or declare a type that holds both.",
            )

    def _select(
        self,
        connection: duckdb.DuckDBPyConnection,
        listing: Listing,
        members: Sequence[tuple[tuple[str, ...], Files]],
        known: Sequence[CatalogColumn],
        by_path: bool = False,
        uniform: bool = False,
    ) -> str:
        files = ", ".join(map(text, listing.storage.local([path for _, found in members for path in found.paths])))
        options = "hive_partitioning=false"
        if by_path:
            types = ", ".join(f"{name(key)}: VARCHAR" for key in self.keys)
            options = f"hive_partitioning=true, hive_types={{{types}}}"
        read = f"read_parquet([{files}], {options}{'' if uniform else ', union_by_name=true'})"
        there = {column.name for column in known}
        if not uniform:
            described = connection.execute(f"DESCRIBE SELECT * FROM {read}").fetchall()
            there = {row[0].lower() for row in described}
        parts = [self._column(column, column.name in there) for column in self.entry.columns if self._is_used(column)]
        for index, column in enumerate(self.entry.partition_columns):
            if self._is_used(column):
                value = name(column.name) if by_path else text(members[0][0][index])
                parts.append(f"CAST({value} AS {_type(column)}) AS {name(column.name)}")
        return f"SELECT {', '.join(parts) or '1'} FROM {read}"

    def _is_used(self, column: CatalogColumn) -> bool:
        return f"{self.alias}.{name(column.name)}" in self.source.used

    def _column(self, column: CatalogColumn, is_there: bool) -> str:
        type_ = parse_type(column.type)
        value = _from_file(name(column.name), type_, self.entry.is_ours) if is_there else "NULL"
        return f"CAST({value} AS {type_.duckdb}) AS {name(column.name)}"

    def _nothing(self) -> str:
        columns = [c for c in (*self.entry.columns, *self.entry.partition_columns) if self._is_used(c)]
        return f"SELECT {', '.join(self._column(column, False) for column in columns) or '1'} WHERE FALSE"


def _from_file(sql: str, type_: Type, is_ours: bool) -> str:
    """SQL that turns a file's value into the form of expressions: rows without field names, timestamps in milliseconds.

    Published files are in milliseconds. In other files, finer timestamps are rounded half up, as Athena does.
    """
    if type_.name == "timestamp" and not is_ours:
        return f"date_trunc('millisecond', CAST({sql} AS TIMESTAMP) + INTERVAL 500 MICROSECONDS)"
    if not type_.holds("row") and (is_ours or not type_.holds("timestamp")):
        return sql
    labels = [label or "" for label in type_.labels] if type_.name == "row" else None
    return rebuilt(sql, type_, lambda part, number: _from_file(part, type_.parts[number], is_ours), labels)


def _type(column: CatalogColumn) -> str:
    return parse_type(column.type).duckdb
