"""A pandas loop over the days: read an export, join it, append to its dates.

Money is in floats, nothing is checked, and nothing is resolved across days: an
order that was exported again is counted again.

    python pandas_loop.py EXPORTS OUT
"""

import json
import sys
import time
from pathlib import Path

import pandas as pd

exports, out = Path(sys.argv[1]) / "oltp", Path(sys.argv[2])
started = time.perf_counter()


def read(source: str, day: str, dates: list[str]) -> pd.DataFrame:
    files = sorted((exports / source / day).glob("*.csv"))
    return pd.concat([pd.read_csv(file, parse_dates=dates) for file in files])


def write(table: pd.DataFrame, folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    table.to_parquet(folder / f"{name}.parquet", compression="zstd", index=False)


rows = 0
customers, products, stores = [], [], []
for folder in sorted((exports / "orders").glob("date=*")):
    day = folder.name
    orders = read("orders", day, ["ordered_at", "updated_at"])
    orders = orders.sort_values("updated_at").drop_duplicates("order_id", keep="last")
    orders = orders[(orders["status"] != "cancelled") & (orders["op"] != "D")]
    items = read("order_items", day, []).drop_duplicates(["order_id", "line_number"])
    sales = items.merge(orders[["order_id", "customer_id", "store_id", "ordered_at"]], on="order_id")
    sales["sale_id"] = sales["order_id"].astype(str) + "-" + sales["line_number"].astype(str)
    for key in ("product_id", "customer_id", "store_id"):
        sales[key] = sales[key].fillna(-1).astype("int64")
    sales["discount"] = sales["discount"].fillna(0)
    sales["revenue"] = sales["quantity"] * sales["unit_price"] - sales["discount"]
    sales = sales.rename(columns={"ordered_at": "sold_at"}).sort_values(["store_id", "product_id", "sale_id"])
    for date, of_date in sales.groupby(sales["sold_at"].dt.date):
        write(of_date, out / "fact_sales" / f"date={date}", f"exported-{day}")
    rows += len(sales)
    customers.append(read("customers", day, ["created_at", "updated_at"]))
    products.append(read("products", day, ["updated_at"]))
    stores.append(read("stores", day, ["opened_on", "updated_at"]))

for name, key, exported in (
    ("dim_customer", "customer_id", customers),
    ("dim_product", "product_id", products),
    ("dim_store", "store_id", stores),
):
    latest = pd.concat(exported).sort_values("updated_at").drop_duplicates(key, keep="last")
    write(latest.drop(columns="updated_at").sort_values(key), out / name, "part-00000")
days = pd.DataFrame({"date_key": pd.date_range("2023-01-01", "2023-12-31")})
write(days.assign(year=days["date_key"].dt.year, month=days["date_key"].dt.month), out / "dim_time", "part-00000")

print(json.dumps({"seconds": round(time.perf_counter() - started, 2), "rows": rows}))
