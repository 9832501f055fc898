"""The policies of docs/aws: each role does its work, and every call that it made is held against its policy."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from botocore import xform_name
from botocore.client import BaseClient
from click.testing import CliRunner

from star_assets import cli
from star_assets.athena.opening import open_athena
from star_assets.lake.glue_crawler import Crawler
from star_assets.lake.vacuum import vacuum
from star_assets.orchestration.in_step import Keeper
from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.lake import export_samples
from star_assets.settings import Settings
from star_assets.star import retail

ROOT = Path(__file__).parent.parent
DAY = "2023-07-01"
QUESTION = "SELECT count(*) FROM fact_sales JOIN dim_store USING (store_id)"

# The names that the policies have for the account's own.
ARN = "eu-west-1:111122223333"

# Operations that go by another action's name. Of column statistics, Glue's reference says so.
ACTIONS = {
    "ListObjectsV2": "ListBucket",
    "HeadObject": "GetObject",
    "DeleteObjects": "DeleteObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "UpdateColumnStatisticsForTable": "UpdateTable",
    "UpdateColumnStatisticsForPartition": "UpdatePartition",
}

# Actions that AWS's own libraries ask for, and AWS itself where it works for us.
BY_AWS = {"s3:AbortMultipartUpload", "s3:ListBucket", "iam:PassRole", "glue:UpdatePartition"}

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
            yield action, f"arn:aws:athena:{ARN}:workgroup/{given['WorkGroup']}", ""
    elif "Crawler" in operation:
        yield action, f"arn:aws:glue:{ARN}:crawler/{given['Name']}", ""
    else:
        # Glue asks for the right on all that holds what is asked for, too.
        database = given.get("DatabaseName") or given.get("DatabaseInput", {}).get("Name") or given["Name"]
        table = given.get("TableName") or given.get("TableInput", {}).get("Name")
        table = table or (given.get("Name") if "Table" in operation else None)
        yield action, f"arn:aws:glue:{ARN}:catalog", ""
        yield action, f"arn:aws:glue:{ARN}:database/{database}", ""
        if table:
            yield action, f"arn:aws:glue:{ARN}:table/{database}/{table}", ""


class Policy:
    """A policy of docs/aws, with this lake's names."""

    def __init__(self, name: str, **names: str) -> None:
        text = (ROOT / "docs" / "aws" / f"{name}.json").read_text()
        for theirs, ours in names.items():
            text = text.replace(theirs.replace("_lake", "-lake"), ours)
        self.statements = json.loads(text)["Statement"]

    def actions(self) -> set[str]:
        return {action for one in self.statements for action in listed(one["Action"])}

    def allows(self, action: str, resource: str, prefix: str) -> bool:
        return any(
            action in listed(one["Action"])
            and any(fnmatchcase(resource, pattern) for pattern in listed(one["Resource"]))
            and all(
                any(fnmatchcase(prefix, pattern) for pattern in listed(patterns))
                for patterns in one.get("Condition", {}).get("StringLike", {}).values()
            )
            for one in self.statements
        )


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


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


def lacking(policy: Policy, calls: list[Call]) -> set[tuple[str, str]]:
    """The rights that calls took and a policy does not give."""
    rights = {right for call in calls for right in needed(*call)}
    return {(action, resource) for action, resource, prefix in rights if not policy.allows(action, resource, prefix)}


@pytest.fixture
def lake(aws: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """An empty lake of the retailer, which commands find too."""
    settings = aws()
    for name, value in {"LAKE": settings.lake, "GLUE_PREFIX": settings.glue_prefix}.items():
        monkeypatch.setenv(f"STAR_{name}", value)
    return Warehouse(retail, settings)


def policy(name: str, lake: Warehouse, **names: str) -> Policy:
    bucket, _, folder = lake.settings.lake.removeprefix("s3://").partition("/")
    return Policy(name, shop_lake=bucket, retail=folder, shop_=lake.settings.glue_prefix, **names)


def refresh(lake: Warehouse, *tables: str) -> None:
    assert [o.error for table in tables for o in lake.refresh(table, [DAY]) if o.error] == []


def write(lake: Warehouse) -> None:
    """What Dagster and the commands do, day in, day out."""
    export_samples(lake.storage, date.fromisoformat(DAY), 1, orders_per_day=5)
    refresh(lake, *retail.tables)
    refresh(Warehouse(retail, lake.settings.model_copy(update={"compression": "snappy"})), "fact_sales")
    for command in ("rollback fact_sales --day 2023-07-01", "status"):
        assert CliRunner().invoke(cli.main, command.split()).exit_code == 0
    Keeper().tick(lake, "", monotonic() + 60)
    lake.catalog.drop_partitions("olap", "fact_sales", [(DAY,)])
    Keeper().tick(lake, "", monotonic() + 60)
    vacuum(lake.storage, lake.catalog, [("olap", "fact_sales")], timedelta(0))
    Crawler(f"{lake.settings.glue_prefix}oltp_orders", f"{lake.settings.glue_prefix}oltp", "s3://b/o", "r").start()
    retired = CliRunner().invoke(cli.main, ["retire", "--older-than", "1", "--yes"])
    assert (retired.exit_code, "5 export days retired" in retired.stderr) == (0, True)


def test_each_role_may_do_what_it_does(
    lake: Warehouse, decided_athena: Any, calls: list[Call], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One missing action stops the first night's run, and AWS tells one at a time. Analysts may not read staging."""
    write(lake)
    made = {operation for _, operation, _ in calls}
    assert {"CreateDatabase", "BatchDeletePartition", "BatchGetPartition", "StartCrawler"} <= made
    assert {"DeleteObjects", "DeleteObject"} <= made
    assert lacking(policy("writer", lake), calls) == set()
    calls.clear()
    # Another machine, without copies of the files.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    athena = open_athena(Warehouse(retail, lake.settings).storage, lake.catalog, lake.settings)
    decided_athena.answer(athena.query(QUESTION).table, ["bigint"])
    service = lake.settings.model_copy(update={"athena_workgroup": decided_athena.workgroup})
    open_athena(lake.storage, lake.catalog, service).query(QUESTION)
    assert {"StartQueryExecution", "GetObject", "GetPartitions"} <= {operation for _, operation, _ in calls}
    workgroup = {"workgroup/analysts": f"workgroup/{decided_athena.workgroup}"}
    assert lacking(policy("reader", lake, **workgroup), calls) == set()


def test_the_writers_policy_grants_nothing_that_no_code_asks_for() -> None:
    """A right that is not needed is one that is abused."""
    code = "".join(file.read_text() for file in (ROOT / "star_assets" / "lake").glob("*.py"))
    asked = {action for action in Policy("writer").actions() if not action.startswith("kms:")}
    methods = {action: xform_name(action.partition(":")[2]) for action in asked - BY_AWS}
    assert [a for a, method in methods.items() if not re.search(rf"\b{method}s?\b", code)] == []


@pytest.mark.parametrize("file", sorted((ROOT / "docs" / "aws").glob("*.json")), ids=lambda file: file.name)
def test_no_policy_has_a_wildcard_for_an_action_or_for_everything(file: Path) -> None:
    """`s3:*` and `*` are what reviews of an account find first. What forbids may say all."""
    for statement in json.loads(file.read_text()).get("Statement", ()):
        if statement["Effect"] == "Allow":
            assert not any("*" in action for action in listed(statement["Action"]))
            assert "*" not in listed(statement.get("Resource", ""))
