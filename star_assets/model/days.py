"""The types of the two kinds of day: ExportDay, when rows were exported, and BusinessDate, when events happened.

Both are partitions, so only their types tell them apart. Code that uses a day of one
kind as the other converts it explicitly. A business date is a text YYYY-MM-DD. So is
an export day, but for streams: what arrived within one hour is an export of its own,
YYYY-MM-DDTHH. These texts sort in the order of time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NewType

# The partition of a source: all rows that were exported on this day; of a stream, all events that arrived in this hour.
ExportDay = NewType("ExportDay", str)

# The partition of a fact: all events of this day in the business time zone.
BusinessDate = NewType("BusinessDate", str)

# For each business date, the export days that it is built from, sorted.
ExportsByDate = Mapping[BusinessDate, Sequence[ExportDay]]


def day_of(export: str) -> str:
    """The calendar day of an export: `2023-10-01` for the day itself and for `2023-10-01T14`."""
    return export[: len("YYYY-MM-DD")]


def hour_of(day: str, hour: str) -> ExportDay:
    """The export of an hour, `00` to `23`, of a stream's day."""
    return export_of((day, hour))


def values_of(export: str) -> tuple[str, ...]:
    """The day of an export, and its hour if it is an hour's: the values of its partition."""
    return tuple(export.split("T"))


def export_of(values: Iterable[str]) -> ExportDay:
    """The inverse of `values_of`."""
    return ExportDay("T".join(values))


def folder_of(export: str) -> str:
    """The folder of an export or a date, as Hive names partitions: `date=2023-10-01`, `date=2023-10-01/hour=14`."""
    return "/".join(f"{name}={value}" for name, value in zip(("date", "hour"), values_of(export), strict=False))
