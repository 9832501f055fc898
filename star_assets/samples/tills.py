"""What the retailer's tills ring up: the sales that are exported at night, as each store told them by day.

Here: the events of a day and when each is sent. They follow from the day's orders, so that an export of the same
retailer tells the same sales. Not here: how events are sent (tills), the exports (retailer).
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

# One receipt in so many is one that no export will ever have; every second of them is voided later.
ONLY_AT_THE_TILL = 150

# The hours of a day, from the first to before the last, in which one store has no line and sends nothing.
NO_LINE = 17, 19


class PosEvent(NamedTuple):
    """What a till tells of a line that it rang up."""

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

    An order is rung up as its first export tells it, but for a few: the export has some that no till told; some
    lines were voided, or their quantity corrected, at the till; of some the till forgot the discount. A few
    receipts are in no export.
    """
    first: dict[int, tuple[Order, tuple[Line, ...]]] = {}
    for exported in orders_of(day, orders_per_day, seed):
        first.setdefault(exported.order.order_id, (exported.order, exported.lines))
    rng = Random(f"{seed} tills {day}")
    without_line = rng.choice(sorted({order.store_id or 0 for order, _ in first.values()}))
    sent: list[Sent] = []
    for order, lines in first.values():
        (rung_up,) = rng.choices(WAYS, WAY_SHARES)
        sent += _sent(order, rung_up(rng, lines), rng, without_line)
    for order, lines in _only_at_the_till(day, orders_per_day, list(first.values())):
        is_voided = order.order_id % 2 == 0
        sent += _sent(order, _voided(rng, lines) if is_voided else _as_exported(rng, lines), rng, without_line)
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


Told = list[tuple[str, float, Line]]
"""What is told of a receipt: the type of event, how many minutes after the sale, and the line."""


def _as_exported(rng: Random, lines: tuple[Line, ...]) -> Told:
    return [("return" if line.quantity < 0 else "sale", 0, line) for line in lines]


def _not_told(rng: Random, lines: tuple[Line, ...]) -> Told:
    """An order from the web shop: the first that is heard of it is its export."""
    return []


def _one_line_too_many(rng: Random, lines: tuple[Line, ...]) -> Told:
    """A line that the customer does not want after all."""
    wrong = lines[-1]._replace(line_number=len(lines) + 1)
    return [*_as_exported(rng, lines), ("sale", 0, wrong), ("void", rng.uniform(1, 5), _negated(wrong))]


def _voided(rng: Random, lines: tuple[Line, ...]) -> Told:
    """The whole receipt, an hour later."""
    return [*_as_exported(rng, lines), *(("void", 60.0, _negated(line)) for line in lines)]


def _one_too_many(rng: Random, lines: tuple[Line, ...]) -> Told:
    """A quantity that is corrected: an event of its own has the difference."""
    *others, line = lines
    rung, less = line._replace(quantity=line.quantity + 1), line._replace(quantity=-1, discount=None)
    return [*_as_exported(rng, (*others, rung)), ("correction", rng.uniform(2, 90), less)]


def _discount_forgotten(rng: Random, lines: tuple[Line, ...]) -> Told:
    """The export corrects it: nothing at the till does."""
    return _as_exported(rng, tuple(line._replace(discount=None) for line in lines))


def _negated(line: Line) -> Line:
    return line._replace(quantity=-line.quantity, discount=-line.discount if line.discount else line.discount)


WAY_SHARES = (880, 40, 30, 25, 25)
WAYS: tuple[Callable[[Random, tuple[Line, ...]], Told], ...] = (
    _as_exported,
    _not_told,
    _one_line_too_many,
    _one_too_many,
    _discount_forgotten,
)


def _sent(order: Order, told: Told, rng: Random, without_line: int) -> Iterator[Sent]:
    """The events of a receipt; those of the store without a line wait for it."""
    sold = datetime.fromisoformat(order.ordered_at or "")
    for kind, minutes, line in told:
        moment = sold + timedelta(minutes=minutes, seconds=rng.uniform(1, 4))
        begin, end = (datetime.combine(sold, time(hour), UTC) for hour in NO_LINE)
        if order.store_id == without_line and begin <= moment < end:
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
