"""TPC-H at growing scales: seconds for each million lines, which must not grow, and peak memory.

The days are 2,406 at any scale, so what a day costs weighs less the larger it is:
a ratio below 1 is no merit, one above 1 is something that grows faster than the
data. STAR_ENGINE says which engine is measured; Spark's own process counts. Not
here: the star and its exports (examples/tpch).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bench.exports import DATA, put_aside
from bench.measure import Measurement, Options, python
from bench.table import Row

# TPC-H's order lines at each scale factor. A run that publishes fewer is no measurement.
LINES = {0.1: 600_572, 1: 6_001_215, 10: 59_986_052}


def up_to_1(_: Options) -> Iterator[Row]:
    """Scale factors 0.1 and 1."""
    yield from scales(0.1, 1)


def up_to_10(_: Options) -> Iterator[Row]:
    """Scale factors 1 and 10, which takes 30 GB of disk."""
    yield from scales(1, 10)


def scales(small: float, large: float) -> Iterator[Row]:
    """Exports to published star at two scales, one after the other."""
    engine = os.environ.get("STAR_ENGINE", "duckdb")
    ours, peer = (build(scale, engine) for scale in (large, small))
    millions, of_peer = LINES[large] / 1e6, LINES[small] / 1e6
    case = f"TPC-H on {engine}, a million lines of SF {large:g}; of SF {small:g}"
    yield Row.of(case, ours.seconds / millions, peer.seconds / of_peer, 1.1)
    yield Row.of("… in processor time", ours.cpu_seconds / millions, peer.cpu_seconds / of_peer, 1.1)
    for phase, taken in ours.report["phases"].items():
        yield Row.of(f"… {phase}", taken / millions, peer.report["phases"][phase] / of_peer)
    peaks = [measured.peak_bytes / 1e9 for measured in (ours, peer)]
    yield Row("… peak memory", f"{peaks[0]:.2f} GB", f"{peaks[1]:.2f} GB", peaks[0] / peaks[1])


def build(scale: float, engine: str) -> Measurement:
    """Every table for every day, into a lake that holds nothing but the exports. Raises RuntimeError."""
    lake = exports(scale)
    for folder in lake.iterdir():
        if folder.name != "oltp":
            put_aside(folder)
    measured = python("-m", "bench.ours.tpch", lake, env={"STAR_ENGINE": engine})
    if measured.report["lines"] != LINES[scale]:
        raise RuntimeError(f"SF {scale:g} has {LINES[scale]} lines, the star {measured.report['lines']}")
    spark = measured.report["started"]
    return replace(
        measured,
        cpu_seconds=measured.cpu_seconds + spark["cpu_seconds"],
        peak_bytes=measured.peak_bytes + int(spark["peak_bytes"]),
    )


def exports(scale: float) -> Path:
    """A lake with the exports of a scale, written unless they are there already."""
    lake = DATA / "lakes" / f"tpch-{scale:g}"
    if not (lake / "oltp").exists():
        python("-m", "examples.tpch.prepare", str(scale), env={"STAR_LAKE": str(lake)})
    return lake
