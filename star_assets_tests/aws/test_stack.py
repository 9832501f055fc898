"""A stack of the template on moto: the settings that it prints lead the real pipeline to what it made."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from click.testing import CliRunner

from star_assets import cli
from star_assets.aws.metrics import METRIC, count_success
from star_assets.aws.template import text
from star_assets.lake.aws import session, warn_denied
from star_assets.settings import Settings

from .deployed import Stack


@pytest.fixture
def stack(aws: Callable[..., Settings]) -> Stack:
    """A stack of its own, among those of other tests."""
    suffix = uuid.uuid4().hex[:8]
    return Stack(f"shop-{suffix}", DatabasePrefix=f"s{suffix}_", WriteExports="yes")


def run(*command: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli.main, command)
    return done.exit_code, done.output


@pytest.fixture
def settings(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """What `star-assets aws settings` prints, in the environment."""
    code, printed = run("aws", "settings", stack.name)
    assert code == 0, printed
    found = dict(line.split("=", 1) for line in printed.splitlines())
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    session.cache_clear()
    yield found
    session.cache_clear()


def test_settings_are_those_of_the_stack(stack: Stack, settings: dict[str, str]) -> None:
    """Copied by hand, one of them would be wrong some day."""
    assert settings == {
        "AWS_REGION": "us-east-1",
        "STAR_LAKE": f"s3://{stack.names['Lake']}/retail",
        "STAR_GLUE_PREFIX": stack.names["OlapDatabase"].removesuffix("olap"),
        "STAR_TIMEZONE": "UTC",
        "STAR_ATHENA_WORKGROUP": f"{stack.name}-pipeline",
        "STAR_METRICS_NAMESPACE": f"star_assets/{stack.name}",
        "STAR_TOPIC": stack.names["Topic"],
    }


def test_a_stack_that_is_none_of_ours_is_told(aws: Callable[..., Settings]) -> None:
    code, told = run("aws", "settings", "nothing")
    assert code == 1
    assert "Stack nothing: there is no such stack in this region" in told


def test_the_pipeline_runs_on_what_the_stack_made(stack: Stack, settings: dict[str, str]) -> None:
    """The whole way: exports, tables, repair, vacuum, and CloudWatch is told of the success."""
    assert run("sample", "--days", "2", "--orders-per-day", "5")[0] == 0
    code, told = run("run")
    assert code == 0, told
    assert run("repair")[0] == 0
    assert run("vacuum")[0] == 0
    tables = boto3.client("glue", "us-east-1").get_tables(DatabaseName=stack.names["OlapDatabase"])["TableList"]
    assert {"fact_sales", "dim_store"} <= {table["Name"] for table in tables}
    assert successes(settings["STAR_METRICS_NAMESPACE"]) == 1


def successes(namespace: str) -> int:
    """How many successes were told in a namespace."""
    found = boto3.client("cloudwatch", "us-east-1").list_metrics(Namespace=namespace, MetricName=METRIC)
    return len(found["Metrics"])


def test_a_run_of_a_part_is_no_success(stack: Stack, settings: dict[str, str]) -> None:
    """The alarm tells that the whole is late."""
    assert run("sample", "--days", "1", "--orders-per-day", "5")[0] == 0
    assert run("run", "stores")[0] == 0
    assert successes(settings["STAR_METRICS_NAMESPACE"]) == 0


def test_a_success_that_may_not_be_told_fails_nothing(
    aws: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The run itself went well; the right that is missing is named with its statement, once."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ALWAYS.AccessDenied.PutMetricData")
    session.cache_clear()
    warn_denied.cache_clear()
    for _ in range(2):
        count_success("star_assets/shop")
    session.cache_clear()
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("cloudwatch:PutMetricData was denied: ")
    assert "The statement TellSuccess of docs/aws/pipeline.json grants it." in caplog.messages[0]


def test_templates_are_printed_as_they_are(tmp_path: Path) -> None:
    """What is deployed is what was reviewed."""
    assert run("aws", "template", "lake") == (0, text("lake"))


def test_policies_are_written_where_somebody_wants_them(tmp_path: Path) -> None:
    code, told = run("aws", "policies", str(tmp_path / "policies"))
    assert (code, told) == (0, f"19 policies are in {tmp_path / 'policies'}.\n")


def test_the_modules_of_a_job_begin_with_its_wheels() -> None:
    """The parameter JobModules takes the line as it is."""
    code, printed = run("aws", "modules", "s3://b/code/star_assets-0.1.0-py3-none-any.whl", "s3://b/code/mine.whl")
    assert code == 0
    first, second, *others = printed.strip().split(",")
    assert (first, second) == ("s3://b/code/star_assets-0.1.0-py3-none-any.whl", "s3://b/code/mine.whl")
    assert all("==" in one for one in others)
