"""What installed packages provide: entry points, by group.

Not here: which groups there are, and what is called with what (settings, lake.places, staging.formats.opening,
engines.opening).
"""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib.metadata import EntryPoints, entry_points


def provided(group: str) -> EntryPoints:
    """The entry points of a group. Each is imported only when it is loaded."""
    return _all(tuple(sys.path)).select(group=group)


# Kept, because reading the metadata of every installed package takes 17 ms, and a process asks a dozen times.
@lru_cache(maxsize=1)
def _all(path: tuple[str, ...]) -> EntryPoints:
    return entry_points()
