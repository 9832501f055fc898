"""What a user sees when AWS refuses, throttles or is not there: the message, and that what was live stays.

Each case runs the command line in a process of its own, against a lake with a
published day and a newer export of it.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from star_assets.athena.embedded import EmbeddedAthena
from star_assets.athena.service.service import POLL
from star_assets.lake.catalog import TableEntry
from star_assets.lake.local_storage import LocalStorage
from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.lake import export_samples
from star_assets.settings import Settings
from star_assets.star import retail

from .conftest import new_aws_lake, to_aws

DAY = "2023-07-01"
# What a run lists first.
LEDGERS = "LAKE/staging/orders/_pointers"
SIGN_IN = "Sign in again (`aws sso login`), or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
GRANT = "Allow the action for this identity; docs/aws.md lists what a lake needs."
AGAIN = "It was tried several times. The live versions stay; run it again later."
KEPT = "The live versions stay."
OUTPUT = (
    "Create the bucket in this region, and allow s3:GetBucketLocation on it and s3:GetObject and s3:PutObject below "
    "the place for results; docs/aws.md lists what a lake needs."
)

QUERY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Case:
    """What the environment says, what is typed, and what comes of it. A variable that is None is taken away.

    `message` is the first error on standard error, with LAKE for the lake's URI, VERSION for version ids, WORKGROUP
    for the workgroup of Athena and QUERY for the id of a query. `outcome` is what becomes of the query.
    """

    name: str
    message: str
    environment: Mapping[str, str | None] = field(default_factory=dict)
    command: tuple[str, ...] = ("run", "stores")
    exit_code: int = 1
    outcome: Mapping[str, object] = field(default_factory=dict)


ASK = ("query", "SELECT count(*) FROM fact_sales")


def key(fault: str) -> dict[str, str | None]:
    return {"AWS_ACCESS_KEY_ID": fault}


def denied(operation: str) -> str:
    """In Athena's words."""
    return (
        f"You are not authorized to perform: athena:{operation} on the resource. After your AWS administrator or you "
        "have updated your permissions, please try again"
    )


CASES = [
    Case(
        "no credentials",
        f"{LEDGERS}: no credentials for AWS were found (Unable to locate credentials). {KEPT} {SIGN_IN}",
        {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_EC2_METADATA_DISABLED": "true"},
    ),
    Case(
        "no region",
        f"glue: no AWS region is set. {KEPT} Set AWS_REGION or AWS_DEFAULT_REGION.",
        {"AWS_DEFAULT_REGION": None},
        ("status",),
    ),
    Case(
        "no such bucket",
        "s3://no-such-bucket/lake/staging/orders/_pointers: there is no such bucket. "
        f"{KEPT} Create it, or correct STAR_LAKE.",
        {"STAR_LAKE": "s3://no-such-bucket/lake"},
    ),
    Case(
        "a bucket in another region",
        f"{LEDGERS}: the bucket is in another region (As the test wants). {KEPT} Set AWS_REGION to the bucket's.",
        key("ALWAYS.PermanentRedirect.GET"),
    ),
    Case(
        "no bucket's name",
        "STAR_LAKE='s3:///lake': expected a folder, or s3://bucket/prefix.",
        {"STAR_LAKE": "s3:///lake"},
    ),
    Case(
        "another cloud",
        "STAR_LAKE='gs://bucket': expected a folder, or s3://bucket/prefix.",
        {"STAR_LAKE": "gs://bucket"},
    ),
    Case(
        "an endpoint that is not there",
        f'{LEDGERS}: AWS could not be reached (Could not connect to the endpoint URL: "http://127.0.0.1:9/BUCKET'
        '?list-type=2&prefix=retail%2Flake%2Fstaging%2Forders%2F_pointers%2F&encoding-type=url"). '
        f"{AGAIN}",
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"},
        exit_code=75,
    ),
    Case(
        "writing is denied",
        "LAKE/staging/stores/date=2023-07-01/v=VERSION/part-00000.parquet: s3:PutObject was denied "
        f"(As the test wants). {KEPT} {GRANT}",
        key("ALWAYS.AccessDenied.PUT"),
    ),
    Case(
        "listing is denied",
        f"{LEDGERS}: s3:ListBucket was denied (As the test wants). {KEPT} {GRANT}",
        key("ALWAYS.AccessDenied.GET"),
    ),
    Case(
        "the catalog is denied",
        f"Glue GLUE_staging.stores: glue:BatchCreatePartition was denied (As the test wants). {KEPT} {GRANT}",
        key("ALWAYS.AccessDeniedException.BatchCreatePartition"),
    ),
    Case(
        "no right to the catalog's key",
        "Glue GLUE_staging.stores: the KMS key cannot be used for glue:BatchUpdatePartition: As the test wants. "
        f"{KEPT} Allow kms:GenerateDataKey and kms:Decrypt on the key, or correct STAR_KMS_KEY. {GRANT}",
        key("ALWAYS.GlueEncryptionException.BatchUpdatePartition"),
    ),
    Case(
        "a catalog that somebody else changes each time between our look and our change",
        f"GLUE_staging.products: others changed the table each time that it was written. {AGAIN}",
        key("ALWAYS.ConcurrentModificationException.CreateTable"),
        ("run", "products"),
        75,
    ),
    Case(
        "an expired token",
        f"LAKE/staging/stores/date=2023-07-01/v=VERSION/part-00000.parquet: the credentials for AWS have expired. "
        f"{KEPT} {SIGN_IN}",
        key("ALWAYS.ExpiredToken.PUT"),
    ),
    Case(
        "keys that AWS does not know",
        f"{LEDGERS}: AWS does not know these credentials (InvalidAccessKeyId). {KEPT} {SIGN_IN}",
        key("ALWAYS.InvalidAccessKeyId.GET"),
    ),
    Case(
        "no right to the KMS key",
        "LAKE/staging/stores/date=2023-07-01/v=VERSION/part-00000.parquet: the KMS key cannot be used for "
        f"s3:PutObject: As the test wants. {KEPT} Allow kms:GenerateDataKey and kms:Decrypt on the key, or correct "
        f"STAR_KMS_KEY. {GRANT}",
        {**key("ALWAYS.KMSAccessDenied.PUT"), "STAR_KMS_KEY": "alias/shop"},
    ),
    Case(
        "S3 throttles all the time",
        "LAKE/staging/stores/date=2023-07-01/v=VERSION/part-00000.parquet: s3:PutObject was answered with SlowDown: "
        f"As the test wants. {AGAIN}",
        key("ALWAYS.SlowDown.PUT"),
        exit_code=75,
    ),
    Case(
        "Glue throttles all the time",
        "Glue GLUE_staging.stores: glue:BatchUpdatePartition was answered with ThrottlingException: "
        f"As the test wants. {AGAIN}",
        key("ALWAYS.ThrottlingException.BatchUpdatePartition"),
        exit_code=75,
    ),
    Case(
        "no such workgroup of Athena",
        f"Athena workgroup nobodys: there is no such workgroup. {KEPT} Create it, or correct STAR_ATHENA_WORKGROUP.",
        {"STAR_ATHENA_WORKGROUP": "nobodys"},
        ASK,
    ),
    Case(
        "a workgroup of Athena that keeps no results",
        "Athena workgroup primary: it has no place for results. "
        f"{KEPT} Give the workgroup one, or set STAR_ATHENA_OUTPUT.",
        {"STAR_ATHENA_WORKGROUP": "primary"},
        ASK,
    ),
    Case(
        "a place for Athena's results that is none",
        "STAR_ATHENA_OUTPUT='/tmp/results': expected s3://bucket/prefix.",
        {"STAR_ATHENA_OUTPUT": "/tmp/results"},
        ASK,
    ),
    Case(
        "a place for Athena's results without a workgroup",
        "STAR_ATHENA_OUTPUT='s3://results': expected STAR_ATHENA_WORKGROUP too; without it the embedded Athena "
        "answers.",
        {"STAR_ATHENA_WORKGROUP": None, "STAR_ATHENA_OUTPUT": "s3://results"},
        ASK,
    ),
    Case(
        "Athena is denied",
        f"Athena workgroup WORKGROUP: athena:StartQueryExecution was denied ({denied('StartQueryExecution')}). "
        f"{KEPT} {GRANT}",
        key("ALWAYS.AccessDeniedException.StartQueryExecution"),
        ASK,
    ),
    Case(
        "following a query is denied",
        f"Athena query QUERY: athena:GetQueryExecution was denied ({denied('GetQueryExecution')}). {KEPT} {GRANT}",
        key("ALWAYS.AccessDeniedException.GetQueryExecution"),
        ASK,
    ),
    Case(
        "Athena's results are denied",
        f"Athena query QUERY: athena:GetQueryResults was denied ({denied('GetQueryResults')}). {KEPT} {GRANT}",
        key("ALWAYS.AccessDeniedException.GetQueryResults"),
        ASK,
    ),
    Case(
        "the bucket for Athena's results is denied",
        "Athena query QUERY: results cannot be kept (Access denied when writing output to url: s3://results/1.csv). "
        f"{KEPT} {OUTPUT}",
        command=ASK,
        outcome={"state": "FAILED", "reason": "Access denied when writing output to url: s3://results/1.csv"},
    ),
    Case(
        "a token that expires while a query runs",
        f"Athena query QUERY: the credentials for AWS have expired. {KEPT} {SIGN_IN}",
        key("ALWAYS.ExpiredTokenException.GetQueryExecution"),
        ASK,
    ),
    Case(
        "too many queries at once",
        "Athena workgroup WORKGROUP: athena:StartQueryExecution was answered with TooManyRequestsException: You have "
        "exceeded the limit for the number of queries you can run concurrently. Please reduce the number of concurrent "
        "queries submitted by this account. Contact customer support to request a concurrent query limit increase. "
        f"{AGAIN}",
        key("ALWAYS.TooManyRequestsException.StartQueryExecution"),
        ASK,
        75,
    ),
    Case(
        "a query over the workgroup's limit",
        "Athena query QUERY: it was stopped at the limit of workgroup WORKGROUP, which is 10,485,760 bytes, after "
        "12,345,678 bytes. Read fewer dates (WHERE date …) or columns, or raise the workgroup's limit of bytes scanned "
        "per query.",
        command=ASK,
        outcome={"state": "CANCELLED", "reason": "Bytes scanned limit was exceeded", "scanned": 12_345_678},
    ),
    Case(
        "a query over a limit that may not be looked up",
        "Athena query QUERY: it was stopped at the limit of workgroup WORKGROUP, after 12,345,678 bytes. Read fewer "
        "dates (WHERE date …) or columns, or raise the workgroup's limit of bytes scanned per query.",
        key("ALWAYS.AccessDeniedException.GetWorkGroup"),
        ASK,
        outcome={"state": "CANCELLED", "reason": "Bytes scanned limit was exceeded", "scanned": 12_345_678},
    ),
    Case(
        "a query that is wrong",
        "line 1:23: TABLE_NOT_FOUND: Table 'awsdatacatalog.olap.fact_sales' does not exist.",
        command=ASK,
        outcome={
            "state": "FAILED",
            "reason": "TABLE_NOT_FOUND: line 1:23: Table 'awsdatacatalog.olap.fact_sales' does not exist",
        },
    ),
    Case(
        "a query during which Athena fails",
        "Athena query QUERY: Athena itself failed (INTERNAL_ERROR: Internal error). Run it again later.",
        command=ASK,
        exit_code=75,
        outcome={"state": "FAILED", "reason": "INTERNAL_ERROR: Internal error", "error": {"ErrorCategory": 1}},
    ),
]


STORES = f"oltp/stores/date={DAY}/stores.json"

numbers = count(1)


class Lake:
    """A published day on AWS, and a newer export, with a city of its own, that no run has seen yet."""

    def __init__(self, settings: Settings, athena: Any, program: Path) -> None:
        self.settings, self.athena, self.program = settings, athena, program
        self.warehouse = Warehouse(retail, settings)
        self.city = f"Tampa {next(numbers)}"
        stores = json.loads(self.warehouse.storage.read(STORES)[0])
        stores[0]["city"] = self.city
        self.warehouse.storage.write(STORES, json.dumps(stores).encode())

    def run(self, *command: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
        known = self.environment(**environment)
        return subprocess.run([self.program, *command], env=known, capture_output=True, text=True, check=False)

    def environment(self, **environment: str | None) -> dict[str, str]:
        others = {name: value for name, value in os.environ.items() if not name.startswith("STAR_")}
        given = {
            **others,
            "STAR_LAKE": self.settings.lake,
            "STAR_GLUE_PREFIX": self.settings.glue_prefix,
            "STAR_ATHENA_WORKGROUP": self.athena.workgroup,
            "AWS_MAX_ATTEMPTS": "2",
            **environment,
        }
        return {name: value for name, value in given.items() if value is not None}

    def rerun(self) -> None:
        """What a later run does, once AWS lets it."""
        publish(self.warehouse)

    def cities(self) -> list[str]:
        athena = EmbeddedAthena(self.warehouse.storage, self.warehouse.catalog)
        found = athena.query("SELECT DISTINCT city FROM staging.stores ORDER BY 1").table
        return [str(city) for city in found["city"].to_pylist()]

    def plain(self, text: str) -> str:
        """A message without what differs each time."""
        bucket = self.settings.lake.split("/")[2]
        text = text.replace(self.settings.lake, "LAKE").replace(self.settings.glue_prefix, "GLUE_")
        text = QUERY_ID.sub("QUERY", text.replace(self.athena.workgroup, "WORKGROUP"))
        return re.sub(r"\d{8}T\d{12}-[0-9a-f]{8}", "VERSION", text.replace(bucket, "BUCKET"))


def publish(warehouse: Warehouse) -> None:
    assert [outcome.error for outcome in warehouse.refresh("stores", [DAY])] == [None]


def published(settings: Settings) -> Settings:
    """Those of a lake, once its day is published."""
    warehouse = Warehouse(retail, settings)
    export_samples(warehouse.storage, date(2023, 7, 1), 1, orders_per_day=5)
    publish(warehouse)
    return settings


@pytest.fixture(scope="module")
def shared(aws_address: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A lake for all tests that leave it as they found it: with a published day."""
    with pytest.MonkeyPatch.context() as patch:
        to_aws(patch, aws_address, tmp_path_factory.mktemp("cache"))
        return published(new_aws_lake())


MakeLake = Callable[[Settings], Lake]


@pytest.fixture
def make_lake(
    aws: Callable[[], Settings],
    decided_athena: Any,
    quick_star_assets: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> MakeLake:
    monkeypatch.setenv("HOME", str(tmp_path))
    return lambda settings: Lake(settings, decided_athena, quick_star_assets)


@pytest.fixture
def lake(make_lake: MakeLake, shared: Settings) -> Lake:
    return make_lake(shared)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_aws_refuses_is_told_in_our_words_and_nothing_is_lost(lake: Lake, case: Case) -> None:
    """A traceback of botocore names no remedy, and a half-done publish would cost a day."""
    before = lake.cities()
    lake.athena.decide(case.outcome)
    done = lake.run(*case.command, **case.environment)
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert (lake.plain(errors[0]) if errors else done.stderr) == f"Error: {case.message}"
    assert done.returncode == case.exit_code
    # What failed in the catalog was published; all else was not.
    if not re.search("glue:Batch", case.message):
        assert lake.cities() == before
    lake.rerun()
    assert lake.city in lake.cities()


@pytest.mark.parametrize("fault", ["ONCE.SlowDown.PUT", "LOST.InternalError.PUT", "ONCE.InternalError.GET"])
def test_a_call_that_fails_once_or_loses_its_reply_fails_nothing(lake: Lake, fault: str) -> None:
    """S3 throttles a busy prefix, and networks swallow replies, some day of every year."""
    done = lake.run("run", "stores", AWS_ACCESS_KEY_ID=fault)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert lake.city in lake.cities()
    assert "staging.stores" not in lake.run("repair").stderr


def test_a_table_that_somebody_else_made_is_refused_and_stays(make_lake: MakeLake, aws: Callable[[], Settings]) -> None:
    """Their queries would suddenly read our rows."""
    lake = make_lake(published(aws()))
    theirs = TableEntry("staging", "products", (), location="s3://theirs/products")
    lake.warehouse.catalog.put_table(theirs)
    done = lake.run("run", "products")
    assert (done.returncode, "the catalog has a table of that name" in done.stderr) == (1, True)
    assert lake.warehouse.catalog.table("staging", "products") == theirs


def test_a_query_that_is_interrupted_is_stopped_on_athena(lake: Lake) -> None:
    """Ctrl-C at a terminal: the query would go on, and cost."""
    lake.athena.decide({"state": "RUNNING"})
    command = [lake.program, *ASK]
    with subprocess.Popen(command, env=lake.environment(), stderr=subprocess.PIPE, text=True) as process:
        while not lake.athena.requests and process.poll() is None:
            time.sleep(0.01)
        if version("pyathena").startswith("3."):
            # That cannot stop a query whose number it has not been told yet.
            time.sleep(2 * POLL)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert (process.returncode, errors.strip().splitlines()[:1]) == (130, [INTERRUPTED])
    assert "Stopped" in lake.athena.requests[1]


INTERRUPTED = "Interrupted. What was published stays live; run the command again to continue."


def test_copies_on_this_machine_need_room_and_rights(lake: Lake, tmp_path: Path) -> None:
    """An engine reads local copies; where they cannot be made, the folder has to be named."""
    (tmp_path / "file").write_bytes(b"")
    done = lake.run("run", "stores", XDG_CACHE_HOME=str(tmp_path / "file"))
    assert (done.returncode, "Not a directory" in done.stderr) == (1, True)
    assert str(tmp_path / "file") in done.stderr
    assert LocalStorage(tmp_path).read("file")[0] == b""
