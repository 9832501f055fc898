"""The script of an afternoon: join the exports, write Parquet.

Nothing is resolved: an order that was exported again is counted again, deleted
orders are sales, and files are unsorted. It shows what the reading and writing
alone take; its figures are wrong.

    python naive.py EXPORTS OUT
"""

import json
import sys
import time
from pathlib import Path

import duckdb

exports, out = Path(sys.argv[1]) / "oltp", Path(sys.argv[2])
started = time.perf_counter()
out.mkdir(parents=True)
connection = duckdb.connect(config={"memory_limit": "1GB", "temp_directory": str(out / "spill")})

rows = connection.execute(f"""
    COPY (
        SELECT order_id, line_number, product_id, customer_id, store_id, quantity, unit_price, discount,
               quantity * unit_price - coalesce(discount, 0) AS revenue,
               ordered_at AS sold_at, ordered_at::DATE AS date
        FROM read_csv('{exports}/orders/*/*.csv', hive_partitioning = true) AS orders
        JOIN read_csv('{exports}/order_items/*/*.csv', hive_partitioning = true) AS items USING (order_id, date)
        WHERE status != 'cancelled'
    ) TO '{out}/fact_sales' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (date))
""").fetchall()[0][0]
for dimension, source in (("dim_product", "products"), ("dim_store", "stores"), ("dim_customer", "customers")):
    connection.execute(f"COPY (FROM read_csv('{exports}/{source}/*/*.csv')) TO '{out}/{dimension}.parquet'")

print(json.dumps({"seconds": round(time.perf_counter() - started, 2), "rows": rows}))
