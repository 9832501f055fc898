"""Each role does its work, and every call that it made is held against the template's policies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from botocore import xform_name
from botocore.client import BaseClient
from click.testing import CliRunner

import star_assets
from star_assets import cli
from star_assets.athena.opening import open_athena
from star_assets.aws.policies import ACCOUNT, EVERYTHING, NAMES, REGION, policies
from star_assets.aws.template import Template, parsed, text
from star_assets.lake.glue_crawler import Crawler
from star_assets.lake.vacuum import vacuum
from star_assets.orchestration.in_step import Keeper
from star_assets.pipeline.warehouse import Warehouse
from star_assets.reports.powerbi.project import put_in_lake
from star_assets.samples.lake import export_samples
from star_assets.settings import Settings
from star_assets.star import retail

from .evaluator import Request, allowed, listed

DAY = "2023-07-01"
QUESTION = "SELECT count(*) FROM fact_sales JOIN dim_store USING (store_id)"

# Operations that go by another action's name.
ACTIONS = {
    "ListObjectsV2": "ListBucket",
    "HeadObject": "GetObject",
    "DeleteObjects": "DeleteObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
}

# Rights of the pipeline that no call of ours shows: who asks for them instead.
NOT_CALLED = {
    "athena:GetQueryResults": "PyAthena",
    "athena:StartQueryExecution": "PyAthena",
    "athena:StopQueryExecution": "PyAthena, when it is interrupted",
    "glue:UpdatePartition": "BatchUpdatePartition asks for it",
    "iam:PassRole": "CreateCrawler asks for it",
    "lakeformation:GetDataAccess": "Athena, where Lake Formation guards",
    "s3:AbortMultipartUpload": "boto3, where an upload in parts fails",
    "s3:GetBucketLocation": "Athena, of the lake and of its results",
    "s3:ListBucket": "list_objects_v2",
    "s3:ListMultipartUploadParts": "Athena, of its results",
}

Call = tuple[str, str, dict[str, Any]]


def needed(service: str, operation: str, given: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The rights that a call takes: action, resource, and the prefix that a listing names."""
    action = f"{service}:{ACTIONS.get(operation, operation)}"
    if service == "s3":
        bucket = f"arn:aws:s3:::{given['Bucket']}"
        keys = [one["Key"] for one in given.get("Delete", {}).get("Objects", ())] or [given.get("Key")]
        for key in keys:
            yield action, f"{bucket}/{key}" if key else bucket, given.get("Prefix", "")
        if operation == "DeleteObject" and "IfMatch" in given:
            # To compare an ETag is to read.
            yield "s3:GetObject", f"{bucket}/{given['Key']}", ""
    elif service == "athena":
        # Of a query that was begun, AWS knows the workgroup by itself.
        if "WorkGroup" in given:
            yield action, f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/{given['WorkGroup']}", ""
    elif operation == "CreateCrawler":
        yield action, "*", ""
    elif "Crawler" in operation:
        yield action, f"arn:aws:glue:{REGION}:{ACCOUNT}:crawler/{given['Name']}", ""
    else:
        # Glue asks for the right on all that holds what is asked for, too.
        here = f"arn:aws:glue:{REGION}:{ACCOUNT}"
        database = given.get("DatabaseName") or given.get("Name")
        table = given.get("TableName") or given.get("TableInput", {}).get("Name")
        table = table or (given.get("Name") if "Table" in operation else None)
        yield action, f"{here}:catalog", ""
        if database:
            yield action, f"{here}:database/{database}", ""
        if table:
            yield action, f"{here}:table/{database}/{table}", ""


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """What this process asks of AWS."""
    asked: list[Call] = []
    make = BaseClient._make_api_call

    def noted(self: BaseClient, operation: str, given: dict[str, Any]) -> Any:
        asked.append((self.meta.service_model.service_name, operation, given))
        return make(self, operation, given)

    monkeypatch.setattr(BaseClient, "_make_api_call", noted)
    return asked


@pytest.fixture
def lake(aws: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """An empty lake of the retailer as the template leaves it, with its databases, which commands find too."""
    settings = aws()
    for name, value in {"LAKE": settings.lake, "GLUE_PREFIX": settings.glue_prefix}.items():
        monkeypatch.setenv(f"STAR_{name}", value)
    warehouse = Warehouse(retail, settings)
    for database in ("oltp", "staging", "olap"):
        warehouse.catalog.create_database(database)
    return warehouse


def lacking(who: str, lake: Warehouse, calls: list[Call], **names: str) -> set[tuple[str, str]]:
    """The rights that calls took and the template does not give, with this lake's names."""
    bucket, _, folder = lake.settings.lake.removeprefix("s3://").partition("/")
    prefix = lake.settings.glue_prefix
    databases = {f"{name.capitalize()}Database": f"{prefix}{name}" for name in ("oltp", "staging", "olap")}
    ours = {"Lake": bucket, "Lake.Arn": f"arn:aws:s3:::{bucket}", **databases, **names}
    template = Template(parsed(text("lake")), {**NAMES, **ours}, {**EVERYTHING, "Folder": folder})
    found = {name: document["Statement"] for name, document in policies(template)}
    rights = {right for call in calls for right in needed(*call)}
    context = {"aws:SecureTransport": "true", "aws:PrincipalAccount": ACCOUNT}
    return {
        (action, resource)
        for action, resource, listing in rights
        if not allowed(
            Request(
                f"arn:aws:iam::{ACCOUNT}:role/{who}",
                action,
                resource,
                {**context, **({"s3:prefix": listing} if listing else {})},
            ),
            found[who],
            found["lake"] if resource.startswith(f"arn:aws:s3:::{bucket}") else [],
            ACCOUNT,
        )
    }


def refresh(lake: Warehouse, *tables: str) -> None:
    assert [o.error for table in tables for o in lake.refresh(table, [DAY]) if o.error] == []


def work(lake: Warehouse) -> None:
    """What Dagster and the commands do, day in, day out."""
    export_samples(lake.storage, date.fromisoformat(DAY), 1, orders_per_day=5)
    refresh(lake, *retail.tables)
    refresh(Warehouse(retail, lake.settings.model_copy(update={"compression": "snappy"})), "fact_sales")
    for command in ("rollback fact_sales --day 2023-07-01", "status"):
        assert CliRunner().invoke(cli.main, command.split()).exit_code == 0
    Keeper().tick(lake, "", monotonic() + 60)
    lake.catalog.drop_partitions("olap", "fact_sales", [(DAY,)])
    Keeper().tick(lake, "", monotonic() + 60)
    lake.catalog.databases()
    vacuum(lake.storage, lake.catalog, [("olap", "fact_sales")], timedelta(0))
    Crawler(f"{lake.settings.glue_prefix}oltp_orders", f"{lake.settings.glue_prefix}oltp", "s3://b/o", "r").start()
    put_in_lake(lake.storage, {"Retail.pbip": "{}"})
    put_in_lake(lake.storage, {})
    retired = CliRunner().invoke(cli.main, ["retire", "--older-than", "1", "--yes"])
    assert (retired.exit_code, "5 export days retired" in retired.stderr) == (0, True)


def test_each_role_may_do_what_it_does(
    lake: Warehouse, decided_athena: Any, calls: list[Call], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One missing action stops the first night's run, and AWS tells one at a time. Analysts may not read staging."""
    work(lake)
    made = {operation for _, operation, _ in calls}
    assert {"CreateTable", "BatchDeletePartition", "BatchGetPartition", "StartCrawler", "GetDatabases"} <= made
    assert {"DeleteObjects", "DeleteObject", "UpdateColumnStatisticsForTable"} <= made
    assert lacking("pipeline", lake, calls) == set()
    assert lacking("analyst", lake, calls) != set()
    calls.clear()
    # Another machine, without copies of the files.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    athena = open_athena(Warehouse(retail, lake.settings).storage, lake.catalog, lake.settings)
    decided_athena.answer(athena.query(QUESTION).table, ["bigint"])
    service = lake.settings.model_copy(update={"athena_workgroup": decided_athena.workgroup})
    open_athena(lake.storage, lake.catalog, service).query(QUESTION)
    assert {"StartQueryExecution", "GetObject", "GetPartitions"} <= {operation for _, operation, _ in calls}
    assert lacking("analyst", lake, calls, AnalystWorkgroup=decided_athena.workgroup) == set()


def test_the_pipelines_policy_grants_nothing_that_no_code_asks_for() -> None:
    """A right that is not needed is one that is abused."""
    code = "".join(file.read_text() for file in Path(star_assets.__file__).parent.rglob("*.py"))
    template = Template(parsed(text("lake")), NAMES, EVERYTHING)
    statements = dict(policies(template))["pipeline"]["Statement"]
    asked = {action for one in statements for action in listed(one["Action"]) if not action.startswith("kms:")}
    called = {a for a in asked if re.search(rf"\b{xform_name(a.partition(':')[2])}s?\b", code)}
    statistics = {f"glue:UpdateColumnStatisticsFor{kind}" for kind in ("Table", "Partition")}
    assert asked - called - statistics == NOT_CALLED.keys()
