"""The image and compose.yaml, built and started: what a laptop and a machine of AWS's run."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator

import pytest

from . import containers
from .containers import FETCHED, IMAGE, SERVICES, Compose, run, until

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("containers")]

ASSETS = ["stores", "products", "customers", "orders", "order_items"]
ASSETS += ["dim_store", "dim_product", "dim_customer", "dim_time", "dim_product_history", "fact_sales"]

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
    """compose.yaml, running, with the exports of four days in its lake."""
    started = Compose(tmp_path_factory.mktemp("host"))
    started.up()
    try:
        until(started.is_loaded, 180, started.logs)
        started.within("code", "star-assets", "sample", "--days", "4", "--orders-per-day", "20")
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
    backfill = begin(host, "2023-07-01")
    until(lambda: end(host, backfill), 420, host.logs)
    assert end(host, backfill) == "COMPLETED_SUCCESS"
    assert set(history(host)) == {"SUCCESS"}
    assert list(live(host)) == ["2023-07-01"]
