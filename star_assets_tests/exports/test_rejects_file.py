"""Rejects go to their file as they are found, whatever their number."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from star_assets.exports.rejects_file import RejectsFile
from star_assets.model import Marker, Source, Star
from star_assets.model.errors import TooManyRejects
from star_assets.pipeline.warehouse import Warehouse
from star_assets.settings import Settings

DAY = "2023-07-01"
MEGABYTE = 1_000_000

# Reads a day of so many megabytes of invalid rows, and prints its peak memory in megabytes.
PROGRAM = """
import resource, sys
from datetime import date
from star_assets_tests.exports.test_rejects_file import readings, refused
print(refused(sys.argv[1]), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def readings(max_rejects: float) -> Source:
    columns = {"id": "int64", "value": "int64", "note": "string"}
    return Source("readings", key="id", columns=columns, max_rejects=max_rejects, whole=Marker("_SUCCESS"))


def export(lake: Path, rows: int) -> None:
    """A day whose every row has a text for a number."""
    folder = lake / "oltp" / "readings" / f"date={DAY}"
    folder.mkdir(parents=True)
    with (folder / "readings.csv").open("w") as file:
        file.write("id,value,note\n")
        file.writelines(f"{number},x{number},some words that are long enough\n" for number in range(rows))
    (folder / "_SUCCESS").touch()


def refused(lake: str) -> str:
    """Stage the day, with 200 MB for DuckDB. Returns what its error is."""
    settings = Settings(lake=lake, start_date=date(2023, 7, 1), threads=2, memory_limit="200MB")
    (outcome,) = Warehouse(Star([readings(0.5)], [], []), settings).refresh("readings", [DAY])
    return type(outcome.error).__name__


def test_rejects_are_written_as_they_come(tmp_path: Path) -> None:
    """A day may have more of them than memory."""
    raw = "x" * MEGABYTE
    tracemalloc.start()
    with RejectsFile(tmp_path / "r.parquet", "zstd") as file:
        for number in range(60):
            file.add("a.csv", [(number, "no number", f"{number}{raw}")])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * MEGABYTE
    assert pq.read_table(tmp_path / "r.parquet")["line"].to_pylist() == list(range(60))
    assert (file.count, file.first[0]) == (60, "a.csv, line 0: no number")


def test_where_there_are_none_there_is_no_file(tmp_path: Path) -> None:
    with RejectsFile(tmp_path / "r.parquet", "zstd") as file:
        file.add("a.csv", [])
    assert file.path is None
    assert list(tmp_path.iterdir()) == []


def test_beyond_a_bound_they_are_counted_and_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says so: who looks for one that is not there would doubt all others."""
    for module in ("star_assets.exports.rejects_file", "star_assets.model.errors.exports"):
        monkeypatch.setattr(f"{module}.MOST_REJECTS", 10)
    export(tmp_path, 25)
    settings = Settings(lake=str(tmp_path), start_date=date(2023, 7, 1), threads=2)
    (outcome,) = Warehouse(Star([readings(0.5)], [], []), settings).refresh("readings", [DAY])
    assert isinstance(outcome.error, TooManyRejects)
    assert "25 of 25 rows rejected" in str(outcome.error)
    assert "the first 10 of them are kept in" in str(outcome.error)
    (kept,) = tmp_path.rglob("_rejects.parquet")
    assert pq.read_table(kept)["line"].to_pylist() == list(range(2, 12))


@pytest.mark.long
def test_a_day_of_invalid_rows_takes_no_more_memory_than_allowed(tmp_path: Path) -> None:
    """Whoever declares a type wrongly has a file of nothing else; 30 MB of such rows took half a gigabyte."""
    peaks = []
    for name, rows in (("small", 20_000), ("large", 640_000)):
        export(tmp_path / name, rows)
        command = [sys.executable, "-c", PROGRAM, str(tmp_path / name)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
        error, peak = done.stdout.split()
        assert error == "TooManyRejects"
        peaks.append(int(peak))
    assert peaks[1] - peaks[0] < 200
