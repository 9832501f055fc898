"""The image and compose.yaml, built and started: what a laptop and a machine of AWS's run."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Iterator

import pytest

from . import containers
from .containers import FETCHED, IMAGE, REPOSITORY, SERVICES, Compose, run, until

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("containers")]

ASSETS = ["stores", "products", "customers", "orders", "order_items"]
ASSETS += ["dim_store", "dim_product", "dim_customer", "dim_time", "dim_product_history", "fact_sales"]

DAYS = [f"2023-07-0{day}" for day in range(1, 7)]

AWS = REPOSITORY / "docs" / "aws.md"

BACKFILL = """mutation($assets: [AssetKeyInput!], $days: [String!]) {
  launchPartitionBackfill(backfillParams: {assetSelection: $assets, partitionNames: $days}) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
STATUS = "query($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }"


@pytest.fixture(scope="module")
def images() -> None:
    if not (FETCHED / "complete").exists() or os.getuid():
        pytest.skip("images need buildah, podman, debootstrap and root; `make images` says what it lacks")
    containers.build()


@pytest.fixture(scope="module")
def host(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    """compose.yaml, running, with the exports of six days in its lake."""
    started = Compose(tmp_path_factory.mktemp("host"))
    started.up()
    try:
        until(started.is_loaded, 180, started.logs)
        started.within("code", "star-assets", "sample", "--days", "6", "--orders-per-day", "20")
        yield started
    finally:
        started.down()


def begin(host: Compose, *days: str) -> str:
    """Begin a backfill; its id."""
    answer = host.ask(BACKFILL, assets=[{"path": [one]} for one in ASSETS], days=days)["launchPartitionBackfill"]
    assert answer["__typename"] == "LaunchBackfillSuccess", answer
    backfill: str = answer["backfillId"]
    return backfill


def end(host: Compose, backfill: str) -> str:
    """How a backfill ended; empty while it works, and while the database or the web server starts again."""
    try:
        status: str = host.ask(STATUS, id=backfill)["partitionBackfillOrError"]["status"]
    except (OSError, AssertionError):
        return ""
    return status if status in ("COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED") else ""


def history(host: Compose) -> list[str]:
    """The ends of runs that PostgreSQL holds."""
    question = "SELECT status FROM runs ORDER BY id"
    return host.within("database", "psql", "-U", "dagster", "-d", "dagster", "-Atc", question).split()


def ready(host: Compose) -> bool:
    """Whether PostgreSQL lets somebody in."""
    try:
        return bool(host.within("database", "psql", "-U", "dagster", "-d", "dagster", "-Atc", "SELECT 1"))
    except AssertionError:
        return False


def live(host: Compose) -> dict[str, int]:
    """Each day's number of lines."""
    question = 'SELECT "date", count(*) AS lines FROM fact_sales GROUP BY "date" ORDER BY 1'
    rows = json.loads(host.within("code", "star-assets", "query", "--format", "json", question))
    return {row["date"]: row["lines"] for row in rows}


def test_the_image_holds_what_it_runs_and_is_not_run_as_root(images: None) -> None:
    """Spark alone would take as much again."""
    (found,) = json.loads(run("podman", "image", "inspect", IMAGE))
    assert found["Config"]["User"] == "star"
    assert found["Size"] < 1_000_000_000
    packages = run("podman", "run", "--rm", IMAGE, "ls", "/opt/star/lib/python3.11/site-packages").split()
    assert {"star_assets", "dagster_postgres", "dagster_aws", "psycopg"} <= set(packages)
    assert not {"pyspark", "moto", "pip"} & set(packages)
    assert "template" in run("podman", "run", "--rm", IMAGE, "star-assets", "aws", "--help")
    assert run("podman", "run", "--rm", IMAGE, "star-assets", "aws", "template", "lake").startswith("AWSTemplate")


def test_nothing_but_the_web_server_listens_and_it_only_here(host: Compose) -> None:
    """A laptop in a café, a machine whose security group somebody opened."""
    ports = {one: json.loads(run("podman", "inspect", host.container(one)))[0] for one in SERVICES}
    bound = {one: found["HostConfig"]["PortBindings"] or {} for one, found in ports.items()}
    assert bound.pop("webserver") == {"3000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "3000"}]}
    assert set(map(str, bound.values())) == {"{}"}
    with socket.socket() as tried:
        assert tried.connect_ex(("127.0.0.1", 5432)) != 0


def test_a_backfill_ends_in_success_with_its_history_in_postgresql(host: Compose) -> None:
    backfill = begin(host, DAYS[0])
    until(lambda: end(host, backfill), 420, host.logs)
    assert end(host, backfill) == "COMPLETED_SUCCESS"
    assert set(history(host)) == {"SUCCESS"}
    assert list(live(host)) == [DAYS[0]]


@pytest.mark.parametrize(("service", "day"), zip(SERVICES, DAYS[1:5], strict=True))
def test_a_container_that_is_killed_loses_nothing(host: Compose, service: str, day: str) -> None:
    """In the midst of a run; it works in `code`, and is tried again where that is killed."""
    before = history(host)
    backfill = begin(host, day)
    until(lambda: "STARTED" in history(host), 180, host.logs)
    host.kill(service)
    until(lambda: end(host, backfill), 420, host.logs)
    assert end(host, backfill) == "COMPLETED_SUCCESS"
    runs = history(host)
    assert (runs[: len(before)], runs[-1]) == (before, "SUCCESS")
    assert runs[len(before) : -1] == (["FAILURE"] if service == "code" else [])
    assert day in live(host)


def test_a_backup_of_the_history_is_brought_back_by_the_commands_of_the_page(host: Compose) -> None:
    """On another machine, say, whose volume is new; the lake is not in it."""
    dump, restore = re.findall(r"^    (docker compose exec .+)$", AWS.read_text(), re.MULTILINE)
    before = history(host)
    assert len(before) > 1
    host.type(dump)
    host.lose_its_history()
    until(lambda: ready(host), 60, host.logs)
    host.type(restore)
    assert history(host) == before
    host.up()
    until(host.is_loaded, 180, host.logs)
    backfill = begin(host, DAYS[-1])
    until(lambda: end(host, backfill), 420, host.logs)
    assert (end(host, backfill), history(host)) == ("COMPLETED_SUCCESS", [*before, "SUCCESS"])
