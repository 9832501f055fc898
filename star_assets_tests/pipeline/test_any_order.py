"""The tables equal one full recompute over all live exports, whatever arrived when.

Random small retailers, held against an oracle: plain SQL over the raw rows, which
shares no code and no idea of exports, indexes or partitions with the pipeline.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, NamedTuple

import duckdb
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

DAYS = [str(date(2023, 7, 1) + timedelta(days=number)) for number in range(4)]

# A full refresh takes about a second, so many retailers share a lake: each has a
# store and order numbers of its own.
RETAILERS, LAKES = 40, 8


class Order(NamedTuple):
    """A header as exported on a day."""

    export: str
    order_id: int
    date: str
    status: str | None
    version: int | None
    op: str


class Line(NamedTuple):
    """A line as exported on a day."""

    export: str
    order_id: int
    line_number: int
    product_id: int | None
    quantity: int
    cents: int


Exports = tuple[list[Order], list[Line]]

# The runs in which exports arrive: (source, day) of each.
Groups = list[list[tuple[str, str]]]


class History(NamedTuple):
    """What is exported, and when it arrives."""

    exports: Exports
    groups: Groups

    def __repr__(self) -> str:
        """The runs alone: a test that fails shows the rows that differ."""
        return str(self.groups)


ORACLE = """
WITH header AS (
    SELECT * FROM orders
    QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY version DESC NULLS LAST, export DESC,
        op = 'D' DESC, op DESC, sold DESC NULLS LAST, status DESC NULLS LAST) = 1
), sold AS (
    SELECT order_id, export, sold FROM header WHERE op <> 'D' AND status IS DISTINCT FROM 'cancelled'
), line AS (
    SELECT DISTINCT * FROM items
    QUALIFY row_number() OVER (PARTITION BY export, order_id, line_number ORDER BY product_id DESC NULLS LAST,
        quantity DESC, cents DESC) = 1
)
SELECT sold, order_id || '-' || line_number, coalesce(product_id, -1), quantity,
       (quantity * cents / 100)::DECIMAL(18,4)::VARCHAR
FROM sold JOIN line USING (order_id, export) ORDER BY 1, 2
"""


def oracle(exports: Exports) -> list[tuple[Any, ...]]:
    """Every sale, by one statement over all rows ever exported."""
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE orders (export TEXT, order_id INT, sold TEXT, status TEXT, version INT, op TEXT)"
        )
        connection.execute(
            "CREATE TABLE items (export TEXT, order_id INT, line_number INT, product_id INT, quantity INT, cents INT)"
        )
        for table, rows in zip(("orders", "items"), exports, strict=True):
            if rows:
                connection.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?)", rows)
        return connection.execute(ORACLE).fetchall()


@st.composite
def retailer(draw: st.DrawFn, number: int) -> Exports:
    """Two orders, each exported up to four times, in any state, with any lines."""
    orders: set[Order] = set()
    items: list[Line] = []
    for order_id in (10 * number + 1, 10 * number + 2):
        for _ in range(draw(st.integers(0, 4))):
            export = draw(st.sampled_from(DAYS))
            op = draw(st.sampled_from("IUUUD"))
            sold = draw(st.sampled_from(DAYS))
            status = draw(st.sampled_from([None, "placed", "placed", "cancelled"]))
            orders.add(Order(export, order_id, sold, status, draw(st.sampled_from([None, 1, 2, 3])), op))
        for _ in range(draw(st.integers(0, 4))):
            product = draw(st.sampled_from([None, 1, 2, 77]))
            quantity, cents = draw(st.integers(-2, 3)), draw(st.sampled_from([0, 1, 999]))
            items.append(Line(draw(st.sampled_from(DAYS)), order_id, draw(st.integers(1, 2)), product, quantity, cents))
    return sorted(orders, key=str), items


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Many retailers' exports, arriving in up to three runs."""
    orders: list[Order] = []
    items: list[Line] = []
    for number in range(RETAILERS):
        more_orders, more_items = draw(retailer(number))
        orders += more_orders
        items += more_items
    arrivals = draw(st.permutations([(source, day) for source in ("orders", "order_items") for day in DAYS]))
    cut = sorted(draw(st.sets(st.integers(1, len(arrivals) - 1), max_size=2)))
    groups = [arrivals[begin:end] for begin, end in zip([0, *cut], [*cut, len(arrivals)], strict=True)]
    return History((orders, items), groups)


def export(lake, exports: Exports, source: str, day: str) -> None:
    orders, items = exports
    if source == "orders":
        rows = [
            f"{o.order_id},,1,{o.date} 12:00:00,{o.status or ''},"
            + (f"2023-08-0{o.version} 00:00:00" if o.version else "")
            + f",{o.op}"
            for o in orders
            if o.export == day
        ]
    else:
        rows = [
            f"{i.order_id},{i.line_number},{'' if i.product_id is None else i.product_id},{i.quantity},"
            f"{i.cents // 100}.{i.cents % 100:02},"
            for i in items
            if i.export == day
        ]
    lake.export(source, day, *rows)


def apply(lake, exports: Exports, groups: Groups) -> None:
    """Each group arrives and is staged; every table is brought up to date in between."""
    for group in groups:
        for source, day in group:
            export(lake, exports, source, day)
        lake.run(*DAYS)


@settings(
    max_examples=LAKES,
    # Retailers are independent of each other, so what differs is small as it is.
    phases=[Phase.generate],
    deadline=None,
    database=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
    ],
)
@given(histories())
def test_any_order_of_arrival_gives_one_full_recompute(make_lake, history: History) -> None:
    """Hundreds of random retailers, in random orders and groups, to the cent."""
    lake = make_lake()
    apply(lake, *history)
    found, expected = lake.sales(), oracle(history.exports)
    assert set(found) ^ set(expected) == set()
    assert found == expected
    joined = lake.rows("SELECT sum(revenue) FROM fact_sales JOIN dim_product USING (product_id)")
    assert joined == lake.rows("SELECT sum(revenue) FROM fact_sales")


def test_the_same_exports_give_the_same_rows_in_every_column(make_lake) -> None:
    """All at once, day by day, backwards, lines first, and over a first attempt that was wrong."""
    days = DAYS[:3]
    exports: Exports = (
        [
            Order(days[0], 1, days[0], "placed", 1, "I"),
            Order(days[1], 1, days[1], "placed", 2, "U"),
            Order(days[2], 1, days[0], "placed", 1, "U"),
            Order(days[0], 2, days[2], None, None, "I"),
            Order(days[2], 2, days[2], None, None, "I"),
            Order(days[1], 3, days[0], "placed", 3, "I"),
            Order(days[2], 3, days[0], "placed", 9, "D"),
        ],
        [
            *(Line(day, number, 1, 5 + number, 2, 125) for day in days for number in (1, 2, 3)),
            Line(days[1], 1, 2, None, 1, 50),
        ],
    )
    by_day = [[("orders", day), ("order_items", day)] for day in days]
    arrivals: dict[str, Groups] = {
        "at once": [[pair for group in by_day for pair in group]],
        "day by day": by_day,
        "backwards": by_day[::-1],
        "lines first": [[("order_items", day) for day in days], *([("orders", day)] for day in days[::-1])],
    }
    found = {}
    for name, groups in arrivals.items():
        lake = make_lake()
        apply(lake, exports, groups)
        tables = ("orders", "order_items", "fact_sales", "dim_product")
        found[name] = {table: sorted(map(str, lake.rows(f"FROM {table}"))) for table in tables}
    assert found["at once"]["fact_sales"]
    assert all(tables == found["at once"] for tables in found.values())
