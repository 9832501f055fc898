"""The exact reader of JSON files: every object becomes a row or a reject, with its line and raw text.

Numbers keep their text, so no decimal becomes a double. Not here: types
of values (engines).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from star_assets.exports.columns import require_columns
from star_assets.exports.content import as_text, flaw, open_raw, printable
from star_assets.exports.formats.format import RawProfile
from star_assets.exports.records import (
    BATCH_CHARACTERS,
    BATCH_RECORDS,
    Records,
    Reject,
    column_names,
    require_same,
    text_table,
)
from star_assets.model.errors import BrokenFile
from star_assets.model.source import Source

# Characters read at once, and those within which an element must end.
BLOCK = 1 << 20
LONGEST_ELEMENT = 1 << 26

# Characters that a message quotes.
MOST_SHOWN = 20

TOO_DEEP = "nested too deeply"

_SPACE = re.compile(r"[ \t\r\n]*")
_LINE_END = re.compile(r"\r\n|\r|\n")
_SURROGATE = re.compile("[\ud800-\udfff]")


def read_json(path: Path, name: str, source: Source, profile: RawProfile) -> Iterator[Records]:
    """The file's objects in batches, in its order. `profile` is the inspection's result.

    Each batch has the columns that occurred so far, and the declared ones. A
    key that an object lacks is NULL; nested values are compact JSON. A reject
    is a line that is no JSON, or an element that is no object. Raises BrokenFile
    for an array with a syntax error, ColumnMissing if a required column
    occurs in no object, LakeRefused.
    """
    rows = _Rows(name, source)
    with open_raw(path, name) as content:
        text = as_text(content, "utf-8")
        yield from rows.batches(json_values(text, name, profile))
    if rows.found:
        require_columns(source, name, list(rows.found))


def json_values(text: TextIO, name: str, profile: RawProfile) -> Iterator[JsonRecord]:
    """The values of JSON lines, or the elements of the array. Raises BrokenFile for an array with a syntax error."""
    return _array(text, name, profile) if profile.array else _lines(text, name, profile)


class _Number(str):
    """The text of a number: a class of its own, to distinguish it from a string."""

    __slots__ = ()


class _Constant(str):
    """`NaN` or `Infinity`, which Python's parser accepts but JSON does not have."""

    __slots__ = ()


class _Invalid(Exception):
    """A value that is not a valid row."""


# Objects are tuples of pairs, so that keys that occur twice are noticed.
_DECODER = json.JSONDecoder(parse_float=_Number, parse_int=_Number, parse_constant=_Constant, object_pairs_hook=tuple)


class JsonRecord(NamedTuple):
    """A value in the file: its first line, its text, the parsed value, or the problem with it.

    An object's `value` is a tuple of its (key, value) pairs.
    """

    line: int
    raw: str
    value: Any
    problem: str | None = None


def _lines(text: TextIO, name: str, profile: RawProfile) -> Iterator[JsonRecord]:
    """The values of JSON lines. A line with an error anywhere is one record with a problem."""
    number = 0
    for number, line in enumerate(text, start=1):
        raw = line.strip(" \t\r\n")
        try:
            yield from [JsonRecord(number, part, value) for part, value in _values(raw)]
        except json.JSONDecodeError as error:
            yield JsonRecord(number, raw, None, f"expected a JSON object, {_no_json(raw, error.pos)}")
        except RecursionError:
            yield JsonRecord(number, raw, None, f"expected a JSON object, found one that is {TOO_DEEP}")
    require_same(name, "lines", profile.lines, number)


def _values(raw: str) -> Iterator[tuple[str, Any]]:
    position = 0
    while position < len(raw):
        value, end = _DECODER.raw_decode(raw, position)
        yield raw[position:end], value
        position = _SPACE.match(raw, end).end()  # type: ignore[union-attr]


def _no_json(raw: str, position: int) -> str:
    if position >= len(raw):
        return "found one that ends early"
    return f"found no JSON from character {position + 1} on: {_excerpt(raw, position)}"


def _excerpt(text: str, position: int) -> str:
    shown = text[position : position + MOST_SHOWN]
    return repr(shown) if position + MOST_SHOWN >= len(text) else f"{shown!r}…"


def _array(text: TextIO, name: str, profile: RawProfile) -> Iterator[JsonRecord]:
    """The elements of the one array in the text. Raises BrokenFile at the first error of syntax."""
    window, count = _Window(text, name), 0
    window.take("[")
    while window.next_character() != "]" or count:
        yield window.element()
        count += 1
        if window.next_character() == "]":
            break
        window.take(",")
    window.take("]")
    if window.next_character():
        raise window.broken("expected nothing behind the array, found more")
    require_same(name, "elements", profile.records, count)


class _Window:
    """The part of an array's text that is being parsed; parsed text is discarded."""

    def __init__(self, text: TextIO, name: str) -> None:
        self._text = text
        self._name = name
        self._buffer = ""
        self._position = 0
        self._line = 1
        self._ended = False

    def next_character(self) -> str:
        """The next character that is no space; empty at the end of the text."""
        while True:
            self._move(_SPACE.match(self._buffer, self._position).end())  # type: ignore[union-attr]
            if self._position < len(self._buffer) or self._ended:
                return self._buffer[self._position : self._position + 1]
            self._read_on()

    def take(self, character: str) -> None:
        """Move past the next character. Raises BrokenFile if it is not `character`."""
        found = self.next_character()
        if found != character:
            raise self.broken(f"expected {character!r}, found {found!r}" if found else "the file ends within the array")
        self._move(self._position + 1)

    def element(self) -> JsonRecord:
        """Parse the next value and move past it."""
        self.next_character()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._buffer, self._position)
            except RecursionError as error:
                raise self.broken(f"an element is {TOO_DEEP}") from error
            except json.JSONDecodeError as error:
                # The value may only be cut off by the end of the window: then read more.
                if self._ended or len(self._buffer) - self._position > LONGEST_ELEMENT:
                    self._move(error.pos)
                    raise self.broken(self._no_element()) from error
            else:
                # A number at the end of the window may go on after it.
                if end < len(self._buffer) or self._ended:
                    record = JsonRecord(self._line, self._buffer[self._position : end], value)
                    self._move(end)
                    return record
            self._read_on()

    def broken(self, problem: str) -> BrokenFile:
        """The error for a problem at the current line."""
        return BrokenFile(self._name, self._line, f"the JSON array cannot be read: {problem}")

    def _no_element(self) -> str:
        if self._ended and self._position >= len(self._buffer):
            return "the file ends within the array"
        return f"expected an element, found {_excerpt(self._buffer, self._position)}"

    def _move(self, position: int) -> None:
        self._line += sum(1 for _ in _LINE_END.finditer(self._buffer, self._position, position))
        self._position = position

    def _read_on(self) -> None:
        more = self._text.read(BLOCK)
        if more.endswith("\r"):  # a CRLF must not be cut in two
            more += self._text.read(1)
        self._ended = not more
        self._buffer = self._buffer[self._position :] + more
        self._position = 0


class _Rows:
    """Turns a file's objects into rows, and other values into rejects."""

    def __init__(self, name: str, source: Source) -> None:
        self.found: dict[str, None] = {}
        self._name = name
        self._source = source
        self._columns: dict[str, str] = {}

    def batches(self, records: Iterator[JsonRecord]) -> Iterator[Records]:
        """The records in batches."""
        rows: list[dict[str, str | None]] = []
        origins: list[tuple[int, str]] = []
        rejects: list[Reject] = []
        characters = 0
        for record in records:
            try:
                rows.append(self._row(record))
                origins.append((record.line, record.raw))
            except _Invalid as problem:
                rejects.append(Reject(record.line, printable(record.raw), str(problem)))
            characters += len(record.raw)
            if len(rows) + len(rejects) == BATCH_RECORDS or characters >= BATCH_CHARACTERS:
                yield self._batch(rows, origins, rejects)
                rows, origins, rejects, characters = [], [], [], 0
        if rows or rejects:
            yield self._batch(rows, origins, rejects)

    def _row(self, record: JsonRecord) -> dict[str, str | None]:
        if problem := flaw(record.raw, "utf-8") or record.problem:
            raise _Invalid(problem)
        if not isinstance(record.value, tuple):
            raise _Invalid(f"expected a JSON object, found {_kind(record.value)}")
        row: dict[str, str | None] = {}
        for key, value in record.value:
            column = self._columns.get(key) or self._column(key, record.line)
            if column in row:
                raise _Invalid(f"expected distinct keys, found {column!r} twice")
            row[column] = value if value is None or type(value) is str else _text(value)
        if "\\u" in record.raw and any(value and _SURROGATE.search(value) for value in row.values()):
            raise _Invalid("expected text, found half a surrogate pair")
        self.found.update(dict.fromkeys(row))
        return row

    def _column(self, key: str, line: int) -> str:
        if _SURROGATE.search(key):
            raise _Invalid("expected text, found half a surrogate pair")
        (column,) = column_names([key], self._name, line, self._source)
        self._columns[key] = column
        return column

    def _batch(
        self, rows: list[dict[str, str | None]], origins: list[tuple[int, str]], rejects: list[Reject]
    ) -> Records:
        columns = list(dict.fromkeys([*self.found, *self._source.declared]))
        values = [[row.get(column) for row in rows] for column in columns]
        return Records(text_table(columns, values, origins), rejects)


def _text(value: Any) -> str:
    """A value as text: numbers as they were written, objects and arrays as compact JSON."""
    if isinstance(value, _Constant):
        raise _Invalid(f"expected a JSON value, found {value}")
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return compact(value)


def compact(value: Any) -> str:
    """A value as compact JSON, numbers as they were written."""
    if isinstance(value, tuple):
        return "{" + ",".join(f"{compact(key)}:{compact(item)}" for key, item in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(compact, value)) + "]"
    if value is None:
        return "null"
    if type(value) is str:
        return json.dumps(value, ensure_ascii=False)
    return _text(value)


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return "an array"
    if isinstance(value, _Number):
        return f"the number {value}"
    if type(value) is str:
        return "a string"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)
