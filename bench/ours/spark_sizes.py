"""Spark on what is lopsided, at full size: a day of ten thousand small files, and one key with half of all lines.

    python -m bench.ours.spark_sizes [files] [lines]

The tests do the same with a few. Prints seconds; fails where the rows are not DuckDB's.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import date
from pathlib import Path
from time import monotonic

from star_assets_tests.engines.hard_cases import DAYS, hard
from star_assets_tests.engines.pairs import Pair, require_same
from star_assets_tests.engines.sizes import write_sizes

TABLES = ("tickets", "lines", "things", "dim_thing", "dim_thing_history", "fact_lines")


def main(files: int = 10_000, lines: int = 2_000_000) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_sizes(Path(folder), DAYS[0], files, lines)
        pair = Pair(hard, Path(folder), start_date=date.fromisoformat(DAYS[0]))
        for engine, warehouse in pair.warehouses.items():
            for table in TABLES:
                began = monotonic()
                errors = [str(outcome.error) for outcome in warehouse.refresh(table, DAYS[:1]) if outcome.error]
                assert errors == []
                print(f"{engine:8}{table:20}{monotonic() - began:8.1f} s", flush=True)
        for table in ("tickets", "lines", "fact_lines"):
            require_same(pair, table, DAYS[0], in_order=table == "fact_lines")
        print(f"{files} files, {lines} lines: the same on both")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
