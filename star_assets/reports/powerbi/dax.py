"""Writing DAX: names, and the expressions of measures."""

from __future__ import annotations

from collections.abc import Sequence


def table(name: str) -> str:
    """A table's name: `'Product As Sold'`."""
    return "'" + name.replace("'", "''") + "'"


def column(table_name: str, name: str) -> str:
    """A column of a table: `'Sales'[Line Revenue]`."""
    return table(table_name) + measure(name)


def measure(name: str) -> str:
    """A measure: `[Revenue]`."""
    return "[" + name.replace("]", "]]") + "]"


def calculate(what: str, *filters: str) -> str:
    """A measure with additional filters."""
    return f"CALCULATE({', '.join([what, *filters])})"


def summed(columns: Sequence[str]) -> str:
    """The total of several columns."""
    return " + ".join(f"SUM({name})" for name in columns)
