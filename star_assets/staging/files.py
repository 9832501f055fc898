"""What a raw file is: its format, its header, its count of records, whether a plain reader may read it.

Here: one pass over a file's bytes. Not here: its rows (reading).
"""

from __future__ import annotations

import hashlib
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass
from gzip import GzipFile
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Literal

from star_assets.model.errors import BrokenFile, ColumnMissing
from star_assets.model.source import Csv, Source
from star_assets.staging.content import CHUNK, Utf8, as_text, flaw, is_utf8, open_raw
from star_assets.staging.counting import CsvCounter, JsonArrayCounter, JsonLinesCounter
from star_assets.staging.csv_grammar import CsvGrammar
from star_assets.staging.records import column_names

Format = Literal["csv", "jsonl", "json"]

_JSON_NAMES = (".json", ".jsonl", ".ndjson")

# What files that are no text begin with.
_SIGNATURES = {
    b"PAR1": "Parquet",
    b"ORC": "ORC",
    b"Obj\x01": "Avro",
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"%PDF": "a PDF",
    b"SQLite format 3\0": "an SQLite database",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
}
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


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
    """

    sha256: str
    format: Format
    gzip: bool
    header: tuple[str, ...]
    records: int
    lines: int
    plain: bool


def required_columns(source: Source) -> tuple[str, ...]:
    """The columns that every file of the source must have."""
    return tuple(name for name, column in source.declared.items() if not column.optional)


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
    counter, utf8 = CsvCounter(csv.delimiter, csv.quote), Utf8(csv.encoding)
    with open_raw(path, name, sha256) as content:
        start = _start(content, name, csv.encoding)
        for chunk, final in _chunks(start, content):
            counter.feed(utf8.feed(chunk, final), final)
    header, first_line = _read_header(start, name, csv)
    for column in required_columns(source) if header else ():
        if column not in header:
            raise ColumnMissing(name, column, header)
    plain = (
        utf8.unchanged
        and counter.tidy
        and not counter.has_nul
        and counter.line_ends.uniform
        and first_line == 1
        and len(csv.delimiter.encode()) == 1
        # DuckDB takes rows with more fields than the header if these are empty.
        and counter.delimiters == counter.records * (len(header) - 1)
    )
    return RawProfile(
        sha256=sha256.hexdigest(),
        format="csv",
        gzip=isinstance(content, GzipFile),
        header=header,
        records=counter.records - bool(header),
        lines=counter.line_ends.lines,
        plain=plain,
    )


def _inspect_json(path: Path, name: str) -> RawProfile:
    sha256, utf8 = hashlib.sha256(), Utf8("utf-8")
    with open_raw(path, name, sha256) as content:
        start = _start(content, name, "utf-8")
        is_array = start.removeprefix(BOM_UTF8).lstrip().startswith(b"[")
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


def _start(content: BinaryIO, name: str, encoding: str) -> bytes:
    """The first chunk. Raises BrokenFile if it is no text."""
    start = content.read(CHUNK)
    _require_text(start, name, encoding)
    return start


def _chunks(start: bytes, content: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """The content in chunks, and whether one is the last; the last is empty."""
    chunk = start
    while chunk:
        yield chunk, False
        chunk = content.read(CHUNK)
    yield b"", True


def _require_text(start: bytes, name: str, encoding: str) -> None:
    for signature, what in _SIGNATURES.items():
        if start.startswith(signature):
            raise BrokenFile(name, None, f"expected text, found {what}")
    if is_utf8(encoding):
        if start.startswith(_UTF16_BOMS):
            raise BrokenFile(name, None, "expected UTF-8, found UTF-16: declare the encoding in the Source's Csv")
        if b"\0" in start.split(b"\n", 1)[0]:
            raise BrokenFile(name, None, "expected text, found NUL bytes in the first line")


def _read_header(start: bytes, name: str, csv: Csv) -> tuple[tuple[str, ...], int]:
    """The column names and the line they begin on; none, and 0, where all lines are blank."""
    records = CsvGrammar(csv).records(as_text(BytesIO(start), csv.encoding))
    header = next((record for record in records if record.raw), None)
    if header is None:
        return (), 0
    problem = flaw(header.raw, csv.encoding) or header.problem
    if len(start) == CHUNK and next(records, None) is None:
        problem = f"it does not end within {CHUNK} bytes"
    if problem:
        raise BrokenFile(name, header.line, f"the header cannot be read: {problem}")
    return column_names((field or "" for field in header.fields), name, header.line), header.line
