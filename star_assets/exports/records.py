"""What the readers of raw files return: batches of rows as text, and rejects.

Not here: how each format is read (formats).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from star_assets.model.errors import BrokenFile
from star_assets.model.source import Source

# Columns that say where in the file a row came from.
LINE = "_line"
RAW = "_raw"

# A batch ends at so many records, or at so much raw text, so that memory is bounded
# and no column of a batch exceeds Arrow's 2 GiB.
BATCH_RECORDS = 50_000
BATCH_CHARACTERS = 1 << 26


@dataclass(frozen=True)
class Reject:
    """A record that is not a valid row: its first line, its raw text, and the reason."""

    line: int
    raw: str
    reason: str


@dataclass(frozen=True)
class Records:
    """A batch of a file's records.

    `table` has the file's columns as text, NULL where there is no value, with
    `_line` (int64, the first line of the record, counted from 1) and `_raw`
    (the record's text). Every record is either in `table` or in `rejects`.
    """

    table: pa.Table
    rejects: list[Reject]


def column_names(found: Iterable[str], file: str, line: int, source: Source) -> tuple[str, ...]:
    """The columns of a header: the declared ones by their names, others as the file has them, in lower case.

    Raises BrokenFile if a name is empty, repeated or reserved.
    """
    headers = tuple(name.strip().lower() for name in found)
    names = tuple(column_of(header, source) for header in headers)
    for place, (header, name) in enumerate(zip(headers, names, strict=True), start=1):
        if not header:
            raise BrokenFile(file, line, f"expected a name for column {place}, found none")
        if header in headers[: place - 1]:
            raise BrokenFile(file, line, f"expected distinct columns, found {header!r} twice")
        if name in names[: place - 1]:
            other = headers[names.index(name)]
            raise BrokenFile(file, line, f"expected one column for {name}, found {other!r} and {header!r}")
        if name in (LINE, RAW):
            raise BrokenFile(file, line, f"expected no column of the reserved name {name!r}")
    return names


def column_of(header: str, source: Source) -> str:
    """The declared column with this header, in lower case, or else the header itself.

    A header equal to the name of a declared column that has another header becomes `raw_<header>`.
    """
    declared = source.by_header.get(header)
    return declared or (f"raw_{header}" if header in source.declared else header)


def text_table(
    columns: Sequence[str], values: Sequence[Sequence[str | None]], rows: Sequence[tuple[int, str]]
) -> pa.Table:
    """The table of a batch: each column's values, then each row's line and raw text."""
    arrays = [pa.array(column, pa.string()) for column in values]
    arrays.append(pa.array([line for line, _ in rows], pa.int64()))
    arrays.append(pa.array([raw for _, raw in rows], pa.string()))
    return pa.Table.from_arrays(arrays, [*columns, LINE, RAW])


def require_same(file: str, what: str, expected: int, found: int) -> None:
    """Raises BrokenFile if the number of lines or elements differs from the count of the inspection."""
    if found != expected:
        problem = f"expected {expected} {what}, as counted at first, found {found}: it changed while it was read"
        raise BrokenFile(file, None, problem)
