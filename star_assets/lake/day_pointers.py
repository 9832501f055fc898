"""The day pointers of lakes of the first form: one small object for each day, in place of a month's ledger.

`_pointers/date=2023-10-01.json` names a day's live version and the versions before
it. Day pointers are read and never written: the first swap of a month's ledger copies
its days from them, and from then on only the ledger counts. Not here: ledgers (ledger).
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

# The form of an ETag of the folder storage: the file's time (ns), size and inode, in hexadecimal.
_FILE_ETAG = re.compile(r"([0-9a-f]+)-[0-9a-f]+-[0-9a-f]+")


# The errors of parsing content that is neither a pointer nor a ledger: no JSON, or JSON of another form.
NO_LEDGER = (ValueError, KeyError, TypeError, AttributeError)


@dataclass(frozen=True)
class KnownVersion:
    """A version as a pointer describes it."""

    version: str
    identity: Identity
    at: str
    rows: int
    size: int
    superseded: str | None


def day_of(path: str) -> str | None:
    """The day of a day pointer in `_pointers`; None for a ledger."""
    found = _POINTER.fullmatch(path)
    return found[1] if found else None


def is_pointer(content: bytes) -> bool:
    """Whether content is a pointer and not a ledger; both may be in `live.json` of a table without partitions."""
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
    """Whether a version that is live since `live_at` was already live when its pointer had this ETag.

    States of lakes of the first form name the ETags of pointers. In a folder, a pointer's ETag
    contains the time at which the pointer was written, right after the version's `since`. In a
    bucket, the ETag is a digest of the pointer's content; `present` is the pointer's ETag now.
    """
    found = _FILE_ETAG.fullmatch(etag)
    if found:
        return int(found[1], 16) >= parse_time(live_at).timestamp() * 1_000_000_000
    return etag == present
