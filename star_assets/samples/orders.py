"""The sample's orders: those of a day, with all their exports, including later changes.

An export of an order has its header and all its lines. Not here: files (retailer).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import NamedTuple

from star_assets.samples.catalogue import PRODUCTS, list_price
from star_assets.samples.customers import registered
from star_assets.samples.formats import dollars, utc
from star_assets.samples.stores import FOUNDED, STORES, open_stores

# Relative to the average day: Monday to Sunday, January to December.
WEEKDAYS = (0.84, 0.83, 0.88, 0.95, 1.12, 1.28, 1.10)
MONTHS = (0.85, 0.86, 0.94, 0.96, 1.00, 1.02, 1.05, 1.00, 0.96, 0.98, 1.14, 1.34)

# Order numbers of a day begin at a multiple of orders_per_day times this.
NUMBERS_PER_DAY = 2

LINES, LINE_SHARES = (1, 2, 3, 4, 5), (42, 28, 16, 9, 5)
QUANTITIES, QUANTITY_SHARES = (1, 2, 3, 4), (72, 19, 6, 3)
# Percent off a line; None is an export's NULL, which means none.
DISCOUNTS, DISCOUNT_SHARES = (0, 5, 10, 20, None), (70, 8, 8, 4, 10)

GUESTS = 0.08
# How much more of its favourite category a store sells.
FAVOURITE = 2.2


class Order(NamedTuple):
    """An order's header as exported."""

    order_id: int
    customer_id: int | None
    store_id: int | None
    ordered_at: str | None
    status: str | None
    updated_at: str
    op: str


class Line(NamedTuple):
    """An order's line as exported."""

    order_id: int
    line_number: int
    product_id: int
    quantity: int
    unit_price: Decimal
    discount: Decimal | None


@dataclass(frozen=True)
class Exported:
    """An order as exported on a day: its header and all its lines."""

    day: date
    order: Order
    lines: tuple[Line, ...]


def orders_of(day: date, orders_per_day: int, seed: int) -> Iterator[Exported]:
    """Every export, on that day or later, of the orders placed on a day."""
    rng = Random(f"{seed} orders {day}")
    usual = orders_per_day * WEEKDAYS[day.weekday()] * MONTHS[day.month - 1]
    seconds = sorted(_second_of_day(rng) for _ in range(round(usual * rng.uniform(0.95, 1.05))))
    for order_id, second in enumerate(seconds, first_number(day, orders_per_day)):
        first = _placed(rng, order_id, day, second)
        (becomes,) = rng.choices(LIVES, LIFE_SHARES)
        yield from becomes(rng, first)


def first_number(day: date, orders_per_day: int) -> int:
    """The number of a day's first order; the day has `orders_per_day` times NUMBERS_PER_DAY of them."""
    return (day - FOUNDED).days * orders_per_day * NUMBERS_PER_DAY + 1


def _second_of_day(rng: Random) -> int:
    """A random second: mostly from noon UTC on, when the eastern stores open."""
    return int(rng.triangular(0, 86_399, 68_000))


def _placed(rng: Random, order_id: int, day: date, second: int) -> Exported:
    ordered_at = utc(datetime.combine(day, time()) + timedelta(seconds=second))
    stores = open_stores(day)
    (store_id,) = rng.choices(list(stores), [store.share for store in stores.values()])
    customer_id = None if rng.random() < GUESTS else rng.randint(1, registered(day))
    (count,) = rng.choices(LINES, LINE_SHARES)
    products = dict.fromkeys(rng.choices(list(PRODUCTS), cum_weights=_demand(STORES[store_id].favourite), k=count))
    lines = tuple(_line(rng, order_id, number, product, day) for number, product in enumerate(products, 1))
    return Exported(day, Order(order_id, customer_id, store_id, ordered_at, "shipped", ordered_at, "I"), lines)


def _line(rng: Random, order_id: int, number: int, product_id: int, day: date) -> Line:
    (quantity,) = rng.choices(QUANTITIES, QUANTITY_SHARES)
    (percent,) = rng.choices(DISCOUNTS, DISCOUNT_SHARES)
    price = list_price(product_id, day)
    discount = None if percent is None else dollars(price * quantity * percent // 100)
    return Line(order_id, number, product_id, quantity, dollars(price), discount)


@cache
def _demand(favourite: str) -> list[float]:
    """Cumulated demand by product, in a store with that favourite category."""
    total, cumulated = 0.0, []
    for category, product in PRODUCTS.values():
        total += product.popularity * (FAVOURITE if category == favourite else 1)
        cumulated.append(total)
    return cumulated


# The ways in which an order may go on: each function returns all its exports.


def _stays(rng: Random, first: Exported) -> list[Exported]:
    return [first]


def _returned(rng: Random, first: Exported) -> list[Exported]:
    """A return: an order of its own, with negative quantities."""
    lines = tuple(
        line._replace(quantity=-line.quantity, discount=-line.discount if line.discount else line.discount)
        for line in first.lines
    )
    return [Exported(first.day, first.order._replace(status="returned"), lines)]


def _no_status(rng: Random, first: Exported) -> list[Exported]:
    return [_with(first, status=None)]


def _late(rng: Random, first: Exported) -> list[Exported]:
    """Exported only the day after it was ordered."""
    return [Exported(first.day + timedelta(days=1), first.order, first.lines)]


def _shipped_later(rng: Random, first: Exported) -> list[Exported]:
    return [_with(first, status="placed"), _later(rng, first, rng.choice((1, 2, 3)))]


def _cancelled(rng: Random, first: Exported) -> list[Exported]:
    """Cancelled, mostly after one or two days, else within a week; a tenth of them before the first export."""
    placed = _with(first, status="placed")
    (days,) = rng.choices((0, 1, 2, 4, 7), (10, 50, 25, 10, 5))
    later = _later(rng, placed, days)
    return [placed, _with(later, status="cancelled")] if days else [_with(first, status="cancelled")]


def _corrected(rng: Random, first: Exported) -> list[Exported]:
    """Days later, one quantity is corrected, or one of several lines dropped."""
    later = _later(rng, first, rng.randint(2, 9))
    *kept, last = first.lines
    if not kept:
        kept = [last._replace(quantity=last.quantity + 1)]
    return [first, Exported(later.day, later.order, tuple(kept))]


def _deleted(rng: Random, first: Exported) -> list[Exported]:
    """Deleted days later: the tombstone has only the key, the time and the op."""
    later = _later(rng, first, rng.randint(1, 5))
    gone = Order(later.order.order_id, None, None, None, None, later.order.updated_at, "D")
    return [first, Exported(later.day, gone, ())]


def _with(exported: Exported, status: str | None) -> Exported:
    return Exported(exported.day, exported.order._replace(status=status), exported.lines)


def _later(rng: Random, first: Exported, days: int) -> Exported:
    """The same order, changed so many days after it was placed."""
    day = first.day + timedelta(days=days)
    changed = datetime.combine(day, time()) + timedelta(seconds=rng.randrange(86_400))
    return Exported(day, first.order._replace(updated_at=utc(changed), op="U"), first.lines)


Life = Callable[[Random, Exported], list[Exported]]

# In tenths of a percent.
LIFE_SHARES = (830, 80, 30, 20, 14, 10, 15, 1)
LIVES: tuple[Life, ...] = (
    _stays,
    _shipped_later,
    _cancelled,
    _returned,
    _corrected,
    _no_status,
    _late,
    _deleted,
)
