"""The star of costs on AWS: from Cost Explorer's answers to the command, and to Dagster's checks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import boto3
import dagster as dg
import pytest
from click.testing import CliRunner

from star_assets import cli
from star_assets.athena.embedded import EmbeddedAthena
from star_assets.costs import exporting
from star_assets.costs.star import costs
from star_assets.costs.used import published
from star_assets.lake.storage import Storage
from star_assets.orchestration.costs import DESCRIPTIONS, build_costs
from star_assets.orchestration.run import QUIET, partition_tags
from star_assets.pipeline.warehouse import Warehouse
from star_assets.prices import USED
from star_assets.settings import Settings
from star_assets.star import retail

from .cost_explorer import GLUE, KMS, S3, Bill

TODAY = datetime.now(UTC).date()
YESTERDAY = TODAY - timedelta(days=1)
DAYS = 3
FIRST = TODAY - timedelta(days=DAYS)
STORE = {"store_id": 1, "store_name": "One", "city": "Miami", "state": "FL", "region": "South"}


@pytest.fixture
def settings(aws: Callable[..., Settings], bill: Bill) -> Settings:
    return aws(costs_start_date=FIRST, cost_tag="project=costs")


@pytest.fixture
def shop(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """A lake that published one table today, which the costs take for yesterday's work."""
    shop = Warehouse(retail, settings)
    row = {**STORE, "opened_on": "2020-01-01", "updated_at": "2023-07-01 00:00:00"}
    shop.storage.write("oltp/stores/date=2023-07-01/stores.json", json.dumps([row]).encode())
    shop.storage.write("oltp/stores/date=2023-07-01/_SUCCESS", b"")
    assert [outcome.error for outcome in shop.refresh("stores", ["2023-07-01"])] == [None]

    def of_today(lake: Storage, day: str) -> Iterator[dict[str, Any]]:
        moment = f"{YESTERDAY} 12:00:00"
        for row in published(lake, str(TODAY)) if day == str(YESTERDAY) else ():
            yield {**row, "made_at": moment, "month": f"{YESTERDAY:%Y-%m}"}

    monkeypatch.setattr(exporting, "published", of_today)
    return shop


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`star-assets …` on the lake."""
    for name in ("lake", "glue_prefix", "cost_tag", "costs_start_date"):
        monkeypatch.setenv(f"STAR_{name.upper()}", str(getattr(settings, name)))
    return lambda *arguments: CliRunner().invoke(cli.main, arguments)


def fill(bill: Bill) -> None:
    """Two dollars a day, nine yesterday; the first day's estimate was restated, and lost lines."""
    for n in range(DAYS):
        day = FIRST + timedelta(days=n)
        bill.lines[day] = [(S3, "TimedStorage-ByteHrs", "1.5E+0", "65", "GB-Mo"), (KMS, "KMS-Keys", "0.5", "1", "Keys")]
    bill.lines[FIRST] += [(GLUE, "ETL-DPU-Hour", "0.4400000001234", "1", "DPU-Hour")]
    bill.restated[FIRST] = [(S3, "TimedStorage-ByteHrs", "1.25", "65", "GB-Mo")]
    bill.lines[YESTERDAY] = [(S3, "Requests-Tier1", "9", "1800000", "Requests")]
    bill.estimated = {YESTERDAY}


def budget(tag: str, limit: str) -> None:
    """A budget as the template `costs` makes it."""
    made = {
        "BudgetName": tag,
        "BudgetLimit": {"Amount": limit, "Unit": "USD"},
        "CostFilters": {"TagKeyValue": [f"user:project${tag}"]},
        "TimeUnit": "MONTHLY",
        "BudgetType": "COST",
    }
    boto3.client("budgets").create_budget(AccountId="123456789012", Budget=made)


def test_the_bill_is_a_table_of_the_lake_and_a_command_tells_it(
    shop: Warehouse, settings: Settings, bill: Bill, run: Callable[..., Any]
) -> None:
    """Newest answers replace, and what vanished from one is gone; each day is asked for once."""
    fill(bill)
    budget("costs", "20")
    assert "`star-assets costs --update` asks Cost Explorer" in run("costs").stderr
    assert bill.requests == []
    done = run("costs", "--update", "--format", "json")
    assert done.exit_code == 0, done.stderr
    found = {(row["of"], row["name"]): row["usd"] and Decimal(row["usd"]) for row in json.loads(done.stdout)}
    asked = [given["TimePeriod"] for operation, given in bill.requests if given["Granularity"] == "DAILY"]
    assert {period["Start"] for period in asked} == {str(FIRST)}
    assert {period["End"] for period in asked} == {str(FIRST + timedelta(days=n + 1)) for n in range(DAYS)}

    own = Warehouse(costs, settings.for_costs())
    athena = EmbeddedAthena(own.storage, own.catalog)
    sql = f"SELECT usage_type, cost FROM fact_cost WHERE date = '{FIRST}'"
    assert athena.query(sql).table.to_pylist() == [{"usage_type": "TimedStorage-ByteHrs", "cost": Decimal("1.25")}]
    assert own.storage.uri("") == f"{settings.lake}/costs"
    assert own.out_of_date("fact_cost").days == {}

    days = {name: usd for (of, name), usd in found.items() if of == "day"}
    assert days == {str(FIRST): Decimal("1.25")} | {
        str(FIRST + timedelta(days=n)): Decimal(2) for n in range(1, DAYS - 1)
    } | {str(YESTERDAY): Decimal(9)}
    month = f"{TODAY:%Y-%m}"
    assert found["month", "so far"] == sum(usd for day, usd in days.items() if day.startswith(month))
    assert (found["month", "forecast"], found["month", "budget"]) == (Decimal("12.5"), Decimal(20))
    manifest = shop.live_manifest("stores", "2023-07-01")
    assert manifest
    used = manifest.facts["used"]
    assert used["seconds"] > 0
    assert used.keys() <= USED.keys()
    assert used["writes"] >= 2
    if YESTERDAY.month == TODAY.month:
        assert found["table", "staging.stores"] > 0

    before = len(bill.requests)
    again = run("costs", "--update")
    assert again.exit_code == 0, again.stderr
    assert len(bill.requests) == before
    assert f"{month}: $" in again.stdout
    assert "█" in again.stdout
    assert "of a budget of $20.00" in again.stdout
    if found["month", "so far"] > 7:
        assert f"Note: budget: {month}: expected at most $20.00" in again.stderr


def test_dagster_builds_and_checks_it_under_its_own_keys(shop: Warehouse, settings: Settings, bill: Bill) -> None:
    """Its failures are its own: a check that fails tells the topic; a denied call fails its run and says what to do."""
    fill(bill)
    first, tag = YESTERDAY - timedelta(days=1), "dagster"
    budget(tag, "5")
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.create_topic(Name=f"t-{id(bill)}")["TopicArn"]
    queue = sqs.create_queue(QueueName=f"q-{id(bill)}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    definitions = build_costs(
        settings.model_copy(update={"topic": topic, "costs_start_date": first, "cost_tag": f"project={tag}"})
    )
    keys = {key.to_user_string() for key in definitions.resolve_all_asset_keys()}
    assert keys == {f"costs/{name}" for name in (*costs.tables, "powerbi", "dashboard")}
    job = definitions.resolve_implicit_global_asset_job_def()
    chosen = [dg.AssetKey(["costs", name]) for name in costs.tables]
    days = [str(first), str(YESTERDAY)]

    def run(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
        return job.execute_in_process(
            instance=instance,
            tags=partition_tags(days),
            run_config=QUIET,
            raise_on_error=False,
            asset_selection=chosen,
        )

    with dg.DagsterInstance.ephemeral() as instance:
        bill.errors = [("GetCostAndUsage", "AccessDeniedException", "User not enabled for cost explorer access")] * 4
        refused = run(instance)
        assert not refused.success
        (failure,) = [e for e in refused.get_step_failure_events() if e.step_key == "costs__bill_days"]
        assert "The account that pays for this one must open Cost Explorer once" in str(failure)
        bill.errors = []
        done = run(instance)
        assert done.success
        results = {e.check_name: e for e in done.get_asset_check_evaluations() if e.check_name in DESCRIPTIONS}
        assert {name for name, found in results.items() if not found.passed} == {"budget"}
        assert results.keys() == DESCRIPTIONS.keys()
        fact = dg.AssetKey(["costs", "fact_cost"])
        last = instance.get_latest_materialization_event(fact)
        assert last
        assert last.asset_materialization
        metadata = last.asset_materialization.metadata
        assert metadata["total cost"].value == 9
        assert 0 < metadata["estimated_cost_usd"].value < 0.01
        assert metadata["used seconds"].value > 0
        (told,) = sqs.receive_message(QueueUrl=queue)["Messages"]
        assert "budget: " in json.loads(told["Body"])["Message"]


def test_off_aws_or_without_a_start_there_is_nothing_of_it() -> None:
    """No asset, no request, no word."""
    assert not Settings(lake="./lake", costs_start_date=date(2026, 11, 1)).asks_for_costs
    assert not Settings(lake="s3://b/p").asks_for_costs
    from star_assets.cost_definitions import defs

    assert not defs.resolve_all_asset_keys()
    assert not defs.schedules
    assert not defs.sensors


def test_its_settings_are_its_own(settings: Settings) -> None:
    """A run of costs must not count as a success of the lake, nor be computed by its Glue job."""
    lake = settings.model_copy(
        update={"engine": "glue", "glue_job": "job", "metrics_namespace": "m", "timezone": "Asia/Tokyo"}
    )
    own = lake.for_costs()
    assert own.lake == f"{lake.lake}/costs"
    assert own.glue_prefix == f"{lake.glue_prefix}costs_"
    assert (own.key_prefix, own.timezone, own.start_date) == ("costs", "UTC", FIRST)
    assert (own.engine, own.glue_job, own.metrics_namespace) == ("duckdb", None, None)
