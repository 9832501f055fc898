from __future__ import annotations

from datetime import date

import dagster as dg
import pytest

from star_assets.orchestration.build import build_definitions
from star_assets.orchestration.checks import freshness, repeated_keys, volume

from .conftest import DAYS, DecidedWarehouse, materialize

TODAY = date(2023, 7, 21)
USUAL = {f"2023-07-{day:02}": 100 for day in range(1, 20)}


@pytest.mark.parametrize("newest, fresh", [("2023-07-19", False), ("2023-07-20", True), ("2023-07-21", True)])
def test_a_table_is_fresh_once_yesterday_is_live(newest: str, fresh: bool) -> None:
    found = freshness({"2023-07-01": 1, newest: 1}, TODAY)
    assert found.passed is fresh
    assert "2023-07-20" in found.description and newest in found.description


def test_a_table_without_any_day_is_not_fresh() -> None:
    assert not freshness({}, TODAY).passed


@pytest.mark.parametrize("rows, usual", [(49, False), (50, True), (200, True), (201, False), (0, False)])
def test_a_day_is_compared_with_the_two_weeks_before(rows: int, usual: bool) -> None:
    """Half an export that says it is whole shows here only."""
    found = volume({**USUAL, "2023-07-20": rows})
    assert found.passed is usual
    assert f"found {rows}" in found.description


def test_only_the_two_weeks_before_count() -> None:
    """A shop that has grown over the years is not unusual."""
    grown = {day: 1 for day in USUAL if day <= "2023-07-05"}
    assert volume({**USUAL, **grown, "2023-07-20": 100}).passed


def test_few_days_are_not_compared() -> None:
    found = volume({f"2023-07-0{day}": 10**day for day in range(1, 8)})
    assert found.passed and "6 days" in found.description
    assert volume({}).passed


def test_rows_that_contradict_each_other_are_told() -> None:
    """They are resolved, but by an order that knows nothing of the shop."""
    assert repeated_keys({"2023-07-01": 0, "2023-07-02": 0}).passed
    found = repeated_keys({"2023-07-01": 0, "2023-07-02": 3})
    assert not found.passed and "3 keys of 1 days" in found.description
    assert found.metadata["days"] == ["2023-07-02"]


def test_no_aggregated_check_blocks(decided: DecidedWarehouse, instance: dg.DagsterInstance) -> None:
    """They judge what is live already; a stale or unusual table must not stop the rest."""
    decided.reconciles = decided.joins = False
    result = materialize(decided, instance, DAYS)
    assert result.success
    failed = {
        (e.asset_key.to_user_string(), e.check_name) for e in result.get_asset_check_evaluations() if not e.passed
    }
    assert ("fact_sales", "reconciliation") in failed
    assert ("fact_sales", "references") in failed
    assert ("orders", "freshness") in failed


def test_reconciliation_computes_the_days_of_the_run(decided: DecidedWarehouse, instance: dg.DagsterInstance) -> None:
    """One more day must not cost more because there were a thousand before it."""
    materialize(decided, instance, DAYS)
    result = materialize(decided, instance, DAYS[:1])
    assert decided.reconciled == DAYS[:1]
    (found,) = [one for one in result.get_asset_check_evaluations() if one.check_name == "reconciliation"]
    # Dagster shows a description at once, and a table in the metadata after a click.
    assert found.description is not None
    assert found.description.splitlines()[2:] == [
        "| step | rows |",
        "| --- | --: |",
        "| staged | 3 |",
        "| fact | 3 |",
        "| unexplained | 0 |",
    ]


def test_reconciliation_alone_covers_every_live_day(decided: DecidedWarehouse, instance: dg.DagsterInstance) -> None:
    """Started from the asset's page, it has no run whose days it could take."""
    materialize(decided, instance, DAYS)
    decided.reconciled = []
    definitions = build_definitions(decided.star, decided.settings, decided)
    key = dg.AssetCheckKey(dg.AssetKey("fact_sales"), "reconciliation")
    job = dg.define_asset_job("reconcile", dg.AssetSelection.checks(key))
    dg.Definitions.merge(definitions, dg.Definitions(jobs=[job])).resolve_job_def("reconcile").execute_in_process(
        instance=instance
    )
    assert decided.reconciled == DAYS
