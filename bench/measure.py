"""Measuring whole processes: wall time, processor time, peak memory.

A process is started anew for each measurement. This module, and whatever
imports it, stays small: Linux counts a child's peak memory from that of the
parent that started it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Options:
    """How often a run is repeated, and the Python that has PySpark."""

    times: int
    spark_python: str


@dataclass(frozen=True)
class Measurement:
    """One process: wall and processor seconds, peak memory in bytes, what it said about itself."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    report: Mapping[str, Any] = field(default_factory=dict)


def measure(*command: str | Path, env: Mapping[str, str] | None = None) -> Measurement:
    """Run a command in the repository's folder and measure it.

    Its last line on stdout may be a JSON object: its own report. Raises
    RuntimeError with what it wrote, if it fails.
    """
    words = [str(word) for word in command]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begun = time.perf_counter()
        process = subprocess.Popen(words, cwd=ROOT, stdout=out, stderr=err, env=_env(env))
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0), err.seek(0)
        said, complained = out.read().decode(), err.read().decode()
    if process.returncode:
        raise RuntimeError(f"{' '.join(words)} ended with {process.returncode}:\n{said[-2000:]}\n{complained[-4000:]}")
    # Linux tells kilobytes, macOS bytes.
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    last = (said.strip().splitlines() or [""])[-1]
    return Measurement(seconds, usage.ru_utime + usage.ru_stime, peak, json.loads(last) if last.startswith("{") else {})


def python(*arguments: str | Path, env: Mapping[str, str] | None = None) -> Measurement:
    """Measure this Python with arguments."""
    return measure(sys.executable, *arguments, env=env)


def alternate(times: int, *runs: Callable[[int], Measurement]) -> list[Measurement]:
    """Run each in turn, so many times, and return the median (by wall time) of each.

    A run is told its number, from 0. Taking turns spreads whatever else the
    machine does over all of them.
    """
    taken = [[run(number) for run in runs] for number in range(times)]
    return [sorted(each, key=lambda measurement: measurement.seconds)[times // 2] for each in zip(*taken, strict=True)]


def _env(more: Mapping[str, str] | None) -> dict[str, str]:
    """The environment without the settings of a lake that a user may have, and with `more`.

    Python keeps what it compiled, as it does for users: compiling all modules anew takes longer than a small run.
    """
    others = ("STAR_", "DAGSTER_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    return {**kept, **(more or {})}
