"""Entry points of all installed packages, by group.

Not here: the groups, and how their entry points are called (settings, lake.places, exports.formats.opening,
engines.opening).
"""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib.metadata import EntryPoints, entry_points
from typing import Any


def provided(group: str) -> EntryPoints:
    """The entry points of a group. Each is imported only when it is loaded."""
    found: EntryPoints = _all(tuple(sys.path)).select(group=group)
    return found


# Kept, because reading the metadata of every installed package takes 17 ms, and a process asks a dozen times.
# The type of the result differs between Python 3.11 and later ones; each has a method select.
@lru_cache(maxsize=1)
def _all(path: tuple[str, ...]) -> Any:
    return entry_points()
