"""The columns that a file has, held against those that its source declares.

Not here: how a file says its columns (formats), their types (grammar).
"""

from __future__ import annotations

from collections.abc import Sequence

from star_assets.model.errors import ColumnMissing, UnknownColumns
from star_assets.model.source import Source


def required_columns(source: Source) -> tuple[str, ...]:
    """The columns that every file of the source must have."""
    return tuple(name for name, column in source.declared.items() if not column.optional)


def require_columns(source: Source, file: str, found: Sequence[str]) -> None:
    """Raises ColumnMissing where a required column was not found, UnknownColumns for others where these are frozen."""
    missing = [told_column(source, column) for column in required_columns(source) if column not in found]
    undeclared = [column for column in found if column not in source.declared]
    if missing:
        raise ColumnMissing(file, missing, found, undeclared)
    if undeclared and source.new_columns == "freeze":
        raise UnknownColumns(file, undeclared, list(source.declared))


def told_column(source: Source, column: str) -> str:
    """A declared column as people look for it in a file: by its header."""
    return " or ".join(source.declared[column].headers) or column


def longer(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...] | None:
    """The longer of two lists of columns, if it begins with the other; None if they differ in a position."""
    first, second = sorted((one, other), key=len)
    return second if second[: len(first)] == first else None
