"""Cadence: on which days an export of a source is expected, by its `every` and `holidays`."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

# The values of `every` → the days of the week on which exports are expected, Monday first.
EVERY = {"day": WEEKDAYS, "weekday": WEEKDAYS[:5], **{day: (day,) for day in WEEKDAYS}}

# A holiday: MM-DD, in every year, or YYYY-MM-DD, in one year.
_HOLIDAY = re.compile(r"([0-9]{4}-)?[0-9]{2}-[0-9]{2}")


def is_expected(day: str, every: str | None, holidays: Collection[str]) -> bool:
    """Whether an export of the day YYYY-MM-DD is expected."""
    if every is None:
        return False
    weekday = WEEKDAYS[date.fromisoformat(day).weekday()]
    return weekday in EVERY[every] and day not in holidays and day[5:] not in holidays


def is_holiday(text: str) -> bool:
    """Whether a text is a valid day MM-DD, meant in every year, or YYYY-MM-DD, in one year."""
    if not _HOLIDAY.fullmatch(text):
        return False
    try:
        # 2024, because it has a February 29.
        date.fromisoformat(text if len(text) == 10 else f"2024-{text}")
    except ValueError:
        return False
    return True
