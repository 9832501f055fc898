"""Strays: files and folders in the raw zone that belong to no export, each with what was expected instead.

The names directly in a source's folder decide: the folder `date=<day>` is that day's
export, a name that begins with `_` or `.` is ignored, and any other is a stray. Not
here: the content of a day's folder (finding).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches

from star_assets.model.days import ExportDay

# So many strays are named in a message; the rest are counted.
NAMED = 5

DAY = "date=YYYY-MM-DD"

# A last day later than any, where no day is too late.
NO_LAST_DAY = "9999-12-31"

_DAY_FOLDER = re.compile(r"date=([0-9]{4}-[0-9]{2}-[0-9]{2})")

# A name that probably means a day: year, month and day in any notation.
_LIKE_A_DAY = re.compile(r"(?:.*[^0-9])?([0-9]{4})[^0-9]?([0-9]{1,2})[^0-9]?([0-9]{1,2})(?:[^0-9].*)?")


@dataclass(frozen=True)
class Stray:
    """A path in the raw zone: what is there, and what was expected."""

    path: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.path}: expected {self.expected}, found {self.found}"


def sort_names(folder: str, names: Iterable[str], last: str) -> tuple[list[ExportDay], list[Stray]]:
    """The days up to the `last` in a source's folder, in order, and the strays. `names` of folders end with `/`."""
    days, strays = set[ExportDay](), list[Stray]()
    for name in sorted(names):
        bare, is_folder = name.rstrip("/"), name.endswith("/")
        match = _DAY_FOLDER.fullmatch(bare)
        if match and _is_day(match[1]) and match[1] <= last:
            days.add(ExportDay(match[1]))
        elif not bare.startswith(("_", ".")):
            found = "a folder" if is_folder else "a file"
            strays.append(Stray(f"{folder}/{name}", found, _expected(bare, is_folder, last)))
    return sorted(days), strays


def strays_among_sources(folder: str, names: Iterable[str], sources: Collection[str]) -> list[Stray]:
    """The files and folders directly in the raw zone that are no source's folder."""
    strays = []
    for name in sorted(names):
        bare, is_folder = name.rstrip("/"), name.endswith("/")
        if bare.startswith(("_", ".")) or (is_folder and bare in sources):
            continue
        close = get_close_matches(bare.lower(), sources, 1)
        expected = f"{close[0]}/" if close else f"a source's folder ({', '.join(sources)})"
        strays.append(Stray(f"{folder}/{name}", "a folder" if is_folder else "a file", expected))
    return strays


def not_understood(folder: str, strays: Sequence[Stray]) -> str:
    """A message about strays in a folder: how many there are, and for each what was expected."""
    count = "1 name is" if len(strays) == 1 else f"{len(strays):,} names are"
    beyond = f"; and {len(strays) - NAMED:,} more" if len(strays) > NAMED else ""
    named = "; ".join(map(str, strays[:NAMED])) + beyond
    return f"{count} not understood in {folder}, and nothing of that is staged. {named}."


def _expected(name: str, is_folder: bool, last: str) -> str:
    match = _LIKE_A_DAY.fullmatch(name)
    if match:
        day = f"{match[1]}-{match[2]:0>2}-{match[3]:0>2}"
        if _is_day(day) and day > last:
            return f"a day up to {last} (see STAR_DAYS_AHEAD, STAR_END_DATE)"
        if _is_day(day) and is_folder:
            return f"date={day}/"
        return f"a folder {DAY} around it" if not is_folder else f"{DAY}, a day of the calendar"
    return f"a folder {DAY}" if is_folder else f"a folder {DAY} around it"


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
