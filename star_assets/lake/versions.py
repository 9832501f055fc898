"""A version of a partition: its id, its identity, its manifest, and the paths of its files.

A partition of a table may have any number of versions side by side. This module
has values and reads alone. Not here: which version is live (ledger), how a
version becomes live (publish), how bytes are stored (storage).
"""

from __future__ import annotations

import errno
import json
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from star_assets.lake.storage import Storage

_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
_ID_TIME = "%Y%m%dT%H%M%S%f"
_ID = re.compile(r"\d{8}T\d{12}-[0-9a-f]{8}")

# The one day of a table without partitions.
LIVE = "live"


@dataclass(frozen=True, order=True)
class Partition:
    """A table's partition: a day, or, with no day, a dimension's whole table."""

    database: str
    table: str
    day: str | None = None

    @property
    def name(self) -> str:
        """How people call it: `date=2023-07-01` or `live`."""
        return f"date={self.day}" if self.day else LIVE

    @property
    def key(self) -> str:
        """The partition's day in its ledger."""
        return self.day or LIVE

    @property
    def ledger(self) -> str:
        """The path of the ledger that holds it: a day's is its month's, a month's its year's."""
        return f"{ledgers_folder(self.database, self.table)}/{ledger_of(self.day)}.json"

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


def ledger_of(day: str | None) -> str:
    """The name of the ledger that holds a day: `2023-07` of `2023-07-01`, `live` where there are no days."""
    return day.rpartition("-")[0] if day else LIVE


def table_folder(database: str, table: str) -> str:
    """The folder of a table."""
    return f"{database}/{table}"


def ledgers_folder(database: str, table: str) -> str:
    """The one folder that holds all ledgers of a table."""
    return f"{table_folder(database, table)}/_pointers"


def now() -> str:
    """The time as the lake writes it: UTC, ISO 8601, microseconds."""
    return datetime.now(UTC).strftime(_TIME)


def parse_time(text: str) -> datetime:
    """The inverse of `now`."""
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC)


def new_version_id(above: str = "") -> str:
    """An id that no other process makes; it is greater than `above`, however late this machine's clock is."""
    moment, least = datetime.now(UTC), version_time(above)
    if least and moment <= least:
        moment = least + timedelta(microseconds=1)
    return moment.strftime(_ID_TIME) + "-" + secrets.token_hex(4)


def version_time(version: str) -> datetime | None:
    """When a version id was made; None for what is no version id of ours."""
    if _ID.fullmatch(version):
        with suppress(ValueError):
            return datetime.strptime(version.partition("-")[0], _ID_TIME).replace(tzinfo=UTC)
    return None


@dataclass(frozen=True)
class Identity:
    """What decides the rows of a version: two versions with the same identity hold the same rows.

    Args:
        made_of: a digest of the code and of the inputs.
        histories: of a fact's date, a digest of what its members were in its
            month; empty where the fact refers to no history.
        superseded: of a dimension, a digest of the superseded members that it
            keeps because facts use them; empty where it keeps none.
    """

    made_of: str
    histories: str = ""
    superseded: str = ""

    def to_json(self) -> dict[str, str]:
        """The fields that are not empty."""
        return {name: value for name, value in vars(self).items() if value}

    @classmethod
    def from_json(cls, found: Mapping[str, str] | str, of_day: bool = True) -> Identity:
        """The inverse of `to_json`. Lakes of the first form hold a text, in which `+` begins the second part."""
        if isinstance(found, str):
            made_of, _, second = found.partition("+")
            return cls(made_of, histories=second) if of_day else cls(made_of, superseded=second)
        return cls(**found)


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

    `inputs` names what the version was made of. `statistics` holds min, max (as
    text) and nulls of each column. `schema` holds its columns and their types in
    Athena's DDL. `facts` holds what the step that wrote it tells people (rows
    rejected, business dates, …), as JSON values.
    """

    version: str
    identity: Identity
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
        files = [vars(file) for file in self.files]
        return json.dumps({**vars(self), "identity": self.identity.to_json(), "files": files}, default=str).encode()

    @classmethod
    def from_json(cls, content: bytes, of_day: bool = True) -> Manifest:
        """The inverse of `to_json`; `of_day` says whether it is a day's, not a dimension's."""
        found = json.loads(content)
        found["identity"] = Identity.from_json(found["identity"], of_day)
        found["files"] = tuple(DataFile(**file) for file in found["files"])
        found["schema"] = tuple((name, type_) for name, type_ in found["schema"])
        return cls(**found)


def read_manifest(storage: Storage, partition: Partition, version: str) -> Manifest:
    """A version's manifest. Raises FileNotFoundError where vacuum was faster, or where it is damaged.

    A version without a manifest that can be read is lost either way.
    """
    path = partition.manifest(version)
    try:
        return Manifest.from_json(storage.cached(path), partition.day is not None)
    except (ValueError, KeyError, TypeError) as error:
        raise FileNotFoundError(errno.ENOENT, "It is no manifest; `star-assets repair` mends that", path) from error
