"""What the processes share: ledgers as values, the names of files and of catalog entries, and the members of rows.

A version's identity is a short text. "2ab" is a fact version of export 2 whose rows reference the members a and b; a
dimension version's identity is its members, "ab". Not here: who changes a ledger, and when (operations).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

FACT, DIMENSION = "fact", "dimension"
MONTH, TABLE = "fact/_pointers/month", "dimension/_pointers/live"  # the ledgers
POINTERS = "fact/_pointers/"  # where a lake of the first form has a pointer for each day, beside the months' ledgers
LIVE = "live"  # the only "day" of a dimension
LEDGERS = {FACT: MONTH, DIMENSION: TABLE}


def file_of(table: str, id: int | None = None) -> str:
    """The file of a version; without an id, how all of a table's begin."""
    return f"{table}/v={'' if id is None else id}"


def entry_of(day: str) -> str:
    """The catalog's entry of a fact's day; of LIVE, the dimension's table."""
    return f"catalog/{day}"


def members(rows: Any) -> set[str]:
    """The members that a fact's rows reference, or that a dimension's rows are: of an identity or of an entry."""
    return {letter for letter in getattr(rows, "identity", rows) if letter.isalpha()}


class Served(NamedTuple):
    """What a catalog entry says: the version at its location, and the swap that had made it live."""

    id: int
    since: int


class Entry(NamedTuple):
    """A version in a ledger. `unserved` is the swap in which vacuum noted that the catalog does not serve it."""

    id: int
    identity: str
    seq: int = 0  # the swap that first committed it
    since: int = 0  # the swap that last made it live
    unserved: int | None = None

    @property
    def served(self) -> Served:
        """What the catalog says when it serves this version."""
        return Served(self.id, self.since)


class Day(NamedTuple):
    """A day's live version, and the ones before, the latest first."""

    live: Entry | None = None
    past: tuple[Entry, ...] = ()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The live version and the past ones."""
        return ((self.live,) if self.live else ()) + self.past

    @property
    def rolled_back_from(self) -> tuple[Entry, ...]:
        """The past versions that were committed after the live one."""
        return tuple(entry for entry in self.past if self.live and entry.seq > self.live.seq)

    def settles(self, identity: str) -> bool:
        """Whether there is nothing to commit: the identity is live, or somebody rolled back from it."""
        settled = (*self.rolled_back_from, *((self.live,) if self.live else ()))
        return any(entry.identity == identity for entry in settled)

    def past_one(self, id: int) -> Entry | None:
        """The past version with this id."""
        return next((entry for entry in self.past if entry.id == id), None)


class Announcement(NamedTuple):
    """The version announced to replace a dimension's live one; the swap that announced it tells it from another."""

    entry: Entry
    sequence: int


class Ledger(NamedTuple):
    """A month of a fact, or a dimension, in its one day LIVE."""

    sequence: int = 1
    days: tuple[tuple[str, Day], ...] = ()
    fence: int = 0
    floor: int = 0
    pins: tuple[tuple[str, tuple[int, ...]], ...] = ()
    next: Announcement | None = None

    def __str__(self) -> str:
        days = [
            f"{name}:{'<'.join(f'{entry.id}({entry.identity})' for entry in day.entries)}" for name, day in self.days
        ]
        rest = {"fence": self.fence, "floor": self.floor, "pins": self.pins, "next": self.next and self.next.entry.id}
        return f"[#{self.sequence} {' '.join([*days, *(f'{name}={value}' for name, value in rest.items() if value)])}]"

    def day(self, name: str = LIVE) -> Day:
        """What is known of a day; of a day without a version, nothing."""
        return dict(self.days).get(name) or Day()

    def live(self, name: str = LIVE) -> Entry | None:
        """A day's live version."""
        return self.day(name).live

    @property
    def entries(self) -> Iterator[Entry]:
        """All live and past versions."""
        return (entry for _, day in self.days for entry in day.entries)

    @property
    def pinned(self) -> set[int]:
        """The ids that a close has pinned."""
        return {id for _, ids in self.pins for id in ids}

    @property
    def named(self) -> set[int]:
        """All ids that the ledger has: live, past, pinned, announced."""
        return {entry.id for entry in self.entries} | self.pinned | ({self.next.entry.id} if self.next else set())

    def with_day(self, name: str, day: Day) -> Ledger:
        """The ledger with this day instead."""
        return self._replace(days=tuple(sorted({**dict(self.days), name: day}.items())))

    def with_live(self, name: str, version: Entry) -> Ledger:
        """The ledger once this version is live, a new one or one of the day's past."""
        day, number = self.day(name), self.sequence + 1
        known = day.past_one(version.id)
        live = (known or version._replace(seq=number))._replace(since=number, unserved=None)
        return self.with_day(name, Day(live, tuple(entry for entry in day.entries if entry.id != version.id)))

    def with_past(self, change: Callable[[Entry], Entry | None]) -> Ledger:
        """The ledger with each past version changed, or forgotten where `change` returns None."""
        changed = self
        for name, day in self.days:
            past = tuple(kept for entry in day.past if (kept := change(entry)))
            changed = changed.with_day(name, day._replace(past=past))
        return changed
