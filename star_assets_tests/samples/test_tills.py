"""The sample retailer's tills: what they tell by day is what is exported at night, but for what the docs name."""

from __future__ import annotations

import gzip
import json
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from star_assets import cli
from star_assets.lake.local_storage import LocalStorage
from star_assets.samples.lake import export_samples
from star_assets.samples.orders import orders_of
from star_assets.samples.streaming import export_night, next_day, ring_up
from star_assets.samples.tills import PosEvent, events_of
from star_assets.star import retail
from star_assets.tills.firehose import Faults

DAY = date(2023, 7, 3)

# A day in a second or so.
QUICK = 200_000


def revenue(quantity: int, price: Decimal, discount: Decimal | None) -> Decimal:
    return quantity * price - (discount or 0)


@pytest.fixture(scope="module")
def events() -> list[PosEvent]:
    return [sent.event for sent in events_of(DAY, 1000)]


def test_events_have_the_columns_that_the_star_declares() -> None:
    assert PosEvent._fields == tuple(retail.sources["pos_sales"].declared)


def test_events_are_the_same_each_time_and_have_ids_of_their_own(events: list[PosEvent]) -> None:
    """Who rings a day up again after a kill sends the same events."""
    assert [sent.event for sent in events_of(DAY, 1000)] == events
    assert len({event.event_id for event in events}) == len(events)
    assert [sent.event for sent in events_of(DAY, 1000, seed=8)] != events


def test_tills_tell_the_sales_that_are_exported(events: list[PosEvent]) -> None:
    """Of most receipts the same money; the others are of the kinds that the pipeline must put right."""
    told, exported = defaultdict[int, Decimal](Decimal), dict[int, Decimal]()
    for event in events:
        told[event.order_id] += revenue(event.quantity, event.unit_price, event.discount)
    for one in orders_of(DAY, 1000, 7):
        money = sum(revenue(line.quantity, line.unit_price, line.discount) for line in one.lines)
        exported.setdefault(one.order.order_id, money)  # type: ignore[arg-type]
    same = sum(told.get(order) == money for order, money in exported.items())
    assert 0.93 < same / len(exported) < 0.98
    assert 0.02 < len(exported.keys() - told.keys()) / len(exported) < 0.06
    assert 5 <= len(told.keys() - exported.keys()) <= 10
    assert {told[order] == 0 for order in told.keys() - exported.keys()} == {True, False}


def test_every_kind_of_event_is_there_and_the_negative_ones_are_negative(events: list[PosEvent]) -> None:
    kinds = Counter(event.event_type for event in events)
    assert kinds.keys() == {"sale", "return", "void", "correction"}
    assert all((event.quantity > 0) == (event.event_type == "sale") or event.event_type == "void" for event in events)


def test_one_store_sends_late_and_some_events_come_after_midnight() -> None:
    """Arrival is not business time."""
    sent = events_of(DAY, 1000)
    late = [one for one in sent if one.moment - datetime.fromisoformat(one.event.sold_at) > timedelta(minutes=90)]
    assert len({one.event.store_id for one in late if one.event.event_type == "sale"}) == 1
    assert sent == sorted(sent, key=lambda one: (one.moment, one.event.event_id))
    assert any(one.moment >= datetime(2023, 7, 4, tzinfo=UTC) for one in events_of(DAY, 10_000))


@pytest.mark.parametrize("orders_per_day", [1, 3, 20])
def test_the_smallest_retailer_has_tills_too(orders_per_day: int) -> None:
    for number in range(30):
        events_of(date(2023, 12, 10) + timedelta(days=number), orders_per_day)


def test_numbers_of_receipts_that_no_export_has_are_never_those_of_orders() -> None:
    """On the busiest day of the year, beside the next day's."""
    days = [date(2023, 12, 16) + timedelta(days=number) for number in range(3)]
    ordered = {day: {one.order.order_id for one in orders_of(day, 300, 7)} for day in days}
    for day in days:
        only = {sent.event.order_id for sent in events_of(day, 300)} - ordered[day]
        assert only
        assert not any(only & other for other in ordered.values())


def test_a_day_rings_up_and_is_exported_as_it_would_be_without_tills(tmp_path: Path) -> None:
    """`sample --stream` adds a day to what `sample` wrote; `sample` finds nothing to change."""
    lake, plain = LocalStorage(tmp_path / "lake"), LocalStorage(tmp_path / "plain")
    export_samples(lake, date(2023, 7, 1), 2, orders_per_day=50)
    assert next_day(lake, date(2023, 7, 1)) == DAY
    ticks = list(ring_up(lake, "UTC", DAY, speed=QUICK, orders_per_day=50, faults=Faults(refused=0.2)))
    assert (ticks[-1].rung, ticks[-1].waiting) == (len(events_of(DAY, 50)), 0)
    delivered = [
        PosEvent(**json.loads(line))
        for stored in lake.walk("oltp/pos_sales")
        for line in gzip.decompress(lake.read(stored.path)[0]).splitlines()
    ]
    assert {one.event_id for one in delivered} == {sent.event.event_id for sent in events_of(DAY, 50)}
    export_night(lake, date(2023, 7, 1), DAY, orders_per_day=50)
    export_samples(plain, date(2023, 7, 1), 3, orders_per_day=50)
    exports = [
        {stored.path: storage.read(stored.path)[0] for stored in storage.walk("oltp") if "pos_sales" not in stored.path}
        for storage in (lake, plain)
    ]
    assert exports[0] == exports[1]


def test_the_command_rings_up_days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAR_LAKE", str(tmp_path / "lake"))
    words = ["sample", "--stream", "--days", "2", "--orders-per-day", "5", "--speed", str(QUICK)]
    done = CliRunner().invoke(cli.main, words)
    assert done.exit_code == 0, done.output
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == ["2023-07-01", "2023-07-02"]
    assert "events of tills, and" in done.stderr
