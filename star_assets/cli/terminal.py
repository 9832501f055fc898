"""Writing rows for people and programs: tables, bar charts, CSV, JSON.

Not here: the progress of a run (progress).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.csv
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.filesize import decimal as file_size
from rich.table import Table
from rich.text import Text

from star_assets.visible import STEERING, visible

if TYPE_CHECKING:
    from star_assets.athena.client import Result

Format = Literal["table", "csv", "json"]

# The most rows of a table. Drawing takes a millisecond per row.
MOST_DRAWN = 1_000

# The width of a table that goes to a file or another program, so that no cell is folded.
UNBOUNDED = 100_000

# The most characters that are shown of a statement that prints nothing, and of a rejected row.
SHORT = 60

# Eighths of a block, so that a bar's length is true to an eighth of a character.
_EIGHTHS = " ▏▎▍▌▋▊▉"


def write_rows(rows: pa.Table, format_: Format, last_are_sums: bool = False) -> None:
    """Write rows to standard output.

    In CSV a NULL is an empty field and an empty string is `""`; in JSON, decimals
    and timestamps are strings, because a JSON number may lose digits. A table
    shows the first MOST_DRAWN rows, and the last one too if that has the sums of all.
    Control characters are escaped in tables and JSON, and in CSV that goes to a
    terminal, as `ls` does.
    """
    if format_ == "json":
        _write_json(rows)
    elif format_ == "csv":
        _write_csv(rows)
    else:
        hidden = rows.num_rows - MOST_DRAWN
        shown = pa.concat_tables([rows.slice(0, MOST_DRAWN - 1), rows.slice(rows.num_rows - 1)]) if hidden > 0 else rows
        _console().print(table(shown if last_are_sums else rows))
        _tell_rest(rows)


def show_answer(statement: str, result: Result) -> None:
    """Show one statement's answer: rows as a table, the output of DDL as lines; time and cost go to standard error."""
    error_console = Console(stderr=True, highlight=False, soft_wrap=True)
    if result.statement == "query":
        write_rows(result.table, "table")
        count = f"{result.table.num_rows:,} {'row' if result.table.num_rows == 1 else 'rows'}"
        error_console.print(f"{count}, {result.seconds:.2f} s, {_taken(result)}")
    elif result.table.num_rows:
        for row in result.table.to_pylist():
            print(visible("\t".join("" if value is None else str(value) for value in row.values())))
    else:
        words = visible(" ".join(statement.split()))
        error_console.print(Text(f"Done: {words if len(words) <= SHORT else words[: SHORT - 1] + '…'}"))


def _taken(result: Result) -> str:
    """The bytes, the cost and the time in the queue of an answer."""
    read, execution = file_size(result.bytes_scanned), result.execution
    if execution is None:
        return f"{read} in the files read"
    if execution.reused:
        return f"reused from an earlier run, for nothing; query {execution.query_id}"
    cost = f"${execution.cost_usd:f}"
    return f"{read} scanned for {cost}, {execution.queue_seconds:.2f} s in the queue; query {execution.query_id}"


def show_status(status: pa.Table) -> None:
    """Show the rows of `table_status` as a narrow table, with the tables' names as commands take them."""
    rows = [
        {
            "table": row["table"].partition(".")[2],
            "parts": row["partitions"],
            "days": f"{row['first_day']} … {row['last_day']}" if row["first_day"] else "",
            "rows": row["rows"],
            "size": file_size(row["size_bytes"]),
            "live since (UTC)": f"{row['live_since']:%Y-%m-%d %H:%M}" if row["live_since"] else "",
            "due": row["out_of_date"],
            "versions": row["versions"],
            "catalog": row["catalog"] or "empty",
        }
        for row in status.to_pylist()
        if row["partitions"] is not None
    ]
    shown = table(pa.Table.from_pylist(rows))
    shown.box, shown.padding, shown.pad_edge = SIMPLE_HEAD, 0, False
    for column in shown.columns:
        column.no_wrap = column.justify == "right" or column is shown.columns[0]
    _console().print(shown)


def show_rejects(rejects: pa.Table) -> None:
    """Show the rows of `rejected_rows` as a table, each file by its name within the day's folder."""
    rows = [
        {
            **row,
            "file": row["file"].partition(f"date={row['day']}/")[2],
            "raw": _shortened(row["raw"]),
            "staged": "yes" if row["staged"] else "no",
        }
        for row in rejects.slice(0, MOST_DRAWN).to_pylist()
    ]
    _console().print(table(pa.Table.from_pylist(rows)))
    _tell_rest(rejects)


def table(rows: pa.Table, title: str | None = None) -> Table:
    """A table of the first rows: numbers are right-aligned, NULL is shown as such."""
    shown = Table(title=title, title_justify="left", header_style="bold")
    for field in rows.schema:
        numeric = pa.types.is_decimal(field.type) or pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
        shown.add_column(Text(visible(field.name)), justify="right" if numeric else "left", overflow="fold")
    # By column, because two columns may have one name.
    for values in zip(*(column.to_pylist() for column in rows.slice(0, MOST_DRAWN).columns), strict=True):
        shown.add_row(*map(_cell, values))
    return shown


def bar_chart(labels: Sequence[str], values: Sequence[Decimal], width: int, places: int = 2) -> Text:
    """Horizontal bars, label to the left and value to the right, with so many decimals, within `width` characters.

    A value below zero has no bar. Bars take at least 8 characters, whatever the width.
    """
    labels = [visible(label) for label in labels]
    names = max((len(label) for label in labels), default=0)
    numbers = [f"{value:,.{places}f}" for value in values]
    room = max(width - names - max((len(number) for number in numbers), default=0) - 2, 8)
    most = max(values, default=Decimal(0))
    lines = []
    for label, value, number in zip(labels, values, numbers, strict=True):
        full, rest = divmod(int(value / most * room * 8) if value > 0 else 0, 8)
        bar = ("█" * full + _EIGHTHS[rest]).rstrip()
        lines.append(Text.assemble(f"{label:>{names}} ", (bar, "cyan"), (f" {number}", "bold")))
    return Text("\n").join(lines)


def _tell_rest(rows: pa.Table) -> None:
    if rows.num_rows > MOST_DRAWN:
        _console().print(f"… the first {MOST_DRAWN:,} of {rows.num_rows:,} rows; --format csv or json writes all.")


def _shortened(text: str) -> str:
    """A text as one line of at most SHORT characters."""
    line = "".join(character if character.isprintable() else repr(character)[1:-1] for character in text[:SHORT])
    return line if len(text) <= SHORT and len(line) <= SHORT else line[: SHORT - 1] + "…"


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else UNBOUNDED)


def _cell(value: Any) -> Text:
    if value is None:
        return Text("NULL", style="dim")
    if isinstance(value, Decimal):
        return Text(f"{value:,f}")
    if isinstance(value, datetime):
        return Text(value.isoformat(" ", "milliseconds"))
    if isinstance(value, list | dict):
        return Text(_json(value))
    return Text(visible(str(value)))


def _write_json(rows: pa.Table) -> None:
    """An array with one row per line. Written by hand, because two columns may have one name."""
    names = [_json(name) for name in rows.column_names]
    separator = "[\n"
    for batch in rows.to_batches():
        for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            pairs = ", ".join(f"{name}: {_json(value)}" for name, value in zip(names, values, strict=True))
            sys.stdout.write(f"{separator}{{{pairs}}}")
            separator = ",\n"
    sys.stdout.write("[]\n" if separator == "[\n" else "\n]\n")


def _write_csv(rows: pa.Table) -> None:
    if not sys.stdout.isatty():
        pyarrow.csv.write_csv(_csv_ready(rows), sys.stdout.buffer)
        return
    written = pa.BufferOutputStream()
    pyarrow.csv.write_csv(_csv_ready(rows), written)
    sys.stdout.write(visible(written.getvalue().to_pybytes().decode()))


def _plain(value: Any) -> str:
    """The text of a value that JSON has no form for."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    return str(value)


def _csv_ready(rows: pa.Table) -> pa.Table:
    """Nested and binary values as text: CSV has no form for them."""
    for index, field in enumerate(rows.schema):
        if pa.types.is_nested(field.type) or pa.types.is_binary(field.type):
            encode = bytes.hex if pa.types.is_binary(field.type) else _json
            texts = [None if value is None else encode(value) for value in rows.column(index).to_pylist()]
            rows = rows.set_column(index, field.name, pa.array(texts, pa.string()))
    return rows


def _json(value: Any) -> str:
    written = json.dumps(value, default=_plain, ensure_ascii=False)
    return STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", written)
