"""On which days a source is to export: every day, weekdays, one day of the week, but for holidays; or no day."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

# What `every` may say, and the days of the week that it means, Monday first.
EVERY = {"day": WEEKDAYS, "weekday": WEEKDAYS[:5], **{day: (day,) for day in WEEKDAYS}}

# A day of every year, or of one.
_HOLIDAY = re.compile(r"([0-9]{4}-)?[0-9]{2}-[0-9]{2}")


def is_expected(day: str, every: str | None, holidays: Collection[str]) -> bool:
    """Whether an export of the day YYYY-MM-DD is to come."""
    if every is None:
        return False
    of_week = WEEKDAYS[date.fromisoformat(day).weekday()]
    return of_week in EVERY[every] and day not in holidays and day[5:] not in holidays


def is_holiday(text: str) -> bool:
    """Whether a text says a day of every year, MM-DD, or of one year, YYYY-MM-DD."""
    if not _HOLIDAY.fullmatch(text):
        return False
    try:
        # 2024 has a February 29.
        date.fromisoformat(text if len(text) == 10 else f"2024-{text}")
    except ValueError:
        return False
    return True
