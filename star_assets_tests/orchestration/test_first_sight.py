"""What the web UI shows after a run: which days are there, what each of them says, what is red after a bad one."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from star_assets.model.errors import CatalogBusy, ColumnMissing, StarError
from star_assets.orchestration.build import build_definitions
from star_assets.orchestration.failures import PermanentFailure, as_failure
from star_assets.orchestration.keys import asset_key
from star_assets.orchestration.partitions import daily_partitions
from star_assets.pipeline.warehouse import Warehouse
from star_assets.settings import Settings
from star_assets.star import retail

from .conftest import DAYS, DecidedWarehouse, materialize

REPOSITORY = Path(__file__).parents[2]
MISSING = ColumnMissing("oltp/orders/date=2023-07-02/a.csv", ["status"], ["order_id"])

# STAR_KEY_PREFIX: none, and that of a star beside another.
PREFIXES = ["", "shop"]


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize("days_ago", [1_000, 1, 0, -5])
def test_partitions_end_with_the_end_date_in_all_that_lists_them(zone: str, days_ago: int) -> None:
    """The web UI lists them in several ways, of which one does not keep Dagster's own end date."""
    today = datetime.now(Settings(timezone=zone).zone).date()
    start, end = today - timedelta(days=1_200), today - timedelta(days=days_ago)
    partitions = daily_partitions(Settings(timezone=zone, start_date=start, end_date=end))
    last = str(min(end, today))
    with partition_loading_context() as context:
        newest_first = partitions.get_paginated_partition_keys(context, limit=2, ascending=False).results
    assert (partitions.get_first_partition_key(), partitions.get_last_partition_key()) == (str(start), last)
    assert newest_first[0] == partitions.get_partition_keys()[-1] == last
    assert partitions.get_partition_keys_between_indexes(0, 2_000)[-1] == last


def test_the_web_ui_of_the_sample_ends_with_it_and_that_of_another_lake_does_not(tmp_path: Path) -> None:
    """Otherwise a demo is 7 % filled; and exports of one's own go on."""
    make = shutil.which("make")
    if make is None:
        pytest.skip("no make on this machine")
    program = tmp_path / "dagster"
    program.write_text('#!/bin/sh\necho "$1 ${STAR_END_DATE-none} $DAGSTER_HOME"\n')
    program.chmod(0o755)
    command = [make, "--silent", "--old-file=.venv/demo", "ui", f"BIN={tmp_path}"]
    known = {name: value for name, value in os.environ.items() if not name.startswith(("STAR_", "DAGSTER_"))}
    cases: list[tuple[dict[str, str], str]] = [
        ({}, "2023-09-30"),
        ({"STAR_LAKE": "/my/lake"}, "none"),
        ({"STAR_END_DATE": "2024-01-01"}, "2024-01-01"),
    ]
    for lake, end in cases:
        done = subprocess.run(command, cwd=REPOSITORY, env={**known, **lake}, capture_output=True, text=True)
        assert done.stdout == f"dev {end} {REPOSITORY}\n", done.stderr


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_run_of_one_day_marks_every_day_that_a_dimension_includes(
    lake: Warehouse, instance: dg.DagsterInstance, prefix: str
) -> None:
    """It is one table: a day without an export is included too, and of the source that day stays missing."""
    first, without, last = DAYS
    lake = Warehouse(lake.star, lake.settings.model_copy(update={"key_prefix": prefix}))
    shutil.rmtree(Path(lake.settings.lake) / "oltp" / "products" / f"date={without}")
    for day in (first, last):
        assert materialize(lake, instance, [day], "products").success
    assert materialize(lake, instance, DAYS, "order_items").success
    products, dimension = asset_key(lake.settings, "products"), asset_key(lake.settings, "dim_product")
    assert materialize(lake, instance, [last], "dim_product").success
    assert instance.get_materialized_partitions(products) == {first, last}
    assert instance.get_materialized_partitions(dimension) == set(DAYS)
    newest = instance.get_latest_materialization_event(dimension)
    assert newest is not None and newest.asset_materialization is not None
    assert newest.asset_materialization.partition == last
    again = materialize(lake, instance, [last], "dim_product")
    assert [event.partition for event in again.asset_materializations_for_node(dimension.to_python_identifier())] == [
        last
    ]


def test_a_day_says_its_numbers_as_numbers_and_what_its_audit_looked_at(
    lake: Warehouse, instance: dg.DagsterInstance
) -> None:
    """Dagster plots what is a number, day by day; 'expected 0, found 0' tells nobody what was looked at."""
    result = materialize(lake, instance, DAYS)
    assert result.success
    found = {str(event.partition): event.metadata for event in result.asset_materializations_for_node("fact_sales")}
    for day, metadata in found.items():
        manifest = lake.live_manifest("fact_sales", day)
        assert manifest is not None
        revenue = metadata["total revenue"]
        assert isinstance(revenue, dg.FloatMetadataValue) and revenue.value == float(manifest.facts["sums"]["revenue"])
        for name in ("total quantity", "bytes", "dagster/partition_row_count"):
            assert isinstance(metadata[name], dg.IntMetadataValue)
    assert len(str(found[DAYS[-1]]["rows of the last 30 days"].value).split("`")[1]) == len(DAYS)
    (staged, *_) = result.asset_materializations_for_node("orders")
    assert staged.metadata["rejected"] == dg.IntMetadataValue(0)
    audits = {
        str(one.partition): one
        for one in result.get_asset_check_evaluations()
        if (one.asset_key.to_user_string(), one.check_name) == ("fact_sales", "audit")
    }
    rows = found[DAYS[0]]["dagster/partition_row_count"].value
    assert audits[DAYS[0]].metadata["key unique"].value == f"in all {rows} rows sale_id is unique"
    manifest = lake.live_manifest("fact_sales", DAYS[0])
    assert manifest is not None
    assert audits[DAYS[0]].description == f"All {len(manifest.facts['checks'])} rules hold."


@pytest.mark.parametrize("prefix", PREFIXES)
def test_after_a_failed_day_only_what_was_evaluated_is_red(
    decided: DecidedWarehouse, instance: dg.DagsterInstance, prefix: str
) -> None:
    """What is downstream is live as it was; its checks keep what was found last, and say so."""
    decided.settings = decided.settings.model_copy(update={"key_prefix": prefix})
    tables = {asset_key(decided.settings, name): name for name in retail.tables}

    def found() -> dict[tuple[str, str], tuple[AssetCheckExecutionRecordStatus, bool]]:
        graph = build_definitions(retail, decided.settings).resolve_asset_graph()
        keys = [key for key in graph.asset_check_keys if key.asset_key in tables]
        latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
        return {
            (tables[key.asset_key], key.name): (
                record.status,
                record.evaluation is not None and "evaluated" in getattr(record.evaluation, "metadata", {}),
            )
            for key, record in latest.items()
        }

    materialize(decided, instance, DAYS)
    before = found()
    decided.errors["orders", DAYS[1]] = MISSING
    assert not materialize(decided, instance, [DAYS[1]]).success
    after = found()
    assert after.keys() == before.keys()
    different = {key for key in before if after[key][0] != before[key][0]}
    assert different == {("orders", "audit")}
    assert after["orders", "audit"] == (AssetCheckExecutionRecordStatus.FAILED, False)
    assert after["fact_sales", "reconciliation"] == (AssetCheckExecutionRecordStatus.SUCCEEDED, True)
    assert after["products", "volume"] == (AssetCheckExecutionRecordStatus.SUCCEEDED, False)


@pytest.mark.parametrize("days", [DAYS, DAYS[1:2]])
def test_what_somebody_must_mend_fails_without_a_stack_trace(
    decided: DecidedWarehouse, instance: dg.DagsterInstance, days: list[str]
) -> None:
    """The message says file, column, expected and found; frames of Dagster's and ours would hide it."""
    decided.errors["orders", DAYS[1]] = MISSING
    (failed,) = [event for event in materialize(decided, instance, days, "orders").all_events if event.is_step_failure]
    error = failed.step_failure_data.error
    assert error is not None
    assert (error.stack, error.cause) == ([], None)
    assert str(MISSING) in error.message and error.message.count(str(MISSING)) == 1


@pytest.mark.parametrize("error, retried", [(MISSING, False), (CatalogBusy("catalog", 60), True)])
def test_a_retry_policy_tries_again_what_is_transient_alone(error: StarError, retried: bool) -> None:
    """Dagster's policies pass over the kind of failure that has no stack trace."""
    tries = []

    @dg.op(retry_policy=dg.RetryPolicy(max_retries=1))
    def step() -> None:
        tries.append(1)
        raise as_failure(error)

    @dg.job
    def job() -> None:
        step()

    assert not job.execute_in_process(raise_on_error=False).success
    assert len(tries) == 1 + retried
    assert isinstance(as_failure(error), PermanentFailure) is not retried


def test_the_reports_are_requested_once_a_table_they_show_has_changed(
    decided: DecidedWarehouse, instance: dg.DagsterInstance
) -> None:
    """Whoever changed it. Nothing happens twice, and nothing after a run that made them too."""
    definitions = build_definitions(retail, decided.settings, decided)
    reports = {dg.AssetKey("dashboard"), dg.AssetKey("powerbi")}
    tick = dg.evaluate_automation_conditions(definitions, instance)
    assert tick.total_requested == 0
    instance.report_runless_asset_event(dg.AssetMaterialization("fact_sales", partition=DAYS[0]))
    tick = dg.evaluate_automation_conditions(definitions, instance, cursor=tick.cursor)
    assert {key for key in reports if tick.get_num_requested(key) == 1} == reports
    tick = dg.evaluate_automation_conditions(definitions, instance, cursor=tick.cursor)
    assert tick.total_requested == 0
    sensor = definitions.resolve_sensor_def("reports")
    assert sensor.default_status is dg.DefaultSensorStatus.STOPPED


def test_a_lake_whose_exports_have_ended_is_fresh(decided: DecidedWarehouse, instance: dg.DagsterInstance) -> None:
    """A sample of three years ago is not stale: it is whole."""
    for end, fresh in ((DAYS[-1], True), ("2023-07-04", False)):
        decided.settings = decided.settings.model_copy(update={"end_date": date.fromisoformat(end)})
        found = materialize(decided, instance, DAYS).get_asset_check_evaluations()
        assert {one.passed for one in found if one.check_name == "freshness"} == {fresh}
