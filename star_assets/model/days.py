"""The types of the two kinds of day: ExportDay, when rows were exported, and BusinessDate, when events happened.

Both are texts YYYY-MM-DD and both are partitions, so only their types tell them
apart. Code that uses a day of one kind as the other converts it explicitly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NewType

# The partition of a source: all rows that were exported on this day.
ExportDay = NewType("ExportDay", str)

# The partition of a fact: all events of this day in the business time zone.
BusinessDate = NewType("BusinessDate", str)

# For each business date, the export days that it is built from, sorted.
ExportsByDate = Mapping[BusinessDate, Sequence[ExportDay]]
