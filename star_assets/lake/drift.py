"""Finding and mending catalog entries that do not serve the live version.

A catalog entry names the version it serves; a ledger names the version that is live.
One listing of a table's ledgers shows which of them changed, and only those are read.
Not here: writing an entry (publish), tables over raw exports (pipeline).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from star_assets.lake.aws import in_batches
from star_assets.lake.catalog import Catalog, CatalogColumn, PartitionEntry, TableEntry
from star_assets.lake.ledger import Day, Entry, Ledgers, Snapshot, read_days
from star_assets.lake.publish import (
    VERSION,
    Live,
    Served,
    live_version,
    partitioned,
    send_statistics,
    serve,
    served_entries,
)
from star_assets.lake.storage import Storage, each
from star_assets.lake.versions import LIVE, Partition
from star_assets.model.errors import VersionLost

# Partitions that are mended at a time: what one call to Glue takes.
AT_A_TIME = 100

Found = Literal["registered", "moved", "dropped", "redefined", "crawled", "not ours", "lost"]


@dataclass(frozen=True)
class Drift:
    """A difference between catalog and ledger, of a table (`partition` is None) or of one of its partitions.

    `what` says how it was mended. `not ours` and `lost` (the live version's files are gone) were not mended.
    """

    table: str
    partition: str | None
    what: Found


class Follower:
    """Keeps the catalog entry of one table in step with its ledgers, and remembers the last look.

    A look is an iterator. Each step mends up to `AT_A_TIME` partitions and yields what it mended, so that a
    caller that is short of time can stop between two steps, and go on or begin again later.
    """

    def __init__(
        self, storage: Storage, catalog: Catalog, table: TableEntry, ledgers: Callable[[], Snapshot] | None = None
    ) -> None:
        """`ledgers` says what the table's ledgers are, as of now or of a moment ago."""
        self.storage, self.catalog, self.table = storage, catalog, table
        self.name = f"{table.database}.{table.name}"
        self.ledgers = ledgers or Ledgers(storage, table.database, table.name).look
        # The live version of each day as of the last look (key None: a table without days); None before the first look.
        self.live: Mapping[str | None, Entry] | None = None
        # The version of each day that the catalog serves.
        self._served: dict[str | None, str] = {}

    def look(self) -> Iterator[list[Drift]]:
        """Serve the days whose live version changed since the last look. Costs one listing beside that."""
        self.live = live_entries(self.ledgers())
        yield from self._mend(self._moved())

    def look_through(self, served: Mapping[str, TableEntry] | None = None) -> Iterator[list[Drift]]:
        """Compare every partition with its ledger, and mend differences. Lists the partitions and the ledgers.

        `served` are the catalog's tables of the database, by name, where the caller has them.
        """
        # Where the ledgers are older than what the catalog serves, `mend_days` reads them again.
        entry = self._entry() if served is None else served.get(self.table.name)
        if entry and not entry.is_ours:
            yield [Drift(self.name, None, "not ours")]
            return
        versions, lists = dict[str | None, str](), set[tuple[CatalogColumn, ...]]()
        # A table with other partition columns is made anew, without its partitions.
        has_pages = entry and entry.keys and entry.keys == self.table.keys
        pages = self.catalog.pages(self.table.database, self.table.name) if has_pages else ()
        for page in pages:
            versions.update({day: self._version(day, one) for day, one in _by_day(page).items()})
            lists.update(one.columns for one in page)
            yield []
        if self.table.partition_columns:
            yield self._mend_definition(entry, sorted(lists, key=lambda columns: (len(columns), str(columns))))
        elif entry and VERSION in entry.parameters:
            versions[None] = self._version(None, entry)
        self.live, self._served = live_entries(self.ledgers()), versions
        yield from self._mend(self._moved())

    def _entry(self) -> TableEntry | None:
        return self.catalog.table(self.table.database, self.table.name)

    def _moved(self) -> list[str | None]:
        """The days of which the catalog does not serve the live version."""
        live = {day: entry.version for day, entry in (self.live or {}).items()}
        days = live.keys() | self._served.keys()
        return sorted((day for day in days if live.get(day) != self._served.get(day)), key=str)

    def _mend(self, days: Sequence[str | None]) -> Iterator[list[Drift]]:
        live = self.live or {}
        for batch in in_batches(list(days), AT_A_TIME):
            yield mend_days(self.storage, self.catalog, self.table, batch)
            for day in batch:
                if day in live:
                    self._served[day] = live[day].version
                else:
                    self._served.pop(day, None)

    def _version(self, day: str | None, entry: Served) -> str:
        """The version that an entry names; empty if the entry's location is not that version's folder."""
        folder = Partition(self.table.database, self.table.name, day).version_folder(entry.parameters[VERSION])
        return entry.parameters[VERSION] if entry.location == self.storage.uri(folder) else ""

    def _mend_definition(self, found: TableEntry | None, lists: Sequence[tuple[CatalogColumn, ...]]) -> list[Drift]:
        wanted = partitioned(self.storage, self.table, found, [column for columns in lists for column in columns])
        if wanted == found:
            return []
        self.catalog.put_table(wanted)
        return [Drift(self.name, None, "redefined" if found else "registered")]


def mend(storage: Storage, catalog: Catalog, tables: Sequence[TableEntry]) -> list[Drift]:
    """Make the catalog serve what the ledgers name. Tables made by others stay as they are. Returns the differences."""
    steps = (step for table in tables for step in Follower(storage, catalog, table).look_through())
    return [drift for step in steps for drift in step]


def mend_days(storage: Storage, catalog: Catalog, table: TableEntry, days: Sequence[str | None]) -> list[Drift]:
    """Serve the live versions of some days, as their ledgers name them now. Returns the differences that were found."""
    partitions = [Partition(table.database, table.name, day) for day in days]
    served, found = served_entries(catalog, table, days), list[Drift]()
    behind: dict[Partition, Live | None] = {}
    look = each(storage, partial(_live, storage), read_days(storage, partitions).items())
    for partition, live in zip(partitions, look, strict=True):
        if isinstance(live, VersionLost):
            found.append(Drift(f"{table.database}.{table.name}", partition.name, "lost"))
            continue
        what = difference(storage, partition, served.get(partition.day), live.entry.version if live else None)
        if what:
            found.append(Drift(f"{table.database}.{table.name}", partition.name, what))
            behind[partition] = live
    manifests = {partition: live.manifest for partition, live in behind.items() if live}
    if behind:
        serve(storage, catalog, table, list(behind), manifests.values())
    send_statistics(catalog, table, manifests)
    return found


def live_entries(found: Snapshot) -> dict[str | None, Entry]:
    """The live version of each day that has one; the key None stands for a table without days."""
    return {None if key == LIVE else key: entry for key, entry in found.live.items()}


def out_of_step(
    storage: Storage,
    table: TableEntry,
    entry: TableEntry | None,
    partitions: Sequence[PartitionEntry],
    live: Mapping[str | None, Entry],
) -> dict[Partition, Found]:
    """The partitions of `table` of which the catalog does not serve the live version, each with the difference.

    `entry` and `partitions` are what the catalog has of the table; `live` is what its ledgers name.
    """
    served = _by_day(partitions)
    if entry and not entry.partition_columns and VERSION in entry.parameters:
        served = {None: entry}
    found: dict[Partition, Found] = {}
    for day in sorted(live.keys() | served.keys(), key=str):
        partition = Partition(table.database, table.name, day)
        if what := difference(storage, partition, served.get(day), live[day].version if day in live else None):
            found[partition] = what
    return found


def _by_day(partitions: Iterable[PartitionEntry]) -> dict[str | None, Served]:
    """The partitions that were made here, by day."""
    return {one.export: one for one in partitions if VERSION in one.parameters}


def difference(storage: Storage, partition: Partition, entry: Served | None, live: str | None) -> Found | None:
    """How the catalog's entry of a partition differs from its live version; None if it serves that version."""
    if live is None:
        return "dropped" if entry else None
    if entry is None:
        return "registered"
    serves = (entry.parameters[VERSION], entry.location)
    return None if serves == (live, storage.uri(partition.version_folder(live))) else "moved"


def _live(storage: Storage, found: tuple[Partition, Day]) -> Live | VersionLost | None:
    try:
        return live_version(storage, *found)
    except VersionLost as error:
        return error
