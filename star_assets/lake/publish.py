"""The publish protocol: how a partition moves from one version to the next.

Here: writing a version, the commit that makes it live, and pointing the catalog
at it. The caller reads the pointer first, writes under a new
version id, audits, commits; once it lost the race it begins again from there, with
another id, because vacuum may have taken what lost. Not here: what is in a
version (pipeline), finding what the catalog lacks (drift), removing old ones (vacuum).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
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
from star_assets.lake.storage import Storage, each
from star_assets.lake.versions import (
    Manifest,
    Partition,
    Pointer,
    parse_time,
    read_manifest,
    read_pointer,
    table_folder,
)
from star_assets.model.errors import LostRace, Transient, UnknownVersion, VersionLost

# The parameters that say which version a catalog entry serves, by what files, so that
# a query lists no folder, and which state of the pointer, by ETag, said so. An entry
# without a version was put there by somebody else.
VERSION, FILES, POINTER = "version", "files", "pointer"

# The catalog follows a commit within moments; what it serves only so long after is late.
LATE = timedelta(minutes=2)

# What the catalog serves of a day, or (None) of a dimension.
Entry = TableEntry | PartitionEntry


@dataclass(frozen=True)
class Live:
    """A partition's live version, and the state of the pointer that says so."""

    manifest: Manifest
    etag: str


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
    return serve_live(storage, catalog, table, _look(storage, partitions, at_hand))


def serve_live(
    storage: Storage, catalog: Catalog, table: TableEntry, live: Mapping[Partition, Live | None]
) -> list[Partition]:
    """The same, where the live versions have just been looked up."""
    partitions, served = list(live), dict[Partition, str | None]()
    while live:
        _renew_late(storage, catalog, table, live)
        point = _point_partitions if table.partition_columns else _point_table
        point(storage, catalog, table, live)
        served.update({partition: found.etag if found else None for partition, found in live.items()})
        states = each(storage, partial(_state, storage), partitions)
        moved = [partition for partition, state in zip(partitions, states, strict=True) if state != served[partition]]
        live = _look(storage, moved)
    return [partition for partition in partitions if served[partition]]


def _look(
    storage: Storage, partitions: Sequence[Partition], known: Mapping[str, Manifest] | None = None
) -> dict[Partition, Live | None]:
    found = each(storage, lambda partition: live_version(storage, partition, known), partitions)
    return dict(zip(partitions, found, strict=True))


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
        tell_statistics(catalog, table, {partition: manifest})
    serve(storage, catalog, table, [partition])
    return pointer


def live_version(storage: Storage, partition: Partition, known: Mapping[str, Manifest] | None = None) -> Live | None:
    """The live version, its manifest read unless `known` by its id; None if there is none. Raises VersionLost."""
    known = known or {}
    while True:
        pointer, etag = read_pointer(storage, partition)
        if pointer.live is None or etag is None:
            return None
        try:
            version = pointer.live.version
            return Live(known.get(version) or read_manifest(storage, partition, version), etag)
        except FileNotFoundError as error:
            # Vacuum takes only what was superseded: either the pointer has moved, or the file was removed by hand.
            if _state(storage, partition) == etag:
                path = storage.uri(partition.manifest(pointer.live.version))
                raise VersionLost(partition.table, partition.name, path) from error


def live_manifest(storage: Storage, partition: Partition) -> Manifest | None:
    """The manifest of the live version; None if there is none. Raises VersionLost."""
    found = live_version(storage, partition)
    return found.manifest if found else None


def _state(storage: Storage, partition: Partition) -> str | None:
    """The ETag of a pointer that names a live version."""
    pointer, etag = read_pointer(storage, partition)
    return etag if pointer.live else None


def tell_statistics(catalog: Catalog, table: TableEntry, manifests: Mapping[Partition, Manifest]) -> None:
    """Tell the catalog what versions that it serves by now know of their columns' values, if it wants to know."""
    if catalog.takes_statistics:
        entries = {(p.day,) if p.day else (): _statistics(manifest) for p, manifest in manifests.items()}
        catalog.put_statistics(table.database, table.name, {key: found for key, found in entries.items() if found})


def _statistics(manifest: Manifest) -> list[ColumnStatistics]:
    """Of the columns whose values were all looked at."""
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


def served_entries(catalog: Catalog, table: TableEntry, days: Sequence[str | None]) -> dict[str | None, Entry]:
    """What the catalog serves of some days by now; what others put there is left out."""
    if not table.partition_columns:
        entry = catalog.table(table.database, table.name)
        return {None: entry} if entry and VERSION in entry.parameters else {}
    found = catalog.some_partitions(table.database, table.name, [(day or "",) for day in days])
    return {one.values[0]: one for one in found if VERSION in one.parameters}


def _renew_late(storage: Storage, catalog: Catalog, table: TableEntry, live: Mapping[Partition, Live | None]) -> None:
    """Write the pointers again, as they are, of versions that are about to be served late.

    A table's newest pointer tells when its rows changed for readers last. After a
    crash between commit and catalog, that is now.
    """
    before = datetime.now(UTC) - LATE
    manifests = {partition: version.manifest for partition, version in live.items() if version}
    late = {p: manifest.version for p, manifest in manifests.items() if parse_time(manifest.created_at) < before}
    if late:
        served = served_entries(catalog, table, [partition.day for partition in late])
        versions = {day: entry.parameters[VERSION] for day, entry in served.items()}
        behind = [partition for partition, version in late.items() if versions.get(partition.day) != version]
        each(storage, partial(_renew, storage), behind)


def _renew(storage: Storage, partition: Partition) -> None:
    with suppress(LostRace, FileNotFoundError):
        content, etag = storage.read(partition.pointer)
        storage.swap(partition.pointer, content, etag)


def _point_partitions(
    storage: Storage, catalog: Catalog, table: TableEntry, live: Mapping[Partition, Live | None]
) -> None:
    found = catalog.table(table.database, table.name)
    columns = [column for version in live.values() if version for column in _columns(version.manifest)]
    wanted = partitioned(storage, table, found, columns)
    if wanted != found:
        catalog.put_table(wanted)
    entries = [
        PartitionEntry(
            (partition.day or "",),
            storage.uri(partition.version_folder(version.manifest.version)),
            _columns(version.manifest),
            _parameters(version),
        )
        for partition, version in live.items()
        if version
    ]
    catalog.put_partitions(table.database, table.name, entries)
    gone = [(partition.day or "",) for partition, version in live.items() if not version]
    catalog.drop_partitions(table.database, table.name, gone)


def _point_table(storage: Storage, catalog: Catalog, table: TableEntry, live: Mapping[Partition, Live | None]) -> None:
    """A dimension has one partition, the whole table."""
    for partition, version in live.items():
        if version:
            manifest = version.manifest
            comments = {column.name.lower(): column.comment for column in table.columns}
            wanted = replace(
                table,
                columns=tuple(replace(column, comment=comments.get(column.name, "")) for column in _columns(manifest)),
                location=storage.uri(partition.version_folder(manifest.version)),
                parameters={**table.parameters, MADE_BY: OURS, **_parameters(version)},
            )
            catalog.put_table(wanted)
        elif (found := catalog.table(table.database, table.name)) and found.is_ours:
            catalog.drop_table(table.database, table.name)


def partitioned(
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


def _parameters(version: Live) -> dict[str, str]:
    """What status, drift and queries need to know of a version without its manifest."""
    manifest = version.manifest
    return {
        VERSION: manifest.version,
        POINTER: version.etag,
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
