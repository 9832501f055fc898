"""Which names of time zones may be declared or set."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# What Python finds among its zones and no engine knows: this machine's own zone, none, and other forms of files.
_LOCAL = ("localtime", "posixrules", "Factory", "posix/", "right/")

ZONE_EXPECTED = "an IANA time zone such as America/New_York"


def is_zone(name: str) -> bool:
    """Whether every engine knows a time zone of this name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return not name.startswith(_LOCAL)
