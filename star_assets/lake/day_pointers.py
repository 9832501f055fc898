"""Pointers of lakes of the first form: one small object for each day, in place of a month's ledger.

`_pointers/date=2023-10-01.json` names a day's live version and those before it.
They are read, and never written: the first swap of a month's ledger carries its
days over, and from then on the ledger alone counts. Not here: ledgers (ledger).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from star_assets.lake.storage import Storage
from star_assets.lake.versions import Identity, parse_time
from star_assets.model.errors import LedgerUnreadable

_POINTER = re.compile(r"(?:.*/)?date=(.+)\.json")

# What the folder storage makes of a file's ETag: its time (ns), size and inode, in hexadecimal.
_FILE_ETAG = re.compile(r"([0-9a-f]+)-[0-9a-f]+-[0-9a-f]+")


# What parsing raises of content that is no pointer, or no ledger: no JSON, or not of its form.
NO_LEDGER = (ValueError, KeyError, TypeError, AttributeError)


@dataclass(frozen=True)
class KnownVersion:
    """A version that a pointer names, with what it says of it."""

    version: str
    identity: Identity
    at: str
    rows: int
    size: int
    superseded: str | None


def day_of(path: str) -> str | None:
    """The day that a file of `_pointers` is of; None for a ledger."""
    found = _POINTER.fullmatch(path)
    return found[1] if found else None


def is_pointer(content: bytes) -> bool:
    """Whether this is a pointer, as `live.json` of a table without partitions may be."""
    return "format" not in json.loads(content)


def content_of(storage: Storage, path: str) -> bytes:
    """The content of a day's pointer. Raises LedgerUnreadable."""
    content, _ = storage.read(path)
    try:
        read(content, of_day=True)
    except NO_LEDGER as error:
        raise LedgerUnreadable(storage.uri(path), len(content)) from error
    return content


def read(content: bytes, of_day: bool) -> list[KnownVersion]:
    """The versions that a pointer names: the live one first, then those before it, last superseded first."""
    found = json.loads(content)
    return [_version(entry, of_day) for entry in (found["live"], *found["history"]) if entry]


def _version(found: Mapping[str, Any], of_day: bool) -> KnownVersion:
    identity = Identity.from_json(found["identity"], of_day)
    return KnownVersion(
        found["version"], identity, found["since"], found.get("rows", 0), found.get("size", 0), found.get("superseded")
    )


def was_live(live_at: str, etag: str, present: str | None) -> bool:
    """Whether a version that is live since `live_at` was so when its pointer had this ETag.

    Folded states of that form name ETags. A pointer's ETag in a folder holds the
    time at which it was written, right after the version's `since`; elsewhere it
    is a digest of the pointer's content, which `present` is the ETag of.
    """
    found = _FILE_ETAG.fullmatch(etag)
    if found:
        return int(found[1], 16) >= parse_time(live_at).timestamp() * 1_000_000_000
    return etag == present
