"""Answers of the embedded Athena as Trino's protocol writes them, so that the two can be compared."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from star_assets.athena.client import Result
from star_assets_tests.athena.trino import Answer

Types = pa.types


def as_trino(result: Result) -> Answer:
    """An answer with its values as Trino's protocol writes them."""
    columns = [[_written(value, column.type) for value in column.to_pylist()] for column in result.table.columns]
    rows = [list(row) for row in zip(*columns, strict=True)]
    return Answer(result.table.column_names, list(result.types), rows, len(rows))


def _written(value: Any, type_: pa.DataType) -> Any:
    if value is None:
        return None
    if Types.is_list(type_):
        return [_written(element, type_.value_type) for element in value]
    if Types.is_map(type_):
        return {_key(_written(key, type_.key_type)): _written(item, type_.item_type) for key, item in value}
    if Types.is_struct(type_):
        return [_written(value[field.name], field.type) for field in type_]
    if Types.is_timestamp(type_):
        return value.replace(tzinfo=None).isoformat(" ", "milliseconds") + (f" {type_.tz}" if type_.tz else "")
    write = next((write for is_type, write in _WRITERS if is_type(type_)), None)
    return write(value) if write else value


def _key(value: Any) -> str:
    """JSON's names are texts."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _float(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _real(value: float) -> float | str:
    """The fewest digits that are the same real."""
    shortest = next(text for digits in range(6, 10) if _to_real(text := f"{value:.{digits}g}") == value)
    return _float(float(shortest))


def _to_real(text: str) -> float:
    return float(pa.scalar(float(text), pa.float32()).as_py())


_WRITERS: Sequence[tuple[Callable[[pa.DataType], bool], Callable[[Any], Any]]] = (
    (Types.is_decimal, lambda value: format(value, "f")),
    (Types.is_date, lambda value: value.isoformat()),
    (Types.is_float32, lambda value: _real(value) if math.isfinite(value) else _float(value)),
    (Types.is_float64, _float),
    (Types.is_binary, lambda value: base64.b64encode(value).decode()),
)


def in_any_order(rows: Sequence[Sequence[Any]]) -> list[Any]:
    """Rows sorted, to compare answers whose order is nobody's promise."""
    return sorted(rows, key=repr)
