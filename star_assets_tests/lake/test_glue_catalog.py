"""What Glue alone has: batches with errors of their own, and versions of tables that pile up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import pytest

from star_assets.lake.catalog import MADE_BY, OURS, CatalogColumn, PartitionEntry, TableEntry
from star_assets.lake.glue_catalog import GlueCatalog
from star_assets.model.errors import AwsBusy, AwsRefused
from star_assets.settings import Settings

COLUMNS = (CatalogColumn("id", "bigint"),)
SALES = TableEntry("olap", "sales", COLUMNS, (CatalogColumn("date", "string"),), "s3://b/f", parameters={MADE_BY: OURS})
DAYS = [PartitionEntry((f"{number:03}",), f"s3://b/f/v={number}", COLUMNS) for number in range(230)]


@pytest.fixture
def catalog(aws: Callable[..., Settings]) -> GlueCatalog:
    found = GlueCatalog(aws().glue_prefix)
    found.create_database("olap")
    found.put_table(SALES)
    return found


def test_more_partitions_than_a_batch_takes_are_made_moved_and_dropped(catalog: GlueCatalog) -> None:
    """Glue refuses the 101st of those to be made, and the 26th of those to be dropped."""
    catalog.put_partitions("olap", "sales", DAYS[:120])
    moved = [replace(entry, location=f"{entry.location}1") for entry in DAYS]
    catalog.put_partitions("olap", "sales", moved)
    assert catalog.partitions("olap", "sales") == moved
    catalog.drop_partitions("olap", "sales", [entry.values for entry in DAYS[:60]])
    assert catalog.partitions("olap", "sales") == moved[60:]


@pytest.mark.parametrize(
    ("answered", "expected", "message"),
    [
        ("InternalServiceException", AwsBusy, "olap.sales 007: glue:BatchCreatePartition failed with Internal"),
        ("InvalidInputException", AwsRefused, "olap.sales 007: glue:BatchCreatePartition failed with InvalidInput"),
    ],
)
def test_a_partition_that_fails_within_a_batch_is_told(
    catalog: GlueCatalog, answered: str, expected: type[Exception], message: str
) -> None:
    """The call itself succeeds; who reads its status alone loses a day."""
    error = {"PartitionValues": ["007"], "ErrorDetail": {"ErrorCode": answered, "ErrorMessage": "As the test wants."}}

    def failing(parsed: dict[str, Any], **_: object) -> None:
        parsed["Errors"] = [error]

    catalog.client().meta.events.register("after-call.glue.BatchCreatePartition", failing)
    with pytest.raises(expected, match=message):
        catalog.put_partitions("olap", "sales", DAYS[:9])


def test_versions_of_a_table_do_not_pile_up(catalog: GlueCatalog) -> None:
    """A dimension is one more every day, and Glue allows an account a million."""
    for number in range(5):
        catalog.put_table(replace(SALES, location=f"s3://b/f/v={number}"))
    found = boto3.client("glue").get_table_versions(DatabaseName=f"{catalog.prefix}olap", TableName="sales")
    assert len(found["TableVersions"]) == 1


@pytest.mark.parametrize("lists", ["what does not exist", "everything"])
def test_keys_that_stay_unprocessed_are_looked_up_otherwise(catalog: GlueCatalog, lists: str) -> None:
    """Asking again for the same keys went round for ever: some endpoints list missing partitions as unprocessed."""
    catalog.put_partitions("olap", "sales", DAYS[:3])
    asked: list[list[dict[str, Any]]] = []

    def remember(params: dict[str, Any], **_: object) -> None:
        asked.append(params["PartitionsToGet"])
        assert len(asked) < 9

    def unprocessed(parsed: dict[str, Any], **_: object) -> None:
        if lists == "everything":
            parsed["Partitions"] = []
        there = [one["Values"] for one in parsed["Partitions"]]
        parsed["UnprocessedKeys"] = [key for key in asked[-1] if key["Values"] not in there]

    catalog.client().meta.events.register("before-parameter-build.glue.BatchGetPartition", remember)
    catalog.client().meta.events.register("after-call.glue.BatchGetPartition", unprocessed)
    found = catalog.some_partitions("olap", "sales", [one.values for one in DAYS[1:5]])
    assert sorted(found, key=lambda one: one.values) == DAYS[1:3]


def test_keys_that_were_left_out_once_are_asked_for_again(catalog: GlueCatalog) -> None:
    """A busy Glue answers a part of a batch."""
    catalog.put_partitions("olap", "sales", DAYS[:3])
    asked: list[int] = []

    def unprocessed(parsed: dict[str, Any], **_: object) -> None:
        asked.append(len(parsed["Partitions"]))
        if len(asked) == 1:
            parsed["UnprocessedKeys"] = [{"Values": list(DAYS[2].values)}]
            parsed["Partitions"] = parsed["Partitions"][:2]

    catalog.client().meta.events.register("after-call.glue.BatchGetPartition", unprocessed)
    assert len(catalog.some_partitions("olap", "sales", [one.values for one in DAYS[:3]])) == 3
    assert asked == [3, 1]
