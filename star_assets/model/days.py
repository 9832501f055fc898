"""The two kinds of day: when rows were exported, and when what they tell of happened.

Both are texts YYYY-MM-DD and both are partitions, so only their types tell them
apart. A conversion is written out where one day plays both parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NewType

# The partition of a source: what was exported on this day.
ExportDay = NewType("ExportDay", str)

# The partition of a fact: what happened on this day in the business time zone.
BusinessDate = NewType("BusinessDate", str)

# For each business date, the export days that it is built from, sorted.
ExportsByDate = Mapping[BusinessDate, Sequence[ExportDay]]
