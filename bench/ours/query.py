"""The reference query through the embedded Athena and through plain DuckDB, on the same files, warm.

python -m bench.ours.query LAKE TIMES
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from bench.ours.lakes import live_files
from star_assets.athena.embedded import EmbeddedAthena
from star_assets.pipeline.warehouse import Warehouse
from star_assets.settings import Settings
from star_assets.star import retail

REFERENCE = """
    SELECT p.product_name, SUM(f.revenue) AS total_revenue
    FROM fact_sales f
    JOIN dim_product p ON f.product_id = p.product_id
    JOIN dim_store s ON f.store_id = s.store_id
    WHERE s.city = 'Miami' AND f.date BETWEEN '2023-07-01' AND '2023-09-30'
    GROUP BY p.product_name
    ORDER BY total_revenue DESC
"""


def plain_duckdb(files: dict[str, list[str]]) -> duckdb.DuckDBPyConnection:
    """DuckDB with a view over each table's files, the day taken from the folder's name."""
    connection = duckdb.connect()
    for table, paths in files.items():
        reader = f"read_parquet({paths}, hive_partitioning = true, hive_types_autocast = false)"
        connection.execute(f"CREATE VIEW {table} AS FROM {reader}")
    return connection


def timed(query: Callable[[], object]) -> float:
    begun = time.perf_counter()
    query()
    return time.perf_counter() - begun


def main() -> None:
    lake, times = Path(sys.argv[1]), int(sys.argv[2])
    house = Warehouse(retail, Settings(lake=str(lake)))
    athena = EmbeddedAthena(house.storage, house.catalog)
    plain = plain_duckdb(live_files(lake))

    def ours() -> object:
        return athena.query(REFERENCE)

    def theirs() -> object:
        return plain.sql(REFERENCE).to_arrow_table()

    ours(), theirs()
    seconds = [(timed(ours), timed(theirs)) for _ in range(times)]
    print(
        json.dumps(
            {
                name: statistics.median(each)
                for name, each in zip(("ours", "plain"), zip(*seconds, strict=True), strict=True)
            }
        )
    )


if __name__ == "__main__":
    main()
