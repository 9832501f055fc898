"""The source format CSV: inspects a file in one pass, and finds what would keep Athena from reading it.

Not here: the header (header), the records (records), rewriting without a person (erasing).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from gzip import GzipFile
from pathlib import Path
from typing import TYPE_CHECKING

from star_assets.exports.columns import longer
from star_assets.exports.content import Utf8, chunks, open_raw, start_of
from star_assets.exports.formats.bounds import RecordBound
from star_assets.exports.formats.counting import CsvCounter
from star_assets.exports.formats.csv.header import Header, read_header
from star_assets.exports.formats.csv.records import read_csv
from star_assets.exports.formats.format import Hindrance, Inspected, Layout, RawProfile
from star_assets.exports.names import table_names
from star_assets.exports.records import Records
from star_assets.model.csv import Csv
from star_assets.model.source import Source

if TYPE_CHECKING:
    from star_assets.exports.erasing import Erased, Erasure

DECLARE = "Declare encoding={} in the Source's Csv, or export the file again"


class CsvFormat:
    """Files with a header and records, usually of one line each."""

    endings = (".csv",)

    def inspect(self, path: Path, name: str, source: Source) -> RawProfile:
        """Inspect a file. One without any bytes has no header."""
        csv, sha256 = source.csv, hashlib.sha256()
        counter, bound = CsvCounter(csv.delimiter, csv.quote, csv.escape), RecordBound(name)
        with open_raw(path, name, sha256) as content:
            start, encoding = start_of(content, name, csv.encoding, DECLARE)
            utf8 = Utf8(encoding)
            for chunk, final in chunks(start, content):
                counter.feed(utf8.feed(chunk, final), final)
                bound.pass_on(len(chunk), counter.records)
        header, compressed = read_header(start, encoding, name, source), isinstance(content, GzipFile)
        return RawProfile(
            sha256=sha256.hexdigest(),
            format="csv",
            gzip=compressed,
            header=header.columns,
            records=counter.records - bool(csv.header and header.columns),
            lines=counter.line_ends.lines,
            # Engines decide by a file's name whether it is compressed.
            plain=compressed == name.endswith(".gz") and _is_plain(counter, utf8, header, csv),
            hindrance=_hindrance(counter, utf8, header, csv),
        )

    def read(self, path: Path, name: str, source: Source, profile: RawProfile) -> Iterator[Records]:
        """Read with the exact reader."""
        return read_csv(path, name, source, profile)

    def layout(self, source: Source, files: Sequence[Inspected]) -> Layout:
        """The files' common columns. OpenCSVSerDe reads by position, so they must agree."""
        header: tuple[str, ...] = ()
        for _, name, profile in files:
            if profile.hindrance:
                raise Hindrance(f"{name}: {profile.hindrance}")
            both = longer(header, profile.header)
            if both is None:
                raise Hindrance(f"{name} has other columns, or in another order, than the files before it")
            header = both
        columns = tuple(table_names(header, source).values())
        return Layout("csv" if header else None, columns, rows=sum(profile.records for *_, profile in files))

    def erase(self, path: Path, name: str, source: Source, profile: RawProfile, erasure: Erasure, out: Path) -> Erased:
        """Rewrite the file without the person. Raises CannotForget also if the dialect has no text for NULL."""
        from star_assets.exports.formats.csv.erasing import erase_csv

        return erase_csv(path, name, source.csv, profile, erasure, out)


def _is_plain(counter: CsvCounter, utf8: Utf8, header: Header, csv: Csv) -> bool:
    """Whether every reader of RFC 4180 in UTF-8 finds the rows that were counted."""
    return (
        utf8.unchanged
        and counter.tidy
        and not counter.has_nul
        and not counter.has_mark
        and not (csv.header and counter.repeats_first_line)
        and not counter.has_escaped
        and counter.line_ends.uniform
        and header.line == bool(csv.header)
        and len(csv.delimiter.encode()) == 1
        # DuckDB takes rows with more fields than the header if these are empty.
        and counter.delimiters == counter.records * (len(header.columns) - 1)
    )


def _hindrance(counter: CsvCounter, utf8: Utf8, header: Header, csv: Csv) -> str | None:
    """Why Hive's OpenCSVSerDe finds other rows in a file than were counted; None if it finds the same.

    The SerDe splits a file into lines before it interprets quotes, reads only UTF-8, and drops its escape character.
    """
    if not header.columns:
        return None
    fields = counter.records * len(header.columns)
    found = {
        "it has no header": not csv.header,
        f"it holds the escape character {csv.escape!r}": counter.has_escaped,
        f"it is not in UTF-8 throughout (declared is {csv.encoding})": not utf8.unchanged,
        f"its delimiter {csv.delimiter!r} is longer than a byte": len(csv.delimiter.encode()) > 1,
        "it holds the byte 0 or 1": counter.has_nul or counter.has_escape,
        "a byte order mark stands amid it": counter.has_mark,
        "a quote stands amid a field, or is never closed": not counter.tidy,
        f"its header stands on line {header.line}": header.line > 1,
        "a record goes over several lines, or a line is blank": counter.line_ends.lines != counter.records,
        "a record has more or fewer fields than the header": counter.delimiters != fields - counter.records,
    }
    return next((hindrance for hindrance, is_there in found.items() if is_there), None)
