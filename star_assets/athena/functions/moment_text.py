"""Parsing texts of timestamps with a time zone, as Athena does.

Not here: texts without a zone, which DuckDB parses (compiling.casts).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from star_assets.athena.failures import Unanswered, Wrong

# Dates of years that Athena accepts and Python does not: 23, 0, 10000, or a year with a sign.
FAR_DAY = r"([-+][0-9]+|[0-9]{1,3}|[0-9]{5,}|0000)-(0?[1-9]|1[0-2])-(0?[1-9]|[12][0-9]|3[01])"

_TIME = r"(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,12}))?)?"
_MOMENT = re.compile(rf"\s*(\d{{4}}-\d{{1,2}}-\d{{1,2}})(?: {_TIME})?\s*(.*?)\s*", re.ASCII)
_ISO = re.compile(rf"(\d{{4}}-\d\d-\d\d)(?:T{_TIME})?(Z|[-+]\d\d(?::?\d\d)?)?", re.ASCII)
_FAR = re.compile(rf"\s*{FAR_DAY}(?!\d)", re.ASCII)
_OFFSET = re.compile(r"([-+])(\d{1,2})(?::?(\d{2}))?", re.ASCII)


def zone_of(name: str) -> tzinfo:
    """The zone of a name such as `Europe/Berlin`, `UTC` or `+02:00`. Raises KeyError."""
    if offset := _OFFSET.fullmatch(name):
        span = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return timezone(span if offset[1] == "+" else -span)
    if name in ("Z", "UTC", "GMT", "Zulu"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise KeyError(name) from error


def parts(text: str, pattern: re.Pattern[str] = _MOMENT) -> tuple[datetime, int, str]:
    """The local time, the number of digits of its fraction of a second, and the zone's name ('' if there is none).

    Raises ValueError if the text is no timestamp, KeyError for an unknown zone, Unanswered.
    """
    found = pattern.fullmatch(text)
    if _FAR.match(text):
        raise Unanswered(f"the year of {text}")
    if not found:
        raise ValueError(text)
    day, hour, minute, second, fraction, zone = found.groups()
    year, month, of_month = map(int, day.split("-"))
    # Digits beyond microseconds do not change the result of rounding to milliseconds.
    microseconds = int((fraction or "")[:6].ljust(6, "0"))
    moment = datetime(year, month, of_month, int(hour or 0), int(minute or 0), int(second or 0), microseconds)
    if zone:
        zone_of(zone)
    return moment, len(fraction or ""), zone or ""


def instant(moment: datetime, zone: str) -> datetime:
    """The UTC time of a local time; the earlier one if it occurs twice. Raises ValueError if clocks skip it."""
    try:
        found = moment.replace(tzinfo=zone_of(zone), fold=0).astimezone(UTC)
    except OverflowError as error:
        raise Unanswered(f"the year of {moment} {zone} in UTC") from error
    if found.astimezone(zone_of(zone)).replace(tzinfo=None) != moment:
        raise ValueError(f"the clock skips {moment} in {zone}")
    return found


def without_zone(text: str) -> str:
    """CAST(varchar AS timestamp): the local time; a zone must be valid and is dropped."""
    try:
        return str(parts(text)[0])
    except (ValueError, KeyError) as error:
        raise Wrong("INVALID_CAST_ARGUMENT", f"Value cannot be cast to timestamp: {text}") from error


def instant_of(text: str) -> str:
    """CAST(varchar AS timestamp with time zone): the UTC time, as a text with its offset."""
    try:
        moment, _, zone = parts(text)
        return str(instant(moment, zone or "UTC"))
    except (ValueError, KeyError) as error:
        raise Wrong("INVALID_CAST_ARGUMENT", f"Value cannot be cast to timestamp with time zone: {text}") from error


def iso_instant(text: str) -> str:
    """from_iso8601_timestamp: the UTC time, as a text with its offset. Months, weeks and days of a year are refused."""
    if re.fullmatch(r"\d{4}(-?\d\d)?(-?W.*|-?\d{3})?(T.*)?", text):
        raise Unanswered(f"the ISO 8601 text {text}")
    try:
        moment, _, zone = parts(text, _ISO)
        return str(instant(moment, zone or "UTC"))
    except (ValueError, KeyError) as error:
        raise Wrong("INVALID_FUNCTION_ARGUMENT", f"Invalid format: {text}") from error
