"""Plays a day of the sample retailer at any speed: tills send events, and at night the same sales are exported.

Not here: the events (tills), sending and delivering them (star_assets.tills).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from star_assets.lake.storage import Storage
from star_assets.samples.lake import export_samples
from star_assets.samples.tills import Sent, events_of
from star_assets.tills.firehose import NO_FAULTS, Faults
from star_assets.tills.gateway import Gateway
from star_assets.tills.opening import open_firehose, state_folder

# Seconds between two ticks, by this machine's clock.
TICK = 0.05


class QuickClock:
    """A clock that shows `start` now, and runs `speed` times as fast as this machine's."""

    def __init__(self, start: datetime, speed: float) -> None:
        self.start, self.speed, self._began = start, speed, time.monotonic()

    def __call__(self) -> datetime:
        """The moment that the clock shows now."""
        return self.start + timedelta(seconds=(time.monotonic() - self._began) * self.speed)


@dataclass(frozen=True)
class Tick:
    """The progress of a day: the moment, events rung up, events not accepted by Firehose yet, objects in the lake."""

    moment: datetime
    rung: int
    waiting: int
    objects: int


def next_day(storage: Storage, first: date) -> date:
    """The day after the last one with an export of orders; `first` if there is none."""
    exported = [folder.removeprefix("date=") for folder in storage.folders("oltp/orders") if folder.startswith("date=")]
    return max([first, *(date.fromisoformat(day) + timedelta(days=1) for day in exported)])


def ring_up(
    storage: Storage, timezone: str, day: date, *, speed: float, orders_per_day: int, faults: Faults = NO_FAULTS
) -> Iterator[Tick]:
    """Ring up the sales of a day, from the first one on, and deliver them to the lake; yields ticks.

    After an interruption, a new call sends the same events again, with the same ids. Raises LakeRefused.
    """
    coming = events_of(day, orders_per_day)
    clock = QuickClock(coming[0].moment if coming else datetime.now(UTC), speed)
    firehose = open_firehose(storage, timezone, clock=clock, faults=faults)
    gateway = Gateway(firehose, firehose.stream.name, state_folder(storage) / "gateway.db")
    rung = objects = 0
    try:
        while rung < len(coming) or gateway.waiting:
            now = clock()
            due = _due(coming, rung, now)
            gateway.ring(*(one.event._asdict() for one in due))
            gateway.send()
            rung, objects = rung + len(due), objects + len(firehose.deliver())
            yield Tick(now, rung, gateway.waiting, objects)
            time.sleep(TICK)
        objects += len(firehose.deliver(everything=True))
        yield Tick(clock(), rung, 0, objects)
    finally:
        firehose.close()


def export_night(storage: Storage, first: date, day: date, *, orders_per_day: int) -> int:
    """Write a day's exports, those of a retailer whose first export was `first`; return the number of rows in them."""
    days = (day - first).days + 1
    return export_samples(storage, first, days, orders_per_day=orders_per_day, since=day)


def _due(coming: list[Sent], rung: int, now: datetime) -> list[Sent]:
    """The events that come next and whose moment has come."""
    due = []
    for one in coming[rung:]:
        if one.moment > now:
            break
        due.append(one)
    return due
