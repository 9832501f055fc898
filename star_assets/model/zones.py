"""Checking names of time zones, in declarations and in settings."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# Beginnings of names that Python accepts and engines do not know: the machine's local zone, and other file formats.
_LOCAL = ("localtime", "posixrules", "Factory", "posix/", "right/")

ZONE_EXPECTED = "an IANA time zone such as America/New_York"


def is_zone(name: str) -> bool:
    """Whether every engine knows a time zone of this name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return not name.startswith(_LOCAL)
