"""Limits the length of one record, because readers keep a whole record in memory.

Not here: counting records (counting).
"""

from __future__ import annotations

from star_assets.model.errors import BrokenFile

# In bytes. No row of a database is as long, but a quote that is never closed makes one record of the rest of a file.
MOST_IN_RECORD = 64 * 1024 * 1024


class RecordBound:
    """Watches the chunks of a file as they are counted, and raises BrokenFile for a record that is too long."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._records = self._bytes = 0

    def pass_on(self, size: int, records: int) -> None:
        """Note `size` more bytes read, and `records` counted so far. Raises BrokenFile."""
        self._bytes = self._bytes + size if records == self._records else 0
        self._records = records
        if self._bytes > MOST_IN_RECORD:
            found = f"found one after {records:,} others that is longer"
            problem = f"expected records of {MOST_IN_RECORD >> 20} MiB at most, {found}"
            remedy = "Export the file again, with the lines ended and the quotes closed"
            raise BrokenFile(self.name, None, problem, remedy)
