"""The sample's till events: those of a day's sales, and when each is sent.

They are derived from the day's orders, so that the exports of the same retailer have the same sales. Not here:
sending events (star_assets.tills), the exports (retailer).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import NamedTuple

from star_assets.samples.orders import NUMBERS_PER_DAY, Line, Order, first_number, orders_of

# One receipt in so many never gets into an export; every second of these is voided later.
ONLY_AT_THE_TILL = 150

# From the first of these hours to the second, one store is offline and sends nothing.
OFFLINE = 17, 19


class PosEvent(NamedTuple):
    """The event of a line that a till rang up."""

    event_id: str
    event_type: str
    order_id: int
    line_number: int
    store_id: int
    product_id: int
    customer_id: int | None
    sold_at: str
    quantity: int
    unit_price: Decimal
    discount: Decimal | None


@dataclass(frozen=True)
class Sent:
    """An event, and the moment (UTC) in which its store's gateway sends it."""

    moment: datetime
    event: PosEvent


def events_of(day: date, orders_per_day: int, seed: int = 7) -> list[Sent]:
    """The events of the sales of a day (UTC), in the order in which they are sent; the last ones after its end.

    Most orders are rung up as in their first export. Some are from the web shop, without events; some have a
    line that was voided or whose quantity was corrected at the till; some lack a discount at the till. A few
    receipts are in no export.
    """
    first: dict[int, tuple[Order, tuple[Line, ...]]] = {}
    for exported in orders_of(day, orders_per_day, seed):
        first.setdefault(exported.order.order_id, (exported.order, exported.lines))
    rng = Random(f"{seed} tills {day}")
    offline_store = rng.choice(sorted({order.store_id or 0 for order, _ in first.values()}))
    sent: list[Sent] = []
    for order, lines in first.values():
        (rung_up,) = rng.choices(WAYS, WAY_SHARES)
        sent += _sent(order, rung_up(rng, lines), rng, offline_store)
    for order, lines in _only_at_the_till(day, orders_per_day, list(first.values())):
        is_voided = order.order_id % 2 == 0
        sent += _sent(order, _voided(rng, lines) if is_voided else _as_exported(rng, lines), rng, offline_store)
    return sorted(sent, key=lambda one: (one.moment, one.event.event_id))


def _only_at_the_till(
    day: date, orders_per_day: int, exported: list[tuple[Order, tuple[Line, ...]]]
) -> Iterator[tuple[Order, tuple[Line, ...]]]:
    """Receipts like some of the orders, with numbers of the day that no order has."""
    last = first_number(day, orders_per_day) + orders_per_day * NUMBERS_PER_DAY - 1
    free = last - max((order.order_id for order, _ in exported), default=last)
    for number, (order, lines) in enumerate(exported[ONLY_AT_THE_TILL // 2 :: ONLY_AT_THE_TILL][:free]):
        order_id = last - number
        yield order._replace(order_id=order_id), tuple(line._replace(order_id=order_id) for line in lines)


Ringing = list[tuple[str, float, Line]]
"""The events of a receipt: the type of each, its minutes after the sale, and its line."""


def _as_exported(rng: Random, lines: tuple[Line, ...]) -> Ringing:
    return [("return" if line.quantity < 0 else "sale", 0, line) for line in lines]


def _web_order(rng: Random, lines: tuple[Line, ...]) -> Ringing:
    """An order from the web shop, which has no events."""
    return []


def _one_line_too_many(rng: Random, lines: tuple[Line, ...]) -> Ringing:
    """One more line, which is voided minutes later."""
    wrong = lines[-1]._replace(line_number=len(lines) + 1)
    return [*_as_exported(rng, lines), ("sale", 0, wrong), ("void", rng.uniform(1, 5), _negated(wrong))]


def _voided(rng: Random, lines: tuple[Line, ...]) -> Ringing:
    """The whole receipt is voided an hour later."""
    return [*_as_exported(rng, lines), *(("void", 60.0, _negated(line)) for line in lines)]


def _one_too_many(rng: Random, lines: tuple[Line, ...]) -> Ringing:
    """One too many of a product, corrected by an event with the difference."""
    *others, line = lines
    rung, less = line._replace(quantity=line.quantity + 1), line._replace(quantity=-1, discount=None)
    return [*_as_exported(rng, (*others, rung)), ("correction", rng.uniform(2, 90), less)]


def _discount_forgotten(rng: Random, lines: tuple[Line, ...]) -> Ringing:
    """No discounts at the till; the export has them."""
    return _as_exported(rng, tuple(line._replace(discount=None) for line in lines))


def _negated(line: Line) -> Line:
    return line._replace(quantity=-line.quantity, discount=-line.discount if line.discount else line.discount)


WAY_SHARES = (880, 40, 30, 25, 25)
WAYS: tuple[Callable[[Random, tuple[Line, ...]], Ringing], ...] = (
    _as_exported,
    _web_order,
    _one_line_too_many,
    _one_too_many,
    _discount_forgotten,
)


def _sent(order: Order, ringing: Ringing, rng: Random, offline_store: int) -> Iterator[Sent]:
    """The events of a receipt; those of the store that is offline are sent once it is online again."""
    sold = datetime.fromisoformat(order.ordered_at or "")
    for kind, minutes, line in ringing:
        moment = sold + timedelta(minutes=minutes, seconds=rng.uniform(1, 4))
        begin, end = (datetime.combine(sold, time(hour), UTC) for hour in OFFLINE)
        if order.store_id == offline_store and begin <= moment < end:
            moment = end + (moment - begin) / 60
        event_id = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        sold_at = sold.isoformat().replace("+00:00", "Z")
        yield Sent(
            moment,
            PosEvent(
                event_id,
                kind,
                order.order_id,
                line.line_number,
                order.store_id or 0,
                line.product_id,
                order.customer_id,
                sold_at,
                line.quantity,
                line.unit_price,
                line.discount,
            ),
        )
