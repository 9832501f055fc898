"""The columns and format of a catalog table over raw exports, and which exports fit into it.

Athena reads CSV by position and ignores the names of a partition's columns, and
a table and its partitions must have one format. So the newest exports define the
table, and an export day with another format or other columns gets no partition.
"""

from __future__ import annotations

from typing import Literal

from star_assets.exports.columns import longer
from star_assets.exports.formats.format import Layout
from star_assets.lake.catalog import TableEntry
from star_assets.lake.entries import raw_table_entry
from star_assets.lake.storage import Storage
from star_assets.model.source import Source

_KEY = "mapping."


class Shape:
    """A table's format and columns, as required by the export days taken so far."""

    def __init__(self, found: TableEntry | None = None) -> None:
        """`found` is the present table: JSON is read by key, so the columns of a JSON table keep their positions."""
        self.format: Literal["csv", "json"] | None = None
        # By column: its name in the files.
        self.keys = _keys(found) if found and found.format == "json" else {}

    @classmethod
    def of(cls, found: TableEntry) -> Shape:
        """The shape of the present table."""
        shape = cls()
        shape.format, shape.keys = "json" if found.format == "json" else "csv", _keys(found)
        return shape

    def take(self, layout: Layout) -> str | None:
        """Take a day into the shape and return None; or return the reason why the day does not fit."""
        if layout.problem or layout.format is None:
            return layout.problem
        if self.format not in (None, layout.format):
            return f"it is {layout.format.upper()}, and newer exports are {str(self.format).upper()}"
        keys = {column: layout.keys.get(column, column) for column in layout.columns}
        if layout.format == "csv":
            columns = longer(tuple(self.keys) if self.format else (), layout.columns)
            if columns is None:
                return "it has other columns, or in another order, than newer exports; OpenCSVSerDe goes by position"
            self.keys = {column: column for column in columns}
        elif any(self.keys.get(column, key) != key for column, key in keys.items()):
            return "its keys are spelled otherwise than in newer exports"
        else:
            self.keys = {**self.keys, **keys}
        self.format = layout.format
        return None

    def entry(self, source: Source, storage: Storage) -> TableEntry:
        """The table's entry. At least one day with columns must have been taken."""
        assert self.format
        renamed = {column: key for column, key in self.keys.items() if column != key}
        return raw_table_entry(source, storage, self.format, tuple(self.keys), renamed)


def registered_layout(table: TableEntry, columns: tuple[str, ...], rows: int) -> Layout:
    """The layout of a day that was registered in a table with these columns."""
    keys = {column: key for column, key in _keys(table).items() if column in columns and key != column}
    return Layout("json" if table.format == "json" else "csv", columns, keys, rows)


def _keys(table: TableEntry) -> dict[str, str]:
    return {column.name: table.serde.get(f"{_KEY}{column.name}", column.name) for column in table.columns}
