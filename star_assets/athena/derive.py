"""The catalog's entries, derived from the model.

A table is declared once; its columns, types, descriptions and place follow.
Not here: the statements that make such a table on Athena (ddl).
"""

from __future__ import annotations

from star_assets.lake.catalog import MADE_BY, OURS, CatalogColumn, TableEntry
from star_assets.lake.storage import Storage
from star_assets.lake.versions import table_folder
from star_assets.model.source import Source
from star_assets.model.star import PARTITION_COLUMN, AnyTable, Star
from star_assets.model.tables import Dimension

# Athena refuses longer comments.
COMMENT = 255


def table_entry(star: Star, table: AnyTable, storage: Storage) -> TableEntry:
    """The catalog's entry of a source, dimension or fact. A dimension's location is set when it is published."""
    database = "staging" if isinstance(table, Source) else "olap"
    columns = tuple(
        CatalogColumn(field.name, field.type.athena, shortened(field.description)) for field in star.fields(table)
    )
    is_partitioned = not isinstance(table, Dimension)
    day = "Export day." if isinstance(table, Source) else "Business date."
    return TableEntry(
        database=database,
        name=table.name,
        columns=columns,
        partition_columns=(CatalogColumn(PARTITION_COLUMN, "string", day),) if is_partitioned else (),
        location=storage.uri(table_folder(database, table.name)),
        parameters={MADE_BY: OURS, "classification": "parquet"},
        description=shortened(table.description),
    )


def shortened(text: str) -> str:
    """A description as one line that Athena takes as a comment."""
    line = " ".join(text.split())
    return line if len(line) <= COMMENT else line[: COMMENT - 1] + "…"
