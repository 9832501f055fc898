"""What Athena sees: databases, tables, partitions. The interface of every catalog.

Tables of the star are derived from the ledgers, so a catalog can always be
rebuilt; tables that users create by SQL live here alone. Not here: which version
is live (versions), keeping the two in step (publish).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

# The table parameter that says who made a table. A table without it is never
# changed or dropped by a publish.
MADE_BY = "made_by"
OURS = "star_assets"

# The database of raw exports, and their folder in the lake.
OLTP = "oltp"

# What OpenCSVSerDe is told to take for its escape character, because it must have one.
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


@dataclass(frozen=True)
class PartitionEntry:
    """One partition: its values, the URI of the folder that holds its files, its columns."""

    values: tuple[str, ...]
    location: str
    columns: tuple[CatalogColumn, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ColumnStatistics:
    """What a query optimizer asks of a column's values.

    Args:
        name, type: of the column, the type in Athena's DDL.
        values: how many there are that are no NULL.
        nulls: how many are.
        distinct: how many different ones.
        minimum, maximum: as text; None where unknown, or where there is no value.
        longest, average: of text, the length in bytes.
        trues: of booleans, how many are true.
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

    Names of databases, tables and columns are folded to lower case, as Glue does.
    Every method raises LakeRefused without rights, LakeFull without room, and
    CatalogBusy where other processes do not let it in.
    """

    # Whether crawlers can keep the tables over raw exports.
    has_crawlers: bool = False

    @property
    def takes_statistics(self) -> bool:
        """Whether it is worth making statistics for it."""
        ...

    def database_name(self, database: str) -> str:
        """What Athena calls a database."""
        return database

    def page(self, database: str, table: str) -> str | None:
        """The web page that shows a table; None where there is none."""
        return None

    def databases(self) -> list[str]:
        """Their names, sorted."""
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
        """Create a table, or replace its definition and keep its partitions.

        The database is created if need be. Raises NotOurs where a table of the
        star would replace one that is not (or the reverse).
        """
        ...

    def replace_table(self, found: TableEntry | None, entry: TableEntry) -> None:
        """Put a table if it still is as it was `found` (None: if there is none). Raises LostRace, NotOurs."""
        ...

    def drop_table(self, database: str, name: str) -> None:
        """Forget a table and its partitions; one that is gone is no error. Files stay."""
        ...

    def partitions(self, database: str, name: str) -> list[PartitionEntry]:
        """Every partition of a table, by values."""
        ...

    def pages(self, database: str, name: str) -> Iterator[list[PartitionEntry]]:
        """Every partition of a table, some at a time, in no order. Nothing where there is no such table."""
        ...

    def some_partitions(self, database: str, name: str, values: Sequence[tuple[str, ...]]) -> list[PartitionEntry]:
        """Those of some partitions that there are, in no order."""
        ...

    def snapshot(
        self, tables: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], tuple[TableEntry, list[PartitionEntry]]]:
        """Several tables, as (database, name), with their partitions by values; those there are.

        All are as of one moment where the catalog has transactions (Glue has none).
        """
        ...

    def put_partitions(self, database: str, name: str, entries: Sequence[PartitionEntry]) -> None:
        """Create or replace partitions, each of them whole: a reader sees the old or the new.

        Raises KeyError where there is no such table.
        """
        ...

    def drop_partitions(self, database: str, name: str, values: Sequence[tuple[str, ...]]) -> None:
        """Forget partitions; one that is gone is no error. Files stay."""
        ...

    def put_statistics(
        self, database: str, name: str, entries: Mapping[tuple[str, ...], Sequence[ColumnStatistics]]
    ) -> None:
        """Tell what is known of the columns of partitions, by values; of a table without any, under `()`.

        It changes plans and no answer, so a refusal is no error: it ends in
        `takes_statistics` being False.
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
