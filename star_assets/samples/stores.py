"""The sample's stores: their data, and the rows of their export.

Not here: products (catalogue).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from functools import cache
from typing import NamedTuple

from star_assets.samples.formats import utc

# The day the first store opened. There are no exports before it.
FOUNDED = date(2015, 3, 2)


class Store(NamedTuple):
    """A store: its place, opening day, share of orders relative to others, and favourite category."""

    name: str
    city: str
    state: str
    region: str
    opened_on: date
    share: int
    favourite: str


class StoreRow(NamedTuple):
    """A store as it is exported."""

    store_id: int
    store_name: str
    city: str
    state: str
    region: str
    opened_on: str
    manager_email: str
    updated_at: str


# By store_id.
STORES: dict[int, Store] = dict(
    enumerate(
        (
            Store("Miami Brickell", "Miami", "FL", "Southeast", FOUNDED, 14, "Outdoor"),
            Store("Miami Wynwood", "Miami", "FL", "Southeast", date(2017, 6, 9), 11, "Outdoor"),
            Store("Miami Coral Way", "Miami", "FL", "Southeast", date(2020, 10, 23), 8, "Outdoor"),
            Store("Atlanta Midtown", "Atlanta", "GA", "Southeast", date(2016, 4, 15), 8, "Home"),
            Store("Boston Back Bay", "Boston", "MA", "Northeast", date(2016, 9, 2), 8, "Grocery"),
            Store("New York Flatiron", "New York", "NY", "Northeast", date(2017, 3, 17), 13, "Electronics"),
            Store("Chicago River North", "Chicago", "IL", "Midwest", date(2018, 5, 4), 10, "Kitchen"),
            Store("Minneapolis North Loop", "Minneapolis", "MN", "Midwest", date(2019, 8, 16), 5, "Home"),
            Store("Austin South Congress", "Austin", "TX", "South", date(2019, 11, 1), 8, "Outdoor"),
            Store("Denver Union Station", "Denver", "CO", "West", date(2021, 5, 21), 6, "Outdoor"),
            Store("Seattle Capitol Hill", "Seattle", "WA", "West", date(2022, 3, 11), 7, "Grocery"),
            Store("Los Angeles Echo Park", "Los Angeles", "CA", "West", date(2023, 8, 12), 9, "Personal Care"),
        ),
        1,
    )
)


@cache
def open_stores(day: date) -> dict[int, Store]:
    """The stores that are open on a day, by store_id."""
    return {store_id: store for store_id, store in STORES.items() if store.opened_on <= day}


def store_rows(day: date) -> Iterator[StoreRow]:
    """Every open store, as exported on a day."""
    for store_id, store in open_stores(day).items():
        yield StoreRow(
            store_id,
            store.name,
            store.city,
            store.state,
            store.region,
            store.opened_on.isoformat(),
            f"store-{store_id}@example.com",
            utc(datetime.combine(store.opened_on, time(8))),
        )
