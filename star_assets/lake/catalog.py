"""The interface of every catalog: the databases, tables and partitions that Athena sees.

The star's tables can always be registered again from the ledgers; tables that users
create by SQL exist in the catalog alone. Not here: which version is live (ledger),
keeping catalog and ledgers in step (publish).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from star_assets.model.days import export_of, values_of

# The table parameter that says who made a table. A table without it is never
# changed or dropped by a publish.
MADE_BY = "made_by"
OURS = "star_assets"

# The database of raw exports, and their folder in the lake.
OLTP = "oltp"

# The value of a partition column that is NULL, as Hive writes it: the hour of a stream's day that was staged as one.
NULL = "__HIVE_DEFAULT_PARTITION__"

# The escape character for OpenCSVSerDe, which must have one: a byte that exports hardly ever contain.
ESCAPE = b"\x01"


@dataclass(frozen=True)
class CatalogColumn:
    """A column: its name, its type in Athena's DDL, its comment."""

    name: str
    type: str
    comment: str = ""


@dataclass(frozen=True)
class TableEntry:
    """A table or view. `location` is a URI; a view has `view_sql` instead.

    In `view_sql`, names without a database are of `view_database`.
    `revision` is what the catalog calls this state of the table, where it has a name for it.

    `csv` is read by Hive's OpenCSVSerDe, `text` by its LazySimpleSerDe, `json` by
    OpenX's JsonSerDe; `serde` holds that SerDe's own parameters.
    """

    database: str
    name: str
    columns: tuple[CatalogColumn, ...]
    partition_columns: tuple[CatalogColumn, ...] = ()
    location: str | None = None
    format: Literal["parquet", "csv", "text", "json", "view"] = "parquet"
    parameters: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    view_sql: str | None = None
    view_database: str | None = None
    serde: Mapping[str, str] = field(default_factory=dict)
    revision: str = field(default="", compare=False)

    @property
    def is_ours(self) -> bool:
        """Whether the star made it."""
        return self.parameters.get(MADE_BY) == OURS

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of its partition columns."""
        return tuple(column.name for column in self.partition_columns)

    def values_of(self, export: str | None) -> tuple[str, ...]:
        """The values of the partition of a day or an hour; none of a table without partitions."""
        values = values_of(export) if export else ()
        return (*values, NULL)[: len(self.partition_columns)]


@dataclass(frozen=True)
class PartitionEntry:
    """One partition: its values, the URI of the folder that holds its files, its columns."""

    values: tuple[str, ...]
    location: str
    columns: tuple[CatalogColumn, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def export(self) -> str:
        """The day or hour of a partition that was made here: the inverse of `TableEntry.values_of`."""
        return export_of(value for value in self.values if value != NULL)


@dataclass(frozen=True)
class ColumnStatistics:
    """What a query optimizer asks about a column's values.

    Args:
        name: the column's name.
        type: its type in Athena's DDL.
        values: the number of values that are not NULL.
        nulls: the number of NULLs.
        distinct: the number of distinct values.
        minimum, maximum: as text; None if unknown, or if there is no value.
        longest, average: of a text column, the greatest and the average length in bytes.
        trues: of a boolean column, the number of values that are true.
    """

    name: str
    type: str
    values: int
    nulls: int
    distinct: int
    minimum: str | None = None
    maximum: str | None = None
    longest: int = 0
    average: float = 0.0
    trues: int = 0


class Catalog(Protocol):
    """Databases, tables and partitions. Safe with concurrent processes; survives restarts.

    Names of databases, tables and columns are turned into lower case, as Glue does.
    Every method raises LakeRefused without rights, LakeFull without room, and
    CatalogBusy if other processes keep the catalog locked.
    """

    # Whether crawlers can keep the tables over raw exports.
    has_crawlers: bool = False

    @property
    def takes_statistics(self) -> bool:
        """Whether the catalog stores column statistics."""
        ...

    def database_name(self, database: str) -> str:
        """What Athena calls a database."""
        return database

    def page(self, database: str, table: str) -> str | None:
        """The URL of a web page that shows a table; None if there is no such page."""
        return None

    def databases(self) -> list[str]:
        """The names of the databases, sorted."""
        ...

    def create_database(self, name: str) -> None:
        """Make a database; one that exists is no error."""
        ...

    def drop_database(self, name: str) -> None:
        """Drop an empty database. Raises ValueError if it holds tables."""
        ...

    def tables(self, database: str) -> list[TableEntry]:
        """Every table and view of a database, by name."""
        ...

    def table(self, database: str, name: str) -> TableEntry | None:
        """One table or view; None if there is none."""
        ...

    def put_table(self, entry: TableEntry) -> None:
        """Create a table, or replace its definition; partitions stay unless the table's partition columns change.

        The database is created if need be. Raises NotOurs where a table of the
        star would replace one that is not (or the reverse).
        """
        ...

    def replace_table(self, found: TableEntry | None, entry: TableEntry) -> None:
        """Put a table if it is still equal to `found` (None: if it does not exist). Raises LostRace, NotOurs."""
        ...

    def drop_table(self, database: str, name: str) -> None:
        """Forget a table and its partitions; one that is gone is no error. Files stay."""
        ...

    def partitions(self, database: str, name: str) -> list[PartitionEntry]:
        """Every partition of a table, by values."""
        ...

    def pages(self, database: str, name: str) -> Iterator[list[PartitionEntry]]:
        """Every partition of a table, in pages and in no order. No page if there is no such table."""
        ...

    def some_partitions(self, database: str, name: str, values: Sequence[tuple[str, ...]]) -> list[PartitionEntry]:
        """The partitions with these values, in no order. Values without a partition are left out."""
        ...

    def snapshot(
        self, tables: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], tuple[TableEntry, list[PartitionEntry]]]:
        """Several tables, as (database, name), each with its partitions by values. Missing tables are left out.

        All are as of one moment if the catalog has transactions (Glue has none).
        """
        ...

    def put_partitions(self, database: str, name: str, entries: Sequence[PartitionEntry]) -> None:
        """Create or replace partitions. A reader sees the old or the new entry of a partition, never a mixture.

        Raises KeyError if there is no such table.
        """
        ...

    def drop_partitions(self, database: str, name: str, values: Sequence[tuple[str, ...]]) -> None:
        """Forget partitions; one that is gone is no error. Files stay."""
        ...

    def put_statistics(
        self, database: str, name: str, entries: Mapping[tuple[str, ...], Sequence[ColumnStatistics]]
    ) -> None:
        """Store column statistics of partitions, by values; those of a table without partitions under `()`.

        Statistics change the plans of queries, not their answers. So if the catalog refuses them, no error is
        raised, and `takes_statistics` becomes False.
        """
        ...


def lowered(columns: Sequence[CatalogColumn]) -> tuple[CatalogColumn, ...]:
    """The columns with their names in lower case."""
    return tuple(column if column.name.islower() else replace(column, name=column.name.lower()) for column in columns)


def folded(entry: TableEntry) -> TableEntry:
    """The entry with every name in lower case."""
    return replace(
        entry,
        database=entry.database.lower(),
        name=entry.name.lower(),
        columns=lowered(entry.columns),
        partition_columns=lowered(entry.partition_columns),
    )
