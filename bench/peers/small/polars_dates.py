"""A small retailer's star in Polars: Parquet partitioned by date, of which the dates concerned are rewritten.

As an engineer would write it who has no database: the winning version of every order
is kept in one Parquet file (deleted ones too, so that an older state that comes late
stays out), which tells what date a corrected order had. A run reads the exports that
it has not read yet, and rewrites each date that an order came to or left. Polars is
as it comes, money is Decimal. No checks, no earlier versions, no catalog.

    python polars_dates.py OLTP FOLDER      (OLTP holds <source>/date=<day>/*.csv)
"""

import json
import sys
from datetime import date, datetime
from pathlib import Path

import polars as pl

oltp, folder = Path(sys.argv[1]), Path(sys.argv[2])

MOMENT, MONEY = pl.Datetime("ms"), pl.Decimal(18, 4)
COLUMNS = {
    "orders": {
        "order_id": pl.Int64,
        "customer_id": pl.Int64,
        "store_id": pl.Int64,
        "ordered_at": MOMENT,
        "status": pl.String,
        "updated_at": MOMENT,
        "op": pl.String,
    },
    "order_items": {
        "order_id": pl.Int64,
        "line_number": pl.Int64,
        "product_id": pl.Int64,
        "quantity": pl.Int64,
        "unit_price": MONEY,
        "discount": MONEY,
    },
    "customers": {
        "customer_id": pl.Int64,
        "customer_name": pl.String,
        "email": pl.String,
        "city": pl.String,
        "state": pl.String,
        "segment": pl.String,
        "created_at": MOMENT,
        "updated_at": MOMENT,
    },
    "products": {
        "product_id": pl.Int64,
        "product_name": pl.String,
        "category": pl.String,
        "brand": pl.String,
        "list_price": MONEY,
        "updated_at": MOMENT,
    },
    "stores": {
        "store_id": pl.Int64,
        "store_name": pl.String,
        "city": pl.String,
        "state": pl.String,
        "region": pl.String,
        "opened_on": pl.Date,
        "updated_at": MOMENT,
    },
}
DIMENSIONS = {"dim_customer": "customers", "dim_product": "products", "dim_store": "stores"}
LOADED, VERSIONS = folder / "loaded.json", folder / "order_versions.parquet"


def read(source: str, days: list[str]) -> pl.DataFrame:
    """The new exports of a source, each row with its export day."""
    files = [file for day in days for file in (oltp / source / f"date={day}").glob("*.csv")]
    exported_on = pl.col("file").str.extract(r"date=([^/]+)").str.to_date().alias("exported_on")
    rows = pl.scan_csv(files, schema=COLUMNS[source], include_file_paths="file")
    return rows.with_columns(exported_on).drop("file").collect()


def latest(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    """The winning row of each key: the greatest (updated_at, export day), where no version is the least."""
    return rows.sort("updated_at", "exported_on", nulls_last=False).unique(key, keep="last", maintain_order=True)


def write(rows: pl.DataFrame, file: Path) -> None:
    """A file, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    rows.write_parquet(file.with_suffix(".tmp"))
    file.with_suffix(".tmp").replace(file)


def changed_orders(new: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The new versions that win over what is known, with the date that each order had (`old_date`)."""
    before = known.select("order_id", "sale_date", "updated_at", "exported_on")
    both = latest(new, "order_id").join(before, on="order_id", how="left", suffix="_known")
    version, known_version = (pl.col(name).fill_null(datetime.min) for name in ("updated_at", "updated_at_known"))
    newer = (version > known_version) | (
        (version == known_version) & (pl.col("exported_on") > pl.col("exported_on_known"))
    )
    wins = pl.col("exported_on_known").is_null() | newer
    return both.filter(wins).drop("updated_at_known", "exported_on_known").rename({"sale_date": "old_date"})


def sales(orders: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """One row per line of the orders that are sales."""
    discount = pl.col("discount").fill_null(0)
    return (
        lines.unique()
        .join(orders.filter(pl.col("sold_on").is_not_null()), on=["order_id", "exported_on"])
        .select(
            "order_id",
            "line_number",
            pl.col("product_id", "customer_id", "store_id").fill_null(-1),
            "quantity",
            "unit_price",
            discount,
            (pl.col("quantity") * pl.col("unit_price") - discount).cast(MONEY).alias("revenue"),
            pl.col("ordered_at").alias("sold_at"),
            pl.col("sold_on").alias("sale_date"),
        )
    )


def rewrite_date(day: date, changed: pl.DataFrame, new: pl.DataFrame | None) -> None:
    """A date's file without the orders that changed, and with their new lines."""
    file, parts = folder / "fact_sales" / f"date={day}" / "part.parquet", []
    if file.exists():
        parts.append(pl.read_parquet(file, hive_partitioning=False).join(changed, on="order_id", how="anti"))
    if new is not None:
        parts.append(new)
    write(pl.concat(parts), file)


def merge_facts(days: dict[str, list[str]]) -> None:
    """Rewrite the dates that the new orders concern; then remember their versions."""
    sold = pl.col("op").ne_missing("D") & pl.col("status").ne_missing("cancelled")
    sold_on = pl.when(sold).then(pl.col("ordered_at").dt.date()).alias("sold_on")
    new = read("orders", days["orders"]).with_columns(sold_on)
    empty = new.clear().select("order_id", "updated_at", "exported_on", pl.col("sold_on").alias("sale_date"))
    known = pl.read_parquet(VERSIONS) if VERSIONS.exists() else empty
    changed = changed_orders(new, known)
    lines = sales(changed, read("order_items", days["order_items"]))
    by_date = {day: rows for (day,), rows in lines.partition_by("sale_date", as_dict=True).items()}
    for day in by_date.keys() | set(changed["old_date"].drop_nulls()):
        rewrite_date(day, changed, by_date.get(day))
    versions = changed.select("order_id", "updated_at", "exported_on", pl.col("sold_on").alias("sale_date"))
    write(pl.concat([known.join(versions, on="order_id", how="anti"), versions]), VERSIONS)


def merge_dimension(table: str, source: str, days: list[str]) -> None:
    """The latest row of each member, of those that are known and the new ones."""
    file, key = folder / table / "part.parquet", next(iter(COLUMNS[source]))
    rows = read(source, days)
    write(latest(pl.concat([pl.read_parquet(file), rows]) if file.exists() else rows, key), file)


def main() -> None:
    loaded = json.loads(LOADED.read_text()) if LOADED.exists() else {}
    whole = {
        source: {marker.parent.name.removeprefix("date=") for marker in (oltp / source).glob("date=*/_SUCCESS")}
        for source in COLUMNS
    }
    days = {source: sorted(found - set(loaded.get(source, ()))) for source, found in whole.items()}
    if not any(days.values()):
        return
    merge_facts(days)
    for table, source in DIMENSIONS.items():
        merge_dimension(table, source, days[source])
    LOADED.write_text(json.dumps({source: sorted(found) for source, found in whole.items()}))


main()
