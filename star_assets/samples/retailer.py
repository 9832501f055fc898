"""The sample retailer's daily exports: orders, order lines, customers, products and stores, as files.

Not here: the rows (orders, customers, catalogue, stores), how rows become bytes (formats).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

from star_assets.model.errors import BadSetting
from star_assets.samples.catalogue import catalogue
from star_assets.samples.customers import CustomerRow, customer_rows
from star_assets.samples.formats import as_csv, as_gzip, as_json_array, as_json_lines, write_export
from star_assets.samples.orders import Exported, Line, Order, orders_of
from star_assets.samples.stores import FOUNDED, store_rows

# On this day, a large export has one more line with a word as its quantity, to show a reject. A smaller
# export would exceed the share of rejects that its source allows.
TYPED_ON, TYPED_QUANTITY, LINES_OF_A_LARGE_EXPORT = date(2023, 9, 16), "two", 1_000


def write_exports(
    folder: Path, first: date, days: int, *, orders_per_day: int = 500, seed: int = 7, since: date | None = None
) -> int:
    """Write the exports of `days` days from `first` on; return the number of rows in them.

    A day's export depends on `first`, `orders_per_day` and `seed` alone, so that
    asking for more days adds days. Orders from before `first` are not exported.
    Exports that exist already are left untouched. Raises BadSetting for days
    before the first store opened.

    Args:
        folder: the lake; files go to `oltp/<source>/date=<day>/` in it.
        orders_per_day: orders on an average day; weekdays and seasons differ.
        since: the first of the days to write; default: `first`.
    """
    if first < FOUNDED:
        raise BadSetting("STAR_START_DATE", first.isoformat(), f"{FOUNDED} or later for the sample retailer")
    due: defaultdict[date, list[Exported]] = defaultdict(list)
    rows = 0
    for day in (first + timedelta(days=number) for number in range(days)):
        for exported in orders_of(day, orders_per_day, seed):
            due[exported.day].append(exported)
        exported_now = due.pop(day, [])
        if since and day < since:
            continue
        exports, count = _exports(day, first, exported_now, seed)
        for source, files in exports.items():
            write_export(folder / "oltp" / source / f"date={day}", files)
        rows += count
    return rows


def _exports(
    day: date, first: date, exported: list[Exported], seed: int
) -> tuple[Mapping[str, Mapping[str, bytes]], int]:
    """The files of each source on a day, and the number of rows in all of them."""
    orders = [entry.order for entry in exported]
    placed = [line for entry in exported for line in entry.lines]
    typed = [_typed(placed[-1])] if day == TYPED_ON and len(placed) >= LINES_OF_A_LARGE_EXPORT else []
    lines = [*placed, *typed]
    customers = list(customer_rows(day, first, seed))
    products = list(catalogue(day, first))
    stores = list(store_rows(day))
    half = len(lines) // 2
    exports = {
        "orders": {"orders.csv": as_csv(Order, orders)},
        "order_items": {
            "order_items_1.csv.gz": as_gzip(as_csv(Line, lines[:half])),
            "order_items_2.csv.gz": as_gzip(as_csv(Line, lines[half:])),
        },
        "customers": {"customers.csv": as_csv(CustomerRow, customers)},
        "products": {"products.jsonl": as_json_lines(products)},
        "stores": {"stores.json": as_json_array(stores)},
    }
    return exports, len(orders) + len(lines) + len(customers) + len(products) + len(stores)


def _typed(last: Line) -> tuple[object, ...]:
    """One more line of an order, with a word as its quantity."""
    return tuple({**last._asdict(), "line_number": last.line_number + 1, "quantity": TYPED_QUANTITY}.values())
