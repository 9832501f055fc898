"""What the key index costs as it grows: one more day into it, and the exports of all dates.

The index files are made directly, a month of exports each, with so many keys a
day; some 3 % of them occur again a few days later. Prints the median seconds.

python -m bench.ours.key_index KEYS KEYS_PER_DAY TIMES
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import duckdb

from star_assets.books.keys import Keys
from star_assets.engines.duckdb.session import Database
from star_assets.engines.engine import StagedInput
from star_assets.settings import Settings
from star_assets.star import orders, retail

FIRST = date(2015, 1, 1)


def write_index(folder: Path, keys: int, per_day: int) -> list[str]:
    """The months' files: (order_id, export, date), sorted as the engine sorts them."""
    days, files = keys // per_day, []
    with duckdb.connect() as connection:
        for first in range(0, days, 30):
            file, last = folder / f"{first:05}.parquet", min(first + 30, days)
            exported = f"DATE '{FIRST}' + (key // {per_day})::INT"
            connection.execute(
                f"COPY (SELECT key::BIGINT AS order_id, {exported} + (again * 3)::INT AS export, {exported} AS date "
                f"FROM range({first * per_day}, {last * per_day}) AS t(key), range(2) AS a(again) "
                f"WHERE again = 0 OR hash(key) % 100 < 3 ORDER BY date, order_id) TO '{file}' "
                "(FORMAT parquet, COMPRESSION zstd)"
            )
            files.append(str(file))
    return files


def write_day(folder: Path, per_day: int, number: int) -> StagedInput:
    """One more staged export of headers."""
    day, file = str(FIRST + timedelta(days=number)), folder / "staged.parquet"
    with duckdb.connect() as connection:
        moment = f"TIMESTAMP_MS '{day} 12:00:00'"
        connection.execute(
            f"COPY (SELECT (key + {number * per_day})::BIGINT AS order_id, 1::BIGINT AS customer_id, "
            f"1::BIGINT AS store_id, {moment} AS ordered_at, 'placed' AS status, {moment} AS updated_at, 'I' AS op, "
            f"false AS _deleted FROM range({per_day}) AS t(key)) TO '{file}' (FORMAT parquet)"
        )
    return StagedInput(day, (str(file),))


def median(times: int, call: Callable[[], object]) -> float:
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def main() -> None:
    number, per_day, times = (int(argument) for argument in sys.argv[1:])
    keys = Keys(retail, Database(Settings()))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        files, day = write_index(folder, number, per_day), write_day(folder, per_day, number // per_day)
        report = {
            "one more day": median(
                times, lambda: keys.index_keys(orders, "ordered_at", files[-1], [day], folder / "month.parquet")
            ),
            "all dates": median(times, lambda: keys.exports_of_dates(orders, files)),
        }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
