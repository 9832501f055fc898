"""What this process uses of AWS, and how long it works: counts that clients add to, and meters that read them.

Here: amounts alone, by the names that `prices` has prices for. Not here: what they
cost (prices), where a version keeps its share (pipeline).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from threading import Lock

# When this process began to count: a job of Glue's is paid from its start on.
BEGAN = time.monotonic()

# Operations of S3 that are billed as writes, by how their names begin, and those billed as reads. Deleting is free.
WRITES, READS = ("Put", "Copy", "Create", "Complete", "Upload", "List"), ("Get", "Head")

_counts, _adding = Counter[str](), Lock()


def add(name: str, amount: float = 1) -> None:
    """Count so many more `reads`, `writes` or `catalog_calls`."""
    with _adding:
        _counts[name] += amount  # type: ignore[assignment]


def add_request(service: str, operation: str) -> None:
    """Count a request to S3 or Glue, as it is billed."""
    if service == "glue":
        add("catalog_calls")
    elif service == "s3" and operation.startswith(WRITES):
        add("writes")
    elif service == "s3" and operation.startswith(READS):
        add("reads")


class Meter:
    """What was used since it was made, or read last: since `since`, by `time.monotonic()`, at the first reading.

    Each second counts as `rate` of what `unit` names: of a job of Glue's, as its DPUs.
    """

    def __init__(self, unit: str = "seconds", rate: float = 1, since: float | None = None) -> None:
        self._unit, self._rate = unit, rate
        self._before = Counter(_counts)
        self._since = time.monotonic() if since is None else since

    def read(self, shares: int) -> dict[str, float]:
        """What each of so many versions used; only what is not zero. The next reading begins here."""
        now, counts = time.monotonic(), Counter(_counts)
        found: dict[str, float] = {self._unit: (now - self._since) * self._rate, **(counts - self._before)}
        self._before, self._since = counts, now
        return {name: round(amount / max(shares, 1), 6) for name, amount in found.items()}


def with_files(used: Mapping[str, float], files: int) -> dict[str, float]:
    """What was used, and the writes of so many files, where the lake is one that asks AWS."""
    asks_aws = "reads" in used or "writes" in used
    return {**used, "writes": used.get("writes", 0) + files} if asks_aws else dict(used)
