"""Rewrites a CSV file without a person; all other records keep their bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TextIO

from star_assets.exports.content import as_text, open_raw
from star_assets.exports.erasing import Erased, Erasure, write_like
from star_assets.exports.formats.csv.grammar import CsvGrammar, CsvRecord
from star_assets.exports.formats.format import RawProfile
from star_assets.model.csv import Csv
from star_assets.model.errors import CannotForget


def erase_csv(path: Path, name: str, csv: Csv, profile: RawProfile, erasure: Erasure, out: Path) -> Erased:
    """Write the file without what the erasure covers. Raises BrokenFile, CannotForget if the dialect has no NULL."""
    erased = Erased()
    with open_raw(path, name) as content, open_raw(path, name) as again:
        text, lines = (as_text(one, csv.encoding) for one in (content, again))
        pieces = _remaining(text, lines, name, csv, profile.header, erasure, erased)
        write_like(path, name, csv.encoding, profile.gzip, pieces, out)
    return erased


def _remaining(
    text: TextIO, lines: TextIO, name: str, csv: Csv, header: Sequence[str], erasure: Erasure, erased: Erased
) -> Iterator[str]:
    """The lines of all records that remain, with the person's key emptied."""
    header_seen = not csv.header
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
            yield from _record(record, own, name, csv, header, erasure, erased)


def _record(
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
        written = (_field(None if column in emptied else value, csv) for column, value in fields.items())
        yield csv.delimiter.join(written) + own[len(own.rstrip("\r\n")) :]
    else:
        yield own


def _field(value: str | None, csv: Csv) -> str:
    if value is None:
        return csv.null[0]
    special = (csv.delimiter, csv.quote, "\r", "\n", *([csv.escape] if csv.escape else []))
    needs_quotes = value in csv.null or any(part in value for part in special)
    if csv.escape:
        value = value.replace(csv.escape, csv.escape * 2)
    return csv.quote + value.replace(csv.quote, csv.quote * 2) + csv.quote if needs_quotes else value
