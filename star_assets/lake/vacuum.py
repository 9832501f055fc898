"""Removing versions that nobody needs any more: superseded long ago, or never live.

Here: which they are, and the order that makes it safe: the pointer first, then
the files. Not here: how long to keep them (settings), how a version becomes live
(publish).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from star_assets.lake.catalog import Catalog, TableEntry
from star_assets.lake.publish import mend
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


def vacuum(storage: Storage, catalog: Catalog, tables: Sequence[TableEntry], retention: timedelta) -> Vacuumed:
    """Remove versions superseded longer ago than `retention`, and those as old that were never live.

    A query that began before its version was superseded may read on for as long
    as `retention`. The catalog is mended first, so that it serves nothing that goes.
    """
    mend(storage, catalog, tables)
    before = datetime.now(timezone.utc) - retention
    removed = [
        file
        for table in tables
        for partition, versions in _stored(storage, table).items()
        for file in _vacuum(storage, partition, versions, before)
    ]
    storage.sweep(SCRATCH_KEPT)
    folders = {file.path.rpartition("/")[0] for file in removed}
    return Vacuumed(len(folders), len(removed), sum(file.size for file in removed))


def _vacuum(storage: Storage, partition: Partition, versions: Versions, before: datetime) -> Iterator[Stored]:
    pointer, etag = read_pointer(storage, partition)
    kept = tuple(entry for entry in pointer.history if parse_time(entry.superseded or now()) >= before)
    named = {entry.version for entry in (pointer.live, *kept) if entry}
    expired = {entry.version for entry in pointer.history} - named
    unneeded = {version for version in versions.keys() - named if version in expired or _is_older(version, before)}
    if not unneeded and kept == pointer.history:
        return
    # Whoever is about to commit one of these read the pointer before they were
    # listed, and loses the race to this swap; nobody else can name them again.
    vacuumed = replace(pointer, history=kept, vacuumed=now())
    try:
        storage.swap(partition.pointer, vacuumed.to_json(), etag)
    except LostRace:
        return
    for version in sorted(unneeded):
        storage.delete(file.path for file in versions[version])
        yield from versions[version]


def _is_older(version: str, moment: datetime) -> bool:
    made = version_time(version)
    return made is not None and made < moment


def _stored(storage: Storage, table: TableEntry) -> dict[Partition, dict[str, list[Stored]]]:
    """The files that were written as a version, by partition and version."""
    found: dict[Partition, dict[str, list[Stored]]] = defaultdict(lambda: defaultdict(list))
    folder = table_folder(table.database, table.name)
    for stored in storage.walk(folder):
        match = _WRITTEN.fullmatch(stored.path.removeprefix(f"{folder}/"))
        if match and version_time(match["version"]):
            found[Partition(table.database, table.name, match["day"])][match["version"]].append(stored)
    return found
