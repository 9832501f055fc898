"""A small retailer's star by hand in DuckDB: one .duckdb file, into which each new export is merged.

As an engineer would write it who knows his data: the tables have primary keys, the
winning version of every order is kept in one of them (deleted ones too, so that an
older state that comes late stays out), and a run reads the exports that it has not
read yet, merges them in one transaction, and replaces the sales of the orders that
changed. DuckDB is as it comes. No checks, no earlier versions, no catalog.

    python duckdb_merge.py OLTP DATABASE      (OLTP holds <source>/date=<day>/*.csv)
"""

import sys
from pathlib import Path

import duckdb

oltp, database = Path(sys.argv[1]), sys.argv[2]

COLUMNS = {
    "orders": "order_id BIGINT, customer_id BIGINT, store_id BIGINT, ordered_at TIMESTAMP_MS, status VARCHAR, "
    "updated_at TIMESTAMP_MS, op VARCHAR",
    "order_items": "order_id BIGINT, line_number BIGINT, product_id BIGINT, quantity BIGINT, "
    "unit_price DECIMAL(18,4), discount DECIMAL(18,4)",
    "customers": "customer_id BIGINT, customer_name VARCHAR, email VARCHAR, city VARCHAR, state VARCHAR, "
    "segment VARCHAR, created_at TIMESTAMP_MS, updated_at TIMESTAMP_MS",
    "products": "product_id BIGINT, product_name VARCHAR, category VARCHAR, brand VARCHAR, "
    "list_price DECIMAL(18,4), updated_at TIMESTAMP_MS",
    "stores": "store_id BIGINT, store_name VARCHAR, city VARCHAR, state VARCHAR, region VARCHAR, "
    "opened_on DATE, updated_at TIMESTAMP_MS",
}
# Each table that keeps the latest version of a source's keys, and the key.
LATEST = {
    "orders": ("order_versions", "order_id"),
    "customers": ("dim_customer", "customer_id"),
    "products": ("dim_product", "product_id"),
    "stores": ("dim_store", "store_id"),
}

connection = duckdb.connect(database)


def create() -> None:
    """The tables, where this is the first run."""
    for source, (table, key) in LATEST.items():
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {table} ({COLUMNS[source]}, exported_on DATE, PRIMARY KEY ({key}))"
        )
    connection.execute(
        "CREATE TABLE IF NOT EXISTS fact_sales (order_id BIGINT, line_number BIGINT, product_id BIGINT, "
        "customer_id BIGINT, store_id BIGINT, quantity BIGINT, unit_price DECIMAL(18,4), discount DECIMAL(18,4), "
        "revenue DECIMAL(18,4), sold_at TIMESTAMP_MS, sale_date DATE)"
    )
    connection.execute("CREATE TABLE IF NOT EXISTS loaded (source VARCHAR, day DATE, PRIMARY KEY (source, day))")


def new_days(source: str) -> list[str]:
    """The days of a source that are whole and not loaded yet."""
    days = {folder.parent.name.removeprefix("date=") for folder in (oltp / source).glob("date=*/_SUCCESS")}
    known = connection.execute("SELECT day::VARCHAR FROM loaded WHERE source = ?", [source]).fetchall()
    return sorted(days - {day for (day,) in known})


def read(source: str, days: list[str]) -> None:
    """The new exports of a source, as the temporary table `new_<source>`."""
    columns = ", ".join(f"{name}: '{type_}'" for name, type_ in map(str.split, COLUMNS[source].split(", ")))
    files = [f"{oltp}/{source}/date={day}/*.csv" for day in days]
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE new_{source} AS SELECT * RENAME (date AS exported_on) FROM read_csv({files}, "
        f"header = true, delim = ',', auto_detect = false, columns = {{{columns}}}, "
        "hive_partitioning = true, hive_types = {date: DATE})"
    )


def merge(source: str) -> None:
    """Merge the latest new version of each key, where it is newer than the one that is known."""
    table, key = LATEST[source]
    connection.execute(
        f"""
        MERGE INTO {table} AS known USING (
            FROM new_{source}
            QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY updated_at DESC NULLS LAST, exported_on DESC) = 1
        ) AS new USING ({key})
        WHEN MATCHED AND (coalesce(new.updated_at, '-infinity'), new.exported_on)
                       > (coalesce(known.updated_at, '-infinity'), known.exported_on) THEN UPDATE
        WHEN NOT MATCHED THEN INSERT
        """
    )


def main() -> None:
    create()
    days = {source: new_days(source) for source in COLUMNS}
    if not any(days.values()):
        return
    connection.execute("BEGIN")
    for source in COLUMNS:
        read(source, days[source])
        connection.execute("INSERT INTO loaded SELECT ?, unnest(?::DATE[])", [source, days[source]])
    for source in LATEST:
        merge(source)
    # Orders whose winning version is one of the new ones.
    connection.execute(
        "DELETE FROM fact_sales WHERE order_id IN "
        "(SELECT order_id FROM order_versions SEMI JOIN new_orders USING (order_id, exported_on))"
    )
    connection.execute(
        """
        INSERT INTO fact_sales
        SELECT DISTINCT order_id, line_number, coalesce(product_id, -1), coalesce(customer_id, -1),
               coalesce(store_id, -1), quantity, unit_price, coalesce(discount, 0),
               quantity * unit_price - coalesce(discount, 0), ordered_at, ordered_at::DATE
        FROM order_versions JOIN new_order_items USING (order_id, exported_on)
        WHERE op IS DISTINCT FROM 'D' AND status IS DISTINCT FROM 'cancelled'
        """
    )
    connection.execute("COMMIT")


main()
connection.close()
