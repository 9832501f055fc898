"""Converting the texts that the Athena service returns into Arrow tables.

Here: the typed rows of a query, and the lines that other statements print. NULL and the empty
text differ, and no digit of a decimal is lost. Arrays, maps, rows, JSON and times with a zone stay
texts, as Athena writes them. Not here: running statements (service).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from star_assets.model.types import SIMPLE_TYPES

# Athena's types → Arrow's. Values of all other types stay texts. The service also calls a real `float`.
_ARROW = {simple.trino: pa.type_for_alias(simple.arrow) for simple in SIMPLE_TYPES} | {"float": pa.float32()}

# The length of a timestamp in milliseconds. Athena may write more digits.
_MILLISECONDS = len("2023-07-01 10:00:00.123")

Rows = Sequence[Sequence[str | None]]


def arrow_table(columns: Sequence[Any], rows: Rows) -> tuple[pa.Table, tuple[str, ...]]:
    """A query's rows, and the name of each column's type. `columns` is the cursor's description of the DB API."""
    texts = list(zip(*rows, strict=True)) or [()] * len(columns)
    types = [_type(column) for column in columns]
    arrays = [_array(values, *type_) for values, type_ in zip(texts, types, strict=True)]
    return pa.table(arrays, names=[column[0] for column in columns]), tuple(name for name, _ in types)


def printed_table(columns: Sequence[Any], rows: Rows) -> tuple[pa.Table, tuple[str, ...]]:
    """The lines that a statement prints, as texts. Athena may send the columns of a line as one text with tabs."""
    names = [column[0] for column in columns] or ["result"]
    lines = [_cells(row, len(names)) for row in rows]
    arrays = [pa.array([line[index] for line in lines], pa.string()) for index in range(len(names))]
    return pa.table(arrays, names=names), ("varchar",) * len(names)


def _cells(row: Sequence[str | None], count: int) -> list[str]:
    if count == 1:
        return ["\t".join(text or "" for text in row)]
    cells = [cell.strip() for text in row for cell in (text or "").split("\t")]
    return (cells + [""] * count)[:count]


def _type(column: Any) -> tuple[str, pa.DataType]:
    _, type_, _, _, precision, scale, _ = column
    if type_ == "decimal":
        return f"decimal({precision},{scale})", pa.decimal128(precision, scale)
    return type_, _ARROW.get(type_, pa.string())


def _array(values: Sequence[str | None], _: str, type_: pa.DataType) -> pa.Array:
    if type_ == pa.binary():
        return pa.array([None if value is None else bytes.fromhex(value) for value in values], type_)
    texts = pa.array(values, pa.string())
    if type_ == _ARROW["timestamp"]:
        texts = pc.utf8_slice_codeunits(texts, 0, _MILLISECONDS)
    return texts.cast(type_)
