"""Writes a day's rejects into a Parquet file, in bounded memory, and at most MOST_REJECTS of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from star_assets.model.errors.exports import MOST_REJECTS

# The columns: the raw file, the record's first line in it, the reason for the reject, and the record's text.
REJECTS = pa.schema([("file", pa.string()), ("line", pa.int64()), ("reason", pa.string()), ("raw", pa.string())])

# An error's message quotes so many rejects.
QUOTED = 3

# Rejects are buffered up to so many characters of text.
BUFFERED = 4 * 1024 * 1024

# A reject of a file: its line, the reason, its text.
Reject = tuple[int, str, str]


class RejectsFile:
    """Writes rejects as they are added; without rejects there is no file.

    `count` is the number of all that were added, `first` the messages of the first few.
    """

    def __init__(self, path: Path, compression: str) -> None:
        self.count = 0
        self.first: list[str] = []
        self._path = path
        self._compression = compression
        self._writer: pq.ParquetWriter | None = None
        self._buffer: list[tuple[str, int, str, str]] = []
        self._size = 0

    def __enter__(self) -> RejectsFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._write()
        if self._writer:
            self._writer.close()

    @property
    def path(self) -> Path | None:
        """The file, if there are any rejects."""
        return self._path if self.count else None

    def add(self, file: str, rejects: Sequence[Reject]) -> None:
        """Add rejects of one raw file, in order."""
        quoted = rejects[: QUOTED - len(self.first)] if len(self.first) < QUOTED else ()
        self.first += [f"{file}, line {line}: {reason}" for line, reason, _ in quoted]
        kept = rejects[: max(MOST_REJECTS - self.count, 0)]
        self.count += len(rejects)
        self._buffer += [(file, *reject) for reject in kept]
        self._size += sum(len(raw) for _, _, raw in kept)
        if self._size > BUFFERED:
            self._write()

    def _write(self) -> None:
        if not self._buffer:
            return
        columns = [pa.array(values, f.type) for values, f in zip(zip(*self._buffer, strict=True), REJECTS, strict=True)]
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, REJECTS, compression=self._compression)
        self._writer.write_table(pa.Table.from_arrays(columns, schema=REJECTS))
        self._buffer, self._size = [], 0
