"""Partitions and their versions: manifests, pointers, and where each lies.

A partition of a table has any number of versions side by side; its pointer says
which is live. Everything here is a value or a read. Not here: how a version
becomes the live one (publish), how bytes are kept (storage).
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from star_assets.lake.storage import Storage, Stored, each

_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
_ID_TIME = "%Y%m%dT%H%M%S%f"
_ID = re.compile(r"\d{8}T\d{12}-[0-9a-f]{8}")


@dataclass(frozen=True, order=True)
class Partition:
    """A table's partition: a day, or, with no day, a dimension's whole table."""

    database: str
    table: str
    day: str | None = None

    @property
    def name(self) -> str:
        """How people and pointer files call it: `date=2023-07-01` or `live`."""
        return f"date={self.day}" if self.day else "live"

    @property
    def pointer(self) -> str:
        """The pointer's path."""
        return f"{pointers_folder(self.database, self.table)}/{self.name}.json"

    @property
    def folder(self) -> str:
        """The folder that holds the partition's versions."""
        base = table_folder(self.database, self.table)
        return f"{base}/date={self.day}" if self.day else base

    def version_folder(self, version: str) -> str:
        """The folder that holds one version's files and manifest."""
        return f"{self.folder}/v={version}"

    def manifest(self, version: str) -> str:
        """The path of a version's manifest."""
        return f"{self.version_folder(version)}/_manifest.json"


def table_folder(database: str, table: str) -> str:
    """The folder of a table."""
    return f"{database}/{table}"


def pointers_folder(database: str, table: str) -> str:
    """The one folder that holds all pointers of a table."""
    return f"{table_folder(database, table)}/_pointers"


def now() -> str:
    """The time as the lake writes it: UTC, ISO 8601, microseconds."""
    return datetime.now(UTC).strftime(_TIME)


def parse_time(text: str) -> datetime:
    """The inverse of `now`."""
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC)


def new_version_id() -> str:
    """An id that sorts by time and that no other process makes."""
    return datetime.now(UTC).strftime(_ID_TIME) + "-" + secrets.token_hex(4)


def version_time(version: str) -> datetime | None:
    """When a version id was made; None for what is no version id of ours."""
    if _ID.fullmatch(version):
        with suppress(ValueError):
            return datetime.strptime(version.partition("-")[0], _ID_TIME).replace(tzinfo=UTC)
    return None


@dataclass(frozen=True)
class DataFile:
    """One Parquet file of a version: name within its folder, rows, size in bytes, checksum."""

    name: str
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a version is: its files, its statistics, and what it was made of.

    `identity` is a digest of everything that decides the content: inputs, code,
    settings. `statistics` holds min, max (as text) and nulls of each column.
    `schema` holds its columns and their types in Athena's DDL.
    `facts` holds what the step that wrote it wants to tell people (rows
    rejected, business dates, …), as JSON values.
    """

    version: str
    identity: str
    created_at: str
    files: tuple[DataFile, ...]
    schema: tuple[tuple[str, str], ...]
    inputs: Mapping[str, Any]
    statistics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows in all files."""
        return sum(file.rows for file in self.files)

    @property
    def size(self) -> int:
        """Bytes in all files."""
        return sum(file.size for file in self.files)

    def to_json(self) -> bytes:
        """The manifest as it is stored."""
        # Not dataclasses.asdict, which copies every value and takes longer than all else here.
        return json.dumps({**vars(self), "files": [vars(file) for file in self.files]}, default=str).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Manifest:
        """The inverse of `to_json`."""
        found = json.loads(content)
        found["files"] = tuple(DataFile(**file) for file in found["files"])
        found["schema"] = tuple((name, type_) for name, type_ in found["schema"])
        return cls(**found)


@dataclass(frozen=True)
class PointerEntry:
    """A version that is live, or was: since when, until when; its rows and its size in bytes."""

    version: str
    identity: str
    since: str
    superseded: str | None = None
    rows: int = 0
    size: int = 0


@dataclass(frozen=True)
class Pointer:
    """Which version of a partition is live, and the ones before, newest first.

    `vacuumed` is when vacuum last rewrote it: a commit that was prepared before loses the race.
    """

    live: PointerEntry | None = None
    history: tuple[PointerEntry, ...] = ()
    vacuumed: str | None = None

    def to(self, version: str, identity: str, rows: int = 0, size: int = 0) -> Pointer:
        """The pointer once `version` is live and the present one superseded."""
        moment = now()
        before = (replace(self.live, superseded=moment),) if self.live else ()
        kept = tuple(entry for entry in before + self.history if entry.version != version)
        return Pointer(PointerEntry(version, identity, moment, None, rows, size), kept)

    def left_by_rollback(self, identity: str) -> bool:
        """Whether a version of this identity was live after the live one had been made: somebody went back."""
        return self.live is not None and any(
            entry.identity == identity and entry.version > self.live.version for entry in self.history
        )

    def to_json(self) -> bytes:
        """The pointer as it is stored."""
        entries = [vars(entry) for entry in self.history]
        return json.dumps({**vars(self), "live": self.live and vars(self.live), "history": entries}).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Pointer:
        """The inverse of `to_json`."""
        found = json.loads(content)
        live = PointerEntry(**found["live"]) if found["live"] else None
        return cls(live, tuple(PointerEntry(**entry) for entry in found["history"]), found.get("vacuumed"))


def read_pointer(storage: Storage, partition: Partition) -> tuple[Pointer, str | None]:
    """A partition's pointer and its ETag; an empty one and None if there is none yet."""
    try:
        content, etag = storage.read(partition.pointer)
    except FileNotFoundError:
        return Pointer(), None
    return Pointer.from_json(content), etag


def read_manifest(storage: Storage, partition: Partition, version: str) -> Manifest:
    """A version's manifest. Raises FileNotFoundError where vacuum was faster."""
    return Manifest.from_json(storage.read(partition.manifest(version))[0])


def listed_pointers(storage: Storage, database: str, table: str) -> dict[str | None, Stored]:
    """The pointers of a table by day (None: the dimension's one), as one listing tells of them."""
    listed = storage.walk(pointers_folder(database, table))
    return {_day(stored.path.rpartition("/")[2]): stored for stored in listed if stored.path.endswith(".json")}


class Pointers:
    """All pointers of a table, kept in step by one listing: only those whose ETag changed are read."""

    def __init__(self, storage: Storage, database: str, table: str) -> None:
        self.storage, self.database, self.table = storage, database, table
        self._known: dict[str | None, tuple[Pointer, str]] = {}

    def refresh(self) -> dict[str | None, Pointer]:
        """Every pointer of the table by day (None: the dimension's one), as of now."""
        return {day: pointer for day, (pointer, _) in self.tagged().items()}

    def tagged(self) -> dict[str | None, tuple[Pointer, str]]:
        """The same, each pointer with its ETag."""
        listed = listed_pointers(self.storage, self.database, self.table)
        found = {day: known for day, known in self._known.items() if day in listed and listed[day].etag == known[1]}
        missing = [day for day in listed if day not in found]
        read = each(self.storage, lambda day: self._read(listed[day].path), missing)
        found |= {day: pointer for day, pointer in zip(missing, read, strict=True) if pointer}
        self._known = dict(sorted(found.items(), key=lambda known: str(known[0])))
        return dict(self._known)

    def _read(self, path: str) -> tuple[Pointer, str] | None:
        """A pointer and its ETag; None where it is gone since it was listed."""
        try:
            content, etag = self.storage.read(path)
        except FileNotFoundError:
            return None
        return Pointer.from_json(content), etag


def _day(pointer_file: str) -> str | None:
    name = pointer_file.removesuffix(".json")
    return name.removeprefix("date=") if name.startswith("date=") else None
