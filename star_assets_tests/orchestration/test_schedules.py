from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from star_assets.orchestration.build import build_definitions
from star_assets.pipeline.warehouse import Warehouse
from star_assets.settings import Settings
from star_assets.star import retail

from .conftest import DAYS


def evaluate(lake: Warehouse, name: str, at: datetime) -> dg.RunRequest | str:
    definitions = build_definitions(retail, lake.settings, lake)
    context = dg.build_schedule_context(
        scheduled_execution_time=at,
        resources={"warehouse": lake},
        repository_def=definitions.get_repository_def(),
    )
    data = definitions.resolve_schedule_def(name).evaluate_tick(context)
    return data.run_requests[0] if data.run_requests else data.skip_message or ""


@pytest.mark.parametrize(
    "name, zone, at, day",
    [
        ("daily", "UTC", "2023-07-03T02:00+00:00", "2023-07-02"),
        ("hourly", "UTC", "2023-07-03T02:10+00:00", "2023-07-03"),
        # 2:00 in New York is 6:00 UTC; 23:10 there is the next day in UTC.
        ("daily", "America/New_York", "2023-07-03T06:00+00:00", "2023-07-02"),
        ("hourly", "America/New_York", "2023-07-03T03:10+00:00", "2023-07-02"),
    ],
)
def test_a_tick_requests_the_business_day(lake: Warehouse, name: str, zone: str, at: str, day: str) -> None:
    settings = lake.settings.model_copy(update={"timezone": zone})
    request = evaluate(Warehouse(retail, settings), name, datetime.fromisoformat(at))
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == day
    requested = {key.to_user_string() for key in request.asset_selection or []}
    assert requested == {*retail.tables, "dashboard"} - {"pos_sales"}


@pytest.mark.parametrize(("name", "refreshes"), [("daily", True), ("hourly", False)])
def test_the_model_in_power_bi_is_refreshed_once_a_day(lake: Warehouse, name: str, refreshes: bool) -> None:
    """Power BI allows eight refreshes a day."""
    model = "0f4c8e0a-1b7e-4a52-9d0c-6a2f7b3e5c11/7d1e2f30-94ab-4c0d-8e2f-1a2b3c4d5e6f"
    settings = lake.settings.model_copy(update={"powerbi_model": model})
    request = evaluate(Warehouse(retail, settings), name, datetime(2023, 7, 3, 12, 10, tzinfo=UTC))
    assert isinstance(request, dg.RunRequest)
    assert (dg.AssetKey("powerbi_refresh") in (request.asset_selection or [])) == refreshes


def test_a_day_without_exports_is_skipped_and_says_so(lake: Warehouse) -> None:
    """An empty day must not be published because the exports are late."""
    skipped = evaluate(lake, "daily", datetime(2023, 7, 20, 2, tzinfo=UTC))
    assert isinstance(skipped, str)
    assert skipped.startswith("No source has a whole export of 2023-07-19 in ")


def test_a_day_that_came_in_part_is_run_in_part(lake: Warehouse) -> None:
    (Path(lake.settings.lake) / "oltp" / "order_items" / f"date={DAYS[2]}" / "_SUCCESS").unlink()
    request = evaluate(lake, "hourly", datetime(2023, 7, 3, 12, 10, tzinfo=UTC))
    assert isinstance(request, dg.RunRequest)
    tables = {key.to_user_string() for key in request.asset_selection or []}
    assert "orders" in tables and tables.isdisjoint({"order_items", "fact_sales", "dashboard"})


def test_a_day_before_the_start_date_is_skipped(lake: Warehouse) -> None:
    """It has no partition, and a request for it would be an error."""
    skipped = evaluate(lake, "daily", datetime(2023, 7, 1, 2, tzinfo=UTC))
    assert skipped == "2023-06-30 is before STAR_START_DATE, 2023-07-01."


def test_schedules_wait_to_be_started() -> None:
    """Who has just cloned the project must not get runs of days that nobody exported."""
    for name in ("daily", "hourly"):
        schedule = build_definitions(retail, Settings()).resolve_schedule_def(name)
        assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED


def test_housekeeping_fails_where_files_are_damaged(small_lake: Any) -> None:
    """A failed run is what people are told of; it repairs nothing that somebody should look at first."""
    definitions = build_definitions(retail, small_lake.warehouse.settings, small_lake.warehouse)
    job = definitions.resolve_job_def("housekeeping")
    with dg.DagsterInstance.ephemeral() as instance:
        assert job.execute_in_process(instance=instance).success
        (file,) = (small_lake.root / "olap" / "dim_store").glob("v=*/part-00000.parquet")
        file.write_bytes(file.read_bytes()[:-1])
        failed = job.execute_in_process(instance=instance, raise_on_error=False)
    (event,) = failed.get_step_failure_events()
    told = str(event.event_specific_data)
    assert not failed.success
    assert "Damaged: 1. `star-assets verify` lists" in told
    assert str(file) in told
