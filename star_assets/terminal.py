"""What people see in a terminal: tables, bar charts, progress. Nothing is computed here."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal

import pyarrow as pa
import pyarrow.csv
from rich.console import Console
from rich.table import Table
from rich.text import Text

Format = Literal["table", "csv", "json"]

# Eighths of a block, so that a bar's length is true to an eighth of a character.
_EIGHTHS = " ▏▎▍▌▋▊▉"


def write_rows(rows: pa.Table, format_: Format) -> None:
    """Write rows to standard output.

    In CSV a NULL is an empty field and an empty string is `""`; in JSON, decimals
    and timestamps are strings, because a JSON number may lose digits.
    """
    if format_ == "json":
        json.dump(rows.to_pylist(), sys.stdout, indent=1, default=str, ensure_ascii=False)
        sys.stdout.write("\n")
    elif format_ == "csv":
        pyarrow.csv.write_csv(_csv_ready(rows), sys.stdout.buffer)
    else:
        Console().print(table(rows))


def table(rows: pa.Table, title: str | None = None) -> Table:
    """A table of rows: numbers to the right, NULL shown as such."""
    shown = Table(title=title, title_justify="left", header_style="bold")
    for field in rows.schema:
        numeric = pa.types.is_decimal(field.type) or pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
        shown.add_column(field.name, justify="right" if numeric else "left", overflow="fold")
    for row in rows.to_pylist():
        shown.add_row(*(_cell(value) for value in row.values()))
    return shown


def bar_chart(labels: Sequence[str], values: Sequence[Decimal], width: int) -> Text:
    """Horizontal bars, longest label and value beside them, within `width` characters."""
    names = max((len(label) for label in labels), default=0)
    numbers = [f"{value:,.2f}" for value in values]
    room = max(width - names - max((len(number) for number in numbers), default=0) - 4, 8)
    most = max((abs(value) for value in values), default=Decimal(0)) or Decimal(1)
    chart = Text()
    for label, value, number in zip(labels, values, numbers, strict=True):
        full, rest = divmod(int(max(value, Decimal(0)) / most * room * 8), 8)
        bar = ("█" * full + _EIGHTHS[rest]).rstrip()
        chart.append(f"{label:>{names}} ")
        chart.append(f"{bar}", style="cyan")
        chart.append(f" {number}\n", style="bold")
    return chart


def _cell(value: Any) -> Text:
    if value is None:
        return Text("NULL", style="dim")
    if isinstance(value, Decimal):
        return Text(f"{value:,f}")
    return Text(str(value))


def _csv_ready(rows: pa.Table) -> pa.Table:
    """Nested values as JSON text: CSV has no form for them."""
    for index, field in enumerate(rows.schema):
        if pa.types.is_nested(field.type):
            texts = [None if v is None else json.dumps(v, default=str) for v in rows.column(index).to_pylist()]
            rows = rows.set_column(index, field.name, pa.array(texts, pa.string()))
    return rows
