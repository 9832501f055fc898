"""Compares the columns of a file with those that its source declares.

Not here: reading a file's columns (formats), their types (grammar).
"""

from __future__ import annotations

from collections.abc import Sequence

from star_assets.model.errors import ColumnMissing, UnknownColumns
from star_assets.model.source import Source


def required_columns(source: Source) -> tuple[str, ...]:
    """The columns that every file of the source must have."""
    return tuple(name for name, column in source.declared.items() if not column.optional)


def require_columns(source: Source, file: str, found: Sequence[str]) -> None:
    """Raises ColumnMissing if a required column is missing, UnknownColumns if `new_columns="freeze"` forbids others."""
    missing = [header_names(source, column) for column in required_columns(source) if column not in found]
    undeclared = [column for column in found if column not in source.declared]
    if missing:
        raise ColumnMissing(file, missing, found, undeclared)
    if undeclared and source.new_columns == "freeze":
        raise UnknownColumns(file, undeclared, list(source.declared))


def header_names(source: Source, column: str) -> str:
    """The headers that a declared column may have in a file, for messages."""
    return " or ".join(source.declared[column].headers) or column


def longer(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...] | None:
    """The longer of two lists of columns, if it begins with the other; None if they differ in a position."""
    first, second = sorted((one, other), key=len)
    return second if second[: len(first)] == first else None
