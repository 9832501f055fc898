"""Each role does its work. What its calls took is held against the templates' policies, in both directions.

Here: the pipeline, the program of Glue's job, the stream and its tills, an analyst's query, and the star of costs
work on moto; a machine starts, people tunnel to it, a task begins. No call may lack a right, and what no call took is
in not_called.txt, line by line, with who asks for it. Glue's program computes with DuckDB, since what Spark reads off
a bucket passes botocore by.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import boto3
import dagster as dg
import pytest
from botocore.client import BaseClient
from botocore.config import Config
from click.testing import CliRunner

from star_assets import cli
from star_assets.athena.opening import open_athena
from star_assets.aws.metrics import count_success
from star_assets.aws.policies import EVERYTHING, NAMES, STACK, example, example_of_costs
from star_assets.aws.template import Template, parsed, text
from star_assets.aws.topics import notify_topic
from star_assets.costs.star import costs
from star_assets.costs.used import published
from star_assets.lake.glue_crawler import Crawler
from star_assets.lake.vacuum import vacuum
from star_assets.model.errors import AwsRefused, BadQuery, QueryStopped
from star_assets.orchestration.catalog_sync import CatalogSync
from star_assets.orchestration.glue import GlueLauncher
from star_assets.pipeline.glue.step import Job, JobResult
from star_assets.pipeline.warehouse import Warehouse
from star_assets.reports.dashboard.publishing import publish
from star_assets.reports.powerbi.project import put_in_lake
from star_assets.samples.lake import export_samples
from star_assets.settings import Settings
from star_assets.star import retail, store_managers
from star_assets.tills.firehose import Faults, Firehose
from star_assets.tills.gateway import Gateway
from star_assets.tills.server import serving
from star_assets.tills.stream import lake_stream

from ..costs.cost_explorer import S3, cost_explorer
from .examples import example_of_host, example_of_schedule
from .machine import Machine, called, put_stand_ins, user_data
from .recorded import Calls, record
from .reverse import Account

DAY, NEXT = "2023-07-01", "2023-07-02"
QUESTION = "SELECT count(*) FROM fact_sales JOIN dim_store USING (store_id)"

USERS = {"ErrorCategory": 2}

AWS = Path(__file__).parents[2] / "docs" / "aws.md"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """What this process asks of AWS."""
    calls = Calls()
    monkeypatch.setattr(BaseClient, "_make_api_call", record(calls, BaseClient._make_api_call))
    return calls


@pytest.fixture
def lake(aws: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """An empty lake of the retailer as the template leaves it, with its databases, which commands find too."""
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    settings = aws(costs_start_date=yesterday, cost_tag="project=shop")
    for name in ("lake", "glue_prefix", "costs_start_date", "cost_tag"):
        monkeypatch.setenv(f"STAR_{name.upper()}", str(getattr(settings, name)))
    warehouse = Warehouse(retail, settings)
    for database in ("oltp", "staging", "olap"):
        warehouse.catalog.create_database(database)
    return warehouse


def of_the_lake(lake: Warehouse, **names: str) -> Account:
    """The policies of the templates `lake` and `costs`, with this lake's names."""
    bucket, _, folder = lake.settings.lake.removeprefix("s3://").partition("/")
    prefix = lake.settings.glue_prefix
    ours = {f"{name.capitalize()}Database": f"{prefix}{name}" for name in ("oltp", "staging", "olap")}
    ours |= {"Lake": bucket, "Lake.Arn": f"arn:aws:s3:::{bucket}", **names}
    template = Template(parsed(text("lake")), {**NAMES, **ours}, {**EVERYTHING, "Folder": folder})
    known = example_of_costs()
    parameters = {name: known.names[name] for name in known.document["Parameters"]}
    parameters |= {"Bucket": bucket, "Folder": folder, "DatabasePrefix": prefix}
    costs = Template(known.document, known.names, parameters)
    return Account([template, costs], [example(), example_of_costs()])


def run(*command: str) -> str:
    """`star-assets …`, which is to succeed; what it printed."""
    done = CliRunner().invoke(cli.main, command)
    assert done.exit_code == 0, done.output
    return done.output


def refresh(lake: Warehouse, *tables: str) -> None:
    assert [o.error for table in tables for o in lake.refresh(table, [DAY]) if o.error] == []


def add_a_column(lake: Warehouse, day: str) -> None:
    """The customers of a day are exported again."""
    file = f"oltp/customers/date={day}/customers.csv"
    header, *lines = lake.storage.read(file)[0].decode().splitlines()
    lake.storage.write(file, "\n".join([f"{header},card", *(f"{line},gold" for line in lines)]).encode())


def build_anew(lake: Warehouse, day: str, *tables: str) -> None:
    """Publish another version of tables."""
    anew = Warehouse(lake.star, lake.settings.model_copy(update={"compression": "snappy"}))
    assert [outcome.error for table in tables for outcome in anew.refresh(table, [day]) if outcome.error] == []


def keep(lake: Warehouse, fact: str, day: str) -> None:
    """A partition that somebody dropped is served again; superseded versions are deleted; reports are written."""
    CatalogSync().tick(lake, "", monotonic() + 60)
    lake.catalog.drop_partitions("olap", fact, [(day,)])
    CatalogSync().tick(lake, "", monotonic() + 60)
    for table in lake.star.tables:
        database = "staging" if table in lake.star.sources else "olap"
        vacuum(lake.storage, lake.catalog, [(database, table)], timedelta(0))
    put_in_lake(lake.storage, {"Some.pbip": "{}"})
    put_in_lake(lake.storage, {})


def run_the_pipeline(lake: Warehouse) -> None:
    """What Dagster and the commands do, day in, day out."""
    export_samples(lake.storage, date.fromisoformat(DAY), 2, orders_per_day=5)
    refresh(lake, *retail.tables)
    add_a_column(lake, DAY)
    refresh(lake, "customers")
    for _ in range(2):
        publish(lake, open_athena(lake.storage, lake.catalog, lake.settings), store_managers)
    build_anew(lake, DAY, "fact_sales")
    for command in ("rollback fact_sales --day 2023-07-01", "status", "verify --quick"):
        run(*command.split())
    keep(lake, "fact_sales", DAY)
    for query in ("SHOW TABLES", "SHOW TABLES IN staging", "SHOW TABLES IN oltp"):
        run("query", query)
    for database in ("olap", "staging"):
        run("query", f"CREATE VIEW {database}.cities AS SELECT city FROM olap.dim_store")
        run("query", f"DROP VIEW {database}.cities")
    raw = f"{lake.settings.glue_prefix}oltp"
    for place in ("s3://b/o", "s3://b/p"):
        Crawler(f"{raw}_orders", raw, place, NAMES["CrawlerRole.Arn"]).start()


class Stopped(BaseException):
    """As Dagster stops a step."""


def stop(*_: object, **__: object) -> None:
    raise Stopped


def compute_on_glue(lake: Warehouse, calls: Calls, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Jobs write a day of a source, a dimension and a fact. A run that says nothing is told; one is stopped."""
    settings = lake.settings.model_copy(update={"engine": "glue", "glue_job": NAMES["Job"]})
    add_a_column(lake, NEXT)

    def launch(job: Job) -> JobResult:
        with calls.working("job"), monkeypatch.context() as there:
            # Another machine, without copies of the files.
            there.setenv("XDG_CACHE_HOME", str(tmp_path / "job"))
            worker = Warehouse(retail, here.settings.model_copy(update={"engine": "duckdb"}))
            return JobResult({report["day"]: report for report in worker.write_versions(job)})

    for table, day, compression in (
        ("customers", NEXT, "zstd"),
        ("dim_customer", NEXT, "zstd"),
        ("fact_sales", DAY, "snappy"),
    ):
        here = Warehouse(retail, settings.model_copy(update={"compression": compression}))
        assert [one.error for one in here.refresh(table, [day], launch)] == [None]
    # moto's runs execute nothing, so that they end without a word.
    with calls.working(""):
        boto3.client("glue").create_job(Name=NAMES["Job"], Role=NAMES["JobRole.Arn"], Command={"Name": "glueetl"})
    glue = boto3.client("glue", config=Config(retries={"total_max_attempts": 1}))

    @dg.asset
    def computed() -> None:
        job = Job("orders", {DAY: "v"}, lake.build("orders"))
        GlueLauncher(dg.AssetExecutionContext.get(), settings, glue, pause=0.01)(job)

    monkeypatch.setattr("dagster._core.pipes.utils.WAIT_FOR_LOGS_AFTER_EXECUTION_INTERVAL", 0)
    assert not dg.materialize([computed], raise_on_error=False).success
    glue.meta.events.register("after-call.glue.GetJobRun", stop)
    # moto does not know the call that stops a run.
    assert not dg.materialize([computed], raise_on_error=False).success


def ring_up(lake: Warehouse, calls: Calls, tmp_path: Path) -> None:
    """Tills put events; the stream delivers them, and beside the exports those that it cannot."""
    for name, faults in (("good", Faults()), ("bad", Faults(failed=1))):
        firehose = Firehose(lake_stream("UTC"), lake.storage, tmp_path / name, faults=faults)
        with calls.working("stream"), serving(firehose) as address:
            client = boto3.client("firehose", endpoint_url=address)
            with calls.working("till"):
                gateway = Gateway(client, NAMES["Stream"], tmp_path / f"{name}.db")
                gateway.ring({"event_id": "1"})
                assert gateway.send().sent == 1
        firehose.close()


def ask(lake: Warehouse, decided_athena: Any, table: Any) -> None:
    """A query, one that reaches the workgroup's limit, and one that is stopped."""
    service = lake.settings.model_copy(update={"athena_workgroup": decided_athena.workgroup})
    athena = open_athena(lake.storage, lake.catalog, service)
    decided_athena.answer(table, ["bigint"])
    assert athena.query(QUESTION).table == table
    decided_athena.decide({"state": "CANCELLED", "reason": "Bytes scanned limit was exceeded", "error": USERS})
    with pytest.raises(QueryStopped):
        athena.query(f"{QUESTION} WHERE sale_id > 1")
    decided_athena.decide({"state": "RUNNING"})
    athena.connection().client.meta.events.register("after-call.athena.GetQueryExecution", stop)
    with pytest.raises(Stopped):
        athena.query(f"{QUESTION} WHERE sale_id > 2")


def tell_costs(lake: Warehouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The bill of a day, the month's forecast and budget, what versions used; the topic is told."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "costs"))
    day = lake.settings.costs_start_date
    own = Warehouse(costs, lake.settings.for_costs())
    with cost_explorer() as (address, bill):
        monkeypatch.setenv("AWS_ENDPOINT_URL_COST_EXPLORER", address)
        bill.lines[day] = [(S3, "Requests-Tier1", "9", "1800000", "Requests")]
        run("costs", "--update")
    # What is exported of yesterday tomorrow.
    assert list(published(Warehouse(retail, lake.settings).storage, str(day + timedelta(days=1))))
    build_anew(own, str(day), "dim_service", "fact_cost")
    keep(own, "fact_cost", str(day))
    with pytest.raises(BadQuery):
        open_athena(own.storage, own.catalog, own.settings).query("SELECT * FROM fact_costs")
    with pytest.raises(AwsRefused, match="Topic"):
        notify_topic(NAMES["Topic"], "budget", "spent")


def test_each_role_may_do_its_work_and_takes_all_it_was_given(
    lake: Warehouse, decided_athena: Any, calls: Calls, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One missing action stops the first night's run; what is not needed is there to be abused."""
    with calls.working("pipeline"):
        run_the_pipeline(lake)
        compute_on_glue(lake, calls, monkeypatch, tmp_path)
        count_success("star_assets/shop")
    ring_up(lake, calls, tmp_path)
    with calls.working("costs"):
        tell_costs(lake, monkeypatch, tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "analyst"))
    with calls.working("analyst"):
        here = Warehouse(retail, lake.settings)
        table = open_athena(here.storage, here.catalog, here.settings).query(QUESTION).table
    for who in ("analyst", "pipeline"):
        with calls.working(who):
            ask(lake, decided_athena, table)
    with calls.working("pipeline"):
        assert "6 export days retired" in run("retire", "--older-than", "1", "--yes")
        run("repair")
    # Both ask in the one workgroup that there is here.
    workgroup = decided_athena.workgroup
    account = of_the_lake(lake, PipelineWorkgroup=workgroup, AnalystWorkgroup=workgroup)
    assert account.lacking(calls) == set()
    assert account.not_called(calls) == account.listed()


@pytest.fixture
def stack(aws: Callable[..., Settings]) -> Iterator[None]:
    """CloudFormation knows the lake's stack."""
    cloudformation = boto3.client("cloudformation")
    resources = {"Nothing": {"Type": "AWS::SNS::Topic", "Properties": {}}}
    body = {"Resources": resources, "Outputs": {"StarLake": {"Value": "s3://shop-lake/retail"}}}
    cloudformation.create_stack(StackName=STACK, TemplateBody=json.dumps(body))
    yield
    cloudformation.delete_stack(StackName=STACK)


def test_so_do_a_machine_a_schedule_and_people(stack: None, calls: Calls, tmp_path: Path) -> None:
    """The machine's own script, the page's own command; what AWS's agents and services do in their name is listed."""
    host, schedule = example_of_host(), example_of_schedule()
    people = tmp_path / "people"
    people.mkdir()
    put_stand_ins(people, {"aws": "echo i-1"})
    (tunnel,) = re.findall(r"^    (aws ssm start-session.+?\))$", AWS.read_text(), re.DOTALL | re.MULTILINE)
    done = {"machine": Machine(user_data(host), tmp_path).start(), "tunnel": called(people, "bash", "-c", tunnel)}
    for who, lines in done.items():
        with calls.working(who):
            for line in lines:
                if line.startswith("aws "):
                    calls.note_command(line)
    for who in ("machine", "task"):
        with calls.working(who):
            assert run("aws", "settings", STACK).startswith("AWS_REGION=")
    account = Account([host, schedule])
    assert account.lacking(calls) == set()
    assert account.not_called(calls) == account.listed()
