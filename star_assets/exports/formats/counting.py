"""Counts the records of a raw file independently of its parser.

The counters scan bytes for quotes, brackets and line ends, and ignore values. The
number of records that the readers find is compared with these counts. Not here:
decoding (content), reading (csv.records, json.records).
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8

import numpy as np
import numpy.typing as npt

from star_assets.lake.catalog import ESCAPE

Flags = npt.NDArray[np.bool_]

_LF = 10


def _inside_quotes(quote: Flags, before: bool) -> Flags:
    """Whether each byte follows an odd number of quotes; an opening quote is inside, a closing one is not."""
    return ((np.cumsum(quote, dtype=np.int32) + before) & 1).astype(np.bool_)


class _LineEnds:
    """Turns CRLF and CR into LF across chunks, and counts lines."""

    def __init__(self) -> None:
        self.crlf = self.lone_cr = 0
        self._line_ends = 0
        self._pending = b""
        self._open = False

    @property
    def lines(self) -> int:
        """Physical lines, including a last one without a line end."""
        return self._line_ends + self._open

    @property
    def uniform(self) -> bool:
        """Whether all line ends are LF, or all are CRLF."""
        return not self.lone_cr and self.crlf in (0, self._line_ends)

    def feed(self, chunk: bytes, final: bool) -> bytes:
        """The chunk with LF line ends. A CR at its end is kept for the next chunk."""
        chunk, self._pending = self._pending + chunk, b""
        if chunk.endswith(b"\r") and not final:
            chunk, self._pending = chunk[:-1], b"\r"
        if b"\r" in chunk:
            size, chunk = len(chunk), chunk.replace(b"\r\n", b"\n")
            self.crlf += size - len(chunk)
            self.lone_cr += chunk.count(b"\r")
            chunk = chunk.replace(b"\r", b"\n")
        self._line_ends += int(np.count_nonzero(np.frombuffer(chunk, np.uint8) == _LF))
        if chunk:
            self._open = not chunk.endswith(b"\n")
        return chunk


class CsvCounter:
    """Counts a CSV file's records by the parity of its quotes; takes UTF-8 in chunks.

    `records` counts records that are not blank, including the header; `delimiters`
    counts those between fields, for a delimiter of one byte. `tidy`: quotes stand
    only around whole fields, and all are closed. `has_nul`, `has_escape`: the file
    has a NUL, or Hive's escape byte. `has_mark`: it has a byte order mark, as joined
    files do. `repeats_first_line`: a later line equals the first one. `has_escaped`:
    it may have the dialect's escape character.
    """

    def __init__(self, delimiter: str, quote: str, escape: str | None = None) -> None:
        self.has_escaped = False
        self._escaped = re.compile(re.escape(escape.encode()) + b".", re.S) if escape else None
        self._escape = escape.encode() if escape else b""
        self._pending = b""
        self.records = self.delimiters = 0
        self.tidy = True
        self.has_nul = self.has_escape = self.has_mark = self.repeats_first_line = False
        self.line_ends = _LineEnds()
        self._quote = quote.encode()
        self._delimiter = delimiter.encode()[0]
        # What may stand before an opening and after a closing quote.
        self._neighbours = np.zeros(256, np.bool_)
        self._neighbours[list(f"\n{quote}{delimiter}".encode())] = True
        self._inside = False
        self._last = b"\n"
        self._last_is_end = True
        self._end = b""
        self._first_line: bytes | None = None
        self._window = b""

    def feed(self, chunk: bytes, final: bool = False) -> None:
        """Count the next chunk; `final` says that it is the last one."""
        self.has_nul = self.has_nul or b"\0" in chunk
        self.has_escape = self.has_escape or ESCAPE in chunk
        # Looking for three bytes takes longer than all else here, and most exports are in ASCII.
        if not chunk.isascii():
            self.has_mark = self.has_mark or BOM_UTF8 in self._end + chunk
        self._end = chunk[-2:]
        chunk = self.line_ends.feed(chunk, final)
        self._seek_first_line(chunk, final)
        chunk = self._without_escaped(chunk, final)
        if chunk:
            quoted = self._inside or self._quote in chunk or self._last == self._quote
            ends = self._quoted_ends(chunk) if quoted else self._unquoted_ends(chunk)
            # A record end right after another one ends a blank line.
            blank = np.count_nonzero(ends[1:] & ends[:-1]) + bool(ends[0] and self._last_is_end)
            self.records += int(np.count_nonzero(ends) - blank)
            self._last, self._last_is_end = chunk[-1:], bool(ends[-1])
        if final:
            self.records += not self._last_is_end
            self.tidy = self.tidy and not self._inside

    def _without_escaped(self, chunk: bytes, final: bool) -> bytes:
        """The chunk with `__` for each escaped character. An escape at its end is kept for the next chunk."""
        if self._escaped is None:
            return chunk
        chunk = self._escaped.sub(b"__", self._pending + chunk)
        cut = len(chunk) - (chunk.endswith(self._escape) and not final)
        chunk, self._pending = chunk[:cut], chunk[cut:]
        self.has_escaped = self.has_escaped or bool(self._pending) or b"__" in chunk or self._escape in chunk
        return chunk

    def _seek_first_line(self, chunk: bytes, final: bool) -> None:
        """Look for a repetition of the first line, which must end within the first chunk."""
        if self._first_line is None and chunk:
            self._first_line = b"\n" + chunk.partition(b"\n")[0] + b"\n"
        if self._first_line and not self.repeats_first_line:
            window = self._window + chunk + (b"\n" if final else b"")
            self.repeats_first_line = self._first_line in window
            self._window = window[-len(self._first_line) :]

    def _unquoted_ends(self, chunk: bytes) -> Flags:
        """Which bytes end a record, in a chunk without quotes."""
        content = np.frombuffer(chunk, np.uint8)
        self.delimiters += int(np.count_nonzero(content == self._delimiter))
        ends: Flags = content == _LF
        return ends

    def _quoted_ends(self, chunk: bytes) -> Flags:
        """Which bytes end a record, in a chunk with quotes."""
        content = np.frombuffer(chunk, np.uint8)
        is_quote, is_end = content == self._quote[0], content == _LF
        special = np.flatnonzero(is_quote | is_end | (content == self._delimiter))
        quote, end = is_quote[special], is_end[special]
        inside = _inside_quotes(quote, self._inside)
        self._check_neighbours(chunk, special[quote & inside], special[quote & ~inside])
        self.delimiters += int(np.count_nonzero(~(inside | quote | end)))
        ends = np.zeros(len(content), np.bool_)
        ends[special[end & ~inside]] = True
        if len(inside):
            self._inside = bool(inside[-1])
        return ends

    def _check_neighbours(self, chunk: bytes, opening: npt.NDArray[np.intp], closing: npt.NDArray[np.intp]) -> None:
        # One byte of the chunk before, so that each quote at the edge has a neighbour.
        window = np.frombuffer(self._last + chunk, np.uint8)
        before, after = window[opening], window[closing[closing + 2 < len(window)] + 2]
        self.tidy = self.tidy and bool(self._neighbours[before].all() and self._neighbours[after].all())
        if self._last == self._quote and not self._inside:
            self.tidy = self.tidy and bool(self._neighbours[window[1]])


_BLANKS = b" \t"
_TWO_OBJECTS = re.compile(rb"\}[ \t]*\{")
_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.S)


class JsonLinesCounter:
    """Counts the records of JSON lines: the lines that are not blank, and each object of a line with several."""

    def __init__(self) -> None:
        self.records = 0
        self.line_ends = _LineEnds()
        self._rest: list[bytes] = []

    def feed(self, chunk: bytes, final: bool = False) -> None:
        """Count the next chunk; `final` says that it is the last one."""
        *lines, rest = self.line_ends.feed(chunk, final).split(b"\n")
        if lines:
            lines[0] = b"".join([*self._rest, lines[0]])
            self._rest = []
        self._rest.append(rest)
        if final:
            lines.append(b"".join(self._rest))
        self.records += sum(map(_objects, lines))


def _objects(line: bytes) -> int:
    """The records of a line: none in a blank one, else one, or one per object."""
    if not _TWO_OBJECTS.search(line):
        return 1 if line.strip(_BLANKS) else 0
    depth = objects = 0
    for token in _STRING_OR_BRACKET.finditer(line):
        if token[0] in b"{[":
            objects += depth == 0
            depth += 1
        elif token[0] in b"}]":
            depth -= 1
    return max(objects, 1)


_ESCAPE = re.compile(rb"\\.", re.S)
_STEPS = np.zeros(256, np.int8)
_STEPS[list(b"{[")], _STEPS[list(b"}]")] = 1, -1
_SPACE = np.zeros(256, np.bool_)
_SPACE[list(b" \t\n\r")] = True


class JsonArrayCounter:
    """Counts the elements of a JSON array by its commas and brackets; takes UTF-8 in chunks."""

    def __init__(self) -> None:
        self.line_ends = _LineEnds()
        self._commas = 0
        self._content = 0
        self._depth = 0
        self._inside = False
        self._pending = b""

    @property
    def records(self) -> int:
        """The elements so far: one more than commas, or none if the brackets are empty."""
        return self._commas + 1 if self._content else 0

    def feed(self, chunk: bytes, final: bool = False) -> None:
        """Count the next chunk; `final` says that it is the last one."""
        chunk = _ESCAPE.sub(b"__", self._pending + self.line_ends.feed(chunk, final))
        # A backslash at the end escapes the first byte of the next chunk.
        cut = len(chunk) - chunk.endswith(b"\\")
        chunk, self._pending = chunk[:cut], chunk[cut:]
        if not chunk:
            return
        content = np.frombuffer(chunk, np.uint8)
        quote = content == ord('"')
        inside = _inside_quotes(quote, self._inside)
        steps = np.where(inside, 0, _STEPS[content])
        depth = np.cumsum(steps) + self._depth
        self._commas += int(np.count_nonzero((content == ord(",")) & (depth == 1) & ~inside))
        # The array's own opening bracket is no content.
        own_bracket = (depth == 1) & (steps == 1)
        self._content += int(np.count_nonzero((depth > 0) & ~_SPACE[content] & ~own_bracket))
        self._inside, self._depth = bool(inside[-1]), int(depth[-1])
