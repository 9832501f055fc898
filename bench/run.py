"""`make bench`: run the cases, print the table, write `bench/results.md`.

python -m bench.run [--only CASE] [--times 3] [--spark-python PYTHON]
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Iterator

from bench import aws_cases, cases, dagster_cases, scale_cases, small_cases, table, tiny_cases
from bench.exports import ASIDE
from bench.measure import Options
from bench.table import Row

CASES: dict[str, Callable[[Options], Iterator[Row]]] = {
    "backfill": cases.backfill,
    "pandas": cases.pandas_loop,
    "spark": cases.spark,
    "spark-engine": cases.spark_engine,
    "one-more-day": cases.one_more_day,
    "key-index": cases.key_index,
    "query": cases.query,
    "small-years": small_cases.small_years,
    "tiny-days": tiny_cases.tiny_days,
    "dagster-day": dagster_cases.one_day,
    "dagster-range": dagster_cases.whole_range,
    "tpch": scale_cases.up_to_1,
    "aws-backfill": aws_cases.backfill,
    "aws-idle": aws_cases.idle,
    "publish": aws_cases.publish,
    "sensor": aws_cases.sensor,
    "scanned": aws_cases.scanned,
}

# What takes an hour is run by itself, when asked for.
LONG_CASES: dict[str, Callable[[Options], Iterator[Row]]] = {"tpch-10": scale_cases.up_to_10}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure star_assets against its peers. Takes about an hour.")
    parser.add_argument(
        "--only", action="append", choices=[*CASES, *LONG_CASES], help="this case alone; results.md stays as it is"
    )
    parser.add_argument("--times", type=int, default=3, help="runs of which the median is taken")
    parser.add_argument("--spark-python", default=sys.executable, help="a Python that has pyspark")
    given = parser.parse_args()
    rows: list[Row] = []
    for name in given.only or CASES:
        print(f"{name} …", file=sys.stderr, flush=True)
        rows += {**CASES, **LONG_CASES}[name](Options(given.times, given.spark_python))
    shutil.rmtree(ASIDE, ignore_errors=True)
    table.show(rows)
    if not given.only:
        table.write(rows, given.times)


if __name__ == "__main__":
    main()
