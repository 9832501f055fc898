"""The publish protocol: how a day moves from one version to the next.

Here: writing versions, the commit that makes them live, rollback, and pointing the
catalog at live versions. The caller reads the ledger first, then the inputs, writes
files under new version ids, audits, and commits. If a day loses the race, the caller
begins again with the ledger. Not here: computing the rows of a version (pipeline),
replacing a dimension that loses members (replacing), removing versions (vacuum).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from pathlib import Path

from star_assets.lake.catalog import (
    MADE_BY,
    OURS,
    Catalog,
    CatalogColumn,
    ColumnStatistics,
    PartitionEntry,
    TableEntry,
)
from star_assets.lake.ledger import Day, Entry, Ledger, read_day, read_days, swap
from star_assets.lake.storage import Storage, each
from star_assets.lake.versions import Manifest, Partition, parse_time, read_manifest, table_folder
from star_assets.model.days import day_of
from star_assets.model.errors import LostRace, UnknownVersion, VersionLost

# Parameters of a catalog entry: the version that it serves, the number of the swap that made
# that version live, and its files, so that a query need not list the folder. An entry without
# a version was made by somebody else.
VERSION, SINCE, FILES = "version", "since", "files"

# The catalog normally serves a version moments after its commit; after this long, it serves it late.
LATE = timedelta(minutes=2)

# The catalog entry that serves a version: a partition of a table with days, or the whole table.
Served = TableEntry | PartitionEntry


@dataclass(frozen=True)
class Commit:
    """A written version that is to become live, if the day's live version is still `seen`.

    `export` is the digest of the export that a staged day was made of.
    """

    partition: Partition
    manifest: Manifest
    seen: Entry | None
    export: str = ""


@dataclass(frozen=True)
class Live:
    """A day's live version, as the ledger names it, and its manifest."""

    entry: Entry
    manifest: Manifest


def write_version(storage: Storage, partition: Partition, manifest: Manifest, files: Sequence[Path]) -> None:
    """Move `files`, in the order of `manifest.files`, into the lake; then write the manifest. It is not live yet."""
    folder = partition.version_folder(manifest.version)
    for file, described in zip(files, manifest.files, strict=True):
        storage.adopt(file, f"{folder}/{described.name}")
    storage.write(partition.manifest(manifest.version), manifest.to_json())


def commit(
    storage: Storage, commits: Iterable[Commit], audited: Mapping[str, int] | None = None
) -> dict[Partition, bool]:
    """Make written versions live, by one swap for each ledger. Returns for each partition whether it won.

    `audited` maps each dimension that the versions were audited against to the sequence
    of its ledger that the audit read. A day loses if another version became live
    meanwhile, if vacuum may have removed the new version's files, or if a dimension
    fenced the ledger after the audit.
    """
    groups: dict[str, list[Commit]] = {}
    for one in commits:
        groups.setdefault(one.partition.ledger, []).append(one)
    won: dict[Partition, bool] = {}

    def change(group: Sequence[Commit], ledger: Ledger) -> Ledger | None:
        fenced = any(ledger.fence.get(dimension, 0) > read for dimension, read in (audited or {}).items())
        winning = {}
        for one in group:
            day = ledger.day(one.partition.key)
            # An earlier try may have made it live, if only the reply to that swap was lost.
            done = one.manifest.version in day.versions
            may_win = day.is_as(one.seen) and one.manifest.version > ledger.floor and not fenced
            won[one.partition] = done or may_win
            if may_win and not done:
                winning[one.partition.key] = (one.manifest, one.export)
        return ledger.committed(winning) if winning else None

    each(storage, lambda path: swap(storage, path, partial(change, groups[path])), groups)
    return won


def rollback(
    storage: Storage,
    catalog: Catalog,
    table: TableEntry,
    partition: Partition,
    version: str | None = None,
    check: Callable[[Manifest], None] | None = None,
) -> Day:
    """Make a past version of a day live again and serve it. Returns the day's versions.

    `version` None stands for the version that the live one replaced last. `check` may
    refuse the version by raising. A version that is live already is only served. Raises
    UnknownVersion, and LostRace if another version became live during the call.
    """
    seen = read_day(storage, partition)
    if seen.live is None or seen.live.version != version:
        manifest = past_manifest(storage, partition, seen, version)
        if check:
            check(manifest)

        def change(ledger: Ledger) -> Ledger | None:
            day = ledger.day(partition.key)
            if day.live and day.live.version == manifest.version:
                return None
            if not day.is_as(seen.live) or manifest.version not in day.versions:
                raise LostRace(partition.ledger)
            return ledger.returned(partition.key, manifest.version)

        seen = swap(storage, partition.ledger, change).day(partition.key)
        send_statistics(catalog, table, {partition: manifest})
    serve(storage, catalog, table, [partition])
    return seen


def past_manifest(storage: Storage, partition: Partition, day: Day, version: str | None) -> Manifest:
    """The manifest of a past version; `version` None: of the one that the live one replaced. Raises UnknownVersion."""
    for entry in day.past:
        older = day.live is None or entry.sequence < day.live.sequence
        if entry.version == version or (version is None and older):
            with suppress(FileNotFoundError):
                return read_manifest(storage, partition, entry.version)
    known = [entry.version for entry in day.past]
    raise UnknownVersion(partition.table, partition.name, version or "older than the live one", known)


def live_manifest(storage: Storage, partition: Partition) -> Manifest | None:
    """The manifest of the live version; None if there is none. Raises VersionLost."""
    found = live_version(storage, partition, read_day(storage, partition))
    return found.manifest if found else None


def live_version(
    storage: Storage, partition: Partition, day: Day, known: Mapping[str, Manifest] | None = None
) -> Live | None:
    """A day's live version; None if it has none. Its manifest is read unless it is in `known`. Raises VersionLost."""
    while day.live:
        try:
            version = day.live.version
            return Live(day.live, (known or {}).get(version) or read_manifest(storage, partition, version))
        except FileNotFoundError as error:
            # Vacuum removes only superseded versions. So either another version is live by now, or
            # somebody removed the file by hand.
            seen, day = day, read_day(storage, partition)
            if day.is_as(seen.live):
                path = storage.uri(partition.manifest(version))
                raise VersionLost(partition.table, partition.name, path) from error
    return None


def serve(
    storage: Storage,
    catalog: Catalog,
    table: TableEntry,
    partitions: Sequence[Partition],
    known: Iterable[Manifest] = (),
) -> list[Partition]:
    """Point the catalog at the live versions, until catalog and ledgers agree.

    `table` is the entry as the model declares it; its location, and the columns that only
    versions have, are added here. Partitions without a live version are dropped from the
    catalog. The `known` manifests are not read again. Returns the partitions with a live
    version. Raises NotOurs, VersionLost.
    """
    at_hand = {manifest.version: manifest for manifest in known}
    # A stream's day that was staged as one export leaves the catalog with its first hours.
    whole = {replace(partition, day=day_of(partition.day)) for partition in partitions if partition.day}
    gone = [partition for partition, day in read_days(storage, whole - {*partitions}).items() if day.versions]
    moved, served = [*partitions, *gone], dict[Partition, str | None]()
    while moved:
        # The catalog's entry is read before the ledger, so that a process that pauses in between
        # cannot point the table back to an older version.
        before = catalog.table(table.database, table.name)
        days = read_days(storage, moved)
        live = _look(storage, days, at_hand)
        _note_served(storage, catalog, table, days)
        _renew_late(storage, catalog, table, live)
        if table.partition_columns:
            _point_partitions(storage, catalog, table, before, live)
            pointed = True
        else:
            pointed = _point_table(storage, catalog, table, before, live)
        served |= {partition: version.entry.version if version else None for partition, version in live.items()}
        after = read_days(storage, moved)
        moved = [p for p, day in after.items() if not pointed or (day.live and day.live.version) != served[p]]
    return [partition for partition in partitions if served[partition]]


def _look(
    storage: Storage, days: Mapping[Partition, Day], known: Mapping[str, Manifest]
) -> dict[Partition, Live | None]:
    found = each(storage, lambda one: live_version(storage, *one, known), days.items())
    return dict(zip(days, found, strict=True))


def send_statistics(catalog: Catalog, table: TableEntry, manifests: Mapping[Partition, Manifest]) -> None:
    """Send the column statistics in manifests to a catalog that stores statistics."""
    if catalog.takes_statistics:
        entries = {table.values_of(p.day): _statistics(manifest) for p, manifest in manifests.items()}
        catalog.put_statistics(table.database, table.name, {key: found for key, found in entries.items() if found})


def _statistics(manifest: Manifest) -> list[ColumnStatistics]:
    """The statistics of the columns of which every value was examined."""
    return [
        ColumnStatistics(
            name.lower(),
            type_,
            manifest.rows - known["nulls"],
            known["nulls"],
            known["distinct"],
            known.get("min"),
            known.get("max"),
            known.get("longest", 0),
            known.get("average", 0.0),
            known.get("trues", 0),
        )
        for name, type_ in manifest.schema
        if "distinct" in (known := manifest.statistics.get(name, {}))
    ]


def served_entries(catalog: Catalog, table: TableEntry, days: Sequence[str | None]) -> dict[str | None, Served]:
    """The catalog's present entries of some days. Entries that others made are left out."""
    if not table.partition_columns:
        entry = catalog.table(table.database, table.name)
        return {None: entry} if entry and VERSION in entry.parameters else {}
    found = catalog.some_partitions(table.database, table.name, [table.values_of(day) for day in days])
    return {one.export: one for one in found if VERSION in one.parameters}


def _note_served(storage: Storage, catalog: Catalog, table: TableEntry, looked: Mapping[Partition, Day]) -> None:
    """Clear `unserved` on a day's past versions if the catalog serves one of them after all.

    A process that read the ledger long ago may have pointed a day back to a past version that
    vacuum had noted as unserved, and died. Queries may read that version since then.
    """
    days = {partition: day for partition, day in looked.items() if any(entry.unserved for entry in day.past)}
    served = served_entries(catalog, table, [partition.day for partition in days]) if days else {}
    again: dict[str, list[str]] = {}
    for partition, day in days.items():
        noted = {entry.version for entry in day.past if entry.unserved}
        if partition.day in served and served[partition.day].parameters[VERSION] in noted:
            again.setdefault(partition.ledger, []).append(partition.key)
    for path, keys in again.items():
        swap(storage, path, partial(Ledger.served_again, keys=keys))


def _renew_late(storage: Storage, catalog: Catalog, table: TableEntry, live: Mapping[Partition, Live | None]) -> None:
    """Write the ledgers of versions that are about to be served late again, with their content unchanged.

    The time of a table's newest ledger object is when its rows last changed for readers.
    After a crash between the commit and the catalog's update, that time is now.
    """
    before = datetime.now(UTC) - LATE
    late = {
        p: version.entry.version for p, version in live.items() if version and parse_time(version.entry.at) < before
    }
    if late:
        served = served_entries(catalog, table, [partition.day for partition in late])
        versions = {day: entry.parameters[VERSION] for day, entry in served.items()}
        behind = {partition.ledger for partition, version in late.items() if versions.get(partition.day) != version}
        each(storage, lambda path: swap(storage, path, Ledger.renewed), behind)


def _point_partitions(
    storage: Storage,
    catalog: Catalog,
    table: TableEntry,
    found: TableEntry | None,
    live: Mapping[Partition, Live | None],
) -> None:
    schemas = dict.fromkeys(_columns(version.manifest) for version in live.values() if version)
    wanted = partitioned(storage, table, found, [column for columns in schemas for column in columns])
    if wanted != found:
        catalog.put_table(wanted)
    entries = [
        PartitionEntry(
            table.values_of(partition.day),
            storage.uri(partition.version_folder(version.entry.version)),
            _columns(version.manifest),
            _parameters(version),
        )
        for partition, version in live.items()
        if version
    ]
    catalog.put_partitions(table.database, table.name, entries)
    gone = [table.values_of(partition.day) for partition, version in live.items() if not version]
    if gone:
        catalog.drop_partitions(table.database, table.name, gone)


def _point_table(
    storage: Storage,
    catalog: Catalog,
    table: TableEntry,
    found: TableEntry | None,
    live: Mapping[Partition, Live | None],
) -> bool:
    """Point a dimension's table, which has no partitions, at its live version. False if the entry is not as `found`."""
    ((partition, version),) = live.items()
    if version is None:
        if found and found.is_ours:
            catalog.drop_table(table.database, table.name)
        return True
    comments = {column.name.lower(): column.comment for column in table.columns}
    wanted = replace(
        table,
        columns=tuple(replace(one, comment=comments.get(one.name, "")) for one in _columns(version.manifest)),
        location=storage.uri(partition.version_folder(version.entry.version)),
        parameters={**table.parameters, MADE_BY: OURS, **_parameters(version)},
    )
    try:
        catalog.replace_table(found, wanted)
    except LostRace:
        return False
    return True


def partitioned(
    storage: Storage, table: TableEntry, found: TableEntry | None, columns: Iterable[CatalogColumn]
) -> TableEntry:
    """The table as declared, and after its columns those that only its versions have, in order of appearance.

    If versions have an undeclared column in several types, the table has it as text, which all types can be read as.
    """
    first = {column.name.lower(): column for column in table.columns}
    declared = set(first)
    for column in dict.fromkeys((*(found.columns if found else ()), *columns)):
        known = first.setdefault(column.name.lower(), column)
        if known.type != column.type and column.name.lower() not in declared:
            first[column.name.lower()] = replace(known, type="string")
    return replace(
        table,
        columns=tuple(replace(column, name=name) for name, column in first.items()),
        location=storage.uri(table_folder(table.database, table.name)),
        parameters={**table.parameters, MADE_BY: OURS},
    )


@lru_cache(maxsize=1000)
def _catalog_columns(schema: tuple[tuple[str, str], ...]) -> tuple[CatalogColumn, ...]:
    """The columns of a manifest's schema. Cached, because thousands of days have the same few schemas."""
    return tuple(CatalogColumn(name.lower(), type_) for name, type_ in schema)


def _columns(manifest: Manifest) -> tuple[CatalogColumn, ...]:
    return _catalog_columns(manifest.schema)


def _parameters(version: Live) -> dict[str, str]:
    """The parameters of a catalog entry, which status, drift and queries read in place of the manifest."""
    manifest = version.manifest
    return {
        VERSION: manifest.version,
        SINCE: str(version.entry.since),
        "identity": manifest.identity.made_of,
        "rows": str(manifest.rows),
        "size": str(manifest.size),
        FILES: " ".join(file.name for file in manifest.files),
    }
