"""Athena DDL generated from catalog entries: CREATE DATABASE, CREATE EXTERNAL TABLE, ADD PARTITION, views.

Names are in backticks, because Athena's DDL requires that of reserved words such as `date`.
Not here: running such statements (athena).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from star_assets.lake.catalog import CatalogColumn, PartitionEntry, TableEntry
from star_assets.lake.glue_entries import SERDES

# Athena takes statements of up to 262,144 bytes. A statement of 500 partitions takes
# seconds, and can be repeated without harm if it breaks off.
STATEMENT_BYTES, PARTITIONS_PER_STATEMENT = 262_144, 500

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def create_database(name: str) -> str:
    """CREATE DATABASE."""
    return f"CREATE DATABASE IF NOT EXISTS {quoted(name)}"


def create_table(entry: TableEntry, if_not_exists: bool = True) -> str:
    """CREATE EXTERNAL TABLE, or CREATE VIEW, without the closing semicolon."""
    if entry.view_sql is not None:
        return f'CREATE OR REPLACE VIEW "{entry.database}"."{entry.name}" AS\n{entry.view_sql}'
    condition = "IF NOT EXISTS " if if_not_exists else ""
    lines = [f"CREATE EXTERNAL TABLE {condition}{_table(entry)} (\n{_columns(entry.columns)}\n)"]
    if entry.description:
        lines.append(f"COMMENT {text(entry.description)}")
    if entry.partition_columns:
        lines.append(f"PARTITIONED BY (\n{_columns(entry.partition_columns)}\n)")
    lines.append(_stored_as(entry))
    lines.append(f"LOCATION {text(_folder(entry.location or ''))}")
    if entry.parameters:
        lines.append(f"TBLPROPERTIES {_properties(entry.parameters)}")
    return "\n".join(lines)


def add_partitions(entry: TableEntry, partitions: Sequence[PartitionEntry]) -> list[str]:
    """ALTER TABLE ADD PARTITION for all partitions, in as few statements as Athena takes."""
    begin = f"ALTER TABLE {_table(entry)} ADD IF NOT EXISTS"
    lines = [_partition(entry, one) for one in partitions]
    longest = max((len(line.encode()) + 1 for line in lines), default=1)
    most = min(PARTITIONS_PER_STATEMENT, (STATEMENT_BYTES - len(begin.encode())) // longest)
    return ["\n".join([begin, *lines[first : first + most]]) for first in range(0, len(lines), most)]


def has_other_types(entry: TableEntry, partition: PartitionEntry) -> bool:
    """Whether the partition's files have a column in another type than the table, which Athena's DDL cannot express."""
    types = {column.name: column.type for column in entry.columns}
    return any(types.get(column.name, column.type) != column.type for column in partition.columns)


def quoted(name: str) -> str:
    """A name in backticks."""
    return "`" + name.replace("`", "``") + "`"


def text(value: str) -> str:
    """A string literal of Athena's DDL, which escapes with a backslash."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return "'" + _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", escaped) + "'"


def _stored_as(entry: TableEntry) -> str:
    if entry.format == "parquet":
        return "STORED AS PARQUET"
    serde = f"ROW FORMAT SERDE {text(SERDES[entry.format][2])}"
    if entry.serde:
        serde += f"\nWITH SERDEPROPERTIES {_properties(entry.serde)}"
    return f"{serde}\nSTORED AS TEXTFILE"


def _properties(given: Mapping[str, str]) -> str:
    return "(\n" + ",\n".join(f"  {text(key)} = {text(value)}" for key, value in sorted(given.items())) + "\n)"


def _table(entry: TableEntry) -> str:
    return f"{quoted(entry.database)}.{quoted(entry.name)}"


def _columns(columns: Sequence[CatalogColumn]) -> str:
    return ",\n".join(
        f"  {quoted(column.name)} {column.type}" + (f" COMMENT {text(column.comment)}" if column.comment else "")
        for column in columns
    )


def _partition(entry: TableEntry, partition: PartitionEntry) -> str:
    pairs = zip(entry.partition_columns, partition.values, strict=True)
    values = ", ".join(f"{quoted(column.name)} = {text(value)}" for column, value in pairs)
    return f"  PARTITION ({values}) LOCATION {text(_folder(partition.location))}"


def _folder(uri: str) -> str:
    """The URI with a slash at its end: Athena reads a LOCATION as a prefix, and `sales` would match `sales_old`."""
    return uri if uri.endswith("/") else f"{uri}/"
