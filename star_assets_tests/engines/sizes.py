"""Exports of any size that are lopsided: one key has half of all lines, and a day has many small files."""

from __future__ import annotations

from pathlib import Path

from .hard_cases import csv, export, lines, things, tickets


def write_sizes(root: Path, day: str, files: int, lines: int) -> None:
    """As many tickets as files, the first with half of all lines."""
    opened = [f"t{n};{day} 12:00;open;{day};I" for n in range(files)]
    export(root, tickets, day, {"a.csv": csv(tickets, *opened)})
    export(root, things, day, {"a.csv": csv(things, "saw,tool,1,2023-11-01")})
    export(root, LINES, day, dict(_files(day, files, lines)))


LINES = lines


def _files(day: str, files: int, count: int) -> list[tuple[str, str | bytes]]:
    owner = [0 if n % 2 else n // 2 % files for n in range(count)]
    rows = [f"{n},t{owner[n]},saw,{n % 100}.25,1.5,{day}," for n in range(count)]
    return [(f"part-{n:05}.csv", csv(LINES, *rows[n::files])) for n in range(files)]
