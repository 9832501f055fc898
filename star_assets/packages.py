"""Entry points of all installed packages, by group, and the packages that they need.

Not here: the groups, and how their entry points are called (settings, lake.places, exports.formats.opening,
engines.opening).
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from functools import lru_cache
from importlib.metadata import EntryPoints, entry_points, requires, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from packaging.requirements import Requirement


def provided(group: str) -> EntryPoints:
    """The entry points of a group. Each is imported only when it is loaded."""
    found: EntryPoints = _all(tuple(sys.path)).select(group=group)
    return found


# Kept, because reading the metadata of every installed package takes 17 ms, and a process asks a dozen times.
# The type of the result differs between Python 3.11 and later ones; each has a method select.
@lru_cache(maxsize=1)
def _all(path: tuple[str, ...]) -> Any:
    return entry_points()


def needed(
    package: str, extra: str, without: Collection[str] = (), environment: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The packages that one extra of a package needs, and their dependencies, each with its installed version.

    Those of `without` are left out, with what only they need. `environment` are the values of markers, if they are not
    this Python's. Raises PackageNotFoundError if one is not installed.
    """
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    left = [(package, extra)]
    while left:
        name, asked = left.pop()
        seen.add((name, asked))
        for one in _asked_for(name, asked, environment or {}):
            if one.name not in without:
                found[one.name] = version(one.name)
                left += {(one.name, wanted) for wanted in ("", *one.extras)} - seen
    return found


def _asked_for(name: str, extra: str, environment: Mapping[str, str]) -> list[Requirement]:
    """The requirements of a package, or only those of one of its extras."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    found = []
    for text in requires(name) or ():
        one = Requirement(text)
        one.name = canonicalize_name(one.name)
        alone = one.marker is None or one.marker.evaluate({**environment, "extra": ""})
        if (one.marker is not None and one.marker.evaluate({**environment, "extra": extra})) if extra else alone:
            found.append(one)
    return found
