"""The table of results: on the terminal, and with the machine named in `bench/results.md`.

Not here: what the rows say (cases).
"""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results.md"
HEADINGS = ("case", "ours", "peer", "ours / peer", "target", "")


@dataclass(frozen=True)
class Row:
    """A case: ours against a peer. `bound`: what the ratio ours / peer must not exceed."""

    case: str
    ours: str
    peer: str
    ratio: float | None = None
    bound: float | None = None

    @classmethod
    def of(cls, case: str, ours: float, peer: float, bound: float | None = None) -> Row:
        """A row of seconds."""
        return cls(case, seconds(ours), seconds(peer), ours / peer, bound)

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as text, under the headings."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}×"
        target = "" if self.bound is None else f"≤ {self.bound:g}×"
        verdict = "" if self.ratio is None or self.bound is None else "met" if self.ratio <= self.bound else "MISSED"
        return self.case, self.ours, self.peer, ratio, target, verdict


def seconds(value: float) -> str:
    """A duration, for people."""
    return f"{value:.1f} s" if value >= 1 else f"{1000 * value:.0f} ms"


def show(rows: Sequence[Row]) -> None:
    """Print the table."""
    table = Table(*HEADINGS)
    for row in rows:
        table.add_row(*row.cells, style="red" if row.cells[-1] == "MISSED" else None)
    Console().print(table)


def write(rows: Sequence[Row], times: int) -> None:
    """Write the table as Markdown."""
    lines = [HEADINGS, ("---",) * len(HEADINGS), *(row.cells for row in rows)]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    RESULTS.write_text(f"""\
# How fast

Measured on {date.today()} by `make bench`, on {machine()}.
Whole processes, in turns; median of {times} (PySpark and pandas: once; a small retailer's
day: five days).

{table}
""")


def machine() -> str:
    """The machine and the versions that the figures are from."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {version(name)}" for name in ("duckdb", "ibis-framework", "dagster", "pyarrow"))
    return (
        f"{os.cpu_count()} cores ({_processor_name()}), {memory:.0f} GiB of memory, {platform.system()}; "
        f"Python {platform.python_version()}, {versions}"
    )


def _processor_name() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
