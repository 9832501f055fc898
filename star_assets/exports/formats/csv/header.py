"""Reads the header of a CSV file, and diagnoses a header that does not fit its source.

A wrong header is tried with other dialects and on later lines, so that the message
names another delimiter, or lines before the header, rather than a missing column.
Not here: which columns a source requires (columns), the rows (records).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from io import BufferedReader, BytesIO, StringIO
from typing import NamedTuple

from star_assets.exports.columns import header_names, require_columns, required_columns
from star_assets.exports.content import CHUNK, as_text, flaw
from star_assets.exports.formats.csv.grammar import CsvGrammar, CsvRecord
from star_assets.exports.records import column_names, column_of
from star_assets.exports.signatures import LONGEST_MARK
from star_assets.model.csv import Csv
from star_assets.model.errors import BrokenFile, ColumnMissing
from star_assets.model.source import Source

# Delimiters, quotes, and the number of lines to try if the header does not fit its source.
_DELIMITERS, _QUOTES, _LINES = (",", ";", "\t", "|", ", ", "; ", " ", ":"), ('"', "'"), 50

# A message shows so many characters of a line, and so many missing columns.
_SHOWN_CHARACTERS, _SHOWN_COLUMNS = 60, 5

_OTHER_FORMATS = (
    (re.compile(r'\s*(?:\{\s*"|\[\s*[\[{"])'), "JSON", "Name the file .json or .jsonl"),
    (re.compile(r"\s*<[!?a-zA-Z]"), "HTML or XML", "Export the file again"),
)


class Header(NamedTuple):
    """A file's columns, in its order, stripped and in lower case; the line they begin on; that line's text."""

    columns: tuple[str, ...]
    line: int
    raw: str


def read_header(start: bytes, encoding: str, name: str, source: Source) -> Header:
    """The header: the first record that is not blank, or no columns. `start` is the file's first chunk.

    Raises BrokenFile if the header cannot be used or is in another dialect, ColumnMissing
    if it lacks a required column, UnknownColumns if `new_columns="freeze"` forbids others.
    """
    if not source.csv.header:
        return Header(tuple(source.declared), 0, "")
    text = as_text(BufferedReader(BytesIO(start)), encoding)
    records = CsvGrammar(source.csv).records(text)
    record = next((record for record in records if record.raw), None)
    if record is None:
        return Header((), 0, "")
    if len(start) >= CHUNK - LONGEST_MARK and next(records, None) is None:
        raise BrokenFile(name, record.line, f"the header cannot be read: it does not end within {CHUNK} bytes")
    try:
        if problem := flaw(record.raw, encoding) or record.problem:
            remedy = "Export the file again, or correct the Source's Csv"
            raise BrokenFile(name, record.line, f"the header cannot be read: {problem}", remedy)
        columns = column_names((field or "" for field in record.fields), name, record.line, source)
        require_columns(source, name, columns)
    except (BrokenFile, ColumnMissing) as error:
        raise _mistake(start, encoding, record, name, source) or error from None
    return Header(columns, record.line, record.raw)


def _mistake(start: bytes, encoding: str, header: CsvRecord, name: str, source: Source) -> BrokenFile | None:
    """The probable mistake in a file that does not begin with its source's header; None if there is no clue.

    A line with every required column counts as the header, even if something else is wrong with it.
    """
    text = start.decode(encoding, "replace")
    for pattern, what, remedy in _OTHER_FORMATS:
        if pattern.match(text):
            return BrokenFile(name, None, f"expected CSV, found {what}", remedy)
    for line, csv in _candidates(text, source):
        if csv != source.csv:
            return _other_dialect(name, line, source.csv, csv)
        if line != header.line:
            problem = f"expected the header, found {_shown(header.raw)}; the header is on line {line}"
            return BrokenFile(name, header.line, problem, "Export the file without the lines before its header")
        return None
    names = _named(header, source)
    if not (flaw(header.raw, encoding) or header.problem) and names.isdisjoint(source.declared):
        required = required_columns(source)
        shown = [header_names(source, column) for column in required[:_SHOWN_COLUMNS]]
        columns = ", ".join(shown) + (", …" if len(required) > _SHOWN_COLUMNS else "")
        problem = f"expected a header with the columns {columns}, found {_shown(header.raw)}"
        return BrokenFile(name, header.line, problem, "Export the file with its header")
    return None


def _candidates(text: str, source: Source) -> Iterator[tuple[int, Csv]]:
    """Lines that have every required column in some dialect, each with that dialect; the source's own comes first."""
    required = set(required_columns(source))
    others = [replace(source.csv, quote=quote, delimiter=d) for quote in _QUOTES for d in _DELIMITERS if d != quote]
    for number, line in enumerate(re.split("\r\n|\r|\n", text)[:_LINES], start=1):
        for csv in (source.csv, *(other for other in others if other.quote in (source.csv.quote, *line))):
            record = next(CsvGrammar(csv).records(StringIO(line)), None)
            names = _named(record, source) if record else set()
            if required and required <= names and (len(names) > 1 or csv == source.csv):
                yield number, csv


def _named(record: CsvRecord, source: Source) -> set[str]:
    """The columns that a record would name if it were the header."""
    return {column_of((field or "").strip().lower(), source) for field in record.fields}


def _other_dialect(name: str, line: int, declared: Csv, found: Csv) -> BrokenFile:
    pairs = {"delimiter": (declared.delimiter, found.delimiter), "quote": (declared.quote, found.quote)}
    differing = {what: pair for what, pair in pairs.items() if pair[0] != pair[1]}
    expected = " and ".join(f"the {what} {own!r}" for what, (own, _) in differing.items())
    other = " and ".join(repr(other) for _, other in differing.values())
    arguments = ", ".join(f"{what}={other!r}" for what, (_, other) in differing.items())
    remedy = f"Declare csv=Csv({arguments}) in the Source, or export the file again"
    return BrokenFile(name, line, f"expected {expected}, found {other}", remedy)


def _shown(raw: str) -> str:
    return repr(raw if len(raw) <= _SHOWN_CHARACTERS else raw[: _SHOWN_CHARACTERS - 1] + "…")
