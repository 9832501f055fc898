"""Random retailers: what they export, and in what order, grouping and with what corrections it arrives.

Every export of a day has two contents, one of which it is replaced by some time;
it may also be withdrawn. What is live in the end is what the oracle is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

import ibis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from ibis.expr.types import Table

from star_assets.model import Column, Marker, Source, Star, business_date, dimension, provisional
from star_assets.model.days import day_of
from star_assets.model.errors import AuditFailed, RollbackRefused, UnknownPartition, UnknownVersion
from star_assets.star import fact_sales, orders
from star_assets.star import products as retail_products

from .conftest import Lake

DAYS = [str(date(2023, 7, 1) + timedelta(days=number)) for number in range(4)]
HOURS = ["09", "17"]

# A full refresh takes about a second, so many retailers share a lake: each has
# orders and products with numbers of its own.
RETAILERS = 30

# What became of a row: most were changed, some deleted.
OPS = "IUUUD"

# Most clocks are right; one says 2099.
VERSIONS = [None, *(datetime(2023, 7, day, hour) for day in (1, 2, 3) for hour in (6, 18)), datetime(2099, 1, 1)]


class Order(NamedTuple):
    """A header as exported on a day."""

    export: str
    order_id: int
    sold: str
    status: str | None
    version: datetime | None
    op: str


class Line(NamedTuple):
    """A line as exported on a day."""

    export: str
    line_id: int
    order_id: int
    product_id: int | None
    quantity: int
    cents: int
    version: datetime | None
    op: str


class Event(NamedTuple):
    """What a till rang up, as it arrived in an hour of a day."""

    export: str
    event_id: str
    order_id: int
    sold: str
    product_id: int | None
    quantity: int
    cents: int


class Product(NamedTuple):
    """A product as exported on a day."""

    export: str
    product_id: int
    name: str
    category: str
    brand: str | None
    version: datetime | None
    op: str


class Brand(NamedTuple):
    """A brand as exported on a day."""

    export: str
    brand: str
    country: str
    version: datetime | None


# For each source and each of its two contents, the rows.
Contents = Mapping[str, tuple[list[Any], list[Any]]]

# What arrives: a source, a day, and which of the day's contents; None is a withdrawal.
Arrival = tuple[str, str, "int | None"]


class History(NamedTuple):
    """What is exported; in which groups it arrives; what is rolled back after each of them."""

    contents: Contents
    groups: list[list[Arrival]]
    rollbacks: list[list[tuple[str, str]]]

    def __repr__(self) -> str:
        """The arrivals alone: a test that fails shows the rows that differ."""
        return f"{self.groups}, rolled back: {self.rollbacks}"

    def live(self) -> dict[str, list[Any]]:
        """The rows that are live once all has arrived."""
        last = {(source, day): content for group in self.groups for source, day, content in group}
        return {
            source: [
                row
                for content, rows in enumerate(contents)
                for row in rows
                if last[source, day_of(row.export)] == content
            ]
            for source, contents in self.contents.items()
        }


def shop(lines: str) -> Star:
    """A shop whose lines are exported complete, its products as snapshots; or both by their changes alone."""
    changes = lines == "changed"
    op = {"op": Column("string", optional=True)}
    deleted = "op = 'D'" if changes else None
    items = Source(
        "order_items",
        key="line_id" if changes else ("order_id", "line_id"),
        part_of=orders,
        lines=lines,  # type: ignore[arg-type]
        version="changed_at" if changes else None,
        deleted=deleted,
        whole=Marker(),
        columns={
            **dict.fromkeys(("line_id", "order_id", "product_id", "quantity"), "int64"),
            "unit_price": "decimal(18,4)",
            **({"changed_at": "timestamp", **op} if changes else {}),
        },
    )
    products = replace(
        retail_products,
        exports="changes" if changes else "snapshots",
        deleted=deleted,
        columns={**retail_products.columns, **(op if changes else {})},
    )
    brands = Source(
        "brands",
        key="brand",
        version="updated_at",
        whole=Marker(),
        columns={"brand": "string", "country": "string", "updated_at": "timestamp"},
    )

    @dimension(key="product_id", inferred_from=[items], history=["category"])
    def dim_product(products: Table, brands: Table) -> Table:
        """Products, with their brands' countries."""
        joined = products.left_join(brands, "brand")
        return joined.select("product_id", "product_name", "category", "brand", country=brands.country)

    def sales(orders: Table, order_items: Table) -> Table:
        numbered = order_items.mutate(
            line_number=order_items.line_id, discount=order_items.unit_price.nullif(order_items.unit_price)
        )
        return fact_sales.transform(orders, numbered)

    fact = replace(fact_sales, transform=sales, references={"product_id": dim_product})
    tills = Source(
        "tills",
        key="event_id",
        event_time="sold_at",
        arrives="continuously",
        columns={
            "event_id": "string",
            "order_id": "int64",
            "sold_at": "timestamp",
            **dict.fromkeys(("product_id", "quantity"), "int64"),
            "unit_price": "decimal(18,4)",
        },
    )

    @provisional(fact, until=orders, receipt="order_id", closes_after="36h")
    def from_tills(tills: Table) -> Table:
        return tills.select(
            sale_id=tills.event_id,
            order_id=tills.order_id,
            line_number=ibis.null("int64"),
            product_id=tills.product_id,
            customer_id=ibis.null("int64"),
            store_id=ibis.null("int64"),
            quantity=tills.quantity,
            unit_price=tills.unit_price,
            discount=ibis.null("decimal(18,4)"),
            revenue=(tills.quantity * tills.unit_price).cast("decimal(18,4)"),
            sold_at=tills.sold_at,
            sale_date=business_date(tills.sold_at),
        )

    return Star([orders, items, tills, products, brands], [dim_product], [fact], provisional=[from_tills])


HEADERS = {
    "orders": "order_id,customer_id,store_id,ordered_at,status,updated_at,op",
    "order_items": "line_id,order_id,product_id,quantity,unit_price,changed_at,op",
    "tills": "event_id,order_id,sold_at,product_id,quantity,unit_price",
    "products": "product_id,product_name,category,brand,list_price,updated_at,op",
    "brands": "brand,country,updated_at",
}


def csv(row: Any) -> str:
    """A raw row as it is exported. What a source does not declare is carried along as text."""
    if isinstance(row, Event):
        product = "" if row.product_id is None else row.product_id
        return (
            f"{row.event_id},{row.order_id},{row.sold} 12:00:00,{product},{row.quantity},"
            f"{row.cents // 100}.{row.cents % 100:02}"
        )
    version = f"{row.version:%Y-%m-%d %H:%M:%S}" if row.version else ""
    if isinstance(row, Order):
        return f"{row.order_id},,1,{row.sold} 12:00:00,{row.status or ''},{version},{row.op}"
    if isinstance(row, Line):
        product = "" if row.product_id is None else row.product_id
        price = f"{row.cents // 100}.{row.cents % 100:02}"
        return f"{row.line_id},{row.order_id},{product},{row.quantity},{price},{version},{row.op}"
    if isinstance(row, Product):
        return f"{row.product_id},{row.name},{row.category},{row.brand or ''},1,{version},{row.op}"
    return f"{row.brand},{row.country},{version}"


def retailer(rng: Random, number: int, lines: str) -> dict[str, list[Any]]:
    """Two orders and two products, each exported a few times, in any state; and what tills rang up, late and twice.

    A third receipt is told by tills alone.
    """
    pick, plain = rng.choice, lines == "complete"

    def arrival() -> str:
        return f"{pick(DAYS)}T{pick(HOURS)}"

    order_ids, product_ids = (10 * number + 1, 10 * number + 2), (10 * number + 3, 10 * number + 4)
    found: dict[str, list[Any]] = {"orders": [], "order_items": [], "products": []}
    for order_id in order_ids:
        for _ in range(rng.randint(1, 4)):
            status = pick([None, "placed", "placed", "cancelled"])
            found["orders"].append(Order(pick(DAYS), order_id, pick(DAYS), status, pick(VERSIONS), pick(OPS)))
    for _ in range(rng.randint(1, 8)):
        line = Line(
            pick(DAYS),
            100 * number + rng.randint(1, 3),
            pick(order_ids),
            pick([None, *product_ids, 10 * number + 5]),
            rng.randint(-2, 3),
            pick([0, 1, 999]),
            None if plain else pick(VERSIONS),
            "I" if plain else pick(OPS),
        )
        found["order_items"].append(line)
    found["tills"] = []
    for name in range(rng.randint(0, 5)):
        product_id = pick([None, *product_ids, 10 * number + 6])
        receipt, money = pick((*order_ids, 10 * number + 7)), pick([0, 1, 999])
        event = Event(arrival(), f"{number}-{name}", receipt, pick(DAYS), product_id, rng.randint(-2, 3), money)
        found["tills"].append(event)
        # It arrives again; and sometimes another event has its id.
        again = [event._replace(export=arrival()) for _ in range(rng.randint(0, 2))]
        found["tills"] += [other._replace(sold=pick(DAYS)) if pick([0, 0, 1]) else other for other in again]
    for product_id in product_ids:
        for _ in range(rng.randint(0, 4)):
            said = pick(["Tent", "Tnet"]), pick("abc"), pick([None, "x", "y"])
            op = "I" if plain else pick(OPS)
            found["products"].append(Product(pick(DAYS), product_id, *said, pick(VERSIONS), op))
    return found


def history(lines: str, seed: int) -> History:
    """Many retailers' exports, arriving in up to four groups, some replaced, withdrawn or rolled back.

    Drawn from one seed: thousands of single draws are more than Hypothesis holds, which then begins again and again.
    """
    rng = Random(seed)
    sources = list(HEADERS)
    contents: dict[str, tuple[list[Any], list[Any]]] = {source: ([], []) for source in sources}
    for content in (0, 1):
        for number in range(RETAILERS):
            for source, rows in retailer(rng, number, lines).items():
                contents[source][content].extend(rows)
        for _ in range(rng.randint(0, 6)):
            brand = Brand(rng.choice(DAYS), rng.choice("xy"), rng.choice(["US", "CA"]), rng.choice(VERSIONS))
            contents["brands"][content].append(brand)
    arrivals: list[Arrival] = [(source, day, rng.randint(0, 1)) for source in sources for day in DAYS]
    rng.shuffle(arrivals)
    again: list[Arrival] = [
        (rng.choice(sources), rng.choice(DAYS), rng.choice([0, 1, None])) for _ in range(rng.randint(0, 8))
    ]
    cuts = sorted(rng.sample(range(1, len(arrivals)), rng.randint(0, 2)))
    groups = [arrivals[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(arrivals)], strict=True)]
    groups += [again] if again else []
    tables = ["orders", "order_items", "tills", "products", "dim_product", "dim_product_history", "fact_sales"]
    undone = [[(rng.choice(tables), rng.choice(DAYS)) for _ in range(rng.randint(0, 4))] for _ in groups]
    return History(contents, groups, undone)


def arrive(lake: Lake, contents: Contents, group: Iterable[Arrival]) -> None:
    """Write, replace or withdraw exports."""
    for source, day, content in group:
        if content is None:
            with suppress(FileNotFoundError):
                lake.withdraw(source, day)
        else:
            folders = {f"hour={hour}/": f"{day}T{hour}" for hour in HOURS} if source == "tills" else {"": day}
            files = {}
            for folder, export in folders.items():
                rows = [csv(row) for row in contents[source][content] if row.export == export]
                files[f"{folder}{source}.csv"] = "\n".join([HEADERS[source], *rows]) + "\n"
            lake.write(source, day, files)


def apply(lake: Lake, history: History) -> None:
    """Let each group arrive and bring every table up to date; between groups, go back here and there."""
    for group, undone in zip(history.groups, history.rollbacks, strict=True):
        arrive(lake, history.contents, group)
        lake.run(*DAYS)
        for table, day in undone:
            with suppress(AuditFailed, RollbackRefused, UnknownPartition, UnknownVersion):
                export = f"{day}T{HOURS[0]}" if table == "tills" else day
                lake.warehouse.rollback(table, None if table.startswith("dim_") else export, None)
    lake.run(*DAYS)
    lake.tidy(*DAYS)


# Retailers are independent of each other, so what differs is small as it is: nothing need be shrunk.
FEW = settings(
    phases=[Phase.generate],
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

SEEDS = st.integers(0, 2**32 - 1)
