"""What the processes that this one started take, such as Spark's: nobody waits for those, so nothing else counts them.

Linux tells it in /proc; elsewhere it is nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """A process that is there: who started it, its peak memory in bytes, its processor seconds."""

    parent: int
    peak_bytes: int
    cpu_seconds: float


def started() -> dict[str, float]:
    """`peak_bytes` and `cpu_seconds` of this process's descendants, summed."""
    found = list(_below(os.getpid(), {int(folder.name): _process(folder) for folder in PROC.glob("[0-9]*")}))
    return {
        "peak_bytes": sum(process.peak_bytes for process in found),
        "cpu_seconds": sum(process.cpu_seconds for process in found),
    }


def _below(parent: int, known: dict[int, Process | None]) -> Iterator[Process]:
    for number, process in known.items():
        if process and process.parent == parent:
            yield process
            yield from _below(number, known)


def _process(folder: Path) -> Process | None:
    """What /proc says of a process; None where it has ended."""
    try:
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        # Behind the program's name: its state, its parent, …; its times are the 12th to the 15th.
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    peak = status.get("VmHWM", "0 kB").split()[0]
    return Process(int(fields[1]), 1024 * int(peak), sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK"))
