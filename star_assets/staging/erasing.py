"""A raw file without a person: records removed, or one of their fields emptied; all else byte for byte.

Raw files are never modified, but for this. Not here: whose records these are,
and what is staged from the file afterwards (pipeline.forget).
"""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

from star_assets.model.errors import CannotForget
from star_assets.model.source import Csv, Source
from star_assets.staging.content import as_text, open_raw
from star_assets.staging.csv_grammar import CsvGrammar, CsvRecord
from star_assets.staging.files import RawProfile
from star_assets.staging.json_records import JsonRecord, compact, json_values
from star_assets.staging.signatures import LONGEST_MARK, byte_order

Fields = Mapping[str, "str | None"]


@dataclass(frozen=True)
class Erasure:
    """What to erase from a source's raw files.

    Args:
        removes: whether a record with these fields is the person's.
        empties: the columns in which the person's key becomes NULL.
        names: whether a field of such a column holds the person's key.
        mentions: finds the person in the text of a record that cannot be read.
    """

    removes: Callable[[Fields], bool]
    empties: Sequence[str]
    names: Callable[[str | None], bool]
    mentions: re.Pattern[str]


@dataclass
class Erased:
    """How many records of a file were removed, and of how many a field was emptied."""

    removed: int = 0
    emptied: int = 0

    def __bool__(self) -> bool:
        return bool(self.removed or self.emptied)


def erase(path: Path, name: str, source: Source, profile: RawProfile, erasure: Erasure, out: Path) -> Erased:
    """Write the file without what is to be erased to `out`, in its own format, encoding and compression.

    Raises BrokenFile, CannotForget where a CSV dialect has no text for NULL, LakeRefused.
    """
    erased = Erased()
    with open_raw(path, name) as content, open_raw(path, name) as again:
        encoding = source.csv.encoding if profile.format == "csv" else "utf-8"
        text = as_text(content, encoding)
        if profile.format == "csv":
            pieces = _csv(text, as_text(again, encoding), name, source.csv, profile.header, erasure, erased)
        else:
            pieces = _json(text, name, profile, erasure, erased)
        with _created(out, profile.gzip, *_begin(path, name, encoding)) as file:
            file.writelines(pieces)
    return erased


def _csv(
    text: TextIO, lines: TextIO, name: str, csv: Csv, header: Sequence[str], erasure: Erasure, erased: Erased
) -> Iterator[str]:
    """Each record's own lines, but for those of the person."""
    header_seen = False
    for record in CsvGrammar(csv).records(text):
        own = "".join(islice(lines, record.lines))
        if not record.raw or not header_seen:
            header_seen = header_seen or bool(record.raw)
            yield own
        elif record.problem or len(record.fields) != len(header):
            if erasure.mentions.search(record.raw):
                erased.removed += 1
            else:
                yield own
        else:
            yield from _csv_record(record, own, name, csv, header, erasure, erased)


def _csv_record(
    record: CsvRecord, own: str, name: str, csv: Csv, header: Sequence[str], erasure: Erasure, erased: Erased
) -> Iterator[str]:
    fields = dict(zip(header, record.fields, strict=True))
    emptied = [column for column in erasure.empties if erasure.names(fields.get(column))]
    if erasure.removes(fields):
        erased.removed += 1
    elif emptied:
        if not csv.null:
            raise CannotForget(name, f"{', '.join(emptied)} cannot be emptied: the source's Csv has no text for NULL")
        erased.emptied += 1
        written = (_csv_field(None if column in emptied else value, csv) for column, value in fields.items())
        yield csv.delimiter.join(written) + own[len(own.rstrip("\r\n")) :]
    else:
        yield own


def _csv_field(value: str | None, csv: Csv) -> str:
    if value is None:
        return csv.null[0]
    needs_quotes = value in csv.null or any(part in value for part in (csv.delimiter, csv.quote, "\r", "\n"))
    return csv.quote + value.replace(csv.quote, csv.quote * 2) + csv.quote if needs_quotes else value


def _json(text: TextIO, name: str, profile: RawProfile, erasure: Erasure, erased: Erased) -> Iterator[str]:
    """Each object's own text, an object a line, but for those of the person."""
    between, first = ("\n", "") if profile.format == "jsonl" else (",\n", "[\n")
    written = False
    for record in json_values(text, name, profile):
        kept = _json_object(record, erasure, erased)
        if kept is not None:
            yield (between if written else first) + kept
            written = True
    yield ("" if written else first) + ("\n]\n" if profile.format == "json" else "\n" if written else "")


def _json_object(record: JsonRecord, erasure: Erasure, erased: Erased) -> str | None:
    """The text to keep of a value; None if it is removed."""
    raw, value = record.raw, record.value
    if record.problem or not isinstance(value, tuple):
        mentioned = bool(erasure.mentions.search(raw))
        erased.removed += mentioned
        return None if mentioned else raw
    fields = {key.strip().lower(): None if item is None else _as_text(item) for key, item in value}
    if erasure.removes(fields):
        erased.removed += 1
        return None
    if not any(erasure.names(fields.get(column)) for column in erasure.empties):
        return raw
    erased.emptied += 1
    kept = [
        (key, None if key.strip().lower() in erasure.empties and erasure.names(_as_text(item)) else item)
        for key, item in value
    ]
    return compact(tuple(kept))


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else compact(value)


def _begin(path: Path, name: str, encoding: str) -> tuple[bytes, str]:
    """The file's byte order mark, if it has one, and the encoding of what is behind it."""
    with open_raw(path, name) as content:
        return byte_order(content.read(LONGEST_MARK), encoding)


@contextmanager
def _created(out: Path, compressed: bool, mark: bytes, encoding: str) -> Iterator[TextIO]:
    """A text file that gives back the bytes that `as_text` could not decode."""
    with out.open("wb") as raw:
        binary = gzip.GzipFile(fileobj=raw, mode="wb", filename="") if compressed else raw
        binary.write(mark)
        with io.TextIOWrapper(binary, encoding, errors="surrogateescape", newline="") as file:
            yield file
