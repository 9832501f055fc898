"""The same star with the same truth, as a good engineer would write it by hand in DuckDB.

The latest row of each key wins, an order's lines are those of its winning
export, deleted and cancelled orders are no sales, money is decimal, every key
has a member, and each sale says what its product was then. No checks, staging, versions or catalog: it starts from
nothing every time.

    python same_truth.py EXPORTS OUT      (EXPORTS holds oltp/<source>/date=<day>/*.csv)
"""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb

exports, out = Path(sys.argv[1]) / "oltp", Path(sys.argv[2])
started = time.perf_counter()
phases: dict[str, float] = {}
out.mkdir(parents=True)
connection = duckdb.connect(config={"memory_limit": "1GB", "temp_directory": str(out / "spill")})


def run(phase: str, sql: str) -> None:
    begun = time.perf_counter()
    connection.execute(sql)
    phases[phase] = phases.get(phase, 0) + time.perf_counter() - begun


def csv(source: str, columns: str) -> str:
    return f"""read_csv('{exports}/{source}/*/*.csv', header = true, delim = ',', auto_detect = false,
                        hive_partitioning = true, hive_types = {{date: DATE}}, columns = {{{columns}}})"""


def write(folder: Path, select: str) -> None:
    folder.mkdir(parents=True)
    connection.cursor().execute(f"COPY ({select}) TO '{folder}/part-00000.parquet' (COMPRESSION zstd)")


ORDERS = csv(
    "orders",
    "order_id: 'BIGINT', customer_id: 'BIGINT', store_id: 'BIGINT', ordered_at: 'TIMESTAMP_MS', "
    "status: 'VARCHAR', updated_at: 'TIMESTAMP_MS', op: 'VARCHAR'",
)
ITEMS = csv(
    "order_items",
    "order_id: 'BIGINT', line_number: 'BIGINT', product_id: 'BIGINT', quantity: 'BIGINT', "
    "unit_price: 'DECIMAL(18,4)', discount: 'DECIMAL(18,4)'",
)
CUSTOMERS = csv(
    "customers",
    "customer_id: 'BIGINT', customer_name: 'VARCHAR', email: 'VARCHAR', city: 'VARCHAR', state: 'VARCHAR', "
    "segment: 'VARCHAR', created_at: 'TIMESTAMP_MS', updated_at: 'TIMESTAMP_MS'",
)
PRODUCTS = csv(
    "products",
    "product_id: 'BIGINT', product_name: 'VARCHAR', category: 'VARCHAR', brand: 'VARCHAR', "
    "list_price: 'DECIMAL(18,4)', updated_at: 'TIMESTAMP_MS'",
)
STORES = csv(
    "stores",
    "store_id: 'BIGINT', store_name: 'VARCHAR', city: 'VARCHAR', state: 'VARCHAR', region: 'VARCHAR', "
    "opened_on: 'DATE', updated_at: 'TIMESTAMP_MS'",
)

run(
    "orders",
    f"""
    CREATE TABLE sold AS
    SELECT order_id, customer_id, store_id, ordered_at, date FROM (
        FROM {ORDERS}
        QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY
            updated_at DESC NULLS LAST, date DESC, customer_id DESC NULLS LAST, op DESC NULLS LAST,
            ordered_at DESC, status DESC NULLS LAST, store_id DESC NULLS LAST) = 1
    )
    WHERE op IS DISTINCT FROM 'D' AND status IS DISTINCT FROM 'cancelled'
    """,
)
run(
    "history",
    f"""
    CREATE TABLE history AS
    SELECT (('0x' || substr(sha256(product_id || '@' || epoch_ms(updated_at::TIMESTAMP)), 1, 16))::UBIGINT >> 1)::BIGINT
               AS product_sk, product_id, category, list_price,
           CASE WHEN lag(updated_at) OVER versions IS NULL THEN '1900-01-01'::TIMESTAMP_MS ELSE updated_at END
               AS valid_from,
           coalesce(lead(updated_at) OVER versions, '9999-12-31'::TIMESTAMP_MS) AS valid_to,
           lead(updated_at) OVER versions IS NULL AS is_current, 'described' AS member_kind
    FROM (
        SELECT * FROM (FROM {PRODUCTS} QUALIFY row_number() OVER (PARTITION BY product_id, updated_at
                                                                  ORDER BY date DESC) = 1)
        WINDOW versions AS (PARTITION BY product_id ORDER BY updated_at)
        QUALIFY lag(category) OVER versions IS DISTINCT FROM category
            OR lag(list_price) OVER versions IS DISTINCT FROM list_price
    ) WINDOW versions AS (PARTITION BY product_id ORDER BY updated_at)
    """,
)
run(
    "lines",
    f"""
    CREATE TABLE sales AS
    SELECT order_id || '-' || line_number AS sale_id, order_id, line_number,
           coalesce(line.product_id, -1) AS product_id, coalesce(customer_id, -1) AS customer_id,
           coalesce(store_id, -1) AS store_id, coalesce(product_sk, -1) AS product_sk, quantity, unit_price,
           coalesce(discount, 0)::DECIMAL(18,4) AS discount,
           (quantity * unit_price - coalesce(discount, 0))::DECIMAL(18,4) AS revenue,
           ordered_at AS sold_at, ordered_at::DATE AS sale_date
    FROM (
        FROM {ITEMS} JOIN sold USING (order_id, date)
        QUALIFY row_number() OVER (PARTITION BY order_id, line_number ORDER BY
            discount DESC NULLS LAST, product_id DESC NULLS LAST, quantity DESC NULLS LAST,
            unit_price DESC NULLS LAST) = 1
    ) AS line
    LEFT JOIN (SELECT product_id, product_sk, valid_from, valid_to FROM history) AS product
        ON line.product_id = product.product_id AND ordered_at >= valid_from AND ordered_at < valid_to
    """,
)


def write_date(date: str) -> None:
    """One sorted file. A global sort and a partitioned COPY take twice the time."""
    write(
        out / "fact_sales" / f"date={date}",
        f"FROM sales WHERE sale_date = '{date}' ORDER BY store_id, product_id, sale_id",
    )


begun = time.perf_counter()
dates = [str(date) for (date,) in connection.execute("SELECT DISTINCT sale_date FROM sales").fetchall()]
with ThreadPoolExecutor(os.cpu_count()) as pool:
    list(pool.map(write_date, dates))
phases["fact files"] = time.perf_counter() - begun


def write_dimension(name: str, key: str, source: str, columns: str, text: str) -> None:
    """The latest row of each member; those that sales use and nothing describes; the Unknown one."""
    run(
        "dimensions",
        f"""
        CREATE TABLE {name} AS
        WITH described AS (
            SELECT {columns}, 'described' AS member_kind FROM {source}
            QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY updated_at DESC NULLS LAST, date DESC) = 1
        ), used AS (SELECT DISTINCT {key} FROM sales UNION SELECT -1)
        FROM described
        UNION ALL BY NAME
        SELECT {key}, {", ".join(f"'Unknown' AS {column}" for column in text.split())},
               CASE {key} WHEN -1 THEN 'unknown' ELSE 'inferred' END AS member_kind
        FROM used ANTI JOIN described USING ({key})
        """,
    )
    write(out / name, f"FROM {name} ORDER BY {key}")


begun = time.perf_counter()
write_dimension(
    "dim_product",
    "product_id",
    PRODUCTS,
    "product_id, product_name, category, brand, list_price",
    "product_name category brand",
)
write_dimension(
    "dim_store",
    "store_id",
    STORES,
    "store_id, store_name, city, state, region, opened_on",
    "store_name city state region",
)
write_dimension(
    "dim_customer",
    "customer_id",
    CUSTOMERS,
    "customer_id, customer_name, email, city, state, segment, created_at",
    "customer_name email city state segment",
)
write(out / "dim_product_history", "FROM history ORDER BY product_sk")
write(
    out / "dim_time",
    """
    SELECT day AS date_key, day::VARCHAR AS partition_date,
           year(day)::INT AS year, quarter(day)::INT AS quarter, month(day)::INT AS month,
           monthname(day) AS month_name, day(day)::INT AS day_of_month, dayofyear(day)::INT AS day_of_year,
           isoyear(day)::INT AS iso_year, week(day)::INT AS iso_week, isodow(day)::INT AS weekday,
           dayname(day) AS weekday_name, isodow(day) >= 6 AS is_weekend,
           (year(day) - (month(day) < 2)::INT)::INT AS fiscal_year,
           ((month(day) + 10) % 12 // 3 + 1)::INT AS fiscal_quarter,
           CASE WHEN month(day) = 1 AND day(day) = 1 THEN 'New Year''s Day'
                WHEN month(day) = 1 AND isodow(day) = 1 AND day(day) BETWEEN 15 AND 21
                    THEN 'Martin Luther King Jr. Day'
                WHEN month(day) = 2 AND isodow(day) = 1 AND day(day) BETWEEN 15 AND 21 THEN 'Washington''s Birthday'
                WHEN month(day) = 5 AND isodow(day) = 1 AND day(day) >= 25 THEN 'Memorial Day'
                WHEN month(day) = 6 AND day(day) = 19 THEN 'Juneteenth'
                WHEN month(day) = 7 AND day(day) = 4 THEN 'Independence Day'
                WHEN month(day) = 9 AND isodow(day) = 1 AND day(day) <= 7 THEN 'Labor Day'
                WHEN month(day) = 10 AND isodow(day) = 1 AND day(day) BETWEEN 8 AND 14 THEN 'Columbus Day'
                WHEN month(day) = 11 AND day(day) = 11 THEN 'Veterans Day'
                WHEN month(day) = 11 AND isodow(day) = 4 AND day(day) BETWEEN 22 AND 28 THEN 'Thanksgiving Day'
                WHEN month(day) = 12 AND day(day) = 25 THEN 'Christmas Day' END AS holiday,
           holiday IS NOT NULL AS is_holiday, 'described' AS member_kind
    FROM (SELECT unnest(generate_series(date_trunc('year', min(sale_date)),
                                        date_trunc('year', max(sale_date)) + INTERVAL 1 YEAR - INTERVAL 1 DAY,
                                        INTERVAL 1 DAY))::DATE AS day FROM sales)
    UNION ALL BY NAME SELECT DATE '1900-01-01' AS date_key, '1900-01-01' AS partition_date,
                             'Unknown' AS month_name, 'Unknown' AS weekday_name,
                             'Unknown' AS holiday, 'unknown' AS member_kind
    """,
)
phases["dimensions"] = time.perf_counter() - begun

rows = connection.execute("SELECT count(*) FROM sales").fetchall()[0][0]
print(json.dumps({"seconds": round(time.perf_counter() - started, 2), "rows": rows, "phases": phases}))
