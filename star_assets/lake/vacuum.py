"""Vacuum: removing superseded versions after their retention, and orphans, which never became live.

Here: which versions to remove, and how to do it safely: first from the ledger, then
their files. Not here: how long to keep versions (settings), how a version becomes live
(publish).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import timedelta

from star_assets.lake.catalog import Catalog
from star_assets.lake.ledger import Day, Entry, Ledger, read_ledger
from star_assets.lake.storage import Storage, Stored
from star_assets.lake.versions import FOLDER, Partition, found_day, now, parse_time, table_folder, version_time
from star_assets.model.errors import LostRace

# A version that was live for less than this was left behind by a batch.
BATCH = timedelta(hours=1)

# A run may write for hours before it publishes. Scratch files that are a day old belong to no run any more.
SCRATCH_KEPT = timedelta(days=1)

# The files that a publish writes below a table's folder. Vacuum removes no others.
_WRITTEN = re.compile(rf"({FOLDER}/)?v=(?P<version>[^/]+)/(_manifest\.json|[^/]+\.parquet)")

# The files of each version, by partition and version id.
Versions = Mapping[Partition, Mapping[str, Sequence[Stored]]]


@dataclass(frozen=True)
class Vacuumed:
    """How many versions, files and bytes vacuum removed, and how many past versions wait for the retention's end."""

    versions: int = 0
    files: int = 0
    bytes: int = 0
    waiting: int = 0


def vacuum(
    storage: Storage,
    catalog: Catalog,
    tables: Sequence[tuple[str, str]],
    retention: timedelta,
    of_batches: Mapping[tuple[str, str], timedelta] | None = None,
) -> Vacuumed:
    """Remove past versions that were not served for longer than `retention`, and orphans older than that.

    `tables` are pairs (database, table). For those that are fed in batches, `of_batches` has the
    retention of versions that were live for less than BATCH. The retention of a past version begins when
    vacuum first finds that the catalog serves another one, because until then queries
    may have begun to read it. A version that the catalog still serves stays, and so does
    a version that is pinned or announced.
    """
    removed: list[Stored] = []
    waiting = 0
    for database, table in tables:
        stored = _stored(storage, database, table)
        by_ledger: dict[str, dict[Partition, Mapping[str, Sequence[Stored]]]] = defaultdict(dict)
        for partition, versions in stored.items():
            by_ledger[partition.ledger][partition] = versions
        # Ledgers are read before the catalog, so that no version is removed that the catalog is about to serve.
        ledgers = {path: read_ledger(storage, path) for path in by_ledger}
        served = _served(catalog, database, table)
        for path, (ledger, etag) in ledgers.items():
            of_batch = (of_batches or {}).get((database, table), retention)
            step = _Step(storage, ledger, by_ledger[path], served, now(), retention, of_batch)
            removed += step.take(path, etag)
            waiting += step.waiting
    storage.sweep(SCRATCH_KEPT)
    folders = {file.path.rpartition("/")[0] for file in removed}
    return Vacuumed(len(folders), len(removed), sum(file.size for file in removed), waiting)


class _Step:
    """The vacuum of the versions of one ledger."""

    def __init__(
        self,
        storage: Storage,
        ledger: Ledger,
        versions: Versions,
        served: Set[str | None] | None,
        moment: str,
        retention: timedelta,
        of_batch: timedelta,
    ) -> None:
        self.storage, self.ledger, self.versions = storage, ledger, versions
        # The locations that the catalog serves; None if the catalog does not know the table.
        self.served = served
        self.moment, self.before = moment, parse_time(moment) - retention
        self.before_of_batch = parse_time(moment) - of_batch
        self.waiting = 0

    def take(self, path: str, etag: str | None) -> list[Stored]:
        """Remove unneeded versions from the ledger, then delete their files. Returns the deleted files."""
        days = {partition.key: self._kept(partition) for partition in self.versions}
        named = {key: {*day.versions, *self._relied_on(key)} for key, day in days.items()}
        unneeded = [
            (partition, version)
            for partition, versions in self.versions.items()
            for version in sorted(versions.keys() - named[partition.key])
            if version in self.ledger.day(partition.key).versions or self._is_orphan(partition, version)
        ]
        changed = {key: day for key, day in days.items() if day != self.ledger.day(key)}
        if not unneeded and not changed:
            return []
        # A process that is about to commit one of these versions loses, because its id is not above the floor.
        floor = max([self.ledger.floor, *(version for _, version in unneeded)])
        after = replace(
            self.ledger, days={**self.ledger.days, **changed}, floor=floor, sequence=self.ledger.sequence + 1
        )
        try:
            self.storage.swap(path, after.to_json(), etag)
        except LostRace:
            return []
        removed = [file for partition, version in unneeded for file in self.versions[partition][version]]
        self.storage.delete(file.path for file in removed)
        return removed

    def _kept(self, partition: Partition) -> Day:
        """The day without past versions whose retention is over; `unserved` is set on others that are not served."""
        day, relied_on = self.ledger.day(partition.key), self._relied_on(partition.key)
        past = []
        for entry in day.past:
            in_use = entry.version in relied_on or self._is_served(partition, entry.version)
            unserved = None if in_use else entry.unserved or self._unserved(entry)
            if unserved is None or parse_time(unserved) > (self.before_of_batch if _of_batch(entry) else self.before):
                past.append(replace(entry, unserved=unserved))
        self.waiting += len(past)
        return replace(day, past=tuple(past))

    def _unserved(self, entry: Entry) -> str | None:
        """The time at which the retention begins: now, or, if no catalog knows the table, when it was superseded."""
        return entry.superseded if self.served is None else self.moment

    def _is_served(self, partition: Partition, version: str) -> bool:
        return self.served is not None and self.storage.uri(partition.version_folder(version)) in self.served

    def _relied_on(self, key: str) -> set[str]:
        """The versions of a day that are pinned or announced."""
        pinned = {pins[key] for pins in self.ledger.pins.values() if key in pins}
        return pinned | ({self.ledger.next.version} if self.ledger.next else set())

    def _is_orphan(self, partition: Partition, version: str) -> bool:
        """Whether a version that no ledger names is older than the retention, and the catalog does not serve it."""
        made = version_time(version)
        return made is not None and made <= self.before and not self._is_served(partition, version)


def _of_batch(entry: Entry) -> bool:
    """Whether another version took the place of a past one so soon that a batch may have done it."""
    return entry.superseded is not None and parse_time(entry.superseded) - parse_time(entry.at) < BATCH


def _served(catalog: Catalog, database: str, table: str) -> set[str | None] | None:
    """Every location that the catalog has for a table; None if it does not know the table."""
    found = catalog.snapshot([(database, table)]).get((database, table))
    return {found[0].location, *(partition.location for partition in found[1])} if found else None


def _stored(storage: Storage, database: str, table: str) -> dict[Partition, dict[str, list[Stored]]]:
    """The stored files of versions, by partition and version id."""
    found: dict[Partition, dict[str, list[Stored]]] = defaultdict(lambda: defaultdict(list))
    folder = table_folder(database, table)
    for stored in storage.walk(folder):
        match = _WRITTEN.fullmatch(stored.path.removeprefix(f"{folder}/"))
        if match and version_time(match["version"]):
            found[Partition(database, table, found_day(match))][match["version"]].append(stored)
    return found
