"""Whether every tool's star is what one full recompute over the raw exports gives.

The recompute is plain DuckDB SQL over the CSV files, independent of all tools. The
facts are compared date by date: rows, quantity, revenue, and a fingerprint of every
value; the dimensions by all members that an export describes.

python -m bench.small_truth OLTP NAME=PLACE…     (a lake, a .duckdb file, or a folder of Parquet)
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

from bench.ours.lakes import live_files

TRUTH = """
    CREATE TEMP TABLE winners AS
    SELECT * FROM {orders}
    QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY updated_at DESC NULLS LAST, date DESC) = 1;

    CREATE TEMP TABLE fact_sales AS
    SELECT DISTINCT order_id, line_number, coalesce(product_id, -1) AS product_id,
           coalesce(customer_id, -1) AS customer_id, coalesce(store_id, -1) AS store_id, quantity,
           unit_price, coalesce(discount, 0) AS discount, quantity * unit_price - coalesce(discount, 0) AS revenue,
           ordered_at AS sold_at, ordered_at::DATE AS sale_date
    FROM winners JOIN {order_items} USING (order_id, date)
    WHERE op IS DISTINCT FROM 'D' AND status IS DISTINCT FROM 'cancelled';

    CREATE TEMP TABLE dim_customer AS FROM {customers}
    QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY date DESC) = 1;

    CREATE TEMP TABLE dim_product AS FROM {products}
    QUALIFY row_number() OVER (PARTITION BY product_id ORDER BY date DESC) = 1;

    CREATE TEMP TABLE dim_store AS FROM {stores}
    QUALIFY row_number() OVER (PARTITION BY store_id ORDER BY date DESC) = 1;
"""

# The sources' columns, in the order of the files.
COLUMNS = {
    "orders": "order_id BIGINT, customer_id BIGINT, store_id BIGINT, ordered_at TIMESTAMP, status VARCHAR, "
    "updated_at TIMESTAMP, op VARCHAR",
    "order_items": "order_id BIGINT, line_number BIGINT, product_id BIGINT, quantity BIGINT, "
    "unit_price DECIMAL(18,4), discount DECIMAL(18,4)",
    "customers": "customer_id BIGINT, customer_name VARCHAR, email VARCHAR, city VARCHAR, state VARCHAR, "
    "segment VARCHAR, created_at TIMESTAMP, updated_at TIMESTAMP",
    "products": "product_id BIGINT, product_name VARCHAR, category VARCHAR, brand VARCHAR, "
    "list_price DECIMAL(18,4), updated_at TIMESTAMP",
    "stores": "store_id BIGINT, store_name VARCHAR, city VARCHAR, state VARCHAR, region VARCHAR, opened_on DATE, "
    "updated_at TIMESTAMP",
}

PARQUET = "read_parquet({}, hive_partitioning = false)"

# Of our dimensions' members, those that an export describes.
DESCRIBED = " WHERE member_kind = 'described'"

# What is compared, of the truth and of each tool.
COMPARED = {
    "fact_sales": """
        SELECT sale_date::DATE AS date, count(*) AS lines, sum(quantity)::BIGINT AS quantity,
               sum(revenue)::DECIMAL(38,4) AS revenue,
               bit_xor(hash(order_id::BIGINT, line_number::BIGINT, product_id::BIGINT, customer_id::BIGINT,
                            store_id::BIGINT, quantity::BIGINT, unit_price::DECIMAL(18,4), discount::DECIMAL(18,4),
                            revenue::DECIMAL(18,4), sold_at::TIMESTAMP)) AS fingerprint
        FROM {table} GROUP BY ALL
    """,
    "dim_customer": "SELECT customer_id::BIGINT, customer_name, email, city, state, segment, created_at::TIMESTAMP "
    "FROM {table}",
    "dim_product": "SELECT product_id::BIGINT, product_name, category, brand, list_price::DECIMAL(18,4) FROM {table}",
    "dim_store": "SELECT store_id::BIGINT, store_name, city, state, region, opened_on::DATE FROM {table}",
}


def recompute(connection: duckdb.DuckDBPyConnection, oltp: Path) -> None:
    """The truth, as tables of the names that are compared."""
    read = {}
    for source, text in COLUMNS.items():
        columns = dict(column.split(" ") for column in text.split(", "))
        read[source] = (
            f"read_csv('{oltp}/{source}/*/*.csv', header = true, auto_detect = false, columns = {columns}, "
            "hive_partitioning = true, hive_types = {'date': 'DATE'})"
        )
    connection.execute(TRUTH.format(**read))


def tables(connection: duckdb.DuckDBPyConnection, name: str, place: Path) -> dict[str, str]:
    """How SQL names a tool's tables, each by the name that is compared."""
    if place.is_file():
        connection.execute(f"ATTACH '{place}' AS {name} (READ_ONLY)")
        return {table: f"{name}.{table}" for table in COMPARED}
    if (place / "oltp").exists():
        files = live_files(place)
        described = {table: DESCRIBED if table.startswith("dim") else "" for table in COMPARED}
        return {table: f"{PARQUET.format(files[table])}{described[table]}" for table in COMPARED}
    return {table: PARQUET.format(f"'{place}/{table}/**/*.parquet'") for table in COMPARED}


def differences(connection: duckdb.DuckDBPyConnection, name: str, place: Path) -> list[str]:
    """What differs between the truth and a tool, up to three rows a table and side."""
    found, theirs = [], tables(connection, name, place)
    for table, select in COMPARED.items():
        mine, other = select.format(table=f"temp.{table}"), select.format(table=theirs[table])
        for side, left, right in (("lacks", mine, other), ("alone has", other, mine)):
            rows = connection.execute(f"({left}) EXCEPT ALL ({right}) ORDER BY ALL LIMIT 3").fetchall()
            found += [f"{name} {side} in {table}: {row}" for row in rows]
    return found


def main() -> None:
    oltp, places = Path(sys.argv[1]), dict(argument.split("=", 1) for argument in sys.argv[2:])
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        recompute(connection, oltp)
        found = [line for name, place in places.items() for line in differences(connection, name, Path(place))]
    if found:
        sys.exit("These are not what a full recompute gives:\n" + "\n".join(found))


if __name__ == "__main__":
    main()
