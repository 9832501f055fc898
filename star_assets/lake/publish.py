"""The publish protocol: how a partition moves from one version to the next.

Here: writing a version, the commit that makes it live, and keeping the catalog
in step with the pointers. The caller reads the pointer first, writes under a new
version id, audits, commits; once it lost the race it begins again from there, with
another id, because vacuum may have taken what lost. Not here: what is in a
version (pipeline), removing old ones (vacuum).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Literal

from star_assets.lake.catalog import MADE_BY, OURS, Catalog, CatalogColumn, PartitionEntry, TableEntry
from star_assets.lake.storage import Storage, each
from star_assets.lake.versions import (
    Manifest,
    Partition,
    Pointer,
    Pointers,
    parse_time,
    read_manifest,
    read_pointer,
    table_folder,
)
from star_assets.model.errors import LostRace, Transient, UnknownVersion, VersionLost

# The parameters that say which version a catalog entry serves, and by what files,
# so that a query lists no folder. An entry without them was put there by somebody else.
VERSION, FILES = "version", "files"

# The catalog follows a commit within moments; what it serves only so long after is late.
LATE = timedelta(minutes=2)


Found = Literal["registered", "moved", "dropped", "redefined", "not ours", "lost"]


@dataclass(frozen=True)
class Drift:
    """What `mend` found and did about a table (`partition` is None) or one of its partitions.

    `not ours` and `lost` (the live version's files are gone) were left as they are.
    """

    table: str
    partition: str | None
    what: Found


def write_version(storage: Storage, partition: Partition, manifest: Manifest, files: Sequence[Path]) -> None:
    """Take over `files`, in the order of `manifest.files`; then write the manifest. Nothing points at it yet."""
    folder = partition.version_folder(manifest.version)
    pairs = list(zip(files, manifest.files, strict=True))
    each(storage, lambda pair: storage.adopt(pair[0], f"{folder}/{pair[1].name}"), pairs)
    storage.write(partition.manifest(manifest.version), manifest.to_json())


def commit(storage: Storage, partition: Partition, manifest: Manifest, pointer: Pointer, etag: str | None) -> Pointer:
    """Make a written version live, if the pointer is still as read. Raises LostRace."""
    committed = pointer.to(manifest.version, manifest.identity, manifest.rows, manifest.size)
    try:
        storage.swap(partition.pointer, committed.to_json(), etag)
    except Transient:
        # The swap may have been done and only its reply lost.
        found, _ = read_pointer(storage, partition)
        if found.live is None or found.live.version != manifest.version:
            raise
        return found
    return committed


def serve(
    storage: Storage,
    catalog: Catalog,
    table: TableEntry,
    partitions: Sequence[Partition],
    known: Iterable[Manifest] = (),
) -> list[Partition]:
    """Point the catalog at the live versions, until catalog and pointers agree.

    `table` is as the model declares it; its location, and columns that only
    versions have, are added here. A partition without a live version leaves the
    catalog. `known` manifests, which never change, are not read again. Returns
    the partitions with a live version. Raises NotOurs, VersionLost.
    """
    at_hand = {manifest.version: manifest for manifest in known}
    served: dict[Partition, str | None] = {}
    pending = list(partitions)
    while pending:
        found = each(storage, lambda partition: live_manifest(storage, partition, at_hand), pending)
        live = dict(zip(pending, found, strict=True))
        _renew_late(storage, catalog, table, live)
        point = _point_partitions if table.partition_columns else _point_table
        point(storage, catalog, table, live)
        served.update({partition: manifest.version if manifest else None for partition, manifest in live.items()})
        now_live = each(storage, partial(_live_version, storage), partitions)
        pending = [p for p, version in zip(partitions, now_live, strict=True) if version != served[p]]
    return [partition for partition in partitions if served[partition]]


def rollback(
    storage: Storage,
    catalog: Catalog,
    table: TableEntry,
    partition: Partition,
    version: str | None = None,
    check: Callable[[Manifest], None] | None = None,
) -> Pointer:
    """Make a version of the pointer's history live again; None: the latest that is older than the live one.

    `check` may refuse the version by raising. One that is live already is only
    served. Raises UnknownVersion, LostRace: whoever asked knew another live version.
    """
    pointer, etag = read_pointer(storage, partition)
    if pointer.live is None or pointer.live.version != version:
        manifest = _manifest_to_return_to(storage, partition, pointer, version)
        if check:
            check(manifest)
        pointer = commit(storage, partition, manifest, pointer, etag)
    serve(storage, catalog, table, [partition])
    return pointer


def mend(
    storage: Storage,
    catalog: Catalog,
    tables: Sequence[TableEntry],
    known: MutableMapping[tuple[str, str], Pointers] | None = None,
) -> list[Drift]:
    """Bring the catalog in step with the pointers; what is not ours stays. Returns what was done.

    A caller that comes again passes the same `known` each time, so that only
    pointers that changed are read.
    """
    known = {} if known is None else known
    found: list[Drift] = []
    for table in tables:
        key = (table.database, table.name)
        found += _mend_table(storage, catalog, table, known.setdefault(key, Pointers(storage, *key)))
    return found


def out_of_step(
    storage: Storage,
    table: TableEntry,
    entry: TableEntry | None,
    partitions: Sequence[PartitionEntry],
    pointers: Mapping[str | None, Pointer],
) -> dict[Partition, Found]:
    """The partitions of `table` that the catalog, as found, does not serve as its pointers say."""
    live = {day: pointer.live.version for day, pointer in pointers.items() if pointer.live}
    served = _served(entry, partitions)
    found: dict[Partition, Found] = {}
    for day in sorted(live.keys() | served.keys(), key=str):
        partition = Partition(table.database, table.name, day)
        if day not in live:
            found[partition] = "dropped"
        elif day not in served:
            found[partition] = "registered"
        elif served[day] != (live[day], storage.uri(partition.version_folder(live[day]))):
            found[partition] = "moved"
    return found


def live_manifest(
    storage: Storage, partition: Partition, known: Mapping[str, Manifest] | None = None
) -> Manifest | None:
    """The manifest of the live version, unless `known` by its id, read; None if there is none. Raises VersionLost."""
    known = known or {}
    while live := read_pointer(storage, partition)[0].live:
        try:
            return known.get(live.version) or read_manifest(storage, partition, live.version)
        except FileNotFoundError as error:
            # Vacuum takes only what was superseded: either the pointer has moved, or the file was removed by hand.
            if _live_version(storage, partition) == live.version:
                path = storage.uri(partition.manifest(live.version))
                raise VersionLost(partition.table, partition.name, path) from error
    return None


def _live_version(storage: Storage, partition: Partition) -> str | None:
    live = read_pointer(storage, partition)[0].live
    return live.version if live else None


def _renew_late(
    storage: Storage, catalog: Catalog, table: TableEntry, live: Mapping[Partition, Manifest | None]
) -> None:
    """Write the pointers again, as they are, of versions that are about to be served late.

    A table's newest pointer tells when its rows changed for readers last. After a
    crash between commit and catalog, that is now.
    """
    before = datetime.now(timezone.utc) - LATE
    late = {
        p: manifest.version for p, manifest in live.items() if manifest and parse_time(manifest.created_at) < before
    }
    if late:
        key = (table.database, table.name)
        served = _served(*catalog.snapshot([key]).get(key, (None, [])))
        behind = [p for p, version in late.items() if served.get(p.day, ("",))[0] != version]
        each(storage, partial(_renew, storage), behind)


def _renew(storage: Storage, partition: Partition) -> None:
    with suppress(LostRace, FileNotFoundError):
        content, etag = storage.read(partition.pointer)
        storage.swap(partition.pointer, content, etag)


def _point_partitions(
    storage: Storage, catalog: Catalog, table: TableEntry, live: Mapping[Partition, Manifest | None]
) -> None:
    found = catalog.table(table.database, table.name)
    columns = [column for manifest in live.values() if manifest for column in _columns(manifest)]
    wanted = _partitioned(storage, table, found, columns)
    if wanted != found:
        catalog.put_table(wanted)
    entries = [
        PartitionEntry(
            (partition.day or "",),
            storage.uri(partition.version_folder(manifest.version)),
            _columns(manifest),
            _parameters(manifest),
        )
        for partition, manifest in live.items()
        if manifest
    ]
    catalog.put_partitions(table.database, table.name, entries)
    gone = [(partition.day or "",) for partition, manifest in live.items() if not manifest]
    catalog.drop_partitions(table.database, table.name, gone)


def _point_table(
    storage: Storage, catalog: Catalog, table: TableEntry, live: Mapping[Partition, Manifest | None]
) -> None:
    """A dimension has one partition, the whole table."""
    for partition, manifest in live.items():
        if manifest:
            comments = {column.name.lower(): column.comment for column in table.columns}
            wanted = replace(
                table,
                columns=tuple(replace(column, comment=comments.get(column.name, "")) for column in _columns(manifest)),
                location=storage.uri(partition.version_folder(manifest.version)),
                parameters={**table.parameters, MADE_BY: OURS, **_parameters(manifest)},
            )
            catalog.put_table(wanted)
        elif (found := catalog.table(table.database, table.name)) and found.is_ours:
            catalog.drop_table(table.database, table.name)


def _partitioned(
    storage: Storage, table: TableEntry, found: TableEntry | None, columns: Iterable[CatalogColumn]
) -> TableEntry:
    """The table as declared, with the columns that its versions have beyond that, in order of appearance.

    Of an undeclared column that versions have in several types, one is text: every other can be read as that.
    """
    first = {column.name.lower(): column for column in table.columns}
    declared = set(first)
    for column in (*(found.columns if found else ()), *columns):
        known = first.setdefault(column.name.lower(), column)
        if known.type != column.type and column.name.lower() not in declared:
            first[column.name.lower()] = replace(known, type="string")
    return replace(
        table,
        columns=tuple(replace(column, name=name) for name, column in first.items()),
        location=storage.uri(table_folder(table.database, table.name)),
        parameters={**table.parameters, MADE_BY: OURS},
    )


def _columns(manifest: Manifest) -> tuple[CatalogColumn, ...]:
    return tuple(CatalogColumn(name.lower(), type_) for name, type_ in manifest.schema)


def _parameters(manifest: Manifest) -> dict[str, str]:
    """What status, drift and queries need to know of a version without its manifest."""
    return {
        VERSION: manifest.version,
        "identity": manifest.identity,
        "rows": str(manifest.rows),
        "size": str(manifest.size),
        FILES: " ".join(file.name for file in manifest.files),
    }


def _manifest_to_return_to(storage: Storage, partition: Partition, pointer: Pointer, version: str | None) -> Manifest:
    for entry in pointer.history:
        older = pointer.live is None or entry.version < pointer.live.version
        if entry.version == version or (version is None and older):
            with suppress(FileNotFoundError):
                return read_manifest(storage, partition, entry.version)
    known = [entry.version for entry in pointer.history]
    raise UnknownVersion(partition.table, partition.name, version or "older than the live one", known)


def _mend_table(storage: Storage, catalog: Catalog, table: TableEntry, pointers: Pointers) -> list[Drift]:
    label, key = f"{table.database}.{table.name}", (table.database, table.name)
    # The catalog first: what the pointers then say beyond it is behind, not about to be served.
    entry, partitions = catalog.snapshot([key]).get(key, (None, []))
    if entry and not entry.is_ours:
        return [Drift(label, None, "not ours")]
    found = _mend_definition(storage, catalog, table, entry, partitions) if table.partition_columns else []
    mendable = []
    for partition, what in out_of_step(storage, table, entry, partitions, pointers.refresh()).items():
        try:
            live_manifest(storage, partition)
            mendable.append(partition)
            found.append(Drift(label, partition.name, what))
        except VersionLost:
            found.append(Drift(label, partition.name, "lost"))
    serve(storage, catalog, table, mendable)
    return found


def _mend_definition(
    storage: Storage,
    catalog: Catalog,
    table: TableEntry,
    found: TableEntry | None,
    partitions: Sequence[PartitionEntry],
) -> list[Drift]:
    lists = dict.fromkeys(entry.columns for entry in partitions)
    wanted = _partitioned(storage, table, found, [column for columns in lists for column in columns])
    if wanted == found:
        return []
    catalog.put_table(wanted)
    return [Drift(f"{table.database}.{table.name}", None, "redefined" if found else "registered")]


def _served(found: TableEntry | None, partitions: Sequence[PartitionEntry]) -> dict[str | None, tuple[str, str | None]]:
    """The version and location that the catalog serves for each day (None: the dimension's)."""
    entries: list[tuple[str | None, Mapping[str, str], str | None]]
    entries = [(entry.values[0], entry.parameters, entry.location) for entry in partitions]
    if found and not found.partition_columns:
        entries = [(None, found.parameters, found.location)]
    return {day: (parameters[VERSION], location) for day, parameters, location in entries if VERSION in parameters}
