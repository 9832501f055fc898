"""MSCK REPAIR TABLE: registering the folders below a table's location as partitions.

A folder of one of the star's tables has several versions of a day. Athena would read all of them;
here only the live ones are registered. Not here: registering partitions of the star's own tables (lake/publish).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import unquote

from star_assets.lake.catalog import Catalog, PartitionEntry, TableEntry
from star_assets.lake.ledger import Ledgers
from star_assets.lake.storage import Storage
from star_assets.lake.versions import LIVE, Partition
from star_assets.model.errors import BadQuery

Found = tuple[tuple[str, ...], str]


def has_versions(storage: Storage, entry: TableEntry) -> bool:
    """Whether a table's location has several versions of a day, all of which Athena's own MSCK would read."""
    folder = storage.path(entry.location or "")
    return entry.is_ours or (folder is not None and bool(_live(storage, folder)))


def repair(storage: Storage, catalog: Catalog, entry: TableEntry) -> tuple[list[str], list[str]]:
    """Register the partitions that the catalog lacks. Returns the lines that Athena prints, and notices."""
    if entry.is_ours:
        return [], [f"{entry.name} is kept in step by star_assets; `star-assets repair` mends it."]
    folder = storage.path(entry.location or "")
    if folder is None:
        raise BadQuery(f"LOCATION {entry.location} lies outside the lake {storage.uri('')}.", "")
    live = _live(storage, folder)
    found = live or list(_folders(storage, folder, [column.name for column in entry.partition_columns]))
    known = {one.values: one.location for one in catalog.partitions(entry.database, entry.name)}
    # A known location of a version that is no longer live is replaced, too.
    lacking = [
        (values, location) for values, location in found if values not in known or (live and known[values] != location)
    ]
    catalog.put_partitions(
        entry.database, entry.name, [PartitionEntry(values, location, entry.columns) for values, location in lacking]
    )
    names = [_name(entry, values) for values, _ in lacking]
    lines = [f"Partitions not in metastore: {' '.join(f'{entry.name}:{name}' for name in names)}"] if names else []
    lines += [f"Repair: Added partition to metastore {entry.name}:{name}" for name in names]
    return lines, [_side_by_side(len(live))] if live else []


def _live(storage: Storage, folder: str) -> list[Found]:
    """The partitions and locations of the live versions in a folder of one of the star's tables; else none."""
    database, _, table = folder.partition("/")
    if not table or "/" in table:
        return []
    return [
        ((day,), storage.uri(Partition(database, table, day).version_folder(live.version)))
        for day, live in Ledgers(storage, database, table).look().live.items()
        if day != LIVE
    ]


def _folders(storage: Storage, folder: str, keys: Sequence[str], values: tuple[str, ...] = ()) -> Iterator[Found]:
    """The partitions in `key=value/…` folders below a folder, whose keys are the partition columns in order."""
    if len(values) == len(keys):
        yield values, storage.uri(folder)
        return
    for name in storage.folders(folder):
        key, is_pair, value = name.partition("=")
        if is_pair and key.lower() == keys[len(values)]:
            yield from _folders(storage, f"{folder}/{name}", keys, (*values, unquote(value)))


def _name(entry: TableEntry, values: Sequence[str]) -> str:
    return "/".join(f"{column.name}={value}" for column, value in zip(entry.partition_columns, values, strict=True))


def _side_by_side(count: int) -> str:
    return (
        f"This folder has several versions of a day; the {count} live ones were registered. On Athena, MSCK "
        "REPAIR TABLE would register every version: use the statements that `star-assets ddl` prints. "
        "Repeat this after each publish, or query the star's own table, which is kept up to date."
    )
