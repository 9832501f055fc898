"""Whether a lake is right once it is quiet: repaired, brought up to date, cleaned.

Here: what is held against the lake itself and against the oracle. Not here: what
was seen of it while it was disturbed (judging).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from star_assets.lake.drift import mend
from star_assets.lake.ledger import Ledgers
from star_assets.lake.vacuum import vacuum
from star_assets.lake.versions import LIVE, Partition, read_manifest
from star_assets.model.errors import MissingExport, StarError
from star_assets_tests.pipeline.comparing import differences
from star_assets_tests.pipeline.conftest import Lake
from star_assets_tests.pipeline.oracle import Oracle
from star_assets_tests.pipeline.retailers import DAYS

from .watching import paths


def settle(lake: Lake, rows: Mapping[str, Iterable[Any]], lines: str) -> Iterator[str]:
    """Repair, run, and hold every table against the oracle over the live raw `rows`. What is wrong, in words."""
    yield from _mended(lake)
    yield from _not_whole(lake)
    for table in lake.star.tables:
        for outcome in lake.refresh(table, *DAYS):
            if outcome.error and not isinstance(outcome.error, MissingExport):
                yield f"a run of {table} {outcome.day} failed: {outcome.error}"
    # What only past versions of facts used can leave the dimensions then.
    lake.tidy(*DAYS)
    yield from differences(lake, Oracle(rows, lines))
    if differing := lake.warehouse.reconcile("fact_sales", DAYS).differing:
        yield f"reconciliation finds lines unexplained on {differing}"
    again = lake.again()
    for table in again.star.tables:
        if days := again.warehouse.out_of_date(table).days:
            yield f"{table} is out of date after a run: {[*days]}"
        present = [one for one in again.refresh(table, *DAYS) if not isinstance(one.error, MissingExport)]
        changed = [outcome.day for outcome in present if outcome.status != "unchanged"]
        if changed:
            yield f"a second run changed {table} {changed}"
    yield from (f"after a run, {found}" for found in _drifts(lake))


def clean(lake: Lake) -> Iterator[str]:
    """Vacuum without retention: what is live is left, and nothing else of ours."""
    storage = lake.warehouse.storage
    tables = lake.warehouse.versioned_tables()
    vacuum(storage, lake.warehouse.catalog, tables, timedelta(0))
    storage.sweep(timedelta(0))
    kept = set()
    for partition, version in _live(lake):
        kept |= {partition.manifest(version), *paths(partition, read_manifest(storage, partition, version))}
    found = {stored.path for database in ("staging", "olap") for stored in storage.walk(database)}
    left = {path for path in found if "/_pointers/" not in path and not path.endswith("/_rejects.parquet")}
    yield from (f"vacuum left {path}" for path in sorted(left - kept))
    yield from (f"vacuum took {path}" for path in sorted(kept - left))


def _mended(lake: Lake) -> Iterator[str]:
    """A second repair finds nothing; what the first could not mend is told."""
    for found in _drifts(lake):
        if "lost" in found or "not ours" in found:
            yield found
    yield from (f"a second repair found {found}" for found in _drifts(lake))


def _drifts(lake: Lake) -> list[str]:
    found = mend(lake.warehouse.storage, lake.warehouse.catalog, lake.warehouse.entries())
    return [f"{drift.table} {drift.partition}: {drift.what}" for drift in found]


def _not_whole(lake: Lake) -> Iterator[str]:
    """Live versions without a manifest, or with files that are not those that it describes."""
    storage = lake.warehouse.storage
    for partition, version in _live(lake):
        name = f"{partition.table} {partition.name} {version}"
        try:
            manifest = read_manifest(storage, partition, version)
            files = storage.local(paths(partition, manifest))
            found = [hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in files]
        except (FileNotFoundError, StarError) as error:
            yield f"{name} is live and not whole: {error}"
            continue
        if found != [file.sha256 for file in manifest.files]:
            yield f"{name} has other files than its manifest says"
        if "rows_in" in manifest.facts and manifest.facts["rows_in"] != manifest.rows + manifest.facts["rejected"]:
            yield f"{name} has {manifest.rows} of {manifest.facts['rows_in']} rows"


def _live(lake: Lake) -> Iterator[tuple[Partition, str]]:
    for key in lake.warehouse.versioned_tables():
        for day, live in Ledgers(lake.warehouse.storage, *key).look().live.items():
            yield Partition(*key, None if day == LIVE else day), live.version
