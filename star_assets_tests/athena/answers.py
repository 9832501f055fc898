"""Answers of the embedded Athena as Trino's protocol writes them, so that the two can be compared."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from star_assets.athena.client import Result
from star_assets_tests.athena.trino import Answer


def as_trino(result: Result) -> Answer:
    """An answer with its values as Trino's protocol writes them."""
    columns = [[_written(value, column.type) for value in column.to_pylist()] for column in result.table.columns]
    rows = [list(row) for row in zip(*columns, strict=True)]
    return Answer(result.table.column_names, list(result.types), rows, len(rows))


def _written(value: Any, type_: pa.DataType) -> Any:
    if value is None:
        return None
    if pa.types.is_list(type_):
        return [_written(element, type_.value_type) for element in value]
    write = next((write for is_type, write in _WRITERS if is_type(type_)), None)
    return write(value) if write else value


def _float(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


_WRITERS: Sequence[tuple[Callable[[pa.DataType], bool], Callable[[Any], Any]]] = (
    (pa.types.is_decimal, lambda value: format(value, "f")),
    (pa.types.is_date, lambda value: value.isoformat()),
    (pa.types.is_timestamp, lambda value: value.isoformat(" ", "milliseconds")),
    (pa.types.is_float32, lambda value: _float(float(f"{value:.8g}"))),
    (pa.types.is_float64, _float),
    (pa.types.is_binary, lambda value: base64.b64encode(value).decode()),
)


def in_any_order(rows: Sequence[Sequence[Any]]) -> list[Any]:
    """Rows sorted, to compare answers whose order is nobody's promise."""
    return sorted(rows, key=repr)
