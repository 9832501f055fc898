"""The ledger of a month: for each day the live version and those before it, in the order of their commits.

`_pointers/2023-10.json` is the ledger of one month of a table; `_pointers/live.json`
is the ledger of a table without partitions, with one day named `live`. A
compare-and-swap of a ledger commits all its changes at once. Every swap raises the
ledger's sequence number; versions are ordered by these numbers, not by clocks. Not
here: the steps of a publish (publish, replacing), day pointers (day_pointers).
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from hashlib import sha256
from typing import Any

from star_assets.lake import day_pointers
from star_assets.lake.storage import Storage, Stored, each
from star_assets.lake.versions import LIVE, Identity, Manifest, Partition, ledger_of, ledgers_folder, now
from star_assets.model.days import day_of
from star_assets.model.errors import LedgerContended, LedgerUnreadable, LostRace, NewerLedger, Transient

FORMAT = 1

# How often a swap of a ledger is tried. With random pauses of up to 0.4 s, eight
# writers that never rest need 2.7 tries on average, and 99 % are done after 3 s.
TRIES, LONGEST_PAUSE = 40, 0.4

# How often a request may fail without a reply before `swap` gives up; lost swaps do not count.
UNANSWERED = 4


@dataclass(frozen=True)
class Entry:
    """The live version of a day, or a past one, as a ledger describes it.

    Args:
        version: its id.
        identity: a digest of all that the version was made of.
        sequence: the number of the swap that first committed it.
        since: the number of the last swap that made it live.
        at: the time of that last swap.
        rows, size: its numbers of rows and bytes.
        export: of a staged day, a digest of the declaration and of the names and
            ETags of the raw files that it was staged from.
        superseded: when another version became live; None for the live one.
        unserved: when the catalog was first seen to serve another version.
    """

    version: str
    identity: Identity
    sequence: int
    since: int
    at: str
    rows: int = 0
    size: int = 0
    export: str = ""
    superseded: str | None = None
    unserved: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The entry as JSON values, as the ledger stores it."""
        found = {name: value for name, value in vars(self).items() if value not in (None, "")}
        return {**found, "identity": self.identity.to_json()}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Entry:
        """The inverse of `to_json`."""
        return cls(**{**found, "identity": Identity.from_json(found["identity"])})


@dataclass(frozen=True)
class Day:
    """The versions of a day: the live one, and the past ones, last superseded first.

    `left` has the identities of the versions that a rollback left. No run makes a version of
    such an identity live again, until a version of another identity has become live.
    """

    live: Entry | None = None
    past: tuple[Entry, ...] = ()
    left: tuple[Identity, ...] = ()

    @property
    def versions(self) -> list[str]:
        """The ids of the live and the past versions."""
        return [entry.version for entry in (self.live, *self.past) if entry]

    def is_as(self, live: Entry | None) -> bool:
        """Whether the live version is still `live`, and was not replaced and made live again meanwhile."""
        return (self.live and (self.live.version, self.live.since)) == (live and (live.version, live.since))

    def to_json(self) -> dict[str, Any]:
        """The day as JSON values, as the ledger stores it."""
        found: dict[str, Any] = {"live": self.live.to_json() if self.live else None}
        found |= {"past": [entry.to_json() for entry in self.past]} if self.past else {}
        return found | ({"left": [identity.to_json() for identity in self.left]} if self.left else {})

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Day:
        """The inverse of `to_json`."""
        return cls(
            Entry.from_json(found["live"]) if found["live"] else None,
            tuple(map(Entry.from_json, found.get("past", ()))),
            tuple(map(Identity.from_json, found.get("left", ()))),
        )


@dataclass(frozen=True)
class Announcement:
    """A version that is about to replace a dimension's live one, and the number of the swap that announced it.

    Two announcements of one version differ in that number: ledgers that were fenced for the
    first one are not fenced for the second.
    """

    version: str
    sequence: int


@dataclass(frozen=True)
class Ledger:
    """The content of a ledger after some swap. Methods that change it return the ledger of the next swap.

    Args:
        days: the versions of each day.
        sequence: the number of swaps so far.
        fence: by dimension, the least sequence of the dimension's ledger that a fact's
            audit must have read for the fact to commit in this ledger.
        floor: vacuum may have removed the files of any uncommitted version up to this id,
            so none of them can be committed.
        next: of a dimension, the version that was announced to replace the live one.
        pins: by name and day, the versions that vacuum must keep because somebody relies on them.
    """

    days: Mapping[str, Day] = field(default_factory=dict)
    sequence: int = 0
    fence: Mapping[str, int] = field(default_factory=dict)
    floor: str = ""
    next: Announcement | None = None
    pins: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def day(self, key: str) -> Day:
        """The versions of a day; none if the day was never published."""
        return self.days.get(key, Day())

    @property
    def live(self) -> Entry | None:
        """The live version of a table without partitions."""
        return self.day(LIVE).live

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """The live version of each day that has one, in order."""
        return {key: day.live for key, day in sorted(self.days.items()) if day.live}

    @cached_property
    def versions(self) -> dict[str, str]:
        """The id of the live version of each day that has one, in order."""
        return {key: entry.version for key, entry in self.entries.items()}

    @cached_property
    def digest(self) -> str:
        """A digest of `versions`."""
        return sha256(json.dumps(self.versions).encode()).hexdigest()

    def committed(self, versions: Mapping[str, tuple[Manifest, str]]) -> Ledger:
        """The ledger with a new live version of each given day: its manifest, and the digest of its export or ""."""
        sequence, moment, days = self.sequence + 1, now(), dict(self.days)
        # A stream's day that was staged as one export gives way to its hours.
        whole = {day_of(key) for key in versions} - versions.keys()
        days |= {key: _superseded(days[key], None, moment) for key in whole & days.keys()}
        for key, (manifest, export) in versions.items():
            live = Entry(
                manifest.version, manifest.identity, sequence, sequence, moment, manifest.rows, manifest.size, export
            )
            days[key] = _superseded(days.get(key, Day()), live, moment)
        return replace(self, days=days, sequence=sequence, next=None)

    def returned(self, key: str, version: str) -> Ledger:
        """The ledger with a past version of a day live again. The identities of later versions are added to `left`."""
        sequence, moment, day = self.sequence + 1, now(), self.day(key)
        target = next(entry for entry in day.past if entry.version == version)
        live = replace(target, since=sequence, at=moment, superseded=None, unserved=None)
        left = [entry.identity for entry in (day.live, *day.past) if entry and entry.sequence > target.sequence]
        found = replace(_superseded(day, live, moment), left=tuple(dict.fromkeys((*day.left, *left))))
        return replace(self, days={**self.days, key: found}, sequence=sequence, next=None)

    def noted(self, exports: Mapping[str, str]) -> Ledger:
        """The ledger with new digests of the exports of some days, whose content is the same under other ETags."""
        days = dict(self.days)
        for key, export in exports.items():
            live = self.day(key).live
            assert live is not None
            days[key] = replace(self.day(key), live=replace(live, export=export))
        return replace(self, days=days, sequence=self.sequence + 1)

    def announcing(self, version: str | None) -> Ledger:
        """The ledger with an announced version that is about to replace the live one; None: with no announcement."""
        sequence = self.sequence + 1
        return replace(self, next=Announcement(version, sequence) if version else None, sequence=sequence)

    def served_again(self, keys: Iterable[str]) -> Ledger:
        """The ledger without `unserved` on past versions of these days: the catalog was found to serve one of them."""
        days = dict(self.days)
        for key in keys:
            past = tuple(replace(entry, unserved=None) for entry in self.day(key).past)
            days[key] = replace(self.day(key), past=past)
        return replace(self, days=days, sequence=self.sequence + 1)

    def fenced(self, dimension: str, sequence: int) -> Ledger:
        """The ledger with a fence against facts whose audit read the dimension's ledger before this sequence."""
        least = max(sequence, self.fence.get(dimension, 0))
        return replace(self, fence={**self.fence, dimension: least}, sequence=self.sequence + 1)

    def renewed(self) -> Ledger:
        """The ledger with the next sequence and no other change, so that the stored object gets a new time."""
        return replace(self, sequence=self.sequence + 1)

    def to_json(self) -> bytes:
        """The ledger as it is stored."""
        days = {key: day.to_json() for key, day in sorted(self.days.items())}
        announced = vars(self.next) if self.next else None
        parts = {part.name: getattr(self, part.name) for part in fields(self)}
        return json.dumps({"format": FORMAT, **parts, "next": announced, "days": days}).encode()

    @classmethod
    def from_json(cls, content: bytes, uri: str) -> Ledger:
        """The inverse of `to_json`. Raises NewerLedger for a format newer than this code knows."""
        found = json.loads(content)
        if found.pop("format") > FORMAT:
            raise NewerLedger(uri)
        found["next"] = Announcement(**found["next"]) if found["next"] else None
        found["days"] = {key: Day.from_json(day) for key, day in found["days"].items()}
        return cls(**found)


def _superseded(day: Day, live: Entry | None, moment: str) -> Day:
    before = (replace(day.live, superseded=moment),) if day.live else ()
    kept = tuple(entry for entry in before + day.past if live is None or entry.version != live.version)
    return Day(live, kept)


def read_ledger(storage: Storage, path: str) -> tuple[Ledger, str | None]:
    """A ledger and its ETag. If it does not exist yet: the days of its day pointers, if any, and None.

    Raises LedgerUnreadable.
    """
    try:
        content, etag = storage.read(path)
    except FileNotFoundError:
        return _carried_over(storage, path), None
    return _ledger(content, storage.uri(path)), etag


def _ledger(content: bytes, uri: str) -> Ledger:
    try:
        return _of_pointers({LIVE: content}) if day_pointers.is_pointer(content) else Ledger.from_json(content, uri)
    except day_pointers.NO_LEDGER as error:
        raise LedgerUnreadable(uri, len(content)) from error


def _carried_over(storage: Storage, path: str) -> Ledger:
    """The first content of a ledger that does not exist yet: the days of its day pointers, or no days."""
    folder, _, file = path.removesuffix(".json").rpartition("/")
    listed = [stored for stored in storage.walk(folder) if _ledger_of_pointer(stored) == file]
    return _of_pointers(_read_pointers(storage, listed))


def _read_pointers(storage: Storage, listed: Iterable[Stored]) -> dict[str, bytes]:
    """The content of each day pointer, by day. Pointers are never removed, so a listed one can be read."""
    found = list(listed)
    read = each(storage, lambda stored: day_pointers.content_of(storage, stored.path), found)
    return {str(day_pointers.day_of(stored.path)): content for stored, content in zip(found, read, strict=True)}


def _ledger_of_pointer(stored: Stored) -> str | None:
    day = day_pointers.day_of(stored.path)
    return ledger_of(day) if day else None


def _of_pointers(pointers: Mapping[str, bytes]) -> Ledger:
    """A ledger with the versions that these day pointers name. Sequence numbers follow the order of version ids."""
    found = {key: day_pointers.read(content, key != LIVE) for key, content in pointers.items()}
    ids = sorted({known.version for versions in found.values() for known in versions})
    number = {version: place for place, version in enumerate(ids, 1)}
    days = {}
    for key, versions in found.items():
        entries = [
            Entry(**vars(known), sequence=number[known.version], since=number[known.version]) for known in versions
        ]
        live = entries[0] if entries and entries[0].superseded is None else None
        past = tuple(entries[1:] if live else entries)
        left = tuple(entry.identity for entry in past if live and entry.sequence > live.sequence)
        days[key] = Day(live, past, left)
    return Ledger(days, sequence=len(ids))


def swap(storage: Storage, path: str, change: Callable[[Ledger], Ledger | None]) -> Ledger:
    """Read a ledger, change it, and put it if it is still as read; else begin again. Returns the stored ledger.

    `change` returns None if nothing is to be changed. A swap may succeed although its reply was
    lost; then `change` is called again, and must see in the ledger that its change is made.
    Raises LedgerContended, and what the storage raises.
    """
    unanswered = 0
    for attempt in range(TRIES):
        ledger, etag = read_ledger(storage, path)
        changed = change(ledger)
        if changed is None:
            return ledger
        try:
            storage.swap(path, changed.to_json(), etag)
            return changed
        except LostRace:
            time.sleep(random.uniform(0, min(LONGEST_PAUSE, 0.005 * 2**attempt)))
        except Transient:
            unanswered += 1
            if unanswered == UNANSWERED:
                raise
    raise LedgerContended(path, TRIES)


@dataclass(frozen=True)
class Snapshot:
    """All ledgers of a table, by name, as of one listing."""

    ledgers: Mapping[str, Ledger] = field(default_factory=dict)

    def ledger(self, day: str | None) -> Ledger:
        """The ledger of a day (None: of a table without days); an empty ledger if there is none yet."""
        return self.ledgers.get(ledger_of(day), Ledger())

    def day(self, day: str | None) -> Day:
        """The versions of a day; none if the day was never published."""
        return self.ledger(day).day(day or LIVE)

    @cached_property
    def days(self) -> dict[str, Day]:
        """Every day that was ever published, in order; a table without days has one, named `live`."""
        return {key: day for _, ledger in sorted(self.ledgers.items()) for key, day in sorted(ledger.days.items())}

    @cached_property
    def live(self) -> dict[str, Entry]:
        """The live version of each day that has one, in order."""
        return {key: entry for _, ledger in sorted(self.ledgers.items()) for key, entry in ledger.entries.items()}

    @property
    def sequence(self) -> int:
        """A number that no earlier snapshot of the table exceeds."""
        return sum(ledger.sequence for ledger in self.ledgers.values())


class Ledgers:
    """Reads all ledgers of a table again and again: each look lists them, and reads those whose ETag changed."""

    def __init__(self, storage: Storage, database: str, table: str) -> None:
        self.storage, self.database, self.table = storage, database, table
        self._read: dict[str, tuple[str, Ledger]] = {}
        self._pointers: dict[str, tuple[str, bytes]] = {}
        # The result of the last look.
        self.last = Snapshot()

    def look(self) -> Snapshot:
        """The ledgers as they are now. While none of them changes, the same object is returned."""
        listed = list(self.storage.walk(ledgers_folder(self.database, self.table)))
        ledgers = {_name(stored): stored for stored in listed if day_pointers.day_of(stored.path) is None}
        pointers = [stored for stored in listed if _ledger_of_pointer(stored) not in (None, *ledgers)]
        known = {name: self._read[name] for name, stored in ledgers.items() if self._is_known(name, stored)}
        missing = [name for name in ledgers if name not in known]
        if missing or len(known) < len(self._read) or pointers:
            read = each(self.storage, lambda name: self._look_at(ledgers[name]), missing)
            known |= {name: found for name, found in zip(missing, read, strict=True) if found}
            self._read = known
            found = {name: ledger for name, (_, ledger) in known.items()}
            self.last = Snapshot({**found, **self._of_pointers(pointers)})
        return self.last

    def _is_known(self, name: str, stored: Stored) -> bool:
        return name in self._read and self._read[name][0] == stored.etag

    def _look_at(self, stored: Stored) -> tuple[str, Ledger] | None:
        """A ledger and its ETag; None if it was removed after the listing."""
        with suppress(FileNotFoundError):
            try:
                content, etag = self.storage.cached(stored.path, stored.etag), stored.etag
            except LostRace:
                content, etag = self.storage.read(stored.path)
            return etag, _ledger(content, self.storage.uri(stored.path))
        return None

    def _of_pointers(self, listed: Iterable[Stored]) -> dict[str, Ledger]:
        """The ledgers of the months that have only day pointers so far."""
        pointers = {str(day_pointers.day_of(stored.path)): stored for stored in listed}
        missing = [s for day, s in pointers.items() if self._pointers.get(day, ("",))[0] != s.etag]
        read = _read_pointers(self.storage, missing)
        self._pointers |= {day: (pointers[day].etag, content) for day, content in read.items()}
        months: dict[str, dict[str, bytes]] = {}
        for day in pointers:
            months.setdefault(ledger_of(day), {})[day] = self._pointers[day][1]
        return {name: _of_pointers(contents) for name, contents in months.items()}


def _name(stored: Stored) -> str:
    return stored.path.rpartition("/")[2].removesuffix(".json")


def read_day(storage: Storage, partition: Partition) -> Day:
    """The versions of a partition, as of now."""
    return read_ledger(storage, partition.ledger)[0].day(partition.key)


def read_days(storage: Storage, partitions: Iterable[Partition]) -> dict[Partition, Day]:
    """The versions of several partitions; each ledger is read once."""
    wanted = list(dict.fromkeys(partitions))
    paths = list(dict.fromkeys(partition.ledger for partition in wanted))
    read = each(storage, lambda path: read_ledger(storage, path)[0], paths)
    ledgers = dict(zip(paths, read, strict=True))
    return {partition: ledgers[partition.ledger].day(partition.key) for partition in wanted}
