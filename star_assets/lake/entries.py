"""Catalog entries derived from the model: of a declared table, and of a source's raw exports.

A table is declared once; the entry's columns, types, descriptions and location follow.
Not here: the statements that make such a table on Athena (ddl).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from star_assets.lake.catalog import ESCAPE, MADE_BY, OLTP, OURS, CatalogColumn, TableEntry
from star_assets.lake.storage import Storage
from star_assets.lake.versions import table_folder
from star_assets.model.schema import HOUR, PARTITION_COLUMN, AnyTable
from star_assets.model.source import Source
from star_assets.model.star import Star
from star_assets.model.tables import Dimension

# Athena refuses longer comments.
COMMENT = 255

_BUSINESS_DATE = CatalogColumn(PARTITION_COLUMN, "string", "Business date.")
_EXPORT_DAY = CatalogColumn(PARTITION_COLUMN, "string", "Export day.")
_ARRIVAL = (CatalogColumn(PARTITION_COLUMN, "string", "Day of arrival."), CatalogColumn(HOUR, "string", "Its hour."))


def table_entry(star: Star, table: AnyTable, storage: Storage) -> TableEntry:
    """The catalog's entry of a source, dimension or fact. A dimension's location is set when it is published."""
    database = "staging" if isinstance(table, Source) else "olap"
    columns = tuple(
        CatalogColumn(field.name, field.type.athena, shortened(field.description)) for field in star.fields(table)
    )
    is_partitioned = not isinstance(table, Dimension)
    partitions = _partition_columns(table) if isinstance(table, Source) else (_BUSINESS_DATE,)
    return TableEntry(
        database=database,
        name=table.name,
        columns=columns,
        partition_columns=partitions if is_partitioned else (),
        location=storage.uri(table_folder(database, table.name)),
        parameters={MADE_BY: OURS, "classification": "parquet"},
        description=shortened(table.description),
    )


def raw_table_entry(
    source: Source,
    storage: Storage,
    format_: Literal["csv", "json"],
    columns: Sequence[str],
    keys: Mapping[str, str],
) -> TableEntry:
    """The catalog's entry of a source's raw exports, whose values are all text.

    `keys` maps columns to their JSON keys, where the two differ.
    """
    comments = {name: shortened(column.description) for name, column in source.declared.items()}
    csv = source.csv
    serde = {"separatorChar": csv.delimiter, "quoteChar": csv.quote, "escapeChar": ESCAPE.decode()}
    header = {"skip.header.line.count": "1"}
    return TableEntry(
        database=OLTP,
        name=source.name,
        columns=tuple(CatalogColumn(name, "string", comments.get(name, "")) for name in columns),
        partition_columns=_partition_columns(source),
        location=storage.uri(f"{OLTP}/{source.name}"),
        format=format_,
        parameters={MADE_BY: OURS, "classification": format_, **(header if format_ == "csv" else {})},
        description=shortened(f"Raw exports, all as text. {source.description}"),
        serde=serde if format_ == "csv" else {f"mapping.{column}": key for column, key in keys.items()},
    )


def _partition_columns(source: Source) -> tuple[CatalogColumn, ...]:
    """A stream is partitioned by day and hour, other sources by day."""
    return _ARRIVAL if source.is_stream else (_EXPORT_DAY,)


def shortened(text: str) -> str:
    """A description as one line, no longer than Athena takes as a comment."""
    line = " ".join(text.split())
    return line if len(line) <= COMMENT else line[: COMMENT - 1] + "…"
