"""What must hold, whatever happens: of each swap, at every moment, and once all operations have ended their work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .explorer import Call, Rules
from .ledger import (
    DIMENSION,
    FACT,
    LEDGERS,
    LIVE,
    MONTH,
    POINTERS,
    TABLE,
    Day,
    Entry,
    Ledger,
    entry_of,
    file_of,
    members,
)

SEQUENCE = "a swap did not raise the sequence"
CARRIED = "opening a month lost versions of its day pointers"
KEPT = "an operation that is not vacuum removed a version: an update is lost"
ROLLED_BACK_FROM = "vacuum forgot a version that was rolled back from: the next run would commit it again"
ONCE = "one identity was committed twice in a row"
ROLLBACK = "a job that was running undid a rollback"
NEWER = "older inputs replaced newer ones"
NAMED = "a version that a ledger names has lost its file"
SERVED = "the catalog serves a version that has lost its file"
MEMBERS = "a live fact references a member that the live dimension lacks"
CLOSED = "a closed month loses a row"
MISSING = "a query finds a file missing"
JOIN = "a query's join loses a row"
CAUGHT_UP = "all have ended, and the catalog is behind its ledger"
CLEARED = "all have ended, and a version is still announced: facts that it lacks a member of cannot be committed"


def swapped(
    store: Mapping[str, Any], key: str, old: Ledger | None, new: Ledger, call: Call, numbered: bool
) -> str | None:
    """What a change of a ledger broke. Where the shortcut is not to number swaps, that alone is nothing broken."""
    if key not in LEDGERS.values():
        return None
    if old is None:
        return CARRIED if month_of(store).named - new.named else None
    if forgotten := {entry.id for entry in old.entries} - new.named:
        if call[0] != "vacuum":
            return KEPT
        if any(entry.id in forgotten for _, day in old.days for entry in day.rolled_back_from):
            return ROLLED_BACK_FROM
    if numbered and new.sequence <= old.sequence and new != old:
        return SEQUENCE
    committed = [(old.day(name), day.live) for name, day in new.days if day.live and day.live.id not in old.named]
    return next((broken for before, live in committed if (broken := commit(before, live, call))), None)


def commit(before: Day, live: Entry, call: Call) -> str | None:
    """What a new version of a day broke."""
    if not before.live:
        return None
    if live.identity == before.live.identity:
        return ONCE
    if before.settles(live.identity):
        return ROLLBACK
    return NEWER if call[0] == "commit_fact" and live.identity < before.live.identity else None


def month_of(store: Mapping[str, Any]) -> Ledger:
    """The month's ledger; before it is opened, its day pointers as one."""
    days = {key.removeprefix(POINTERS): day for key, day in store.items() if key.startswith(POINTERS)}
    return store.get(MONTH) or Ledger(days=tuple(days.items()))


def at_every_moment(store: Mapping[str, Any]) -> str | None:
    """What a state breaks, of the files that are needed and the members that rows reference."""
    month, table = month_of(store), store[TABLE]
    elsewhere = set(store.get("pins", ()))  # by a shortcut
    if {file_of(FACT, id) for id in month.named | elsewhere} - store.keys():
        return NAMED
    if {file_of(DIMENSION, id) for id in table.named} - store.keys():
        return NAMED
    locations = {key: served.id for key, served in store.items() if key.startswith(entry_of(""))}
    if {file_of(DIMENSION if key == entry_of(LIVE) else FACT, id) for key, id in locations.items()} - store.keys():
        return SERVED
    if any(members(day.live) - members(table.live()) for _, day in month.days if day.live):
        return MEMBERS
    for name, ids in month.pins:
        known = [members(store[file_of(DIMENSION, id)]) for id in dict(table.pins).get(name, ())]
        if known and any(members(store[file_of(FACT, id)]) - known[0] for id in ids):
            return CLOSED
    return None


def at_the_end(store: Mapping[str, Any]) -> str | None:
    """What is left undone."""
    days = [day for key in LEDGERS.values() if key in store for day in store[key].days]
    if any(store.get(entry_of(name), day.live.served) != day.live.served for name, day in days):
        return CAUGHT_UP
    return CLEARED if store[TABLE].next else None


def rules(shortcut: str | None = None) -> Rules:
    """The invariants, in a world where this shortcut is taken."""

    def swap(store: Mapping[str, Any], key: str, old: Any, new: Any, call: Call) -> str | None:
        return swapped(store, key, old, new, call, numbered=shortcut != "no-sequence")

    return Rules(swap, at_every_moment, at_the_end)
