"""The small, fixed data that the corpus asks about: the same files and catalog entries for Trino and for us.

Here: tables as queries of DuckDB, which writes them as Parquet. Not here: the
questions (corpus/), who answers them (record, test_corpus).
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from star_assets.lake.catalog import Catalog, CatalogColumn, PartitionEntry, TableEntry
from star_assets.lake.storage import Storage

DATABASE = "shop"

# Table: its columns in DDL, and its rows.
TABLES = {
    "customers": (
        "customer_id int, name string, country string, signup date, score float, referred_by int",
        """(1, 'Ada Lovelace', 'GB', DATE '2022-12-31', 9.5, NULL),
           (2, 'Émile Zola', 'FR', DATE '2023-01-31', 7.25, 1),
           (3, 'grace hopper', 'US', DATE '2023-02-28', NULL, 1),
           (4, 'Ünal Öz', 'TR', DATE '2024-02-29', 0.1, 2),
           (5, NULL, NULL, NULL, 3.0, NULL)""",
    ),
    "orders": (
        "order_id bigint, customer_id int, status string, ordered_at timestamp, order_date date,"
        " total decimal(12,2), discount double, note string",
        """(101, 1, 'paid', TIMESTAMP '2023-01-01 00:00:00.000', DATE '2023-01-01', 120.50, 0.1, 'first;order'),
           (102, 1, 'paid', TIMESTAMP '2023-01-31 23:59:59.999', DATE '2023-01-31', 80.00, 0.0, NULL),
           (103, 2, 'cancelled', TIMESTAMP '2023-02-28 12:30:15.250', DATE '2023-02-28', 19.99, 0.25, 'gift wrap'),
           (104, 3, 'paid', TIMESTAMP '2023-03-12 07:05:09.007', DATE '2023-03-12', 0.01, NULL, ''),
           (105, NULL, NULL, TIMESTAMP '2023-03-26 01:30:00.000', DATE '2023-03-26', -15.25, 0.0, 'return of 102'),
           (106, 2, 'open', TIMESTAMP '2023-12-31 18:00:00.000', DATE '2023-12-31', 99999.99, 0.5, '50% off_now'),
           (107, 4, 'open', TIMESTAMP '2024-02-29 09:00:00.000', DATE '2024-02-29', 10.00, 0.3, 'CAFÉ'),
           (108, 9, 'paid', NULL, NULL, NULL, NULL, '  padded  ')""",
    ),
    "items": (
        "order_id bigint, line smallint, sku string, quantity int, price decimal(10,4), weight double",
        """(101, 1, 'TEA-GREEN-100', 3, 10.2500, 0.1),
           (101, 2, 'MUG-WHITE', 1, 89.7500, 0.35),
           (102, 1, 'TEA-BLACK-250', 2, 40.0000, 0.25),
           (103, 1, 'MUG-WHITE', 1, 19.9900, 0.35),
           (104, 1, 'SAMPLE', 7, 0.0014, NULL),
           (105, 1, 'TEA-BLACK-250', -1, 15.2500, 0.25),
           (106, 1, 'MACHINE', 1, 99999.9900, 12.5),
           (107, 1, 'TEA-GREEN-100', 4, 2.5000, 0.1)""",
    ),
    "baskets": (
        "basket_id int, tags array<string>, counts array<int>, prices map<string,double>,"
        " address struct<city:string,zip:string>, payload string",
        """(1, ['a', 'b', 'c'], [3, 1, 2], MAP {'tea': 2.5, 'mug': 9.0}, {'city': 'Paris', 'zip': '75001'},
               '{"user": {"id": 7, "name": "Ada", "vip": true}, "items": [{"sku": "A", "price": 1.50}, {"sku": "B"}]}'),
           (2, [], [], MAP {}, {'city': NULL, 'zip': '10001'},
               '{"user": {"id": null}, "items": [], "n": 12345678901234}'),
           (3, ['x', NULL], [NULL, 5], MAP {'tea': NULL}, NULL, '[1, 2.0, "three", null, false]'),
           (4, NULL, NULL, NULL, {'city': 'Rome', 'zip': NULL}, 'not json'),
           (5, ['b', 'a', 'b'], [2, 2, 9], MAP {'mug': 8.25}, {'city': 'Paris', 'zip': '75002'}, NULL)""",
    ),
    "events": (
        "event_id bigint, kind string, amount decimal(18,4), happened_at timestamp",
        """(1, 'view', NULL, TIMESTAMP '2023-03-26 00:59:59.000'),
           (2, 'sale', 10.5, TIMESTAMP '2023-03-26 01:00:00.000'),
           (3, 'sale', 10.5, TIMESTAMP '2023-10-29 00:30:00.000'),
           (4, 'view', NULL, TIMESTAMP '2023-10-29 01:30:00.000'),
           (5, 'sale', 7.0, TIMESTAMP '2023-11-05 05:30:00.000'),
           (6, 'refund', -7.0, TIMESTAMP '2023-11-05 06:30:00.000')""",
    ),
    "readings": (
        "reading_id int, taken_at timestamp, marks array<timestamp>",
        """(1, TIMESTAMP '2023-07-01 23:59:59.999499', [TIMESTAMP '2023-07-01 10:00:00.0005']),
           (2, TIMESTAMP '2023-07-01 23:59:59.9995', [NULL, TIMESTAMP '2023-07-01 10:00:00.000499']),
           (3, TIMESTAMP '1969-12-31 23:59:59.9995', []),
           (4, TIMESTAMP '1969-12-31 23:59:59.123499', NULL),
           (5, TIMESTAMP '2023-07-02 00:00:00', [TIMESTAMP '2023-07-02 00:00:00']),
           (6, NULL, NULL)""",
    ),
}  # fmt: skip

# The files of this table hold microseconds; all others milliseconds, as ours do.
FINER = "readings"

# The day is the partition: visits(page, seconds).
VISITS = {
    "2023-06-30": "('/home', 10), ('/tea', 30)",
    "2023-07-01": "('/home', 5), ('/mug', NULL)",
    "2023-07-02": "('/tea', 60)",
}
VISIT_COLUMNS = "page string, seconds int"

VIEW = "SELECT customer_id, count(*) AS orders, sum(total) AS revenue FROM orders WHERE status = 'paid' GROUP BY 1"


def fill(storage: Storage, catalog: Catalog) -> None:
    """Make the tables, and the view `paid_orders`, in a lake."""
    catalog.create_database(DATABASE)
    for name, (ddl, rows) in TABLES.items():
        location = _write(storage, f"{DATABASE}/{name}", ddl, rows, "TIMESTAMP" if name == FINER else "TIMESTAMP_MS")
        catalog.put_table(TableEntry(DATABASE, name, _columns(ddl), location=location))
    columns, key = _columns(VISIT_COLUMNS), (CatalogColumn("date", "string"),)
    catalog.put_table(TableEntry(DATABASE, "visits", columns, key, storage.uri(f"{DATABASE}/visits")))
    partitions = [
        PartitionEntry((day,), _write(storage, f"{DATABASE}/visits/date={day}", VISIT_COLUMNS, rows), columns)
        for day, rows in VISITS.items()
    ]
    catalog.put_partitions(DATABASE, "visits", partitions)
    shown = _columns("customer_id int, orders bigint, revenue decimal(38,2)")
    view = TableEntry(DATABASE, "paid_orders", shown, format="view", view_sql=VIEW, view_database=DATABASE)
    catalog.put_table(view)


def _columns(ddl: str) -> tuple[CatalogColumn, ...]:
    """`name type, …`; a comma inside of `<…>` and `(…)` has no blank after it."""
    return tuple(CatalogColumn(*column.split(" ", 1)) for column in ddl.split(", "))


def _write(storage: Storage, folder: str, ddl: str, rows: str, timestamp: str = "TIMESTAMP_MS") -> str:
    """Parquet of literal rows in a folder of the lake; the folder's URI."""
    columns = _columns(ddl)
    types = {"timestamp": timestamp, "array<timestamp>": f"{timestamp}[]", **_DUCKDB}
    listed = ", ".join(
        f"CAST({column.name} AS {types.get(column.type, column.type)}) AS {column.name}" for column in columns
    )
    names = ", ".join(column.name for column in columns)
    file = storage.scratch() / "part-00000.parquet"
    duckdb.connect().execute(f"COPY (SELECT {listed} FROM (VALUES {rows}) AS t({names})) TO '{file}' (FORMAT parquet)")
    storage.adopt(Path(file), f"{folder}/{file.name}")
    return storage.uri(folder)


_DUCKDB = {
    "array<string>": "VARCHAR[]",
    "array<int>": "INTEGER[]",
    "map<string,double>": "MAP(VARCHAR, DOUBLE)",
    "struct<city:string,zip:string>": "STRUCT(city VARCHAR, zip VARCHAR)",
}
