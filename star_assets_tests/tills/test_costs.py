"""What docs/streams.md says that a stream costs, computed from AWS's list prices of November 2026."""

from __future__ import annotations

import gzip
import json
import re
from datetime import date
from pathlib import Path

from star_assets.samples.tills import events_of

PAGE = (Path(__file__).parents[2] / "docs" / "streams.md").read_text()

EVENTS_A_DAY, DAYS, BATCHES_A_DAY, OBJECTS_A_BATCH = 900_000, 30, 288, 40

# US dollars. Firehose's gigabytes are of 2**30 bytes, and it counts each record up to whole units of 5 kB.
FIREHOSE_PER_GIGABYTE, FIREHOSE_UNIT = 0.029, 5 * 2**10
S3_PER_PUT, S3_PER_GIGABYTE, PER_ALARM = 0.005 / 1000, 0.023, 0.10


def test_the_table_of_costs_is_what_the_prices_come_to() -> None:
    events = [json.dumps(sent.event._asdict(), default=str).encode() for sent in events_of(date(2023, 7, 4), 2_000)]
    size = sum(map(len, events)) / len(events)
    # What 200 stores ring up in a minute is one object.
    minute = events[: EVENTS_A_DAY // (24 * 60)]
    stored = len(gzip.compress(b"\n".join(minute))) / len(minute)
    counted = -(-size // FIREHOSE_UNIT) * FIREHOSE_UNIT * EVENTS_A_DAY * DAYS / 2**30
    puts = DAYS * (24 * 60 + BATCHES_A_DAY * OBJECTS_A_BATCH)
    gigabytes = stored * EVENTS_A_DAY * DAYS / 2**30
    costs = [counted * FIREHOSE_PER_GIGABYTE, puts * S3_PER_PUT, gigabytes * S3_PER_GIGABYTE, 2 * PER_ALARM]
    table = PAGE[PAGE.index("| | $ a month |") : PAGE.index("Several events in one record")]
    assert re.findall(r"\| (\d+\.\d\d) \|", table) == [f"{cost:.2f}" for cost in costs]
    assert f"{counted:.1f} GB" in table
    assert f"a month of raw events, {gigabytes:.1f} GB" in table
    assert f"it has {round(size, -1):.0f} bytes" in table
