"""MSCK REPAIR TABLE: from folders to partitions.

Here: which folders under a table's location are partitions the catalog lacks.
Over a table folder of the star, where versions lie side by side, only the live
ones: Athena would read them all. Not here: keeping the star's own tables in
step (lake/publish).
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
    """Whether versions lie side by side under a table's location, so that Athena's own MSCK would read them all."""
    folder = storage.path(entry.location or "")
    return entry.is_ours or (folder is not None and bool(_live(storage, folder)))


def repair(storage: Storage, catalog: Catalog, entry: TableEntry) -> tuple[list[str], list[str]]:
    """Register what the catalog lacks. Returns what Athena prints, and notices."""
    if entry.is_ours:
        return [], [f"{entry.name} is kept in step by star_assets; `star-assets repair` mends it."]
    folder = storage.path(entry.location or "")
    if folder is None:
        raise BadQuery(f"LOCATION {entry.location} lies outside the lake {storage.uri('')}.", "")
    live = _live(storage, folder)
    found = live or list(_folders(storage, folder, [column.name for column in entry.partition_columns]))
    known = {one.values: one.location for one in catalog.partitions(entry.database, entry.name)}
    # A version that is no longer live must not be read on, so that live ones replace what is known.
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
    """The live versions under a table folder of the star; none under any other folder."""
    database, _, table = folder.partition("/")
    if not table or "/" in table:
        return []
    return [
        ((day,), storage.uri(Partition(database, table, day).version_folder(live.version)))
        for day, live in Ledgers(storage, database, table).look().live.items()
        if day != LIVE
    ]


def _folders(storage: Storage, folder: str, keys: Sequence[str], values: tuple[str, ...] = ()) -> Iterator[Found]:
    """The `key=value/…` folders below a folder, whose keys are the partition columns in order."""
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
        f"Versions of a day lie side by side in this folder; the {count} live ones were registered. On Athena, MSCK "
        "REPAIR TABLE would read every version: use the statements that `star-assets ddl` prints. "
        "Repeat this after the next publish, or query the star's own table, which follows it."
    )
