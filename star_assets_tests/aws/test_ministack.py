"""The stack of the template, made by somebody else's CloudFormation; the pipeline works there, each role as itself.

What MiniStack lacks, and what it decides without looking at, is in docs/security.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from star_assets import cli
from star_assets.lake.aws import session

from .ministack import FETCHED, FOREIGN, STACK, Account, serving

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("ministack")]

DAY = "2023-07-01"
SALES = 'SELECT "date", count(*) FROM fact_sales GROUP BY 1 ORDER BY 1'

# Who asks for what, at a place of the lake's folder or elsewhere, and whether they get it.
OBJECTS = [
    ("analyst", "get_object", "olap/fact_sales/x", True),
    ("analyst", "get_object", "oltp/orders/x", False),
    ("analyst", "get_object", "staging/orders/x", False),
    ("analyst", "get_object", "reports/x", False),
    ("analyst", "put_object", "olap/fact_sales/x", False),
    ("pipeline", "get_object", "oltp/orders/x", True),
    ("pipeline", "put_object", "olap/fact_sales/x", True),
    ("pipeline", "put_object", "code/x", False),
    ("job", "get_object", "oltp/orders/x", True),
    ("job", "put_object", "olap/fact_sales/x", True),
    ("job", "put_object", "olap/fact_sales/_pointers/2023-07.json", False),
    ("job", "delete_object", "staging/orders/_pointers/2023-07.json", False),
    ("job", "put_object", "oltp/orders/x", False),
    ("job", "delete_object", "oltp/orders/x", False),
    ("job", "put_object", "code/x", False),
    ("till", "get_object", "oltp/pos_sales/x", False),
    ("till", "put_object", "oltp/pos_sales/x", False),
    ("stranger", "get_object", "olap/fact_sales/x", False),
]

# The same of other services.
CALLS: list[tuple[str, str, str, dict[str, Any], bool]] = [
    ("pipeline", "glue", "get_tables", {"DatabaseName": "shop_olap"}, True),
    ("pipeline", "glue", "get_tables", {"DatabaseName": "shop_finance"}, False),
    ("pipeline", "glue", "delete_table", {"DatabaseName": "shop_finance", "Name": "ledger"}, False),
    ("analyst", "glue", "get_tables", {"DatabaseName": "shop_olap"}, True),
    ("analyst", "glue", "get_tables", {"DatabaseName": "shop_staging"}, False),
    ("analyst", "glue", "get_tables", {"DatabaseName": "shop_finance"}, False),
    ("analyst", "athena", "start_query_execution", {"QueryString": "SELECT 1", "WorkGroup": "shop-analysts"}, True),
    ("analyst", "athena", "start_query_execution", {"QueryString": "SELECT 1", "WorkGroup": "shop-pipeline"}, False),
    ("pipeline", "athena", "start_query_execution", {"QueryString": "SELECT 1", "WorkGroup": "shop-pipeline"}, True),
    ("pipeline", "athena", "start_query_execution", {"QueryString": "SELECT 1", "WorkGroup": "shop-analysts"}, False),
    ("till", "firehose", "put_record_batch", {"Records": [{"Data": b"{}"}]}, True),
    ("till", "firehose", "describe_delivery_stream", {}, False),
    ("pipeline", "firehose", "put_record_batch", {"Records": [{"Data": b"{}"}]}, False),
    ("pipeline", "iam", "create_role", {"RoleName": "any", "AssumeRolePolicyDocument": "{}"}, False),
]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """The account, with the stack."""
    if not (FETCHED / "complete").exists():
        pytest.skip("no MiniStack here; `make ministack` fetches it")
    with serving(tmp_path_factory.mktemp("ministack")) as served:
        yield Account(*served)


@pytest.fixture
def as_the_pipeline(account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Commands of this process work as the pipeline's role."""
    for name, value in account.environment(account.keys("pipeline")).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    session.cache_clear()
    yield
    session.cache_clear()


def run(command: str, *words: str) -> str:
    """`star-assets …`, which is to succeed; what it printed."""
    done = CliRunner().invoke(cli.main, [*command.split(), *words])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_pipeline_runs_for_days_as_its_role(account: Account, as_the_pipeline: None) -> None:
    """A backfill, a day more, a late correction, a rollback, vacuum, repair, a question."""
    run("sample --days 2 --orders-per-day 5")
    run("run")
    run("sample --days 3 --orders-per-day 5")
    run("run")
    before = run("query --format csv", SALES)
    assert "2023-07-03" in before
    correct(account, f"oltp/orders/date={DAY}/orders.csv")
    run("run")
    assert run("query --format csv", SALES) != before
    run(f"rollback fact_sales --day {DAY}")
    assert run("query --format csv", SALES) == before
    run("vacuum")
    run("repair")
    assert "Everything fits" in run("verify")


def correct(account: Account, path: str) -> None:
    """An export of the first day lacks its last order, when it comes again."""
    s3, given = account.client("s3", account.keys("pipeline")), account.object(path)
    lines = s3.get_object(**given)["Body"].read().decode().splitlines()
    s3.put_object(**given, Body="\n".join(lines[:-1]).encode())


def asked(account: Account, who: str, service: str, operation: str, given: dict[str, Any]) -> bool:
    """Whether a call passes. Raises ClientError for any other error than a denial."""
    keys = FOREIGN if who == "stranger" else account.keys(who)
    try:
        getattr(account.client(service, keys), operation)(**given)
    except ClientError as error:
        if "AccessDenied" not in error.response["Error"]["Code"]:
            raise
        return False
    return True


@pytest.mark.parametrize(("who", "operation", "place", "passes"), OBJECTS)
def test_each_role_gets_at_its_places_of_the_lake(
    account: Account, who: str, operation: str, place: str, passes: bool
) -> None:
    given = account.object(place)
    account.client("s3").put_object(**given, Body=b"")
    assert asked(account, who, "s3", operation, given) is passes


@pytest.mark.parametrize(("who", "service", "operation", "given", "passes"), CALLS)
def test_each_role_calls_its_services(
    account: Account, who: str, service: str, operation: str, given: dict[str, Any], passes: bool
) -> None:
    stream = {"DeliveryStreamName": account.outputs["Stream"]} if service == "firehose" else {}
    assert asked(account, who, service, operation, {**given, **stream}) is passes


def test_nobody_reads_anothers_results(account: Account) -> None:
    """They hold what somebody asked for."""
    for own, other in (("analysts", "pipeline"), ("pipeline", "analyst")):
        given = {"Bucket": account.outputs["Results"], "Key": f"{own}/x"}
        account.client("s3").put_object(**given, Body=b"")
        assert asked(account, other, "s3", "get_object", given) is False


def test_nobody_encrypts_with_a_key_of_s3s_own(account: Account) -> None:
    """Who may use the lake's key could not be told any more."""
    given = {**account.object("olap/x"), "Body": b""}
    assert asked(account, "pipeline", "s3", "put_object", given)
    assert not asked(account, "pipeline", "s3", "put_object", {**given, "ServerSideEncryption": "AES256"})


def test_the_pipelines_policy_alone_does_not_look_at_the_stack(account: Account, as_the_pipeline: None) -> None:
    """The roles of a machine and of a schedule may, beside it."""
    done = CliRunner().invoke(cli.main, ["aws", "settings", STACK])
    assert (done.exit_code, "cloudformation:DescribeStacks" in done.output) == (1, True)
