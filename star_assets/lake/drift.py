"""Keeping the catalog in step with the pointers, whoever moved them.

A catalog entry says which version it serves and which state of the pointer, by
ETag, said so. So one listing of a table's pointers tells what is behind, and only
that is read. Here: looking for what moved, comparing everything, mending what
is found. Not here: how an entry is made (publish), raw exports (pipeline).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from star_assets.lake.aws import in_batches
from star_assets.lake.catalog import Catalog, CatalogColumn, PartitionEntry, TableEntry
from star_assets.lake.publish import (
    POINTER,
    VERSION,
    Entry,
    Live,
    live_version,
    partitioned,
    serve_live,
    served_entries,
    tell_statistics,
)
from star_assets.lake.storage import Storage, Stored, each
from star_assets.lake.versions import Partition, Pointer, listed_pointers
from star_assets.model.errors import VersionLost

# Partitions that are mended at a time: what one call to Glue takes.
AT_A_TIME = 100

Found = Literal["registered", "moved", "dropped", "redefined", "crawled", "not ours", "lost"]


# The pointers of a table by day (None: the dimension's one), as last listed; None where they never were.
Listing = Mapping["str | None", Stored] | None


@dataclass(frozen=True)
class Drift:
    """What was found and done about a table (`partition` is None) or one of its partitions.

    `not ours` and `lost` (the live version's files are gone) were left as they are.
    """

    table: str
    partition: str | None
    what: Found


class Follower:
    """One table of the star, from look to look.

    A look is an iterator of steps, each with what it mended: a caller that is
    short of time stops between two of them, and goes on or begins anew later.
    """

    def __init__(self, storage: Storage, catalog: Catalog, table: TableEntry) -> None:
        self.storage, self.catalog, self.table = storage, catalog, table
        self.name = f"{table.database}.{table.name}"
        # None before the first look through all.
        self.listed: Listing = None
        self._known: dict[str | None, str] = {}

    def look(self) -> Iterator[list[Drift]]:
        """Serve what moved since the last look: one listing, and what it costs to serve that."""
        self.listed = listed_pointers(self.storage, self.table.database, self.table.name)
        yield from self._mend(self._moved(self._known))

    def look_through(self) -> Iterator[list[Drift]]:
        """Compare every partition with its pointer: a listing of each, and what it costs to mend what differs."""
        # The catalog first: what the pointers then say beyond it is behind, not about to be served.
        entry = self.catalog.table(self.table.database, self.table.name)
        if entry and not entry.is_ours:
            yield [Drift(self.name, None, "not ours")]
            return
        known, lists = dict[str | None, str](), set[tuple[CatalogColumn, ...]]()
        pages = self.catalog.pages(self.table.database, self.table.name) if entry and entry.partition_columns else ()
        for page in pages:
            known.update({one.values[0]: self._state(one.values[0], one) for one in page if VERSION in one.parameters})
            lists.update(one.columns for one in page)
            yield []
        if self.table.partition_columns:
            yield self._mend_definition(entry, sorted(lists, key=lambda columns: (len(columns), str(columns))))
        elif entry and VERSION in entry.parameters:
            known[None] = self._state(None, entry)
        self.listed = listed_pointers(self.storage, self.table.database, self.table.name)
        self._known = known
        yield from self._mend(self._moved(known))

    def _moved(self, known: Mapping[str | None, str]) -> list[str | None]:
        """The days whose pointer, as listed, is not in the known state."""
        listed = {day: stored.etag for day, stored in (self.listed or {}).items()}
        return sorted((day for day in listed.keys() | known.keys() if listed.get(day) != known.get(day)), key=str)

    def _mend(self, days: Sequence[str | None]) -> Iterator[list[Drift]]:
        listed = self.listed or {}
        for batch in in_batches(list(days), AT_A_TIME):
            yield mend_days(self.storage, self.catalog, self.table, batch)
            for day in batch:
                if day in listed:
                    self._known[day] = listed[day].etag
                else:
                    self._known.pop(day, None)

    def _state(self, day: str | None, entry: Entry) -> str:
        """The ETag of the pointer that an entry was made for; empty where it does not serve what it says."""
        folder = Partition(self.table.database, self.table.name, day).version_folder(entry.parameters[VERSION])
        return entry.parameters.get(POINTER, "") if entry.location == self.storage.uri(folder) else ""

    def _mend_definition(self, found: TableEntry | None, lists: Sequence[tuple[CatalogColumn, ...]]) -> list[Drift]:
        wanted = partitioned(self.storage, self.table, found, [column for columns in lists for column in columns])
        if wanted == found:
            return []
        self.catalog.put_table(wanted)
        return [Drift(self.name, None, "redefined" if found else "registered")]


def mend(storage: Storage, catalog: Catalog, tables: Sequence[TableEntry]) -> list[Drift]:
    """Bring the catalog in step with the pointers; what is not ours stays. Returns what was done."""
    steps = (step for table in tables for step in Follower(storage, catalog, table).look_through())
    return [drift for step in steps for drift in step]


def mend_days(storage: Storage, catalog: Catalog, table: TableEntry, days: Sequence[str | None]) -> list[Drift]:
    """Serve some days as their pointers say by now. Returns what was not served so."""
    partitions = [Partition(table.database, table.name, day) for day in days]
    served, found = served_entries(catalog, table, days), list[Drift]()
    behind: dict[Partition, Live | None] = {}
    for partition, live in zip(partitions, each(storage, partial(_live, storage), partitions), strict=True):
        if isinstance(live, VersionLost):
            found.append(Drift(f"{table.database}.{table.name}", partition.name, "lost"))
            continue
        entry = served.get(partition.day)
        what = difference(storage, partition, entry, live.manifest.version if live else None)
        if what:
            found.append(Drift(f"{table.database}.{table.name}", partition.name, what))
        # A pointer that vacuum rewrote is in another state and names the same version.
        if what or (entry and live and entry.parameters.get(POINTER) != live.etag):
            behind[partition] = live
    serve_live(storage, catalog, table, behind)
    tell_statistics(catalog, table, {partition: live.manifest for partition, live in behind.items() if live})
    return found


def out_of_step(
    storage: Storage,
    table: TableEntry,
    entry: TableEntry | None,
    partitions: Sequence[PartitionEntry],
    pointers: Mapping[str | None, Pointer],
) -> dict[Partition, Found]:
    """The partitions of `table` that the catalog, as found, does not serve as its pointers say."""
    served: dict[str | None, Entry] = {one.values[0]: one for one in partitions if VERSION in one.parameters}
    if entry and not entry.partition_columns and VERSION in entry.parameters:
        served = {None: entry}
    found: dict[Partition, Found] = {}
    for day in sorted(pointers.keys() | served.keys(), key=str):
        partition, live = Partition(table.database, table.name, day), pointers[day].live if day in pointers else None
        if what := difference(storage, partition, served.get(day), live.version if live else None):
            found[partition] = what
    return found


def difference(storage: Storage, partition: Partition, entry: Entry | None, live: str | None) -> Found | None:
    """How what the catalog serves of a partition differs from its live version; None if it does not."""
    if live is None:
        return "dropped" if entry else None
    if entry is None:
        return "registered"
    serves = (entry.parameters[VERSION], entry.location)
    return None if serves == (live, storage.uri(partition.version_folder(live))) else "moved"


def _live(storage: Storage, partition: Partition) -> Live | VersionLost | None:
    try:
        return live_version(storage, partition)
    except VersionLost as error:
        return error
