from __future__ import annotations

import json
import os
import time
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.sensor_definition import SensorExecutionData

from star_assets.model.errors import StarError
from star_assets.orchestration.arrivals import find_arrivals
from star_assets.orchestration.build import build_definitions
from star_assets.pipeline.warehouse import Warehouse
from star_assets.settings import Settings
from star_assets.star import retail

from .conftest import DAYS

NEVER = float("inf")


def folder(lake: Warehouse, source: str, day: str) -> Path:
    return Path(lake.settings.lake) / "oltp" / source / f"date={day}"


def export_file(lake: Warehouse, source: str, day: str) -> Path:
    (file,) = (file for file in sorted(folder(lake, source, day).iterdir())[:2] if not file.name.startswith("_"))
    return file


def stage(lake: Warehouse, days: list[str]) -> None:
    for source in lake.star.sources:
        errors: list[StarError] = [o.error for o in lake.refresh(source, days) if o.error]
        assert not errors


def tick(lake: Warehouse, cursor: str | None = None) -> SensorExecutionData:
    with dg.DagsterInstance.ephemeral() as instance:
        return evaluate(lake, "new_exports", instance, cursor)


def evaluate(lake: Warehouse, name: str, instance: dg.DagsterInstance, cursor: str | None) -> SensorExecutionData:
    definitions = build_definitions(retail, lake.settings, lake)
    context = dg.build_sensor_context(
        instance,
        cursor=cursor,
        resources={"warehouse": lake},
        repository_def=definitions.get_repository_def(),
    )
    return definitions.resolve_sensor_def(name).evaluate_tick(context)


def requested(result: SensorExecutionData) -> list[tuple[str, str, set[str]]]:
    found = []
    for request in result.run_requests or []:
        first = request.partition_key or request.tags["dagster/asset_partition_range_start"]
        last = request.partition_key or request.tags["dagster/asset_partition_range_end"]
        found.append((first, last, {key.to_user_string() for key in request.asset_selection or []}))
    return found


def reason(result: SensorExecutionData) -> str:
    assert not result.run_requests
    return result.skip_message or ""


def test_new_exports_are_one_run_for_days_that_follow_each_other(lake: Warehouse) -> None:
    assert requested(tick(lake)) == [(DAYS[0], DAYS[-1], set(retail.tables) - {"pos_sales"})]


def test_a_gap_makes_two_requests(lake: Warehouse) -> None:
    stage(lake, [DAYS[1]])
    assert [(first, last) for first, last, _ in requested(tick(lake))] == [(DAYS[0], DAYS[0]), (DAYS[2], DAYS[2])]


def test_what_is_staged_is_not_requested(lake: Warehouse) -> None:
    """Even without a cursor: what is known is read off the lake."""
    stage(lake, DAYS)
    assert reason(tick(lake)).startswith(f"15 exports up to {DAYS[-1]} in ")


def test_nothing_is_requested_twice(lake: Warehouse) -> None:
    """A run that failed for good must not be started every minute."""
    first = tick(lake)
    again = tick(lake, first.cursor)
    assert not again.run_requests
    lost = tick(lake)
    assert [r.run_key for r in lost.run_requests or []] == [r.run_key for r in first.run_requests or []]


def test_half_an_export_waits_and_says_so(lake: Warehouse) -> None:
    """And so does the fact: a day without its lines would have no sales. Dimensions include what has come."""
    marker = folder(lake, "order_items", DAYS[2]) / "_SUCCESS"
    marker.unlink()
    first = tick(lake)
    *_, (day, _, tables) = requested(first)
    assert day == DAYS[2]
    assert tables == set(retail.tables) - {"order_items", "fact_sales", "pos_sales"}
    stage(lake, DAYS[:2])
    for source in ("orders", "customers", "products", "stores"):
        assert all(not outcome.error for outcome in lake.refresh(source, DAYS[2:]))
    waiting = tick(lake, first.cursor)
    assert f"Not whole yet: order_items {DAYS[2]}." in reason(waiting)
    marker.touch()
    assert requested(tick(lake, waiting.cursor)) == [
        (DAYS[2], DAYS[2], {"order_items", "dim_product", "dim_product_history", "fact_sales"}),
    ]


def test_a_changed_export_requests_what_follows_from_it(lake: Warehouse) -> None:
    stage(lake, DAYS)
    cursor = tick(lake).cursor
    file = export_file(lake, "products", DAYS[1])
    file.write_bytes(file.read_bytes() + b"\n")
    follows = {"products", "dim_product", "dim_product_history", "fact_sales"}
    assert requested(tick(lake, cursor)) == [(DAYS[1], DAYS[1], follows)]


def test_a_touched_file_with_the_same_content_is_not_requested(lake: Warehouse) -> None:
    stage(lake, DAYS)
    cursor = tick(lake).cursor
    os.utime(export_file(lake, "orders", DAYS[0]), (1, 1))
    touched = tick(lake, cursor)
    assert "none is new or changed" in reason(touched)
    assert touched.cursor != cursor


def test_content_that_comes_back_is_requested_again(lake: Warehouse) -> None:
    """A → B → A: Dagster drops a run key it has seen, so the key must tell what is replaced."""
    file = export_file(lake, "orders", DAYS[0])
    original, stat = file.read_bytes(), file.stat()
    first = tick(lake)
    stage(lake, DAYS)
    file.write_bytes(original + b"\n")
    second = tick(lake, first.cursor)
    stage(lake, DAYS)
    file.write_bytes(original)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    third = tick(lake, second.cursor)
    keys = [request.run_key for result in (first, second, third) for request in result.run_requests or []]
    assert len(keys) == len(set(keys)) == 3


def test_only_a_facts_own_exports_make_it_wait(lake: Warehouse) -> None:
    """A day without a folder is missing. Of a dimension's source that holds up nothing."""
    for day in (DAYS[1], DAYS[2]):
        for file in folder(lake, "stores", day).iterdir():
            file.unlink()
        folder(lake, "stores", day).rmdir()
    by_day = {first: tables for first, _, tables in requested(tick(lake))}
    assert "stores" in by_day[DAYS[0]]
    assert by_day[DAYS[1]] == set(retail.tables) - {"stores", "pos_sales"}


def test_a_comparison_that_runs_out_of_time_goes_on_at_the_next_tick(lake: Warehouse) -> None:
    idle = dict.fromkeys(retail.sources, ())
    found = find_arrivals(lake, {}, idle, time.time(), deadline=time.monotonic() - 1)
    assert found.unfinished and not found.requests
    rest = find_arrivals(lake, found.digests, idle, time.time(), NEVER)
    assert not rest.unfinished and [r.days for r in rest.requests] == [tuple(DAYS)]


def test_what_a_run_is_at_is_left_to_a_later_tick(lake: Warehouse, instance: dg.DagsterInstance) -> None:
    """A run that pulls exports writes what would find_arrivals new to every tick until it has staged them."""
    job = build_definitions(retail, lake.settings, lake).resolve_job_def("all_tables")
    run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags={"dagster/partition": DAYS[0]})
    first = evaluate(lake, "new_exports", instance, None)
    assert [days[:2] for days in requested(first)] == [(DAYS[1], DAYS[2])]
    instance.delete_run(run.run_id)
    later = evaluate(lake, "new_exports", instance, first.cursor)
    assert (DAYS[0], DAYS[2]) in [days[:2] for days in requested(later)]


def test_the_cursor_stays_small(lake: Warehouse) -> None:
    """Dagster keeps it with every tick."""
    cursor = tick(lake).cursor
    assert cursor is not None
    exporting = [name for name, source in retail.sources.items() if not source.is_stream]
    assert {source: len(months) for source, months in json.loads(cursor).items()} == dict.fromkeys(exporting, 1)


def test_misplaced_exports_are_named(lake: Warehouse) -> None:
    """Nobody watches a run that was never requested."""
    stage(lake, DAYS)
    folder(lake, "orders", DAYS[1]).with_name("2023-07-04").mkdir()
    assert "oltp/orders/2023-07-04/: expected date=2023-07-04/, found a folder." in reason(tick(lake))


def test_a_day_that_cannot_be_read_is_requested_and_no_other_waits_for_it(lake: Warehouse) -> None:
    """Its run fails, so that somebody learns of it."""
    stage(lake, DAYS)
    cursor = tick(lake).cursor
    os.mkfifo(folder(lake, "stores", DAYS[1]) / "pipe")
    first = tick(lake, cursor)
    assert [days[:2] for days in requested(first)] == [(DAYS[1], DAYS[1])]
    assert not tick(lake, first.cursor).run_requests


def test_an_empty_lake_asks_whether_it_is_the_right_one(settings: Settings) -> None:
    assert "holds no exports. Is STAR_LAKE right?" in reason(tick(Warehouse(retail, settings)))


def test_a_requested_range_can_be_run(lake: Warehouse, instance: dg.DagsterInstance) -> None:
    """The tags must be the ones by which Dagster knows a range."""
    (request,) = tick(lake).run_requests or []
    job = build_definitions(retail, lake.settings, lake).resolve_job_def("all_tables")
    assert job.execute_in_process(instance=instance, tags=request.tags).success
    assert instance.get_materialized_partitions(dg.AssetKey("fact_sales")) == set(DAYS)
    assert "none is new or changed" in reason(tick(lake))


@pytest.mark.parametrize("name, running", [("athena_partitions", True), ("new_exports", False)])
def test_only_the_sensor_that_starts_no_runs_is_on(name: str, running: bool) -> None:
    sensor = build_definitions(retail, Settings()).resolve_sensor_def(name)
    assert (sensor.default_status == dg.DefaultSensorStatus.RUNNING) is running
