"""Reading and writing JSON as Athena does: the value at a path, and the text of a value.

Numbers keep their digits until they are written. A text is read only up to the end of the path's
value, so an error behind it is not noticed. Not here: the SQL functions (json_functions, json_lookups).
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from json.decoder import WHITESPACE, JSONDecodeError, scanstring  # type: ignore[attr-defined]
from typing import Any

from star_assets.athena.functions.number_text import scientific_or_plain


class Number(str):
    """A number, as the text that the JSON has for it."""

    __slots__ = ()


class Members(tuple[tuple[str, Any], ...]):
    """A JSON object: its names and values in order, repeated names included."""

    __slots__ = ()


class Broken(ValueError):
    """A text that is not valid JSON, or a path that is not valid."""


def _constant(name: str) -> None:
    raise Broken(name)


_DECODER = json.JSONDecoder(parse_float=Number, parse_int=Number, parse_constant=_constant, object_pairs_hook=Members)
_SCALAR = re.compile(r"true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?", re.ASCII)
_STEP = re.compile(r'\.([\w:]+)|\[([\w]+)\]|\["((?:[^"\\]|\\.)*)"\]', re.ASCII)


@lru_cache(maxsize=256)
def steps(path: str) -> tuple[str, ...]:
    """The names and indexes in a path such as `$.a["b"][0]`. Raises Broken."""
    if not path.startswith("$"):
        raise Broken(path)
    found, place = [], 1
    while place < len(path):
        step = _STEP.match(path, place)
        if not step:
            raise Broken(path)
        name = step[1] or step[2]
        found.append(name if name is not None else re.sub(r"\\(.)", r"\1", step[3]))
        place = step.end()
    return tuple(found)


def at_path(text: str, path: str) -> tuple[Any] | None:
    """The value at a path, in a tuple; None if there is none, or the text is not valid JSON up to its end."""
    wanted = steps(path)
    try:
        place = _blank(text, 0)
        for step in wanted:
            found = _entered(text, place, step)
            if found is None:
                return None
            place = found
        return (_value(text, place)[0],)
    except (JSONDecodeError, Broken, IndexError, RecursionError):
        return None


def _blank(text: str, place: int) -> int:
    return int(WHITESPACE.match(text, place).end())


def _value(text: str, place: int) -> tuple[Any, int]:
    """The value that begins at the offset `place`, and the offset of its end."""
    if text[place] in '{["':
        return _DECODER.raw_decode(text, place)
    word = _SCALAR.match(text, place)
    # A number or a word must not continue.
    if not word or re.match(r"[\w.+-]", text[word.end() : word.end() + 1]):
        raise Broken(text)
    return {"true": True, "false": False, "null": None}.get(word[0], Number(word[0])), word.end()


def _entered(text: str, place: int, step: str) -> int | None:
    """The offset of a member or an element of the object or array at `place`; None if there is none."""
    opening = text[place]
    if opening not in "{[":
        return None
    number, place = 0, _blank(text, place + 1)
    while text[place] not in "}]":
        if opening == "{":
            name, place = scanstring(text, place + 1) if text[place] == '"' else _fail(text)
            place = _blank(text, place)
            if text[place] != ":":
                raise Broken(text)
            place = _blank(text, place + 1)
            if name == step:
                return place
        elif str(number) == step:
            return place
        _, place = _value(text, place)
        number, place = number + 1, _blank(text, place)
        if text[place] == ",":
            place = _blank(text, place + 1)
        elif text[place] not in "}]":
            raise Broken(text)
    return None


def _fail(text: str) -> Any:
    raise Broken(text)


def whole(text: str) -> Any:
    """The value of a text that is exactly one JSON value. Raises Broken."""
    try:
        value, end = _value(text, _blank(text, 0))
    except (JSONDecodeError, IndexError, RecursionError) as error:
        raise Broken(text) from error
    if _blank(text, end) != len(text):
        raise Broken(text)
    return value


def elements(text: str) -> list[Any] | None:
    """The elements of a JSON array; None for any other value, or a text that is not valid JSON."""
    found = at_path(text, "$")
    return found[0] if found and isinstance(found[0], list) else None


def written(value: Any, is_sorted: bool = False) -> str:
    """A value as Athena writes it: without blanks, numbers with a point or an exponent as doubles."""
    if isinstance(value, Number):
        return _double(value) if re.search(r"[.eE]", value) else str(value)
    if isinstance(value, Members):
        members = sorted(dict(value).items()) if is_sorted else value
        return f"{{{','.join(f'{quoted(name)}:{written(one, is_sorted)}' for name, one in members)}}}"
    if isinstance(value, list):
        return f"[{','.join(written(one, is_sorted) for one in value)}]"
    return {True: "true", False: "false", None: "null"}[value] if not isinstance(value, str) else quoted(value)


def _double(digits: str) -> str:
    return scientific_or_plain(float(digits))


def quoted(text: str) -> str:
    """A text in quotes; what is no ASCII stays as it is."""
    found = json.dumps(text, ensure_ascii=False)
    return re.sub(r"\\u00[0-9a-f]{2}", lambda escape: escape[0][:2] + escape[0][2:].upper(), found)


def scalar(value: Any) -> str | None:
    """The text of a scalar; None for NULL, an object or an array."""
    if value is None or isinstance(value, Members | list):
        return None
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
