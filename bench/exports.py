"""Raw exports at scale: what a retailer's database would have written, day by day.

Here: the five sources of the retail star as CSV, made by SQL from hashes, so
that the same parameters give the same files. They are kept under `bench/data/`
between runs; lakes over them begin empty. Not here: anything that is measured.

What makes the truth worth computing: some 3 % of the orders are exported again
one to seven days later with all their lines, and then changed, cancelled,
deleted, moved to the next day, or an older state than the one known; some are
exported twice on one day; keys, statuses, versions and discounts may be NULL.

The last `corrected_days` are otherwise: each of them exports 30 orders again that
were placed on dates all over the days before, and none of its own is late.

python -m bench.exports PARAMETERS      (as JSON; Exports.ensure calls it)
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

from bench.measure import python

DATA = Path(__file__).parent / "data"

# What earlier runs wrote, until all is measured.
ASIDE = DATA / "aside"

# Counts up with every change of the files below, so that older ones are replaced.
GENERATION = 3

# Says which parameters a folder was written with.
STAMP = "stamp.json"

PRODUCTS, STORES = 300, 40

# What becomes of the orders that a corrected day exports again, in turn.
CORRECTIONS, KINDS = 30, ("changed", "shipped", "cancelled", "deleted", "moved")
SOURCES = ("orders", "order_items", "customers", "products", "stores")


@dataclass(frozen=True)
class Exports:
    """Daily exports from `first_day` on, with so many new orders (three lines each) a day.

    Args:
        corrected_days: how many of the last days bring 30 corrections of old dates each.
        more_customers: how many the first day describes beyond two for each of its orders.
        price_days: prices go up every so many days.
    """

    first_day: date
    days: int
    orders_per_day: int
    corrected_days: int = 0
    more_customers: int = 0
    price_days: int = 30

    @property
    def folder(self) -> Path:
        """Where they lie; `oltp/<source>/date=<day>/` below it."""
        usual = (self.corrected_days, self.more_customers, self.price_days) == (0, 0, 30)
        other = "" if usual else f"-{self.corrected_days}-{self.more_customers}-{self.price_days}"
        return DATA / f"exports-{self.first_day}-{self.days}x{self.orders_per_day}{other}"

    @property
    def first_customers(self) -> int:
        """How many customers the first day describes."""
        return 2 * self.orders_per_day + self.more_customers

    @property
    def new_customers(self) -> int:
        """How many each later day adds; as many are changed."""
        return max(1, self.orders_per_day // 20)

    @property
    def all_days(self) -> list[str]:
        """Every day, YYYY-MM-DD."""
        return [str(self.first_day + timedelta(days=n)) for n in range(self.days)]

    def ensure(self) -> Path:
        """The folder; unless the files are there, a process of its own, whose memory is not ours, writes them."""
        stamp = self.folder / STAMP
        if not stamp.exists() or json.loads(stamp.read_text()) != self.as_json():
            python("-m", "bench.exports", json.dumps(self.as_json()))
        return self.folder

    def as_json(self) -> dict[str, str | int]:
        """The parameters, as this module's command line takes them and the stamp keeps them."""
        return {**asdict(self), "first_day": str(self.first_day), "generation": GENERATION}

    def fresh_lake(self, name: str) -> Path:
        """An empty lake of that name over these exports, which are written unless they are there already."""
        self.ensure()
        lake = DATA / "lakes" / name
        put_aside(lake)
        lake.mkdir(parents=True)
        (lake / "oltp").symlink_to(self.folder / "oltp")
        return lake


# 92 days, 2 million orders, 6 million lines.
FULL = Exports(date(2023, 7, 1), 92, 21_740)
# A few days as large as those of the demo.
SAMPLE = Exports(date(2023, 7, 1), 10, 500)


def put_aside(folder: Path) -> None:
    """Make way for a new folder of that name.

    Removing thousands of files slows down who makes thousands of them in the next
    minutes, by up to a tenth: ext4 without a journal looks at each inode that became
    free lately.
    """
    if folder.exists():
        ASIDE.mkdir(parents=True, exist_ok=True)
        folder.rename(ASIDE / f"{folder.name}-{time.time_ns()}")


def write(exports: Exports) -> None:
    """Write every source's exports, and `_SUCCESS` beside them."""
    with duckdb.connect() as connection:
        connection.execute(f"SET partitioned_write_max_open_files = {exports.days + 1}")
        connection.execute("CREATE MACRO pick(id, salt, n) AS (hash(id, salt) % n)::BIGINT")
        connection.execute(_exported_orders(exports))
        selects = {
            "orders": _orders(exports),
            "order_items": ORDER_ITEMS,
            "customers": _customers(exports),
            "products": _each_day(exports, PRODUCTS, _product(exports)),
            "stores": _each_day(exports, STORES, STORE),
        }
        for source in SOURCES:
            folder = exports.folder / "oltp" / source
            folder.mkdir(parents=True)
            connection.execute(f"COPY ({selects[source]}) TO '{folder}' (FORMAT csv, HEADER, PARTITION_BY (date))")
            for day in exports.all_days:
                (folder / f"date={day}" / "_SUCCESS").touch()


def _exported_orders(exports: Exports) -> str:
    """One row per order and export: `age` in days since the first export, and what became of the order."""
    per_day, corrected = exports.orders_per_day, exports.corrected_days
    before = exports.days - corrected
    last = exports.first_day + timedelta(days=before - 1)
    return f"""
        CREATE TEMP TABLE exported AS
        WITH first_exports AS (
            SELECT epoch_day * {per_day} + n AS order_id, make_date(epoch_day::INT) AS day,
                   make_date(epoch_day::INT) - DATE '{exports.first_day}' AS day_number
            FROM (SELECT unnest(range({exports.days})) + (DATE '{exports.first_day}' - DATE '1970-01-01') AS epoch_day),
                 range({per_day}) AS of_day(n)
        ), again AS (
            SELECT order_id, day, day_number, 1 + pick(order_id, 'delay', 7) AS age, [
                'changed', 'changed', 'changed', 'changed', 'changed',
                'cancelled', 'cancelled', 'deleted', 'moved', 'stale'][1 + pick(order_id, 'what', 10)] AS what
            FROM first_exports WHERE pick(order_id, 'again', 100) < 3
        ), untouched AS (
            SELECT *, row_number() OVER (PARTITION BY day ORDER BY hash(order_id)) AS rank FROM first_exports
            WHERE pick(order_id, 'again', 100) >= 3 AND pick(order_id, 'status', 100) >= 10
              AND pick(order_id, 'past midnight', 100) > 0
        ), corrections AS (
            SELECT nth * {before} // ({CORRECTIONS} * {corrected}) AS day_number, 1 + nth % 50 AS rank,
                   {before} + nth % {corrected} AS exported,
                   {list(KINDS)}[1 + nth // {corrected} % {len(KINDS)}] AS what
            FROM range({CORRECTIONS} * {corrected}) AS of_corrections(nth)
        )
        SELECT *, 0 AS age, 'new' AS what FROM first_exports
        UNION ALL SELECT * FROM again WHERE day + age::INT <= DATE '{last}'
        UNION ALL SELECT order_id, day, day_number, exported - day_number AS age, what
                  FROM untouched JOIN corrections USING (day_number, rank)
        UNION ALL SELECT *, 0, 'new' FROM first_exports WHERE pick(order_id, 'twice', 2000) = 0
    """


def _orders(exports: Exports) -> str:
    """Headers. Whoever buys is known by then, but for guests and a few that no export describes."""
    known = f"{exports.first_customers} + {exports.new_customers} * day_number"
    return f"""
        SELECT order_id,
               CASE WHEN pick(order_id, 'guest', 50) = 0 THEN NULL
                    WHEN pick(order_id, 'undescribed', 2000) = 0 THEN 1000000000 + pick(order_id, 'customer', 100)
                    ELSE 1 + pick(order_id, 'customer', {known}) END AS customer_id,
               CASE WHEN pick(order_id, 'no store', 1000) > 0
                    THEN 1 + pick(order_id, 'store', {STORES}) END AS store_id,
               strftime(ordered_at, '%Y-%m-%d %H:%M:%S.%g') AS ordered_at,
               CASE WHEN what = 'cancelled' OR pick(order_id, 'status', 100) < 4 THEN 'cancelled'
                    WHEN pick(order_id, 'status', 100) < 6 THEN NULL
                    WHEN pick(order_id, 'status', 100) < 10 THEN 'returned'
                    WHEN what = 'new' THEN 'placed' ELSE 'shipped' END AS status,
               CASE WHEN what != 'new' OR pick(order_id, 'no version', 1000) > 0
                    THEN strftime(ordered_at + until_change, '%Y-%m-%d %H:%M:%S.%g') END AS updated_at,
               CASE WHEN what = 'deleted' THEN 'D' END AS op,
               strftime(day + age::INT, '%Y-%m-%d') AS date
        FROM (SELECT *, CASE WHEN what = 'stale' THEN -INTERVAL 1 MINUTE
                             ELSE to_days(age::INT) + INTERVAL 90 SECOND END AS until_change,
                     day_number > 0 AND pick(order_id, 'past midnight', 100) = 0 AS past_midnight,
                     day + to_milliseconds(pick(order_id, 'time', 86400000))
                         + to_days((what = 'moved')::INT) - to_days(past_midnight::INT) AS ordered_at
              FROM exported)
    """


ORDER_ITEMS = f"""
    SELECT order_id, line_number,
           CASE WHEN pick(line, 'no product', 10000) > 0 THEN product_id END AS product_id,
           CASE WHEN pick(line, 'return', 30) = 0 THEN -1
                ELSE 1 + pick(line, 'quantity', 4) + (what = 'changed' AND line_number = 1)::INT END AS quantity,
           price AS unit_price,
           CASE WHEN pick(line, 'discount', 10) < 2 AND pick(line, 'return', 30) > 0 THEN round(price * 0.1, 2)
                WHEN pick(line, 'discount', 10) < 9 THEN 0.00::DECIMAL(10,2) END AS discount,
           strftime(day + age::INT, '%Y-%m-%d') AS date
    FROM (SELECT *, (5 + pick(product_id, 'price', 20000) / 100)::DECIMAL(10,2) AS price
          FROM (SELECT *, order_id * 8 + line_number AS line, 1 + pick(line, 'product', {PRODUCTS}) AS product_id
                FROM (SELECT *, unnest(range(1, 2 + pick(order_id, 'lines', 5))) AS line_number
                      FROM exported WHERE what != 'deleted')))
"""

STORE = """
    n AS store_id, 'Store ' || n AS store_name,
    ['Miami', 'Orlando', 'Tampa', 'Atlanta', 'Austin', 'Boston', 'Chicago', 'Denver'][1 + n % 8] AS city,
    ['FL', 'FL', 'FL', 'GA', 'TX', 'MA', 'IL', 'CO'][1 + n % 8] AS state,
    ['South', 'South', 'South', 'South', 'South', 'East', 'Midwest', 'West'][1 + n % 8] AS region,
    strftime(DATE '2010-01-01' + to_days((100 * n)::INT), '%Y-%m-%d') AS opened_on, '2023-01-01 00:00:00' AS updated_at
"""


def _product(exports: Exports) -> str:
    """A product's columns. Its price goes up every so many days."""
    return f"""
        n AS product_id, 'Product ' || n AS product_name, 'Category ' || n % 12 AS category,
        'Brand ' || n % 25 AS brand,
        (5 + pick(n, 'price', 20000) / 100 + day_number // {exports.price_days})::DECIMAL(10,2) AS list_price,
        strftime(day - to_days((day_number % {exports.price_days})::INT), '%Y-%m-%d 00:00:00') AS updated_at
    """


def _each_day(exports: Exports, members: int, columns: str) -> str:
    """All members, every day."""
    return f"""
        SELECT {columns}, strftime(day, '%Y-%m-%d') AS date
        FROM (SELECT day_number, DATE '{exports.first_day}' + day_number::INT AS day
              FROM range({exports.days}) AS of_days(day_number)), range(1, {members} + 1) AS member(n)
    """


def _customers(exports: Exports) -> str:
    """Those of the beginning, then each day new ones and as many changed ones."""
    first, new = exports.first_customers, exports.new_customers
    return f"""
        SELECT n AS customer_id, 'Customer ' || n AS customer_name, 'customer' || n || '@example.com' AS email,
               ['Miami', 'Atlanta', 'Boston', 'Denver'][1 + pick(n, day_number, 4)] AS city,
               ['FL', 'GA', 'MA', 'CO'][1 + pick(n, day_number, 4)] AS state,
               ['consumer', 'business', 'member'][1 + pick(n, 'segment', 3)] AS segment,
               strftime(DATE '2023-01-01' + to_days(pick(n, 'created', 100)::INT), '%Y-%m-%d 12:00:00') AS created_at,
               strftime(day + INTERVAL 12 HOUR, '%Y-%m-%d %H:%M:%S') AS updated_at, strftime(day, '%Y-%m-%d') AS date
        FROM (SELECT day_number, DATE '{exports.first_day}' + day_number::INT AS day,
                     unnest(CASE WHEN day_number = 0 THEN range(1, {first} + 1) ELSE list_concat(
                         range({first} + {new} * (day_number - 1) + 1, {first} + {new} * day_number + 1),
                         [1 + pick(day_number, i, {first}) FOR i IN range({new})]) END) AS n
              FROM range({exports.days}) AS of_days(day_number))
    """


def main() -> None:
    given = json.loads(sys.argv[1])
    parameters = {**given, "first_day": date.fromisoformat(given["first_day"])}
    del parameters["generation"]
    exports = Exports(**parameters)
    shutil.rmtree(exports.folder, ignore_errors=True)
    write(exports)
    (exports.folder / STAMP).write_text(json.dumps(given, indent=1))


if __name__ == "__main__":
    main()
