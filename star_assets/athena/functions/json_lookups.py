"""The Python functions behind Athena's functions of JSON.

Not here: compiling their calls (compiling.json_functions).
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from star_assets.athena.failures import Unanswered, Wrong
from star_assets.athena.functions.json_text import (
    Broken,
    Members,
    Number,
    at_path,
    elements,
    scalar,
    steps,
    whole,
    written,
)
from star_assets.athena.functions.number_text import double_text

_INVALID = "INVALID_FUNCTION_ARGUMENT"


def _found(document: str, path: str) -> tuple[Any] | None:
    try:
        return at_path(document, path)
    except Broken as error:
        raise Wrong(_INVALID, f"Invalid JSON path: '{path}'") from error


def extract_scalar(document: str, path: str) -> str | None:
    """json_extract_scalar."""
    found = _found(document, path)
    return scalar(found[0]) if found else None


def extract(document: str, path: str) -> str | None:
    """json_extract."""
    found = _found(document, path)
    return written(found[0]) if found else None


def size(document: str, path: str) -> int | None:
    """json_size."""
    found = _found(document, path)
    if not found:
        return None
    return len(found[0]) if isinstance(found[0], Members | list) else 0


def array_length(document: str) -> int | None:
    """json_array_length."""
    found = elements(document)
    return None if found is None else len(found)


def array_get(document: str, index: int) -> str | None:
    """json_array_get. As on Athena, a string is returned without its quotes, which is not valid JSON."""
    found = elements(document)
    if found is None or not -len(found) <= index < len(found) or found[index] is None:
        return None
    value = found[index]
    return str(value) if isinstance(value, str) and not isinstance(value, Number) else written(value)


def array_contains(document: str, kind: str, value: str) -> bool | None:
    """json_array_contains. `value` is the text of a value of the type `kind`."""
    found = elements(document)
    if found is None:
        return None
    if kind == "varchar":
        return any(isinstance(one, str) and not isinstance(one, Number) and one == value for one in found)
    if kind == "boolean":
        return any(isinstance(one, bool) and scalar(one) == value for one in found)
    numbers = [one for one in found if isinstance(one, Number)]
    if kind == "double":
        return any(re.search(r"[.eE]", one) and float(one) == float(value) for one in numbers)
    return any(not re.search(r"[.eE]", one) and Decimal(one) == Decimal(value) for one in numbers)


def parse(document: str) -> str:
    """json_parse."""
    try:
        return written(whole(document), is_sorted=True)
    except Broken as error:
        raise Wrong(_INVALID, f"Cannot convert value to JSON: '{document}'") from error


def is_scalar(document: str) -> bool:
    """is_json_scalar."""
    try:
        return not isinstance(whole(document), Members | list)
    except Broken as error:
        raise Wrong(_INVALID, f"Invalid JSON value: {document}") from error


def _standard(document: str, path: str) -> tuple[Any] | None:
    """The value at a path of the SQL standard, in a tuple; None if there is none, or the text is not valid JSON."""
    try:
        wanted = steps(re.sub(r"^\s*(lax|strict)\s+", "", path).strip())
    except Broken as error:
        raise Unanswered(f"the JSON path {path}") from error
    try:
        value = whole(document)
    except Broken:
        return None
    for step in wanted:
        if isinstance(value, list) and not step.isdigit():
            # A lax path continues in each of the elements.
            raise Unanswered(f"the JSON path {path} through an array")
        held = dict(value) if isinstance(value, Members) else {}
        if isinstance(value, list):
            held = {str(number): one for number, one in enumerate(value)}
        if step not in held:
            return None
        value = held[step]
    return (value,)


def standard_value(document: str, path: str) -> str | None:
    """json_value."""
    found = _standard(document, path)
    value = found[0] if found else None
    if isinstance(value, Number) and re.search(r"[.eE]", value):
        return double_text(float(value))
    return scalar(value)


def standard_exists(document: str, path: str) -> bool:
    """json_exists."""
    return _standard(document, path) is not None


def standard_query(document: str, path: str) -> str | None:
    """json_query."""
    found = _standard(document, path)
    return written(found[0]) if found else None
