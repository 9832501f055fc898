"""The sample's customers: the rows of a day's export, with new and changed customers.

Not here: parts of their names (names), their orders (orders).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random
from typing import NamedTuple

from star_assets.samples.formats import utc
from star_assets.samples.names import FIRST_NAMES, LAST_NAMES, TRADES
from star_assets.samples.stores import FOUNDED

NEW_PER_DAY = 2
CHANGES_PER_DAY = 12

SEGMENTS, SEGMENT_SHARES = ("consumer", "member", "business"), (60, 33, 7)

HOMES = (
    ("Miami", "FL"),
    ("Hialeah", "FL"),
    ("Coral Gables", "FL"),
    ("Fort Lauderdale", "FL"),
    ("Atlanta", "GA"),
    ("Boston", "MA"),
    ("Cambridge", "MA"),
    ("New York", "NY"),
    ("Jersey City", "NJ"),
    ("Chicago", "IL"),
    ("Evanston", "IL"),
    ("Minneapolis", "MN"),
    ("Saint Paul", "MN"),
    ("Austin", "TX"),
    ("Denver", "CO"),
    ("Boulder", "CO"),
    ("Seattle", "WA"),
    ("Los Angeles", "CA"),
    ("Cañon City", "CO"),
)

# An undeclared column: carried along as text. Some notes have two lines.
NOTES = ('Ask for the "blue" door', "Leave with the neighbor, unit 4", "Ring twice.\nThe dog is friendly.", "Back gate")


class CustomerRow(NamedTuple):
    """A customer as exported."""

    customer_id: int
    customer_name: str
    email: str
    city: str
    state: str
    segment: str
    delivery_note: str | None
    created_at: str
    updated_at: str


def registered(day: date) -> int:
    """The number of customers at the end of a day; their ids count from 1."""
    return ((day - FOUNDED).days + 1) * NEW_PER_DAY


def customer_rows(day: date, first: date, seed: int) -> Iterator[CustomerRow]:
    """The day's new and changed customers; on the first day of exports, all customers."""
    known = registered(day - timedelta(days=1))
    start = 0 if day == first else known
    for customer_id in range(start + 1, registered(day) + 1):
        yield _customer(customer_id, seed, changed=None)
    if day > first:
        changed = Random(f"{seed} customers {day}").sample(range(1, known + 1), min(CHANGES_PER_DAY, known))
        for customer_id in sorted(changed):
            yield _customer(customer_id, seed, changed=day)


def _customer(customer_id: int, seed: int, changed: date | None) -> CustomerRow:
    """A customer as registered, or as changed on a day: moved, or in another segment."""
    person = Random(f"{seed} customer {customer_id}")
    first_name, last_name = person.choice(FIRST_NAMES), person.choice(LAST_NAMES)
    created = datetime.combine(FOUNDED + timedelta(days=(customer_id - 1) // NEW_PER_DAY), time(9)) + timedelta(
        seconds=person.randrange(12 * 3600)
    )
    trade = person.choice(TRADES)
    updated = datetime.combine(changed, time(17, 30)) if changed else created
    choice = Random(f"{seed} customer {customer_id} {changed}")
    city, state = choice.choice(HOMES)
    (segment,) = choice.choices(SEGMENTS, SEGMENT_SHARES)
    note = choice.choice(NOTES) if choice.random() < 0.04 else None
    return CustomerRow(
        customer_id,
        f"{last_name} {trade}" if segment == "business" else f"{first_name} {last_name}",
        f"customer{customer_id}@example.com",
        city,
        state,
        segment,
        note,
        utc(created),
        utc(updated),
    )
