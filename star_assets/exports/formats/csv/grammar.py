"""The grammar of CSV: splits lines into records, and records into fields.

Here: quotes, delimiters, NULLs, line numbers, and recovery from broken quoting.
A field is quoted if it begins with the quote; inside, the quote is doubled. A quote
within an unquoted field is text. Not here: files and batches (records).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TextIO

from star_assets.model.csv import Csv

# Characters taken from the file at once, rounded up to whole lines. A quote that
# nothing closes within the longest record is a mistake: only its own line becomes
# a reject, not the rest of the file.
BLOCK = 1 << 20
LONGEST_RECORD = 1 << 24


# The problem with fields that may have been one field with a delimiter in it.
_STRAY = "a quote opens amid field {}, and one closes field {}; quote fields as a whole"


class CsvRecord(NamedTuple):
    """A record: its first line, how many lines it has, its text, and its fields or the problem with it.

    `raw` is the text without its last line end: empty for a blank line.
    `fields` has None for NULL.
    """

    line: int
    lines: int
    raw: str
    fields: Sequence[str | None]
    problem: str | None = None


class _Malformed(Exception):
    """The quoting of a record is broken."""


class _Unclosed(Exception):
    """The quoted field of this number goes on beyond the lines read so far."""


class CsvGrammar:
    """The grammar of one dialect."""

    def __init__(self, csv: Csv) -> None:
        self._delimiter = csv.delimiter
        self._quote = csv.quote
        self._null = frozenset(csv.null)
        self._escape = csv.escape or ""
        self._special = (
            re.compile("|".join(map(re.escape, (self._escape, csv.quote, csv.delimiter)))) if csv.escape else None
        )

    def records(self, text: TextIO) -> Iterator[CsvRecord]:
        """Every record of the text, and every blank line; `text` keeps its line ends."""
        lines, line = text.readlines(BLOCK), 1
        while lines:
            more = text.readlines(BLOCK)
            taken = 0
            while taken < len(lines):
                record = self._record(lines, taken, line + taken, whole=not more)
                if record is None:
                    break
                yield record
                taken += record.lines
            line += taken
            lines = lines[taken:] + more

    def _record(self, lines: Sequence[str], first: int, line: int, whole: bool) -> CsvRecord | None:
        """The record that begins at `lines[first]`; None if it may go on after them and they are not `whole`."""
        raw = lines[first].rstrip("\r\n")
        if self._quote not in raw and not (self._escape and self._escape in raw):
            fields = raw.split(self._delimiter)
            return CsvRecord(line, 1, raw, [None if field in self._null else field for field in fields])
        try:
            read = self._escaped_record if self._special else self._quoted_record
            quoted, count, problem = read(lines, first)
        except _Malformed as malformed:
            return CsvRecord(line, 1, raw, (), str(malformed))
        except _Unclosed as field:
            if not whole and sum(map(len, lines[first:])) < LONGEST_RECORD:
                return None
            closed = "never closed" if whole else f"not closed within {LONGEST_RECORD:,} characters"
            return CsvRecord(line, 1, raw, (), f"the quote of field {field} is {closed}")
        text = "".join(lines[first : first + count]).rstrip("\r\n") if count > 1 else raw
        return CsvRecord(line, count, text, quoted, problem)

    def _quoted_record(self, lines: Sequence[str], first: int) -> tuple[list[str | None], int, str | None]:
        """The fields of a record with quotes, how many lines it takes, and the problem with it, if there is one.

        A quote within unquoted text is text, as in `5" pipe`. If a later unquoted field
        ends with another quote, the two may have enclosed a delimiter: that is a problem.
        """
        fields: list[str | None] = []
        number, position = first, 0
        opened, problem = 0, None
        body = lines[number].rstrip("\r\n")
        while True:
            if body.startswith(self._quote, position):
                value, number, position = self._quoted_field(lines, number, position + 1, len(fields) + 1)
                body = lines[number].rstrip("\r\n")
                if position < len(body) and not body.startswith(self._delimiter, position):
                    raise _Malformed(
                        f"text after the closing quote of field {len(fields) + 1}; double a quote that is text"
                    )
                fields.append(value)
            else:
                end = body.find(self._delimiter, position)
                text = body[position:] if end < 0 else body[position:end]
                fields.append(None if text in self._null else text)
                position += len(text)
                if text.count(self._quote) % 2:
                    if opened and text.endswith(self._quote):
                        problem = _STRAY.format(opened, len(fields))
                    opened = opened or (0 if text.endswith(self._quote) else len(fields))
            if position == len(body):
                return fields, number - first + 1, problem
            position += len(self._delimiter)

    def _quoted_field(self, lines: Sequence[str], number: int, position: int, field: int) -> tuple[str, int, int]:
        """The value of a field whose text begins at `position`; the line and the position after its closing quote."""
        pieces = []
        while number < len(lines):
            line = lines[number]
            end = line.find(self._quote, position)
            if end < 0:
                pieces.append(line[position:])
                number, position = number + 1, 0
            elif line.startswith(self._quote, end + 1):
                pieces.append(line[position : end + 1])
                position = end + 2
            else:
                pieces.append(line[position:end])
                return "".join(pieces), number, end + 1
        raise _Unclosed(field)

    def _escaped_record(self, lines: Sequence[str], first: int) -> tuple[list[str | None], int, str | None]:
        """The result of `_quoted_record` in a dialect with an escape character."""
        fields: list[str | None] = []
        number, position = first, 0
        while True:
            quoted = lines[number].startswith(self._quote, position)
            value, written, number, position = self._escaped_field(
                lines, number, position + quoted, quoted, len(fields) + 1
            )
            body = lines[number].rstrip("\r\n")
            if quoted and position < len(body) and not body.startswith(self._delimiter, position):
                raise _Malformed(
                    f"text after the closing quote of field {len(fields) + 1}; escape a quote that is text"
                )
            fields.append(None if not quoted and written in self._null else value)
            if position >= len(body):
                return fields, number - first + 1, None
            position += len(self._delimiter)

    def _escaped_field(
        self, lines: Sequence[str], number: int, position: int, quoted: bool, field: int
    ) -> tuple[str, str, int, int]:
        """A field's value, its text as written, and the line and position after it."""
        value, written = "", ""
        while number < len(lines):
            line = lines[number]
            body = len(line.rstrip("\r\n"))
            end = len(line) if quoted else body
            while position < end:
                text, special = self._until_special(line, position, end)
                value, written, position = value + text, written + text, position + len(text)
                if special == self._delimiter and not quoted:
                    return value, written, number, position
                if special == self._quote and quoted:
                    if not line.startswith(self._quote, position + 1):
                        return value, written, number, position + 1
                    value, written, position = value + special, written + special * 2, position + 2
                elif special == self._escape:
                    # An escaped line end is text, be it one character or two.
                    taken = line[position + 1 : position + 2] if position + 1 < body else line[position + 1 :]
                    value, written = value + (taken or special), written + special + taken
                    position += 1 + len(taken)
                else:
                    value, written, position = value + special, written + special, position + len(special)
            if not quoted and (position <= body or number + 1 == len(lines)):
                return value, written, number, min(position, body)
            number, position = number + 1, 0
        raise _Unclosed(field)

    def _until_special(self, line: str, position: int, end: int) -> tuple[str, str]:
        """The text up to the next character with a meaning in the grammar, and that character; empty at the end."""
        assert self._special
        found = self._special.search(line, position, end)
        return (line[position : found.start()], found[0]) if found else (line[position:end], "")
