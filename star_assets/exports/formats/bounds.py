"""How long one record of a file may be: readers hold it in memory whole.

Not here: counting records (counting).
"""

from __future__ import annotations

from star_assets.model.errors import BrokenFile

# Bytes. A quote that is never closed makes one record of the rest of a file, and no row of a database is as long.
MOST_IN_RECORD = 64 * 1024 * 1024


class RecordBound:
    """Told of a file's chunks as they are counted; refuses a record that does not end."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._records = self._held = 0

    def pass_on(self, size: int, records: int) -> None:
        """So many bytes more were read, and so many records counted in all. Raises BrokenFile."""
        self._held = self._held + size if records == self._records else 0
        self._records = records
        if self._held > MOST_IN_RECORD:
            found = f"found one behind {records:,} others that has not ended by then"
            problem = f"expected records of {MOST_IN_RECORD >> 20} MiB at most, {found}"
            remedy = "Export the file again, with the lines ended and the quotes closed"
            raise BrokenFile(self.name, None, problem, remedy)
