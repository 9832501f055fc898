"""The same star with the same truth in plain PySpark, on all cores of one machine.

The same rules as `same_truth.py`. Needs pyspark and Java.

    python spark_same_truth.py EXPORTS OUT
"""

import json
import sys
import time
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as f

exports, out = Path(sys.argv[1]) / "oltp", sys.argv[2]
started = time.perf_counter()
spark = (
    SparkSession.builder.master("local[*]")
    .config("spark.driver.memory", "4g")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.shuffle.partitions", "8")
    .config("spark.sql.parquet.compression.codec", "zstd")
    .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MILLIS")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")


def read(source: str, schema: str) -> DataFrame:
    """Its rows; `export` is the day they came in."""
    rows = spark.read.csv(f"{exports}/{source}", header=True, schema=f"{schema}, date STRING")
    return rows.withColumnRenamed("date", "export")


def greatest(rows: DataFrame, keys: list[str], order: list[str]) -> DataFrame:
    """The greatest row of each key. NULL is least."""
    by: list[Column] = [f.desc_nulls_last(column) for column in order]
    ranked = rows.withColumn("rank", f.row_number().over(Window.partitionBy(*keys).orderBy(*by)))
    return ranked.where("rank = 1").drop("rank")


orders = read(
    "orders",
    "order_id LONG, customer_id LONG, store_id LONG, ordered_at TIMESTAMP, status STRING, updated_at TIMESTAMP, "
    "op STRING",
)
items = read(
    "order_items",
    "order_id LONG, line_number LONG, product_id LONG, quantity LONG, unit_price DECIMAL(18,4), discount DECIMAL(18,4)",
)
winning = greatest(
    orders, ["order_id"], ["updated_at", "export", "customer_id", "op", "ordered_at", "status", "store_id"]
)
sold = winning.where("NOT op <=> 'D' AND NOT status <=> 'cancelled'").drop("op", "status", "updated_at")
lines = greatest(
    items.join(sold, ["order_id", "export"]),
    ["order_id", "line_number"],
    ["discount", "product_id", "quantity", "unit_price"],
)
products = greatest(
    read(
        "products",
        "product_id LONG, product_name STRING, category STRING, brand STRING, list_price DECIMAL(18,4), "
        "updated_at TIMESTAMP",
    ),
    ["product_id", "updated_at"],
    ["export"],
)
products.createOrReplaceTempView("said")
history = spark.sql("""
    SELECT CAST(CAST(conv(substr(sha2(concat(product_id, '@', unix_millis(updated_at)), 256), 1, 16), 16, 10)
                     AS DECIMAL(20,0)) div 2 AS BIGINT) AS product_sk, product_id, category, list_price,
           CASE WHEN lag(updated_at) OVER versions IS NULL THEN TIMESTAMP '1900-01-01' ELSE updated_at END
               AS valid_from,
           coalesce(lead(updated_at) OVER versions, TIMESTAMP '9999-12-31') AS valid_to,
           lead(updated_at) OVER versions IS NULL AS is_current, 'described' AS member_kind
    FROM (
        SELECT * FROM (
            SELECT *, lag(category) OVER versions AS was_in, lag(list_price) OVER versions AS was_at FROM said
            WINDOW versions AS (PARTITION BY product_id ORDER BY updated_at)
        ) WHERE NOT (was_in <=> category AND was_at <=> list_price)
    ) WINDOW versions AS (PARTITION BY product_id ORDER BY updated_at)
""").cache()
history.coalesce(1).sortWithinPartitions("product_sk").write.parquet(f"{out}/dim_product_history")
then = f.broadcast(history.select(f.col("product_id").alias("sold_product"), "product_sk", "valid_from", "valid_to"))
in_force = (
    (f.col("product_id") == f.col("sold_product"))
    & (f.col("ordered_at") >= f.col("valid_from"))
    & (f.col("ordered_at") < f.col("valid_to"))
)
sales = lines.join(then, in_force, "left").selectExpr(
    "concat(order_id, '-', line_number) AS sale_id",
    "order_id",
    "line_number",
    "coalesce(product_id, -1) AS product_id",
    "coalesce(customer_id, -1) AS customer_id",
    "coalesce(store_id, -1) AS store_id",
    "coalesce(product_sk, -1) AS product_sk",
    "quantity",
    "unit_price",
    "CAST(coalesce(discount, 0) AS DECIMAL(18,4)) AS discount",
    "CAST(quantity * unit_price - coalesce(discount, 0) AS DECIMAL(18,4)) AS revenue",
    "ordered_at AS sold_at",
    "CAST(ordered_at AS DATE) AS sale_date",
    "CAST(CAST(ordered_at AS DATE) AS STRING) AS date",
)
(
    sales.repartition("date")
    .sortWithinPartitions("date", "store_id", "product_id", "sale_id")
    .write.partitionBy("date")
    .parquet(f"{out}/fact_sales")
)
written = spark.read.parquet(f"{out}/fact_sales")


def write_dimension(name: str, key: str, source: str, schema: str, text: list[str]) -> None:
    """The latest row of each member; those that sales use and nothing describes; the Unknown one."""
    described = greatest(read(source, schema), [key], ["updated_at", "export"]).drop("updated_at", "export")
    used = written.select(key).union(spark.sql("SELECT -1L")).distinct()
    missing = used.join(described, key, "left_anti").withColumns({column: f.lit("Unknown") for column in text})
    kind = f.when(f.col(key) == -1, "unknown").otherwise("inferred")
    members = described.withColumn("member_kind", f.lit("described")).unionByName(
        missing.withColumn("member_kind", kind), allowMissingColumns=True
    )
    members.coalesce(1).sortWithinPartitions(key).write.parquet(f"{out}/{name}")


write_dimension(
    "dim_product",
    "product_id",
    "products",
    "product_id LONG, product_name STRING, category STRING, brand STRING, list_price DECIMAL(18,4), "
    "updated_at TIMESTAMP",
    ["product_name", "category", "brand"],
)
write_dimension(
    "dim_store",
    "store_id",
    "stores",
    "store_id LONG, store_name STRING, city STRING, state STRING, region STRING, opened_on DATE, updated_at TIMESTAMP",
    ["store_name", "city", "state", "region"],
)
write_dimension(
    "dim_customer",
    "customer_id",
    "customers",
    "customer_id LONG, customer_name STRING, email STRING, city STRING, state STRING, segment STRING, "
    "created_at TIMESTAMP, updated_at TIMESTAMP",
    ["customer_name", "email", "city", "state", "segment"],
)
first, last = written.selectExpr("year(min(sale_date))", "year(max(sale_date))").collect()[0]
spark.sql(f"""
    SELECT *, holiday IS NOT NULL AS is_holiday, 'described' AS member_kind FROM (
        SELECT day AS date_key, string(day) AS partition_date,
               year(day) AS year, quarter(day) AS quarter, month(day) AS month,
               date_format(day, 'MMMM') AS month_name, day(day) AS day_of_month, dayofyear(day) AS day_of_year,
               extract(YEAROFWEEK FROM day) AS iso_year, weekofyear(day) AS iso_week, weekday(day) + 1 AS weekday,
               date_format(day, 'EEEE') AS weekday_name, weekday(day) >= 5 AS is_weekend,
               year(day) - int(month(day) < 2) AS fiscal_year,
               int((month(day) + 10) % 12 / 3) + 1 AS fiscal_quarter,
               CASE WHEN month(day) = 1 AND day(day) = 1 THEN "New Year's Day"
                    WHEN month(day) = 1 AND weekday(day) = 0 AND day(day) BETWEEN 15 AND 21
                        THEN 'Martin Luther King Jr. Day'
                    WHEN month(day) = 2 AND weekday(day) = 0 AND day(day) BETWEEN 15 AND 21
                        THEN "Washington's Birthday"
                    WHEN month(day) = 5 AND weekday(day) = 0 AND day(day) >= 25 THEN 'Memorial Day'
                    WHEN month(day) = 6 AND day(day) = 19 THEN 'Juneteenth'
                    WHEN month(day) = 7 AND day(day) = 4 THEN 'Independence Day'
                    WHEN month(day) = 9 AND weekday(day) = 0 AND day(day) <= 7 THEN 'Labor Day'
                    WHEN month(day) = 10 AND weekday(day) = 0 AND day(day) BETWEEN 8 AND 14 THEN 'Columbus Day'
                    WHEN month(day) = 11 AND day(day) = 11 THEN 'Veterans Day'
                    WHEN month(day) = 11 AND weekday(day) = 3 AND day(day) BETWEEN 22 AND 28
                        THEN 'Thanksgiving Day'
                    WHEN month(day) = 12 AND day(day) = 25 THEN 'Christmas Day' END AS holiday
        FROM (SELECT explode(sequence(DATE '{first}-01-01', DATE '{last}-12-31')) AS day)
    )
""").unionByName(
    spark.sql("""
        SELECT DATE '1900-01-01' AS date_key, '1900-01-01' AS partition_date,
               'Unknown' AS month_name, 'Unknown' AS weekday_name,
               'Unknown' AS holiday, 'unknown' AS member_kind
    """),
    allowMissingColumns=True,
).coalesce(1).write.parquet(f"{out}/dim_time")

print(json.dumps({"seconds": round(time.perf_counter() - started, 2), "rows": written.count()}))
spark.stop()
