"""What one store's question reads of a day, by how the day is laid out: the table in docs/scale.md.

    python -m bench.ours.row_order [lines]

One day of fact_sales for 12, 200 and 2,000 stores, as the DuckDB engine writes it in its
declared order; the same rows sorted by the fact's key alone; and the same rows
partitioned by store. Bytes are counted as PyArrow fetches them.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import duckdb

from star_assets.engines.duckdb.engine import ROW_GROUP, DuckDBEngine
from star_assets_tests.engines.one_day import COLUMNS, build_day, bytes_read, write_day

STORE, DAYS = 7, 365
OPTIONS = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP}"


def measured(lines: int, stores: int, folder: Path) -> str:
    """A row of the table."""
    day = build_day(DuckDBEngine, write_day(folder, lines, stores), folder / "day")
    by_key, by_store = folder / "by_key.parquet", folder / "by_store"
    duckdb.execute(f"COPY (FROM '{day}' ORDER BY sale_id) TO '{by_key}' ({OPTIONS})")
    duckdb.execute(
        f"COPY (SELECT * FROM '{day}' WHERE store_id = {STORE} ORDER BY product_id) "
        f"TO '{by_store}' ({OPTIONS}, PARTITION_BY store_id, WRITE_PARTITION_COLUMNS true)"
    )
    (partition,) = by_store.rglob("*.parquet")
    cells = [
        f"{stores:,}",
        kilobytes(day.stat().st_size),
        kilobytes(bytes_read(day, STORE)),
        kilobytes(bytes_read(by_key, STORE)),
        kilobytes(bytes_read(partition, STORE, COLUMNS)),
        f"{stores * DAYS:,}",
    ]
    return f"| {' | '.join(cells)} |"


def kilobytes(count: int) -> str:
    return f"{count / 1000:,.0f} kB"


def main(lines: int = 1_200_000) -> None:
    print("| stores | the day | sorted by store | sorted by key | partitioned by store | … partitions a year |")
    print("|---|---|---|---|---|---|")
    for stores in (12, 200, 2_000):
        with tempfile.TemporaryDirectory() as folder:
            print(measured(lines, stores, Path(folder)), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
