"""Removing versions that nobody needs any more: superseded long ago, or never live.

Here: which they are, and the order that makes it safe: the pointer first, then
the files. Not here: how long to keep them (settings), how a version becomes live
(publish).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from star_assets.lake.catalog import Catalog
from star_assets.lake.storage import Storage, Stored
from star_assets.lake.versions import Partition, now, parse_time, read_pointer, table_folder, version_time
from star_assets.model.errors import LostRace

# A run may write for hours before it publishes; what it left in scratch a day ago, it left for good.
SCRATCH_KEPT = timedelta(days=1)

# What `write_version` writes, below its table's folder. Anything else is somebody else's.
_WRITTEN = re.compile(r"(date=(?P<day>[^/]+)/)?v=(?P<version>[^/]+)/(_manifest\.json|[^/]+\.parquet)")

Versions = Mapping[str, Sequence[Stored]]


@dataclass(frozen=True)
class Vacuumed:
    """What vacuum removed: versions, their files, and the files' bytes."""

    versions: int = 0
    files: int = 0
    bytes: int = 0


def vacuum(storage: Storage, catalog: Catalog, tables: Sequence[tuple[str, str]], retention: timedelta) -> Vacuumed:
    """Remove the versions superseded longer ago than `retention`, and those as old that were never live.

    Tables are given as (database, table). A query that began before its version was
    superseded may read on for as long as `retention`. What the catalog still serves stays, until it is mended.
    """
    before = datetime.now(UTC) - retention
    removed: list[Stored] = []
    for database, table in tables:
        stored = _stored(storage, database, table)
        served = _served(catalog, database, table)
        for partition, versions in stored.items():
            in_use = {v for v in versions if storage.uri(partition.version_folder(v)) in served}
            removed += _vacuum(storage, partition, versions, in_use, before)
    storage.sweep(SCRATCH_KEPT)
    folders = {file.path.rpartition("/")[0] for file in removed}
    return Vacuumed(len(folders), len(removed), sum(file.size for file in removed))


def _vacuum(
    storage: Storage, partition: Partition, versions: Versions, served: Set[str], before: datetime
) -> list[Stored]:
    """Let the pointer forget what is not needed, then delete it. Returns the files that are gone."""
    pointer, etag = read_pointer(storage, partition)
    kept = tuple(
        entry for entry in pointer.history if entry.version in served or parse_time(entry.superseded or now()) >= before
    )
    named = {entry.version for entry in (pointer.live, *kept) if entry} | served
    expired = {entry.version for entry in pointer.history} - named
    unneeded = [
        version for version in sorted(versions.keys() - named) if version in expired or _is_older(version, before)
    ]
    if not unneeded and not expired:
        return []
    # Whoever is about to commit one of these read the pointer before they were
    # listed, and loses the race to this swap; nobody else can name them again.
    vacuumed = replace(pointer, history=kept, vacuumed=now())
    try:
        storage.swap(partition.pointer, vacuumed.to_json(), etag)
    except LostRace:
        return []
    removed = [file for version in unneeded for file in versions[version]]
    storage.delete(file.path for file in removed)
    return removed


def _served(catalog: Catalog, database: str, table: str) -> set[str | None]:
    """Every location that the catalog has for a table."""
    entry, partitions = catalog.snapshot([(database, table)]).get((database, table), (None, []))
    return {entry.location if entry else None, *(partition.location for partition in partitions)}


def _is_older(version: str, moment: datetime) -> bool:
    made = version_time(version)
    return made is not None and made < moment


def _stored(storage: Storage, database: str, table: str) -> dict[Partition, dict[str, list[Stored]]]:
    """The files that were written as a version, by partition and version."""
    found: dict[Partition, dict[str, list[Stored]]] = defaultdict(lambda: defaultdict(list))
    folder = table_folder(database, table)
    for stored in storage.walk(folder):
        match = _WRITTEN.fullmatch(stored.path.removeprefix(f"{folder}/"))
        if match and version_time(match["version"]):
            found[Partition(database, table, match["day"])][match["version"]].append(stored)
    return found
