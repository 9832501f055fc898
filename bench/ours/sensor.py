"""The Athena partition sensor over a lake in which nothing moves, and the bare listings of the same, in turns.

The lake holds ledgers and catalog entries that agree; a pass that finds
nothing to mend reads no other object. Prints median seconds.

python -m bench.ours.sensor BUCKET TABLES PARTITIONS
"""

from __future__ import annotations

import json
import math
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

import boto3

from bench.ours.aws_requests import Requests
from star_assets.lake.catalog import PartitionEntry, TableEntry
from star_assets.lake.publish import SINCE, VERSION, Commit, commit
from star_assets.lake.versions import DataFile, Identity, Manifest, Partition, ledgers_folder, new_version_id, now
from star_assets.model import Source, Star
from star_assets.orchestration.catalog_sync import CatalogSync, Tick
from star_assets.pipeline.warehouse import Warehouse
from star_assets.settings import Settings

TIMES = 3
NEVER = math.inf
COLUMNS = {"id": "int64", "name": "string", "amount": "decimal(18,4)", "updated_at": "timestamp"}


def fill(house: Warehouse, entry: TableEntry, days: list[str]) -> None:
    """Ledgers of a table's partitions, and catalog entries that serve what they say."""
    storage, version = house.storage, new_version_id()
    manifest = Manifest(version, Identity("same" * 8), now(), (DataFile("part-00000.parquet", 3, 600, ""),), (), {})
    partitions = [Partition(entry.database, entry.name, day) for day in days]
    commit(storage, [Commit(partition, manifest, None) for partition in partitions])
    house.catalog.create_database(entry.database)
    # What a publish tells of a version, in a catalog entry.
    told = {VERSION: version, SINCE: "1", "rows": "3", "size": "600", "files": "part-00000.parquet"}
    house.catalog.put_table(entry)
    house.catalog.put_partitions(
        entry.database,
        entry.name,
        [
            PartitionEntry((str(one.day),), storage.uri(one.version_folder(version)), entry.columns, told)
            for one in partitions
        ],
    )


def list_ledgers(bucket: str, entries: list[TableEntry]) -> None:
    """As boto3's users list them."""
    pages = boto3.client("s3").get_paginator("list_objects_v2")
    for entry in entries:
        prefix = f"lake/{ledgers_folder(entry.database, entry.name)}/"
        _ = [stored["ETag"] for page in pages.paginate(Bucket=bucket, Prefix=prefix) for stored in page["Contents"]]


def list_partitions(entries: list[TableEntry]) -> None:
    """The same, of Glue's partitions."""
    pages = boto3.client("glue").get_paginator("get_partitions")
    for entry in entries:
        found = pages.paginate(DatabaseName=entry.database, TableName=entry.name)
        _ = [partition["Values"] for page in found for partition in page["Partitions"]]


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def main() -> None:
    bucket, tables, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    sources = [Source(f"source_{number}", key="id", version="updated_at", columns=COLUMNS) for number in range(tables)]
    first = date(2014, 1, 1)
    house = Warehouse(Star(sources, [], []), Settings(lake=f"s3://{bucket}/lake", start_date=first))
    days = [str(first + timedelta(days=number)) for number in range(count)]
    entries = house.entries()
    for entry in entries:
        fill(house, entry, days)
    # The marks of a definition that a publish writes.
    CatalogSync().tick(house, "", NEVER)
    requests, seconds = Requests(), list[tuple[float, ...]]()
    for _ in range(TIMES):
        keeper = CatalogSync()
        tick = partial(keeper.tick, house, "", NEVER)
        seconds.append(
            (
                timed(lambda: list_ledgers(bucket, entries)),
                timed(lambda: list_partitions(entries)),
                timed(tick),
                timed(tick),
            )
        )
        assert tick() == Tick()
    pointers, partitions, whole, idle = (statistics.median(each) for each in zip(*seconds, strict=True))
    found = {"pass": whole, "both": pointers + partitions, "tick": idle, "pointers": pointers}
    counted = {"calls": requests.of(tick), "bare_calls": requests.of(lambda: list_ledgers(bucket, entries))}
    print(json.dumps({**found, **counted}))


if __name__ == "__main__":
    main()
