"""The asset `dashboard`: what it declares, that a run of all tables ends with it, what it says."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import dagster as dg
import pytest

from star_assets.model import Star
from star_assets.model.errors import LostRace
from star_assets.orchestration.build import build_definitions
from star_assets.orchestration.dashboard import build_dashboard, last_days
from star_assets.orchestration.run import QUIET, partition_tags
from star_assets.pipeline.warehouse import Warehouse
from star_assets.reports.dashboard import publishing
from star_assets.reports.dashboard.answers import Answers, Row, Slice
from star_assets.settings import Settings
from star_assets.star import retail

from .conftest import DAYS


def test_it_is_downstream_of_the_fact_and_of_what_that_refers_to() -> None:
    specs = {
        spec.key.to_user_string(): spec for spec in build_definitions(retail, Settings()).resolve_all_asset_specs()
    }
    spec = specs["dashboard"]
    fact = retail.facts["fact_sales"]
    assert (spec.group_name, spec.partitions_def) == ("bi", None)
    assert {dep.asset_key.to_user_string() for dep in spec.deps} == {
        fact.name,
        *(table.name for table in fact.references.values()),
    }


def test_a_star_without_dashboards_has_no_such_asset() -> None:
    star = Star([*retail.sources.values()], [*retail.dimensions.values()], [*retail.facts.values()])
    assert build_dashboard(star, Settings()) == []


def test_a_run_of_days_ends_with_the_pages(lake: Warehouse, instance: dg.DagsterInstance) -> None:
    """One run with partitioned tables and an unpartitioned report."""
    job = build_definitions(retail, lake.settings, lake).resolve_job_def("all_tables")
    result = job.execute_in_process(instance=instance, tags=partition_tags(DAYS), run_config=QUIET)
    (event,) = result.asset_materializations_for_node("dashboard")
    said = {name: value.value for name, value in event.metadata.items()}
    pages = [*Path(str(said["Store Sales: folder"])).glob("*.html")]
    assert (said["pages"], said["pages removed"], said["Store Sales: until"]) == (len(pages), 0, DAYS[-1])
    assert len(str(said["Store Sales: last days"]).split("`")[1]) == len(DAYS)
    assert said["bytes"] == sum(page.stat().st_size for page in pages) > 0


def test_the_last_days_are_a_small_picture() -> None:
    slice_, sums = Slice(()), [Decimal(7), Decimal(0), None, Decimal("3.5"), Decimal(-7)]
    days = [f"2023-07-0{number}" for number in range(1, 6)]
    answers = Answers(days, daily=[Row(slice_, day, (one,)) for day, one in zip(days, sums, strict=True)])
    assert last_days(answers) == "`█▁▁▄▁` 2023-07-01 … 2023-07-05"


def test_who_was_overtaken_may_try_again(
    lake: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(*_: object) -> None:
        raise LostRace("reports/dashboard/store_managers/x.html")

    monkeypatch.setattr(publishing, "publish", overtaken)
    job = build_definitions(retail, lake.settings, lake).resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=instance, run_config=QUIET, raise_on_error=False, asset_selection=[dg.AssetKey("dashboard")]
    )
    (event,) = [event for event in result.all_events if event.is_step_failure]
    data = event.step_failure_data.user_failure_data
    assert data is not None
    assert "another process published first" in (data.description or "")
