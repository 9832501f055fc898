"""What a raw file is: its format, its header, its count of records, whether a plain reader may read it.

Here: one pass over a file's bytes. Not here: its rows (reading).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from gzip import GzipFile
from pathlib import Path
from typing import BinaryIO, Literal

from star_assets.model.source import Source
from star_assets.staging.content import CHUNK, Utf8, open_raw
from star_assets.staging.counting import CsvCounter, JsonArrayCounter, JsonLinesCounter
from star_assets.staging.csv_header import read_header
from star_assets.staging.serdes import csv_hindrance
from star_assets.staging.signatures import byte_order, require_text

Format = Literal["csv", "jsonl", "json"]

_JSON_NAMES = (".json", ".jsonl", ".ndjson")

DECLARE = "Declare encoding={} in the Source's Csv, or export the file again"


@dataclass(frozen=True)
class RawProfile:
    """What inspection found of one file.

    Args:
        sha256: of the file's own bytes, in hex.
        format: `csv`, `jsonl` (an object per line) or `json` (an array of objects).
        gzip: whether the bytes are compressed.
        header: a CSV file's columns, in its order, stripped and in lower case.
        records: the rows, counted independently of any parser.
        lines: the physical lines, the header's among them.
        plain: whether any reader of RFC 4180 in UTF-8 finds the same rows in it.
        hindrance: why Hive's OpenCSVSerDe finds other rows in a CSV file; None if it finds the same.
    """

    sha256: str
    format: Format
    gzip: bool
    header: tuple[str, ...]
    records: int
    lines: int
    plain: bool
    hindrance: str | None = None


def inspect_file(path: Path, name: str, source: Source) -> RawProfile:
    """Read the file once, in bounded memory. `name` is what people call it.

    A file without any bytes has no header and no records. Raises BrokenFile
    for what is no text or no whole gzip stream, or has an unusable header;
    ColumnMissing where a CSV header lacks a required column; LakeRefused.
    """
    if name.lower().removesuffix(".gz").endswith(_JSON_NAMES):
        return _inspect_json(path, name)
    return _inspect_csv(path, name, source)


def _inspect_csv(path: Path, name: str, source: Source) -> RawProfile:
    csv, sha256 = source.csv, hashlib.sha256()
    counter = CsvCounter(csv.delimiter, csv.quote)
    with open_raw(path, name, sha256) as content:
        start, encoding = _start(content, name, csv.encoding, DECLARE)
        utf8 = Utf8(encoding)
        for chunk, final in _chunks(start, content):
            counter.feed(utf8.feed(chunk, final), final)
    header = read_header(start, encoding, name, source)
    plain = (
        utf8.unchanged
        and counter.tidy
        and not counter.has_nul
        and not counter.has_mark
        and counter.line_ends.uniform
        and header.line == 1
        and len(csv.delimiter.encode()) == 1
        # DuckDB takes rows with more fields than the header if these are empty.
        and counter.delimiters == counter.records * (len(header.columns) - 1)
    )
    return RawProfile(
        sha256=sha256.hexdigest(),
        format="csv",
        gzip=isinstance(content, GzipFile),
        header=header.columns,
        records=counter.records - bool(header.columns),
        lines=counter.line_ends.lines,
        plain=plain,
        hindrance=csv_hindrance(counter, utf8, header, csv),
    )


def _inspect_json(path: Path, name: str) -> RawProfile:
    sha256 = hashlib.sha256()
    with open_raw(path, name, sha256) as content:
        start, encoding = _start(content, name, "utf-8", "JSON is UTF-8: export the file in that")
        utf8 = Utf8(encoding)
        is_array = start.lstrip().startswith(b"[")
        counter = JsonArrayCounter() if is_array else JsonLinesCounter()
        for chunk, final in _chunks(start, content):
            counter.feed(utf8.feed(chunk, final), final)
    return RawProfile(
        sha256=sha256.hexdigest(),
        format="json" if is_array else "jsonl",
        gzip=isinstance(content, GzipFile),
        header=(),
        records=counter.records,
        lines=counter.line_ends.lines,
        plain=False,
    )


def _start(content: BinaryIO, name: str, encoding: str, remedy: str) -> tuple[bytes, str]:
    """The first chunk without its byte order mark, and its encoding. Raises BrokenFile if it is no such text."""
    start = content.read(CHUNK)
    require_text(start, name, encoding, remedy)
    mark, exact = byte_order(start, encoding)
    return start[len(mark) :], exact


def _chunks(start: bytes, content: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """The content in chunks, and whether one is the last; the last is empty."""
    chunk = start
    while chunk:
        yield chunk, False
        chunk = content.read(CHUNK)
    yield b"", True
