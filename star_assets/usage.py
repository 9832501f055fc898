"""Counts this process's requests to AWS and its working time, and meters them per version.

Amounts have the names by which `prices` has their unit prices. Not here: their cost
(prices), storing them in manifests (pipeline).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from threading import Lock

# When this process started, because a Glue job is billed from its start.
BEGAN = time.monotonic()

# Prefixes of the names of S3's operations that are billed as writes, and of those billed as reads. Deletes are free.
WRITES, READS = ("Put", "Copy", "Create", "Complete", "Upload", "List"), ("Get", "Head")

_counts, _adding = Counter[str](), Lock()


def add(name: str, amount: float = 1) -> None:
    """Add to the count of `reads`, `writes` or `catalog_calls`."""
    with _adding:
        _counts[name] += amount  # type: ignore[assignment]


def add_request(service: str, operation: str) -> None:
    """Count a request to S3 or Glue in its billing class."""
    if service == "glue":
        add("catalog_calls")
    elif service == "s3" and operation.startswith(WRITES):
        add("writes")
    elif service == "s3" and operation.startswith(READS):
        add("reads")


class Meter:
    """Measures amounts used between readings; the first begins at `since` (`time.monotonic()`), by default now.

    Each second counts as `rate` units of `unit`: for a Glue job, as its number of DPUs.
    """

    def __init__(self, unit: str = "seconds", rate: float = 1, since: float | None = None) -> None:
        self._unit, self._rate = unit, rate
        self._before = Counter(_counts)
        self._since = time.monotonic() if since is None else since

    def read(self, shares: int) -> dict[str, float]:
        """The amounts since the last reading, divided by `shares` versions. Begins the next reading."""
        now, counts = time.monotonic(), Counter(_counts)
        found: dict[str, float] = {self._unit: (now - self._since) * self._rate, **(counts - self._before)}
        self._before, self._since = counts, now
        return {name: round(amount / max(shares, 1), 6) for name, amount in found.items()}


def with_files(used: Mapping[str, float], files: int) -> dict[str, float]:
    """The amounts plus the writes of so many files, if the lake is on AWS."""
    asks_aws = "reads" in used or "writes" in used
    return {**used, "writes": used.get("writes", 0) + files} if asks_aws else dict(used)
