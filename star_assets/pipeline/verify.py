"""Whether a lake is as it was written: each live version against its manifest and its ledger, the catalog against both.

Quickly, one listing of a table's folder is compared with its ledgers, which know
the bytes of each version; a manifest is read only where they differ. Otherwise
every manifest is read, and every file, to compare its checksum. Nothing is changed.
What is found to be wrong is looked at once more, because others may publish
meanwhile. Not here: what mends it (damage), mending it (rebuild, restore), who shows it (cli).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from star_assets.lake import day_pointers
from star_assets.lake.catalog import PartitionEntry, TableEntry
from star_assets.lake.drift import difference, out_of_step
from star_assets.lake.entries import table_entry
from star_assets.lake.ledger import Entry, Ledger, read_day, read_ledger
from star_assets.lake.publish import VERSION, served_entries
from star_assets.lake.storage import Storage, Stored, each
from star_assets.lake.versions import (
    LIVE,
    MANIFEST_FILE,
    Manifest,
    Partition,
    ledger_of,
    ledgers_folder,
    table_folder,
    version_time,
)
from star_assets.model.errors import LakeRefused, LedgerUnreadable
from star_assets.pipeline.context import Context
from star_assets.pipeline.damage import Damage, counted_rows, with_remedies
from star_assets.pipeline.stage import REJECTS_FILE

# A file of a version, and a ledger, below a database's folder. What lies elsewhere is somebody else's.
_OF_VERSION = re.compile(r"(?P<table>.+?)(?:/date=(?P<day>[^/]+))?/v=(?P<version>[^/]+)/(?P<file>[^/]+)")
_LEDGER = re.compile(r"(?P<table>.+)/_pointers/(?P<ledger>[^/]+)\.json")

NOTHING = "nothing"


@dataclass(frozen=True)
class Verified:
    """What was looked at, and what of it is damaged, upstream tables first."""

    damages: tuple[Damage, ...] = ()
    versions: int = 0
    files: int = 0
    bytes: int = 0


@dataclass
class Folder:
    """What one listing found of a table, or of a book: the names of its ledgers, and each version's files and sizes."""

    ledgers: set[str] = field(default_factory=set)
    files: dict[tuple[str | None, str], dict[str, int]] = field(default_factory=lambda: defaultdict(dict))


def verify(context: Context, quick: bool = False) -> Verified:
    """Compare the star's tables, and the books beside them, with what was written. Changes nothing.

    With `quick` no file is read: damage inside a file, which leaves its size as it is, stays hidden.
    """
    entries = [table_entry(context.star, table, context.storage) for table in context.star.tables.values()]
    damages, served = _catalog(context, entries)
    versions = files = size = 0
    for entry in entries:
        folders = folders_of(context.storage.walk(table_folder(entry.database, entry.name)), entry.database)
        for table, folder in sorted(folders.items()):
            ledgers, unreadable = _ledgers(context.storage, entry.database, table, folder.ledgers)
            damages += unreadable
            live = {
                Partition(entry.database, table, None if key == LIVE else key): day.live
                for ledger in ledgers.values()
                for key, day in ledger.days.items()
                if day.live
            }
            check = partial(_check, context.storage, folder, quick)
            damages += [damage for found in each(context.storage, check, live.items()) for damage in found]
            versions += len(live)
            files += sum(len(folder.files[p.day, one.version]) for p, one in live.items())
            size += sum(one.size for one in live.values())
            if table == entry.name and served is not None:
                unread = {damage.partition.ledger for damage in unreadable}
                damages += _of_catalog(context, entry, served.get((entry.database, table)), ledgers, live, unread)
    return Verified(tuple(with_remedies(context, damages)), versions, files, size)


Served = Mapping[tuple[str, str], tuple[TableEntry, list[PartitionEntry]]]


def _catalog(context: Context, entries: Iterable[TableEntry]) -> tuple[list[Damage], Served | None]:
    """What the catalog serves; None where it cannot be read, and then the damage."""
    try:
        return [], context.catalog.snapshot([(entry.database, entry.name) for entry in entries])
    except LakeRefused as error:
        nowhere = Partition("catalog", "*")
        again = "Remove it, and `star-assets repair` makes it again, but for tables of your own."
        found = error.problem.partition(" (")[0]
        return [Damage("catalog", nowhere, error.path, "a catalog", found, remedy=again, is_repairable=False)], None


def folders_of(listed: Iterable[Stored], database: str) -> dict[str, Folder]:
    """What a listing found, by table or book."""
    found: dict[str, Folder] = defaultdict(Folder)
    for stored in listed:
        path = stored.path.removeprefix(f"{database}/")
        if match := _OF_VERSION.fullmatch(path):
            if version_time(match["version"]):
                found[match["table"]].files[match["day"], match["version"]][match["file"]] = stored.size
        elif match := _LEDGER.fullmatch(path):
            day = day_pointers.day_of(path)
            found[match["table"]].ledgers.add(ledger_of(day) if day else match["ledger"])
    return found


def _ledgers(
    storage: Storage, database: str, table: str, names: Iterable[str]
) -> tuple[dict[str, Ledger], list[Damage]]:
    """The ledgers that can be read, by name, and what is wrong with the others."""

    def look(name: str) -> Ledger | Damage:
        day = None if name == LIVE else f"{name}-01"
        try:
            return read_ledger(storage, f"{ledgers_folder(database, table)}/{name}.json")[0]
        except LedgerUnreadable as error:
            found = f"{error.size:,} bytes that are none" if error.size else "an empty file"
            return Damage("ledger", Partition(database, table, day), error.ledger, "a ledger", found)

    ordered = sorted(names)
    looked = dict(zip(ordered, each(storage, look, ordered), strict=True))
    damages = [found for found in looked.values() if isinstance(found, Damage)]
    return {name: found for name, found in looked.items() if isinstance(found, Ledger)}, damages


def _check(storage: Storage, folder: Folder, quick: bool, live: tuple[Partition, Entry]) -> list[Damage]:
    """What is wrong with a live version. What seems to be is looked at again, unless it is live no more."""
    partition, entry = live
    found = list(_compared(storage, partition, entry, folder.files[partition.day, entry.version], quick))
    if not found or not read_day(storage, partition).is_as(entry):
        return []
    listed = {stored.path.rpartition("/")[2]: stored.size for stored in storage.walk(_folder(partition, entry))}
    return list(_compared(storage, partition, entry, listed, quick))


def _compared(
    storage: Storage, partition: Partition, entry: Entry, listed: Mapping[str, int], quick: bool
) -> Iterator[Damage]:
    """How a version differs from its manifest, and that from its ledger."""
    data = sum(size for name, size in listed.items() if not name.startswith("_"))
    if quick and listed.get(MANIFEST_FILE) and data == entry.size:
        return
    damage = partial(_of_version, storage, partition, entry)
    manifest = manifest_in_lake(storage, partition, entry.version)
    if not isinstance(manifest, Manifest):
        yield damage(MANIFEST_FILE, "the manifest", manifest)
        # Without it, what lies there can only be held against the ledger.
        if data != entry.size:
            yield damage("", f"{counted_rows(entry.rows)} in {entry.size:,} bytes", f"{data:,} bytes")
        return
    known, told = (manifest.version, manifest.rows, manifest.size), (entry.version, entry.rows, entry.size)
    if known != told and entry.size:
        yield damage(
            MANIFEST_FILE, "{}: {:,} rows, {:,} bytes".format(*told), "{}: {:,} rows, {:,} bytes".format(*known)
        )
    for file in manifest.files:
        expected = f"{counted_rows(file.rows)} in {file.size:,} bytes"
        if file.name not in listed:
            yield damage(file.name, expected, NOTHING, manifest)
        elif listed[file.name] != file.size:
            yield damage(file.name, expected, f"{listed[file.name]:,} bytes", manifest)
        elif not quick and (sha256 := _sha256(storage, f"{_folder(partition, entry)}/{file.name}")) != file.sha256:
            yield damage(file.name, f"SHA-256 {file.sha256}", f"SHA-256 {sha256}", manifest)
    if manifest.facts.get("rejected") and REJECTS_FILE not in listed:
        yield damage(REJECTS_FILE, f"its rejects: {counted_rows(manifest.facts['rejected'])}", NOTHING, manifest)


def _of_version(
    storage: Storage,
    partition: Partition,
    entry: Entry,
    name: str,
    expected: str,
    found: str,
    manifest: Manifest | None = None,
) -> Damage:
    path = f"{_folder(partition, entry)}/{name}" if name else _folder(partition, entry)
    return Damage("version", partition, storage.uri(path), expected, found, entry, manifest)


def manifest_in_lake(storage: Storage, partition: Partition, version: str) -> Manifest | str:
    """The manifest as it lies in the lake, past any copy; or what is found in its place."""
    try:
        content, _ = storage.read(partition.manifest(version))
    except FileNotFoundError:
        return NOTHING
    try:
        return Manifest.from_json(content, partition.day is not None)
    except (ValueError, KeyError, TypeError):
        return f"{len(content):,} bytes that are none" if content else "an empty file"


def _sha256(storage: Storage, path: str) -> str:
    try:
        return storage.sha256(path)
    except FileNotFoundError:
        return "of nothing"


def _folder(partition: Partition, entry: Entry) -> str:
    return partition.version_folder(entry.version)


def _of_catalog(
    context: Context,
    table: TableEntry,
    served: tuple[TableEntry, list[PartitionEntry]] | None,
    ledgers: Mapping[str, Ledger],
    live: Mapping[Partition, Entry],
    unread: set[str],
) -> Iterator[Damage]:
    """What the catalog serves otherwise than the ledgers say. What it serves without a ledger lacks that ledger."""
    found, partitions = served or (None, [])
    name = f"{table.database}.{table.name} in the catalog"
    if found and not found.is_ours:
        place = Partition(table.database, table.name)
        remedy = "Drop or rename it, and `star-assets repair`."
        found_instead = "somebody else's of that name"
        yield Damage("catalog", place, name, "the star's table", found_instead, remedy=remedy, is_repairable=False)
        return
    named = {partition.day: entry for partition, entry in live.items()}
    told = set[str]()
    for partition in out_of_step(context.storage, table, found, partitions, named):
        if partition.ledger in unread or partition.ledger in told:
            continue
        if ledger_of(partition.day) not in ledgers:
            told.add(partition.ledger)
            uri = context.storage.uri(partition.ledger)
            yield Damage("ledger", partition, uri, "the ledger of what the catalog serves", NOTHING)
        elif damage := _drift(context, table, partition, name):
            yield damage


def _drift(context: Context, table: TableEntry, partition: Partition, name: str) -> Damage | None:
    """How the catalog serves a partition otherwise than its ledger says, looked up again; None where it does not."""
    live = read_day(context.storage, partition).live
    served = served_entries(context.catalog, table, [partition.day]).get(partition.day)
    if difference(context.storage, partition, served, live.version if live else None) is None:
        return None
    expected = context.storage.uri(_folder(partition, live)) if live else NOTHING
    found = f"{served.location} (version {served.parameters[VERSION]})" if served else NOTHING
    return Damage("catalog", partition, name, expected, found)
