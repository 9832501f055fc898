"""A day of tills in batches: what each costs in processor seconds, against staging the day at once, in one process.

The lake has so many days before, with exports and events of a few orders each. Then the
events of a day arrive, in so many batches of equal length; after each, what the sensors
request is refreshed: the stream, the dimensions, the fact's partition of that day, and
whatever else is out of date. Prints the processor seconds of the whole day at once, in a
lake of its own, and the mean of the measured batches, with its parts.

python -m bench.ours.batches ORDERS_PER_DAY BATCHES BATCHES_MEASURED DAYS_BEFORE
"""

from __future__ import annotations

import gzip
import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from bench.ours import lakes
from star_assets.model.errors import NotStaged
from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.lake import export_samples
from star_assets.samples.tills import Sent, events_of
from star_assets.star import retail

FIRST = date(2023, 1, 1)

# Orders of each day before the one that is measured.
BEFORE = 20


def deliver(lake: Path, name: str, sent: Sequence[Sent]) -> None:
    """One object in the folder of each hour (UTC) in which some of these events arrive."""
    hours: dict[datetime, list[str]] = defaultdict(list)
    for one in sent:
        hours[one.moment.replace(minute=0, second=0, microsecond=0)].append(
            json.dumps(one.event._asdict(), default=str)
        )
    for hour, lines in hours.items():
        folder = lake / f"oltp/pos_sales/date={hour:%Y-%m-%d}/hour={hour:%H}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.gz").write_bytes(gzip.compress("\n".join(lines).encode(), 1))


def prepared(lake: Path, days: int) -> Warehouse:
    """A warehouse whose lake has so many days, all of them published."""
    export_samples(lakes.warehouse(lake, FIRST).storage, FIRST, days, orders_per_day=BEFORE)
    for number in range(days):
        deliver(lake, "before", events_of(FIRST + timedelta(days=number), BEFORE))
    house = lakes.warehouse(lake, FIRST)
    lakes.refresh(house, retail.tables, house.days())
    for fact in retail.facts:
        lakes.refresh(house, [fact], list(house.out_of_date(fact).days))
    return house


def bring_up_to_date(house: Warehouse, day: str) -> Mapping[str, float]:
    """What the sensors request after a batch; the processor seconds of each table, and of looking at the fact."""
    taken: dict[str, float] = defaultdict(float)

    def measured(what: str, tables: Sequence[str], days: Sequence[str]) -> None:
        begun = time.process_time()
        with suppress(NotStaged):  # events of the night before may be the first
            lakes.refresh(house, tables, days)
        taken[what] += time.process_time() - begun

    measured("stream", ["pos_sales"], [day])
    measured("dimensions", list(retail.dimensions), [day])
    measured("fact", list(retail.facts), [day])
    begun = time.process_time()
    late = {fact: [other for other in house.out_of_date(fact).days if other != day] for fact in retail.facts}
    taken["look"] = time.process_time() - begun
    for fact, dates in late.items():
        if dates:
            measured("other dates", [fact], dates)
    return taken


def at_once(sent: Sequence[Sent], day: date, days: int) -> float:
    """The processor seconds of a day whose events all lie there."""
    with tempfile.TemporaryDirectory(prefix="batches-") as folder:
        house = prepared(Path(folder), days)
        deliver(Path(folder), "all", sent)
        return sum(bring_up_to_date(house, str(day)).values())


def in_batches(sent: Sequence[Sent], day: date, days: int, batches: int, measured: int) -> list[Mapping[str, float]]:
    """What each of the measured batches took, which are spread evenly over the day. Those between come together."""
    midnight, length = datetime(day.year, day.month, day.day, tzinfo=UTC), timedelta(days=1) / batches
    taken, come = [], 0
    with tempfile.TemporaryDirectory(prefix="batches-") as folder:
        house = prepared(Path(folder), days)
        for number in range(measured):
            batch = (2 * number + 1) * batches // (2 * measured)
            for end in (batch, batch + 1):
                due = [one for one in sent[come:] if one.moment < midnight + end * length]
                come += len(due)
                deliver(Path(folder), f"{end:04}", due)
                found = bring_up_to_date(house, str(day))
            taken.append(found)
    return taken


def main() -> None:
    orders, batches, measured, days = (int(argument) for argument in sys.argv[1:])
    day = FIRST + timedelta(days=days)
    sent = sorted((one for one in events_of(day, orders) if one.moment.date() == day), key=lambda one: one.moment)
    taken = in_batches(sent, day, days, batches, measured)
    each = [sum(batch.values()) for batch in taken]
    report = {
        "events": len(sent),
        "at once": at_once(sent, day, days),
        "batch": statistics.mean(each),
        "first": each[0],
        "last": each[-1],
        "parts": {part: statistics.mean(batch.get(part, 0.0) for batch in taken) for part in taken[-1]},
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
