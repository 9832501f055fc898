"""Whether two stars are the same: a benchmark of different answers is worthless.

Facts are compared date by date: rows, revenue, and a fingerprint of every
value; dimensions by the members that an export describes.

python -m bench.compare LAKE PEERS_FOLDER
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import duckdb

from bench.ours.lakes import live_files

# For each table, its Parquet files.
Files = Mapping[str, list[str]]

MEMBERS = """
    SELECT count(*) AS members, bit_xor(hash({columns})) AS fingerprint FROM {{files}}
    WHERE member_kind = 'described'
"""
TABLES = {
    "fact_sales": """
        SELECT strftime(sale_date, '%Y-%m-%d') AS date, count(*) AS rows, sum(revenue) AS revenue,
               bit_xor(hash(sale_id, order_id, line_number, product_id, customer_id, store_id, quantity,
                            unit_price, discount, revenue, sold_at::TIMESTAMP, sale_date,
                            product_sk)) AS fingerprint
        FROM {files} GROUP BY ALL
    """,
    "dim_product": MEMBERS.format(columns="product_id, product_name, category, brand, list_price"),
    "dim_product_history": MEMBERS.format(
        columns="product_sk, product_id, category, list_price, valid_from::TIMESTAMP, valid_to::TIMESTAMP, is_current"
    ),
    "dim_store": MEMBERS.format(columns="store_id, store_name, city, state, region, opened_on"),
    "dim_customer": MEMBERS.format(
        columns="customer_id, customer_name, email, city, state, segment, created_at::TIMESTAMP"
    ),
    "dim_time": MEMBERS.format(
        columns="date_key, partition_date, year, quarter, month, month_name, day_of_month, day_of_year, iso_year, "
        "iso_week, weekday, weekday_name, is_weekend, fiscal_year, fiscal_quarter, holiday, is_holiday"
    ),
}


def differences(ours: Files, theirs: Files) -> list[str]:
    """What differs, up to three lines a table and side; nothing if the stars are the same."""
    found = []
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for table, select in TABLES.items():
            left, right = (set(_rows(connection, select, files[table])) for files in (ours, theirs))
            for side, rows in (("ours alone", left - right), ("theirs alone", right - left)):
                found += [f"{table}, {side}: {row}" for row in sorted(rows, key=str)[:3]]
    return found


def _rows(connection: duckdb.DuckDBPyConnection, select: str, files: list[str]) -> list[tuple[object, ...]]:
    return connection.execute(select.format(files=f"read_parquet({files}, hive_partitioning = false)")).fetchall()


def written_by_peer(folder: Path) -> dict[str, list[str]]:
    """The files that a peer wrote."""
    return {table: [str(file) for file in sorted((folder / table).rglob("*.parquet"))] for table in TABLES}


def main() -> None:
    lake, folder = Path(sys.argv[1]), Path(sys.argv[2])
    found = differences(live_files(lake), written_by_peer(folder))
    if found:
        sys.exit(f"{lake} and {folder} hold different stars:\n" + "\n".join(found))


if __name__ == "__main__":
    main()
