"""Assets, the schedules and the sensor where exports are pulled from a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from star_assets.orchestration.build import build_definitions
from star_assets.pipeline.warehouse import Warehouse
from star_assets.settings import Settings
from star_assets.star import retail

from ..exports.pull.test_whole_days import ROWS
from ..shop import Shop
from .conftest import DAYS, materialize
from .test_schedules import evaluate as evaluate_schedule
from .test_sensors import evaluate, reason, requested, stage

TODAY = datetime.now(UTC).date()
YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def lake(shop: Shop, settings: Settings) -> Warehouse:
    """A warehouse over an empty lake and a shop's database."""
    shop.execute(ROWS)
    return Warehouse(retail, Settings(lake=settings.lake, threads=2, source_dsn=shop.url))


def lately(lake: Warehouse) -> Warehouse:
    """The same, whose first day is three days ago."""
    return Warehouse(retail, lake.settings.model_copy(update={"start_date": TODAY - timedelta(days=3)}))


def pulled(lake: Warehouse) -> dict[str, set[str]]:
    """The ids of the pulls in the raw zone, for each day."""
    found: dict[str, set[str]] = {}
    for file in Path(lake.settings.lake).glob("oltp/*/*/pulled-*"):
        found.setdefault(file.parent.name.removeprefix("date="), set()).add(file.name)
    return found


def test_assets_pull_their_days_before_they_stage_them(lake: Warehouse, instance: dg.DagsterInstance) -> None:
    """Each source is a step of its own, and all of a day's are of one moment: the first step pulls for all."""
    assert materialize(lake, instance, DAYS).success
    assert {day: len(pulls) for day, pulls in pulled(lake).items()} == dict.fromkeys(DAYS, 1)
    assert instance.get_materialized_partitions(dg.AssetKey("fact_sales")) == set(DAYS)
    live = lake.live_manifest("fact_sales", DAYS[1])
    assert live and live.rows == 2


def test_an_asset_that_is_run_alone_pulls_the_whole_day(lake: Warehouse, instance: dg.DagsterInstance) -> None:
    """Its lines must be of the same moment as the orders that are staged later."""
    assert materialize(lake, instance, DAYS[1:2], "orders").success
    assert len(list(Path(lake.settings.lake).glob("oltp/*/*/pulled-*"))) == len(retail.sources) - 1
    assert materialize(lake, instance, DAYS[1:2]).success
    assert {day: len(pulls) for day, pulls in pulled(lake).items()} == {DAYS[1]: 1}


def test_a_day_that_cannot_be_pulled_fails_and_the_others_do_not(
    lake: Warehouse, instance: dg.DagsterInstance, shop: Shop
) -> None:
    assert materialize(lake, instance, DAYS[:2]).success
    shop.execute("REVOKE SELECT ON shop.stores FROM star_export")
    result = materialize(lake, instance, DAYS, "orders")
    (event,) = [event for event in result.all_events if event.is_step_failure]
    failure = event.step_failure_data.user_failure_data
    assert failure and failure.description
    assert failure.description.startswith("orders: 1 of 3 days failed; the others are published.")
    assert "Run `GRANT SELECT ON stores TO star_export`" in failure.description
    assert "choose-one" not in failure.description


def test_the_daily_schedule_requests_a_day_that_is_still_to_be_pulled(lake: Warehouse) -> None:
    """No export lies there, and none will unless the run fetches it."""
    at = datetime(TODAY.year, TODAY.month, TODAY.day, 2, tzinfo=UTC)
    request = evaluate_schedule(lake, "daily", at)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == str(YESTERDAY)
    requested = {key.to_user_string() for key in request.asset_selection or []}
    assert requested == {*retail.tables, "dashboard"} - {"pos_sales"}


def test_the_hourly_schedule_leaves_today_alone(lake: Warehouse) -> None:
    """Half a day would be exported as the whole, and stay."""
    at = datetime(TODAY.year, TODAY.month, TODAY.day, 2, 10, tzinfo=UTC)
    assert evaluate_schedule(lake, "hourly", at) == (
        f"No source has a whole export of {TODAY} in {lake.settings.lake}/oltp yet."
    )


def test_what_a_killed_pull_left_is_no_half_export(lake: Warehouse) -> None:
    """The next run completes it, so the schedule must start one."""
    list(lake.pull([str(YESTERDAY)]))
    (Path(lake.settings.lake) / "oltp" / "stores" / f"date={YESTERDAY}" / "_SUCCESS").unlink()
    at = datetime(TODAY.year, TODAY.month, TODAY.day, 2, tzinfo=UTC)
    request = evaluate_schedule(lake, "daily", at)
    assert isinstance(request, dg.RunRequest)
    assert dg.AssetKey("stores") in (request.asset_selection or [])


def test_the_sensor_requests_the_days_that_lack(lake: Warehouse, instance: dg.DagsterInstance) -> None:
    """After a weekend without a daemon, the daily schedule would ask for Sunday alone."""
    lake = lately(lake)
    first = evaluate(lake, "new_exports", instance, None)
    assert requested(first) == [(str(TODAY - timedelta(days=3)), str(YESTERDAY), set(retail.tables) - {"pos_sales"})]
    again = evaluate(lake, "new_exports", instance, first.cursor)
    assert [r.run_key for r in again.run_requests or []] == [r.run_key for r in first.run_requests or []]
    stage(lake, [str(TODAY - timedelta(days=number)) for number in (3, 2, 1)])
    assert "none is new or changed" in reason(evaluate(lake, "new_exports", instance, again.cursor))


def test_the_sensor_asks_for_no_day_that_a_run_is_at(lake: Warehouse, instance: dg.DagsterInstance) -> None:
    """As it pulls day after day, the rest would be another request every minute."""
    lake = lately(lake)
    (request,) = evaluate(lake, "new_exports", instance, None).run_requests or []
    job = build_definitions(retail, lake.settings, lake).resolve_job_def("all_tables")
    instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=request.tags)
    stage(lake, [str(YESTERDAY)])
    assert not evaluate(lake, "new_exports", instance, None).run_requests


def test_the_sensor_does_not_fetch_what_was_withdrawn(lake: Warehouse, instance: dg.DagsterInstance) -> None:
    """Raw files that a bucket's lifecycle took away would come back, with fewer rows than are staged."""
    lake = lately(lake)
    days = [str(TODAY - timedelta(days=number)) for number in (3, 2, 1)]
    stage(lake, days)
    for source in (name for name, source in retail.sources.items() if source.is_pulled):
        export = Path(lake.settings.lake) / "oltp" / source / f"date={days[0]}"
        lake.storage.delete([str(file.relative_to(lake.settings.lake)) for file in export.iterdir()])
    assert not evaluate(lake, "new_exports", instance, None).run_requests
    assert lake.out_of_date("orders").withdrawn == ()
