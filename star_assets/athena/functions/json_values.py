"""Casts between JSON and SQL values, in Python.

DuckDB converts nested values to and from its own JSON, in which every scalar is a text. The functions here
convert these scalars as Athena does. Not here: reading JSON (json_text), the casts in SQL (compiling.json_functions).
"""

from __future__ import annotations

import json
import re
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from star_assets.athena.failures import Wrong
from star_assets.athena.functions.json_text import Broken, Members, Number, quoted, scalar, whole, written
from star_assets.athena.functions.number_text import double_text, scientific_or_plain
from star_assets.athena.types import INTEGERS, Type

# A type as JSON: its name, then its parts; a row's fields as [label, type].
Shape = list[Any]

_BITS = dict(zip(INTEGERS, (8, 16, 32, 64), strict=True))
_BOOLEANS = {"true": "true", "t": "true", "1": "true", "false": "false", "f": "false", "0": "false"}
_WIDE = Context(prec=400)


def shape(type_: Type) -> Shape:
    """A type in the form that `to_sql` and `from_sql` read."""
    if type_.name == "row":
        return ["row", [[label, shape(part)] for label, part in type_.fields]]
    if type_.name == "decimal":
        return ["decimal", type_.precision, type_.scale]
    return [type_.name, *map(shape, type_.parts)]


@lru_cache(maxsize=256)
def _read(text: str) -> Shape:
    found: Shape = json.loads(text)
    return found


def to_sql(text: str, wanted: str) -> str | None:
    """JSON cast to the type `wanted`: DuckDB's JSON of a nested value, or the text of a scalar. Raises Wrong."""
    found = _read(wanted)
    try:
        value = _to_sql(whole(text), found)
    except Broken as error:
        raise Wrong("INVALID_CAST_ARGUMENT", f"Cannot cast '{text}' to {found[0]}") from error
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _to_sql(value: Any, wanted: Shape) -> Any:
    kind = wanted[0]
    if kind == "json":
        return written(value, is_sorted=True)
    if value is None:
        return None
    if kind == "array" and isinstance(value, list):
        return [_to_sql(element, wanted[1]) for element in value]
    if kind == "map" and isinstance(value, Members):
        return {_to_sql(name, wanted[1]): _to_sql(one, wanted[2]) for name, one in dict(value).items()}
    if kind == "row":
        return {f"f{n}": one for n, one in enumerate(_fields(value, wanted[1]))}
    if kind in ("array", "map") or isinstance(value, Members | list):
        raise Wrong("INVALID_CAST_ARGUMENT", f"Cannot cast '{written(value)}' to {kind}")
    return _leaf(value, wanted)


def _fields(value: Any, fields: Shape) -> list[Any]:
    if isinstance(value, Members) and all(label for label, _ in fields):
        named = {name.lower(): one for name, one in value}
        return [_to_sql(named.get(label), wanted) for label, wanted in fields]
    if isinstance(value, list) and len(value) == len(fields):
        return [_to_sql(one, wanted) for one, (_, wanted) in zip(value, fields, strict=True)]
    raise Wrong("INVALID_CAST_ARGUMENT", f"Cannot cast '{written(value)}' to a row of {len(fields)} fields")


def _leaf(value: Any, wanted: Shape) -> str:
    """The text of a scalar cast to the type `wanted`. Raises Wrong."""
    kind, text = wanted[0], str(scalar(value))
    try:
        if kind == "varchar":
            is_double = isinstance(value, Number) and re.search(r"[.eE]", text)
            return double_text(float(text)) if is_double else text
        if kind == "boolean":
            return _boolean(value, text)
        number = text if not isinstance(value, bool) else str(int(value))
        if kind in _BITS:
            return _integer(number, kind, isinstance(value, Number))
        if kind == "decimal":
            return _decimal(number, *wanted[1:])
        return repr(float(number))
    except (ValueError, InvalidOperation) as error:
        raise Wrong("INVALID_CAST_ARGUMENT", f"Cannot cast '{text}' to {kind}") from error


def _boolean(value: Any, text: str) -> str:
    if isinstance(value, Number):
        return "true" if float(text) else "false"
    if text.lower() not in _BOOLEANS:
        raise ValueError(text)
    return _BOOLEANS[text.lower()]


def _integer(text: str, kind: str, is_number: bool) -> str:
    if not is_number and not re.fullmatch(r"[-+]?[0-9]+", text):
        raise ValueError(text)
    number = int(Decimal(text).to_integral_value(ROUND_HALF_UP))
    if not -(2 ** (_BITS[kind] - 1)) <= number < 2 ** (_BITS[kind] - 1):
        raise ValueError(text)
    return str(number)


def _decimal(text: str, precision: int, scale: int) -> str:
    number = Decimal(text).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, _WIDE)
    if number.adjusted() >= precision - scale:
        raise ValueError(text)
    return format(number, "f")


def from_sql(text: str, given: str) -> str:
    """Athena's JSON of a value of the type `given`: of DuckDB's JSON of a nested value, or of a scalar's text."""
    found = _read(given)
    return _from_sql(json.loads(text) if found[0] in ("array", "map", "row") else text, found)


def _from_sql(value: Any, given: Shape) -> str:
    kind = given[0]
    if value is None:
        return "null"
    if kind == "array":
        return f"[{','.join(_from_sql(element, given[1]) for element in value)}]"
    if kind == "map":
        return _object(sorted((key, _from_sql(one, given[2])) for key, one in value.items()))
    if kind == "row":
        pairs = zip(given[1], value.values(), strict=True)
        members = [(label or "", _from_sql(one, part)) for (label, part), one in pairs]
        return _object(members)
    if kind == "decimal":
        return format(Decimal(value), "f")
    if kind in ("real", "double"):
        shown = scientific_or_plain(float(value))
        return shown if shown.lstrip("-")[0].isdigit() else quoted(shown)
    return str(value) if kind in (*INTEGERS, "boolean", "json", "unknown") else quoted(value)


def _object(members: list[tuple[str, str]]) -> str:
    return f"{{{','.join(f'{quoted(name)}:{text}' for name, text in members)}}}"
