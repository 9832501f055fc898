"""Many partitions published at once, and the same objects and partitions written by boto3 alone.

python -m bench.ours.publish BUCKET PARTITIONS
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from shutil import copyfile

import boto3
import pyarrow as pa
import pyarrow.parquet as pq

from star_assets.lake.aws import in_batches
from star_assets.lake.catalog import CatalogColumn, PartitionEntry, TableEntry
from star_assets.lake.glue_catalog import CREATE_BATCH, GlueCatalog
from star_assets.lake.glue_entries import partition_input, table_input
from star_assets.lake.places import open_catalog, open_storage
from star_assets.lake.storage import Storage, each
from star_assets.lake.versions import Partition, read_pointer
from star_assets.pipeline.outcome import Outcome
from star_assets.pipeline.publishing import Built, Plan, publish
from star_assets.settings import Settings

COLUMNS = (CatalogColumn("order_id", "bigint"), CatalogColumn("status", "string"))
ENTRY = TableEntry("staging", "orders", COLUMNS, (CatalogColumn("date", "string"),))


class SmallDays:
    """A step whose days are all the same few rows, so that publishing them is all that takes time."""

    entry = ENTRY

    def __init__(self, storage: Storage, file: Path) -> None:
        self.storage, self.file = storage, file

    def plan(self, days: Sequence[str]) -> Iterator[Plan | Outcome]:
        """Each day, from its pointer on."""
        partitions = [Partition("staging", "orders", day) for day in days]
        pointers = each(self.storage, lambda partition: read_pointer(self.storage, partition), partitions)
        for partition, (pointer, etag) in zip(partitions, pointers, strict=True):
            yield Plan(str(partition.day), partition, pointer, etag, "same", {"files": []})

    def batches(self, plans: Sequence[Plan]) -> Iterator[Sequence[Plan]]:
        """As many at a time as staging takes."""
        return in_batches(list(plans), 120)

    def build(self, plans: Sequence[Plan], folder: Path) -> Iterator[Built]:
        """The same file for each."""
        for plan in plans:
            file = folder / str(plan.day) / "part-00000.parquet"
            file.parent.mkdir()
            copyfile(self.file, file)
            yield Built(plan, (file,))

    def before_commit(self, built: Built) -> None:
        """Nothing was relied on."""


def bare(bucket: str, file: Path, days: Sequence[str], at_once: int) -> None:
    """Three objects and a partition for each day, by boto3, as many at a time."""
    s3, glue = boto3.client("s3"), boto3.client("glue")
    glue.create_database(DatabaseInput={"Name": "bare"})
    glue.create_table(DatabaseName="bare", TableInput=table_input(ENTRY, ""))
    content, beside = file.read_bytes(), b"{" + b" " * 500 + b"}"

    def put(day: str) -> None:
        for name, body in (("part-00000.parquet", content), ("_manifest.json", beside), ("_pointer.json", beside)):
            s3.put_object(Bucket=bucket, Key=f"bare/date={day}/{name}", Body=body)

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(put, days))
    for batch in in_batches(list(days), CREATE_BATCH):
        entries = [PartitionEntry((day,), f"s3://{bucket}/bare/date={day}", COLUMNS) for day in batch]
        inputs = [partition_input(entry, ENTRY) for entry in entries]
        reply = glue.batch_create_partition(DatabaseName="bare", TableName="orders", PartitionInputList=inputs)
        assert not reply.get("Errors")


def main() -> None:
    bucket, count = sys.argv[1], int(sys.argv[2])
    settings = Settings(lake=f"s3://{bucket}/lake", glue_prefix="ours_")
    storage, catalog = open_storage(settings), open_catalog(settings)
    assert isinstance(catalog, GlueCatalog)
    catalog.create_database("staging")
    days = [str(date(2014, 1, 1) + timedelta(days=number)) for number in range(count)]
    file = storage.scratch() / "part.parquet"
    pq.write_table(pa.table({"order_id": [1, 2, 3], "status": ["placed", "paid", "shipped"]}), file)
    begun = time.perf_counter()
    outcomes = list(publish(storage, catalog, SmallDays(storage, file), days))
    ours = time.perf_counter() - begun
    assert [outcome.status for outcome in outcomes] == ["published"] * count
    begun = time.perf_counter()
    bare(bucket, file, days, storage.at_once)
    print(json.dumps({"ours": ours, "bare": time.perf_counter() - begun}))


if __name__ == "__main__":
    main()
