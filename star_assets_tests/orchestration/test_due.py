"""The sensor `out_of_date` requests exactly what a refresh would change, once."""

from __future__ import annotations

import gzip
from collections.abc import Sequence

import dagster as dg
import pytest
from dagster._core.definitions.sensor_definition import SensorExecutionData

from star_assets.pipeline.warehouse import Warehouse

from .conftest import DAYS, materialize
from .test_sensors import evaluate, export_file, folder, reason, requested, stage


def tick(lake: Warehouse, instance: dg.DagsterInstance, cursor: str | None = None) -> SensorExecutionData:
    return evaluate(lake, "out_of_date", instance, cursor)


def build(lake: Warehouse, tables: Sequence[str], days: list[str]) -> None:
    for table in tables:
        assert [str(outcome.error) for outcome in lake.refresh(table, days) if outcome.error] == []


@pytest.fixture
def built(lake: Warehouse) -> Warehouse:
    build(lake, list(lake.star.tables), DAYS)
    return lake


def corrected(lake: Warehouse, day: str) -> None:
    """One line of the day's export is sold once more, in the export of that day."""
    file = export_file(lake, "order_items", day)
    header, first, *rest = gzip.decompress(file.read_bytes()).decode().splitlines()
    fields = first.split(",")
    fields[header.split(",").index("quantity")] = "9"
    file.write_bytes(gzip.compress("\n".join([header, ",".join(fields), *rest, ""]).encode()))
    stage(lake, [day])


def test_nothing_is_requested_where_all_is_up_to_date(built: Warehouse, instance: dg.DagsterInstance) -> None:
    """An idle lake starts no runs."""
    assert reason(tick(built, instance)) == "Every dimension and business date is what the staged exports say."


def test_exactly_the_dates_that_a_correction_concerns_are_requested(
    built: Warehouse, instance: dg.DagsterInstance
) -> None:
    """Rebuilding more is wasted, rebuilding less is wrong."""
    corrected(built, DAYS[1])
    assert requested(tick(built, instance)) == [(DAYS[1], DAYS[1], {"fact_sales"})]
    build(built, ["fact_sales"], [DAYS[1]])
    assert not tick(built, instance).run_requests


def test_dimensions_come_before_the_facts_that_refer_to_them(lake: Warehouse, instance: dg.DagsterInstance) -> None:
    """A fact is audited against its dimensions, so it would fail."""
    stage(lake, DAYS)
    first = tick(lake, instance)
    assert requested(first) == [(DAYS[-1], DAYS[-1], set(lake.star.dimensions))]
    build(lake, list(lake.star.dimensions), DAYS[-1:])
    assert requested(tick(lake, instance, first.cursor)) == [(DAYS[0], DAYS[-1], {"fact_sales"})]


def test_what_failed_is_not_requested_again_with_the_same_inputs(
    built: Warehouse, instance: dg.DagsterInstance
) -> None:
    """A date that fails its audit would otherwise fail every minute."""
    corrected(built, DAYS[1])
    first = tick(built, instance)
    again = tick(built, instance, first.cursor)
    assert f"fact_sales {DAYS[1]}: requested before with the same inputs." in reason(again)
    corrected(built, DAYS[0])
    assert [days for *days, _ in requested(tick(built, instance, again.cursor))] == [[DAYS[0], DAYS[0]]]


def test_what_was_rolled_back_stays_rolled_back(built: Warehouse, instance: dg.DagsterInstance) -> None:
    """Whoever went back had a reason; a sensor that undoes it within a minute is no help."""
    corrected(built, DAYS[1])
    build(built, ["fact_sales"], [DAYS[1]])
    built.rollback("fact_sales", DAYS[1], None)
    assert f"fact_sales {DAYS[1]}: rolled back." in reason(tick(built, instance))


def test_dates_that_a_run_is_at_are_not_requested(built: Warehouse, instance: dg.DagsterInstance) -> None:
    """Two runs on one partition race for nothing."""
    corrected(built, DAYS[1])
    run = dg.DagsterRun(
        job_name="all_tables",
        status=dg.DagsterRunStatus.STARTED,
        tags={"dagster/partition": DAYS[1]},
        asset_selection={dg.AssetKey("fact_sales")},
    )
    instance.add_run(run)
    assert f"fact_sales {DAYS[1]}: being built." in reason(tick(built, instance))


def test_the_check_names_the_dates_that_are_out_of_date(built: Warehouse, instance: dg.DagsterInstance) -> None:
    """Dagster's own staleness compares partitions of one name only."""

    def checked() -> dg.AssetCheckEvaluation:
        result = materialize(built, instance, DAYS[2:], "fact_sales")
        (found,) = (e for e in result.get_asset_check_evaluations() if e.check_name == "out_of_date")
        return found

    assert checked().passed
    corrected(built, DAYS[1])
    found = checked()
    assert not found.passed
    assert DAYS[1] in (found.description or "")
    assert found.severity is dg.AssetCheckSeverity.WARN


def test_a_withdrawn_export_is_told_and_not_acted_on(built: Warehouse, instance: dg.DagsterInstance) -> None:
    """A raw zone that somebody cleaned up must not empty the tables."""
    for file in sorted(folder(built, "orders", DAYS[0]).iterdir()):
        file.unlink()
    folder(built, "orders", DAYS[0]).rmdir()
    assert not tick(built, instance).run_requests
    assert built.out_of_date("orders").withdrawn == (DAYS[0],)
