"""What Dagster does with streams: a queue of their own, a check that they are alive, receipts that stay open, lag."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from star_assets.lake.versions import DataFile, Identity, Manifest
from star_assets.orchestration.describe import lag_metadata
from star_assets.orchestration.sensors import OF_EVENTS
from star_assets.orchestration.stream_checks import alive, receipts_closed
from star_assets.pipeline.warehouse import Warehouse
from star_assets.star import pos_sales, retail

from .conftest import DAYS
from .test_sensors import evaluate, reason, requested


def ring_up(lake: Warehouse, day: str, hour: str, *receipts: int) -> None:
    """A sale for each receipt, in an object of its own."""
    folder = Path(lake.settings.lake) / "oltp" / "pos_sales" / f"date={day}" / f"hour={hour}"
    folder.mkdir(parents=True, exist_ok=True)
    for receipt in receipts:
        event = {"event_id": f"e{receipt}", "event_type": "sale", "order_id": receipt, "line_number": 1}
        event |= {"store_id": 4, "product_id": 1, "customer_id": None, "sold_at": f"{day}T{hour}:30:00Z"}
        event |= {"quantity": 2, "unit_price": 2.5, "discount": None}
        (folder / f"object-{receipt}.gz").write_bytes(gzip.compress(json.dumps(event).encode()))


def test_events_are_requested_in_a_queue_of_their_own(lake: Warehouse) -> None:
    """Exports wait for no till, and a till's run for none of its kind."""
    ring_up(lake, DAYS[1], "10", 10**9)
    with dg.DagsterInstance.ephemeral() as instance:
        exports = evaluate(lake, "new_exports", instance, None)
        assert "pos_sales" not in json.loads(exports.cursor or "{}")
        first = evaluate(lake, "new_events", instance, None)
        ((begin, end, tables),) = requested(first)
        assert (begin, end) == (DAYS[1], DAYS[1])
        assert tables == {"pos_sales", *retail.dimensions, "fact_sales"}
        (request,) = first.run_requests or []
        assert OF_EVENTS.items() <= request.tags.items()
        assert int(request.tags["dagster/priority"]) < 0

        assert not any(outcome.error for outcome in lake.refresh("pos_sales", [DAYS[1]]))
        quiet = evaluate(lake, "new_events", instance, first.cursor)
        assert "No event has arrived" in reason(quiet)
        ring_up(lake, DAYS[1], "11", 10**9 + 1)
        job = dg.define_asset_job("any_job")
        instance.create_run_for_job(
            dg.Definitions(assets=[dg.asset(name="other")(lambda: None)], jobs=[job]).resolve_job_def("any_job"),
            tags=OF_EVENTS,
            status=dg.DagsterRunStatus.STARTED,
        )
        assert "is under way" in reason(evaluate(lake, "new_events", instance, quiet.cursor))
        assert json.loads(evaluate(lake, "new_events", instance, quiet.cursor).cursor or "") == json.loads(
            quiet.cursor or ""
        )


def test_a_stream_is_alive_where_events_usually_arrive(lake: Warehouse) -> None:
    hour = datetime(2023, 7, 29, 10, tzinfo=UTC)
    weeks = [str((hour - timedelta(weeks=week)).date()) for week in (1, 2)]
    assert alive(lake, pos_sales, hour + timedelta(minutes=70)).passed, "nothing ever arrived, so nothing is usual"
    for number, day in enumerate(weeks):
        ring_up(lake, day, "10", 10**9 + number)
    list(lake.refresh("pos_sales", weeks))
    silent = alive(lake, pos_sales, hour + timedelta(minutes=70))
    assert not silent.passed
    assert "2023-07-29 10:00" in silent.description and "2023-07-22 10:30" in silent.description
    assert alive(lake, pos_sales, hour + timedelta(hours=12)).passed, "the shop is closed at night"
    ring_up(lake, str(hour.date()), "10", 10**9 + 5)
    list(lake.refresh("pos_sales", [str(hour.date())]))
    assert alive(lake, pos_sales, hour + timedelta(minutes=70)).passed


def test_receipts_that_stay_open_are_named_with_store_and_money(lake: Warehouse) -> None:
    ring_up(lake, DAYS[0], "10", 10**9, 10**9 + 1)
    for table in lake.star.tables:
        list(lake.refresh(table, [DAYS[0]]))
    sold = datetime(2023, 7, 1, 10, 30, tzinfo=UTC)
    fact = retail.facts["fact_sales"]
    assert receipts_closed(lake, fact, sold + timedelta(hours=35)).passed
    open_ = receipts_closed(lake, fact, sold + timedelta(hours=37))
    assert not open_.passed
    assert "order_id 1000000000" in open_.description and "store_id 4" in open_.description
    assert (open_.metadata["actual"], open_.metadata["revenue"]) == (2, "10.0000")


def test_the_lag_is_a_number_for_days_that_are_staged_while_they_go_on() -> None:
    """An old day that is staged again would end the plot in years."""
    statistics = {"sold_at": {"max": "2023-07-01 10:25:30"}}
    files = (DataFile("f", 3, 120, "0"),)
    manifest = Manifest("v1", Identity("i1"), "2023-07-01T10:30:00.000000Z", files, (), {}, statistics)
    assert lag_metadata(pos_sales, "2023-07-01", manifest) == {"lag_minutes": 4.5}
    assert lag_metadata(pos_sales, "2023-06-01", manifest) == {}
