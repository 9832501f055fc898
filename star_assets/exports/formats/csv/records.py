"""The exact reader of CSV files: every record becomes a row or a reject, with its line and raw text.

It handles every dialect, encoding and line end, and accounts for every physical
line. Not here: the grammar (grammar), types of values (engines).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from star_assets.exports.content import as_text, flaw, open_raw, printable
from star_assets.exports.formats.csv.grammar import CsvGrammar, CsvRecord
from star_assets.exports.formats.format import RawProfile
from star_assets.exports.records import BATCH_CHARACTERS, BATCH_RECORDS, Records, Reject, require_same, text_table
from star_assets.model.csv import Csv
from star_assets.model.source import Source

# A decoded byte order mark. At the beginning of a file it is already removed.
MARK = "\ufeff"


def read_csv(path: Path, name: str, source: Source, profile: RawProfile) -> Iterator[Records]:
    """The file's records in batches, in its order. `profile` is the inspection's result.

    A reject is a record with another number of fields than the header, with
    bytes that are not valid in the declared encoding, a repetition of the header,
    or a line whose quoting is broken; reading goes on at the next line.
    Raises BrokenFile, LakeRefused.
    """
    if not profile.header:
        return
    with open_raw(path, name) as content:
        reader = _Reader(profile.header, source.csv)
        records = CsvGrammar(source.csv).records(as_text(content, source.csv.encoding))
        yield from reader.batches(records)
    require_same(name, "lines", profile.lines, reader.lines)


class _Reader:
    """Sorts records into rows and rejects, and counts the lines of all records."""

    def __init__(self, header: Sequence[str], csv: Csv) -> None:
        self.lines = 0
        self._header = header
        # The header's text: empty until it was read; None if the file has no header.
        self._header_raw = "" if csv.header else None
        self._encoding = csv.encoding

    def batches(self, records: Iterator[CsvRecord]) -> Iterator[Records]:
        """The records after the header, in batches."""
        rows: list[CsvRecord] = []
        rejects: list[Reject] = []
        characters = 0
        for record in self._after_header(records):
            problem = self._problem(record)
            if problem is None:
                rows.append(record)
            else:
                rejects.append(Reject(record.line, printable(record.raw), problem))
            characters += len(record.raw)
            if len(rows) + len(rejects) == BATCH_RECORDS or characters >= BATCH_CHARACTERS:
                yield self._batch(rows, rejects)
                rows, rejects, characters = [], [], 0
        if rows or rejects:
            yield self._batch(rows, rejects)

    def _after_header(self, records: Iterator[CsvRecord]) -> Iterator[CsvRecord]:
        for record in records:
            self.lines += record.lines
            if self._header_raw == "":
                self._header_raw = record.raw
            elif record.raw:
                yield record

    def _problem(self, record: CsvRecord) -> str | None:
        if found := flaw(record.raw, self._encoding):
            return found
        if record.raw.startswith(MARK):
            return "expected a row, found a byte order mark: files were joined"
        if record.raw == self._header_raw:
            return "expected a row, found the header again"
        if record.problem is None and len(record.fields) != len(self._header):
            return f"expected {len(self._header)} fields, found {len(record.fields)}"
        return record.problem

    def _batch(self, rows: list[CsvRecord], rejects: list[Reject]) -> Records:
        columns = list(zip(*(record.fields for record in rows), strict=True)) or [()] * len(self._header)
        table = text_table(self._header, columns, [(record.line, record.raw) for record in rows])
        return Records(table, rejects)
