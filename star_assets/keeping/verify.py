"""`verify` finds damage: it compares each live version with its manifest and ledger, and the catalog with the ledgers.

A quick verification lists each table's folder once and compares the sizes with
those in the ledgers; it reads a manifest only where a size differs. A full one
reads every manifest and the checksum of every file. Neither changes anything.
Damage is confirmed by a second look, because another process may have published
between the first look at the ledger and at the files. Not here: the remedy for each
damage (damage), repairing it (rebuild, restore), showing it (cli).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from star_assets.keeping.damage import Damage, counted_rows, with_remedies
from star_assets.lake import day_pointers
from star_assets.lake.catalog import PartitionEntry, TableEntry
from star_assets.lake.drift import difference, out_of_step
from star_assets.lake.entries import table_entry
from star_assets.lake.ledger import Entry, Ledger, read_day, read_ledger
from star_assets.lake.publish import VERSION, served_entries
from star_assets.lake.storage import Storage, Stored, each
from star_assets.lake.versions import (
    FOLDER,
    LIVE,
    MANIFEST_FILE,
    Manifest,
    Partition,
    found_day,
    ledger_of,
    ledgers_folder,
    table_folder,
    version_time,
)
from star_assets.model.errors import LakeRefused, LedgerUnreadable
from star_assets.pipeline.context import Context
from star_assets.pipeline.stage import REJECTS_FILE

# Paths below a database's folder: a version's file, and a ledger. Other paths are not this project's, and are ignored.
_OF_VERSION = re.compile(rf"(?P<table>.+?)(?:/{FOLDER})?/v=(?P<version>[^/]+)/(?P<file>[^/]+)")
_LEDGER = re.compile(r"(?P<table>.+)/_pointers/(?P<ledger>[^/]+)\.json")

NOTHING = "nothing"


@dataclass(frozen=True)
class Verified:
    """The damages found, those of upstream tables first, and how many live versions, files and bytes were compared."""

    damages: tuple[Damage, ...] = ()
    versions: int = 0
    files: int = 0
    bytes: int = 0


@dataclass
class Folder:
    """The listing of a table's or a book's folder: its ledgers' names, and the size of each file of each version."""

    ledgers: set[str] = field(default_factory=set)
    files: dict[tuple[str | None, str], dict[str, int]] = field(default_factory=lambda: defaultdict(dict))


def verify(context: Context, quick: bool = False) -> Verified:
    """Compare the files of the star's tables and of their books with their manifests and ledgers. Changes nothing.

    With `quick` no data file is read, so damage that keeps a file's size is not found.
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
    """The catalog's tables and partitions. If the catalog cannot be read: None, and the damage that says so."""
    try:
        return [], context.catalog.snapshot([(entry.database, entry.name) for entry in entries])
    except LakeRefused as error:
        nowhere = Partition("catalog", "*")
        again = "Remove it, and `star-assets repair` makes it again, but for tables of your own."
        found = error.problem.partition(" (")[0]
        return [Damage("catalog", nowhere, error.path, "a catalog", found, remedy=again, is_repairable=False)], None


def folders_of(listed: Iterable[Stored], database: str) -> dict[str, Folder]:
    """The listed files and ledgers, by table or book."""
    found: dict[str, Folder] = defaultdict(Folder)
    for stored in listed:
        path = stored.path.removeprefix(f"{database}/")
        if match := _OF_VERSION.fullmatch(path):
            if version_time(match["version"]):
                found[match["table"]].files[found_day(match), match["version"]][match["file"]] = stored.size
        elif match := _LEDGER.fullmatch(path):
            day = day_pointers.day_of(path)
            found[match["table"]].ledgers.add(ledger_of(day) if day else match["ledger"])
    return found


def _ledgers(
    storage: Storage, database: str, table: str, names: Iterable[str]
) -> tuple[dict[str, Ledger], list[Damage]]:
    """The ledgers that can be read, by name, and a damage for each that cannot."""

    def look(name: str) -> Ledger | Damage:
        day = None if name == LIVE else f"{name}-01"
        try:
            return read_ledger(storage, f"{ledgers_folder(database, table)}/{name}.json")[0]
        except LedgerUnreadable as error:
            found = f"{error.size:,} bytes that are no ledger" if error.size else "an empty file"
            return Damage("ledger", Partition(database, table, day), error.ledger, "a ledger", found)

    ordered = sorted(names)
    looked = dict(zip(ordered, each(storage, look, ordered), strict=True))
    damages = [found for found in looked.values() if isinstance(found, Damage)]
    return {name: found for name, found in looked.items() if isinstance(found, Ledger)}, damages


def _check(storage: Storage, folder: Folder, quick: bool, live: tuple[Partition, Entry]) -> list[Damage]:
    """The damages of a live version, confirmed by a second listing; none if it was superseded meanwhile."""
    partition, entry = live
    found = list(_compared(storage, partition, entry, folder.files[partition.day, entry.version], quick))
    if not found or not read_day(storage, partition).is_as(entry):
        return []
    listed = {stored.path.rpartition("/")[2]: stored.size for stored in storage.walk(_folder(partition, entry))}
    return list(_compared(storage, partition, entry, listed, quick))


def _compared(
    storage: Storage, partition: Partition, entry: Entry, listed: Mapping[str, int], quick: bool
) -> Iterator[Damage]:
    """The differences between a version's files and its manifest, and between its manifest and its ledger entry."""
    data = sum(size for name, size in listed.items() if not name.startswith("_"))
    if quick and listed.get(MANIFEST_FILE) and data == entry.size:
        return
    damage = partial(_of_version, storage, partition, entry)
    manifest = manifest_in_lake(storage, partition, entry.version)
    if not isinstance(manifest, Manifest):
        yield damage(MANIFEST_FILE, "the manifest", manifest)
        # Without a manifest, only the total size in the ledger is left to compare with.
        if data != entry.size:
            yield damage("", f"{counted_rows(entry.rows)} in {entry.size:,} bytes", f"{data:,} bytes")
        return
    in_manifest = (manifest.version, manifest.rows, manifest.size)
    in_ledger = (entry.version, entry.rows, entry.size)
    if in_manifest != in_ledger and entry.size:
        line = "{}: {:,} rows, {:,} bytes"
        yield damage(MANIFEST_FILE, line.format(*in_ledger), line.format(*in_manifest))
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
    """The manifest, read from the lake and not from a cache; a text that describes what is there if it is not one."""
    try:
        content, _ = storage.read(partition.manifest(version))
    except FileNotFoundError:
        return NOTHING
    try:
        return Manifest.from_json(content, partition.day is not None)
    except (ValueError, KeyError, TypeError):
        return f"{len(content):,} bytes that are no manifest" if content else "an empty file"


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
    """The differences between a table in the catalog and its ledgers.

    A partition in the catalog whose month has no ledger is reported as a lost ledger.
    """
    found, partitions = served or (None, [])
    name = f"{table.database}.{table.name} in the catalog"
    if found and not found.is_ours:
        place = Partition(table.database, table.name)
        remedy = "Drop or rename it, and `star-assets repair`."
        found_instead = "a table of that name that star_assets did not make"
        yield Damage("catalog", place, name, "the star's table", found_instead, remedy=remedy, is_repairable=False)
        return
    named = {partition.day: entry for partition, entry in live.items()}
    reported = set[str]()
    for partition in out_of_step(context.storage, table, found, partitions, named):
        if partition.ledger in unread or partition.ledger in reported:
            continue
        if ledger_of(partition.day) not in ledgers:
            reported.add(partition.ledger)
            uri = context.storage.uri(partition.ledger)
            yield Damage("ledger", partition, uri, "the ledger of what the catalog serves", NOTHING)
        elif damage := _drift(context, table, partition, name):
            yield damage


def _drift(context: Context, table: TableEntry, partition: Partition, name: str) -> Damage | None:
    """The difference between a partition in the catalog and its ledger, both read again; None if they agree now."""
    live = read_day(context.storage, partition).live
    served = served_entries(context.catalog, table, [partition.day]).get(partition.day)
    if difference(context.storage, partition, served, live.version if live else None) is None:
        return None
    expected = context.storage.uri(_folder(partition, live)) if live else NOTHING
    found = f"{served.location} (version {served.parameters[VERSION]})" if served else NOTHING
    return Damage("catalog", partition, name, expected, found)
