"""What can be seen of a lake while it is disturbed: answers that readers get, and every version that ever was live.

Here: processes that look all the time and write down what they saw, one JSON
object a line. Not here: whether that is right (judging).
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from star_assets.athena.embedded import EmbeddedAthena
from star_assets.lake.ledger import Ledgers
from star_assets.lake.versions import LIVE, Manifest, Partition, read_manifest
from star_assets.model.errors import AwsRefused
from star_assets.pipeline.warehouse import Warehouse

from .operations import Looked

# For each table, what tells its versions apart, in SQL that means the same to Athena
# and DuckDB. The first two are the same wherever no row is doubled.
PROBES = {
    "orders": "count(*), count(*), sum(order_id), count(status), count(updated_at)",
    "order_items": "count(*), count(*), sum(line_id), sum(order_id), sum(quantity), sum(unit_price)",
    "products": "count(*), count(*), sum(product_id), max(product_name), min(category), max(category), count(brand)",
    "brands": "count(*), count(*), min(country), max(country), min(updated_at), max(updated_at)",
    "tills": "count(*), count(DISTINCT event_id), sum(order_id), sum(quantity)",
    "dim_product": "count(*), count(DISTINCT product_id), sum(product_id), min(category), count(brand), max(country)",
    "dim_product_history": "count(*), count(DISTINCT product_sk), sum(product_id), max(valid_from), min(category)",
    "fact_sales": "count(*), count(DISTINCT sale_id), sum(order_id), sum(quantity), sum(revenue), max(product_sk)",
}

# Between two looks at everything, in seconds: many of them within what vacuum keeps.
PAUSE = 0.1

Write = Callable[[dict[str, Any]], None]


def read_on(warehouse: Warehouse, write: Write) -> Iterator[None]:
    """Ask Athena for every table, partition by partition, again and again."""
    athena = EmbeddedAthena(warehouse.storage, warehouse.catalog, threads=1)
    while True:
        for name, probe in PROBES.items():
            entry = next(entry for entry in warehouse.entries() if entry.name == name)
            table = f"{entry.database}.{name}"
            days = bool(entry.partition_columns)
            sql = f"SELECT date, {probe} FROM {table} GROUP BY date" if days else f"SELECT 'live', {probe} FROM {table}"
            seen: dict[str, Any] = {"table": name, "began": time.time()}
            try:
                rows = athena.query(sql).table
                values = zip(*(column.to_pylist() for column in rows.columns), strict=True)
                seen["rows"] = {day: plain(found) for day, *found in values}
            except Exception as error:
                seen["error"] = f"{type(error).__name__}: {error}"
            write({**seen, "ended": time.time()})
        yield
        time.sleep(PAUSE)


def watch(looked: Looked, warehouse: Warehouse, write: Write) -> Iterator[None]:
    """Look at all ledgers, again and again: write down each state of a day that is new, and each version that it names.

    `looked` is set to when the last look began, once that is over.
    """
    known: dict[tuple[str, str], Ledgers] = {}
    seen: set[tuple[Partition, object]] = set()
    databases = {entry.name: entry.database for entry in warehouse.entries()}
    with duckdb.connect(config={"threads": 1}) as connection:
        while True:
            began = time.time()
            for key in warehouse.versioned_tables():
                is_read = key[1] in databases
                found = known.setdefault(key, Ledgers(warehouse.storage, *key)).look()
                for key_, day in found.days.items():
                    partition = Partition(*key, None if key_ == LIVE else key_)
                    entries = [entry for entry in (day.live, *day.past) if entry]
                    state = tuple((one.since, one.version) for one in entries)
                    if (partition, state) in seen:
                        continue
                    write({**vars(partition), "entries": state})
                    for version in {one.version for one in entries if (partition, one.version) not in seen}:
                        write(_version(warehouse, connection, partition, version, is_read))
                        seen.add((partition, version))
                    seen.add((partition, state))
            looked.value = began
            yield
            time.sleep(PAUSE)


def _version(
    warehouse: Warehouse, connection: duckdb.DuckDBPyConnection, partition: Partition, version: str, is_read: bool
) -> dict[str, Any]:
    """What a version was made of, and what readers get of it; nothing of that where it is gone already."""
    found: dict[str, Any] = {**vars(partition), "version": version}
    with suppress(FileNotFoundError, duckdb.IOException, AwsRefused):
        manifest = read_manifest(warehouse.storage, partition, version)
        if is_read:
            files = warehouse.storage.local(paths(partition, manifest))
            query = f"SELECT {PROBES[partition.table]} FROM read_parquet({files}, hive_partitioning=false)"
            values = plain(connection.execute(query).fetchall()[0])
            found["values"] = values if values[0] != "0" else None
        found |= {"inputs": manifest.inputs, "content": manifest.facts.get("content")}
    return found


def paths(partition: Partition, manifest: Manifest) -> list[str]:
    """The paths of a version's files."""
    return [f"{partition.version_folder(manifest.version)}/{file.name}" for file in manifest.files]


def plain(values: Any) -> list[str]:
    """Values as text, the same from either engine."""
    numbers = (int, float, Decimal)
    return [f"{Decimal(value).normalize():f}" if isinstance(value, numbers) else str(value) for value in values]


def until_terminated(looks: Callable[[Write], Iterator[None]], file: Path) -> None:
    """Go on, and write down what is seen, until this process gets SIGTERM or loses its parent; then once more."""
    ended: list[int] = []
    parent = os.getppid()
    signal.signal(signal.SIGTERM, lambda number, _: ended.append(number))
    with file.open("w") as out:
        for _ in looks(lambda seen: print(json.dumps(seen), file=out)):
            if len(ended) > 1 or os.getppid() != parent:
                return
            if ended:
                ended.append(0)
