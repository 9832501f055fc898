"""A version of a partition: its id, its identity, its manifest, and the paths of its files.

A partition may have any number of versions side by side. Here: the values that describe
a version, and reading its manifest. Not here: which version is live (ledger), how a
version is written and becomes live (publish), how bytes are stored (storage).
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
from star_assets.model.days import folder_of, hour_of

_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
_ID_TIME = "%Y%m%dT%H%M%S%f"
_ID = re.compile(r"\d{8}T\d{12}-[0-9a-f]{8}")

# The name, in its ledger, of the one day of a table without partitions.
LIVE = "live"

# The folder of a partition of days or hours, in a regular expression with the groups `day` and `hour`.
FOLDER = r"date=(?P<day>[^/]+)(?:/hour=(?P<hour>[^/]+))?"

# The name of a manifest in a version's folder; the `_` hides it from readers.
MANIFEST_FILE = "_manifest.json"


@dataclass(frozen=True, order=True)
class Partition:
    """A table's partition: a day; of a stream, an hour (see `model.days`); or, with no day, a whole dimension."""

    database: str
    table: str
    day: str | None = None

    @property
    def name(self) -> str:
        """The partition's name for people: `date=2023-07-01`, `date=2023-07-01/hour=14`, or `live`."""
        return folder_of(self.day) if self.day else LIVE

    @property
    def key(self) -> str:
        """The partition's day in its ledger."""
        return self.day or LIVE

    @property
    def ledger(self) -> str:
        """The path of the ledger that has the partition: for a day its month's, for a month its year's."""
        return f"{ledgers_folder(self.database, self.table)}/{ledger_of(self.day)}.json"

    @property
    def folder(self) -> str:
        """The folder of the partition's versions."""
        base = table_folder(self.database, self.table)
        return f"{base}/{folder_of(self.day)}" if self.day else base

    def version_folder(self, version: str) -> str:
        """The folder of one version's files and manifest."""
        return f"{self.folder}/v={version}"

    def manifest(self, version: str) -> str:
        """The path of a version's manifest."""
        return f"{self.version_folder(version)}/{MANIFEST_FILE}"


def ledger_of(day: str | None) -> str:
    """The name of the ledger of a day: `2023-07` for `2023-07-01` and its hours; `live` for a table without days."""
    return day.rpartition("-")[0] if day else LIVE


def found_day(match: re.Match[str]) -> str | None:
    """The day or hour that a match of FOLDER names; None where it names none."""
    return hour_of(match["day"], match["hour"]) if match["hour"] else match["day"]


def table_folder(database: str, table: str) -> str:
    """The folder of a table."""
    return f"{database}/{table}"


def ledgers_folder(database: str, table: str) -> str:
    """The folder of all ledgers of a table."""
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
    """The time at which a version id was made; None if the text is no version id of ours."""
    if _ID.fullmatch(version):
        with suppress(ValueError):
            return datetime.strptime(version.partition("-")[0], _ID_TIME).replace(tzinfo=UTC)
    return None


@dataclass(frozen=True)
class Identity:
    """A digest of all that a version was made of: two versions with the same identity have the same rows.

    Args:
        made_of: a digest of the code and of the inputs.
        histories: for a fact, a digest of its members' histories during the
            date's month; empty if the fact refers to no history.
        superseded: for a dimension, a digest of the superseded members that it
            keeps because facts use them; empty if it keeps none.
    """

    made_of: str
    histories: str = ""
    superseded: str = ""

    def to_json(self) -> dict[str, str]:
        """The fields that are not empty."""
        return {name: value for name, value in vars(self).items() if value}

    @classmethod
    def from_json(cls, found: Mapping[str, str] | str, of_day: bool = True) -> Identity:
        """The inverse of `to_json`. Lakes of the first form have a text, in which `+` begins the second part."""
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
    """The description of a version: its files, its statistics, and what it was made of.

    `inputs` names what the version was made of. `statistics` has the min and max (as
    text) and the number of NULLs of each column. `schema` has the columns and their types
    in Athena's DDL. `facts` has what the step that wrote the version reports to people
    (rows rejected, business dates, …), as JSON values.
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
        """The number of rows in all files."""
        return sum(file.rows for file in self.files)

    @property
    def size(self) -> int:
        """The number of bytes in all files."""
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
    """A version's manifest. Raises FileNotFoundError if vacuum has removed it, or if it is damaged.

    In both cases the version is lost.
    """
    path = partition.manifest(version)
    try:
        return Manifest.from_json(storage.cached(path), partition.day is not None)
    except (ValueError, KeyError, TypeError) as error:
        raise FileNotFoundError(errno.ENOENT, "It is no manifest; `star-assets repair` mends that", path) from error
