"""The operations of the protocol, each as a process whose requests are its steps, and the shortcuts they could take.

`docs/protocol.md` lists the same steps. A shortcut is one that somebody may be tempted to take: `takes(name)` asks
whether this is a world where it is taken (shortcuts). Without any, this is the protocol. Facts need members of a
dimension; "follow" is to make the catalog say what the ledger says.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import Any

from .explorer import OK, Await, Call, Delete, Fail, Get, List, Put, Running, Steps, Swap, Write
from .ledger import (
    DIMENSION,
    FACT,
    LEDGERS,
    LIVE,
    MONTH,
    POINTERS,
    TABLE,
    Announcement,
    Entry,
    Ledger,
    entry_of,
    file_of,
    members,
)

# What retention outlasts: two followers, one after the other, and a query. The model has no clock: a retention has
# passed once those that were running have ended, three times over.
BRIEF = ("query", "follow_fact", "follow_dimension")
RETENTION = 3

Part = Generator[Any, Any, Any]  # some steps of an operation, and what they come to
PINS = "pins"  # where the shortcut keeps them


class Operations:
    """Every operation, in a world where one shortcut is taken or none."""

    def __init__(self, shortcut: str | None = None) -> None:
        self.shortcut = shortcut

    def takes(self, shortcut: str) -> bool:
        """Whether this shortcut is taken."""
        return self.shortcut == shortcut

    # Ledgers.

    def numbered(self, ledger: Ledger) -> Ledger:
        """The ledger as it is swapped in: with the next sequence number, so that no ETag recurs."""
        return ledger if self.takes("no-sequence") else ledger._replace(sequence=ledger.sequence + 1)

    def change(self, key: str, edit: Callable[[Ledger], Ledger]) -> Part:
        """Swap in what `edit` makes of a ledger, from the beginning again after a conflict or without a reply.

        `edit` leaves the ledger as it is where there is nothing to do, or where it has been done.
        """
        while True:
            ledger = yield Get(key)
            edited = edit(ledger)
            if edited == ledger:
                return ledger
            if (yield Swap(key, ledger, self.numbered(edited))) == OK:
                return self.numbered(edited)

    def open_month(self, days: tuple[str, ...]) -> Part:
        """The month's ledger. The first who asks makes it, of all day pointers that a lake of the first form has."""
        while not (ledger := (yield Get(MONTH))):
            made = Ledger()
            for pointer in (yield List(POINTERS)):
                day = pointer.removeprefix(POINTERS)
                if day in days or (pointer != MONTH and not self.takes("migrate-own-days")):
                    made = made.with_day(day, (yield Get(pointer)))
            if self.takes("month-at-commit"):
                return made
            yield Put(MONTH, made) if self.takes("migrate-unconditionally") else Swap(MONTH, None, made)
        return ledger

    def table(self) -> Part:
        """The dimension's ledger."""
        return (yield Get(TABLE))

    # Facts.

    def commit_fact(self, *days: str) -> Steps:
        """Build, audit and commit a batch of days; go on with following, then with the days that lost their race."""
        early = (yield from self.inputs(days)) if self.takes("inputs-before-ledger") else {}
        ledger = yield from self.open_month(days)
        dimension = yield Get(TABLE)
        inputs = early or (yield from self.inputs(days))
        made = {}
        for day in days:
            if not ledger.day(day).settles(inputs[day]):
                made[day] = Entry((yield Write(file_of(FACT), inputs[day])), inputs[day])
        if not self.passes(dimension, made):
            return None
        if made:
            yield from self.serve(dimension)
            if self.takes("check-without-fence") and not self.passes((yield Get(TABLE)), made):
                return None
            ledger = yield from self.change(MONTH, partial(self.with_versions, ledger, dimension, made))
        won = tuple(day for day in days if day not in made or made[day].id in ledger.named)
        return "follow_fact", won, tuple(day for day in days if day not in won)

    def inputs(self, days: tuple[str, ...]) -> Part:
        """What is staged for each day."""
        staged = {}
        for day in days:
            staged[day] = yield Get(f"staged/{day}")
        return staged

    def passes(self, dimension: Ledger, made: dict[str, Entry]) -> bool:
        """The audit: each member is in the dimension's live version, and in the one announced to replace it."""
        found = members(dimension.live())
        if dimension.next and not self.takes("audit-live-only"):
            found &= members(dimension.next.entry)
        return all(members(version) <= found for version in made.values())

    def serve(self, dimension: Ledger) -> Part:
        """Make the catalog serve the version audited against, or one that became live later."""
        served = yield Get(entry_of(LIVE))
        if served.since < dimension.live().since and not self.takes("fact-before-dimension-served"):
            yield from self.follow_dimension()

    def with_versions(
        self, read: Ledger, dimension: Ledger, made: dict[str, Entry], now: Ledger | None
    ) -> Ledger | None:
        """The ledger with these versions live, but for the days that lost: moved, fenced, or taken by vacuum."""
        found = now or Ledger()
        fenced = found.fence > dimension.sequence
        if self.takes("fence-unannounced"):
            fenced = found.fence != read.fence
        ledger = read._replace(sequence=found.sequence) if self.takes("swap-first-read") else found
        for day, version in made.items():
            same = found.live(day) == read.live(day)
            if self.takes("id-without-since"):
                same = found.live(day).id == read.live(day).id
            same = same or self.takes("overwrite-on-conflict")
            taken = version.id <= found.floor and not self.takes("no-floor")
            if same and not fenced and not taken:
                ledger = ledger.with_live(day, version)
        return now if ledger == found else ledger

    def follow_fact(self, days: tuple[str, ...], lost: tuple[str, ...] = ()) -> Steps:
        """Point the days' partitions at their live versions, until the ledger is as it was read."""
        ledger = yield Get(MONTH)
        while days:
            for day in days:
                served = yield Get(entry_of(day))
                if served == ledger.live(day).served:
                    continue
                yield from self.forget_note(day, ledger, served)
                yield Put(entry_of(day), ledger.live(day).served)
            now = yield Get(MONTH)
            days = () if self.takes("follow-once") else tuple(d for d in days if now.live(d) != ledger.live(d))
            ledger = now
        return ("commit_fact", *lost) if lost else None

    def forget_note(self, day: str, ledger: Ledger, served: Any) -> Part:
        """Where a version is served that vacuum noted as unserved, the retention begins anew: a follower that has
        died had pointed the partition back at it, and queries may have it."""
        entry = ledger.day(day).past_one(served.id) if served else None
        if entry and entry.unserved and not self.takes("note-kept"):
            yield from self.change(MONTH, lambda now: now.with_past(partial(without_note, served.id)))

    def rollback_fact(self, day: str, id: int) -> Steps:
        """Make a past version live again. Nothing is audited: dimensions keep the members of all past versions."""
        read = yield from self.open_month((day,))

        def edit(ledger: Ledger) -> Ledger:
            target = ledger.day(day).past_one(id)
            return ledger.with_live(day, target) if target and ledger.live(day) == read.live(day) else ledger

        yield from self.change(MONTH, edit)
        return "follow_fact", (day,)

    # Dimensions.

    def commit_dimension(self, wanted: str, tries: int = 1) -> Steps:
        """A version with the members `wanted`, and those of the live one that a fact's versions use.

        `tries` is how often it begins anew: two that drop members could overwrite each other's announcement for ever.
        """
        base = yield Get(TABLE)
        months = []
        for key in (yield from self.months()):
            months.append((yield Get(key)))
        identity = "".join(sorted(members(wanted) | (members(base.live()) & self.in_use(months))))
        if base.day().settles(identity):
            if base.next and not self.takes("announcement-left"):
                yield from self.change(TABLE, lambda now: now._replace(next=None) if now.next == base.next else now)
            return ("follow_dimension",)
        version = Entry((yield Write(file_of(DIMENSION), identity)), identity)
        return (yield from self.replace(base, version, ("commit_dimension", wanted, tries - 1) if tries else None))

    def rollback_dimension(self, id: int) -> Steps:
        """Make a past version live again, where facts do not need what it lacks. Once live has moved, never again."""
        base = yield Get(TABLE)
        target = base.day().past_one(id)
        return (yield from self.replace(base, target, None)) if target else ("follow_dimension",)

    def months(self) -> Part:
        """Where the ledgers of the fact's months are; those of the first form are carried over."""
        keys = yield List(POINTERS)
        if keys and MONTH not in keys and not self.takes("ledgers-only"):
            yield from self.open_month(())
            return (MONTH,)
        return (MONTH,) if MONTH in keys else ()

    def in_use(self, months: list[Ledger]) -> set[str]:
        """The members that live and past versions use: a past one may be live again."""
        if self.takes("keep-live-members"):
            return {letter for month in months for _, day in month.days if day.live for letter in members(day.live)}
        return {letter for month in months for entry in month.entries for letter in members(entry)}

    def replace(self, base: Ledger, version: Entry, again: Call | None) -> Part:
        """Announce, fence, look, swap. A version that drops no member is only swapped in."""
        dropped = members(base.live()) - members(version)
        if not dropped or self.takes("check-without-fence"):
            return (yield from self.make_live(base, version, None, again))
        announced = self.numbered(base)
        mine = None
        if not self.takes("fence-unannounced"):
            announced = yield from self.change(TABLE, partial(self.announcing, base, version))
            mine = announced.next
            if not mine or mine.entry != version:
                return again
        fence, months = (mine or announced).sequence, []
        for key in (yield from self.months()):
            months.append((yield from self.change(key, lambda month: month._replace(fence=max(month.fence, fence)))))
        if dropped & self.in_use(months) and not self.takes("look-before-fence"):
            yield from self.change(TABLE, lambda now: now._replace(next=None) if now.next == mine else now)
            return again
        return (yield from self.make_live(base, version, mine, again))

    def replaceable(self, base: Ledger, version: Entry, now: Ledger) -> bool:
        """Whether live is as it was, and the version still there: vacuum takes old ones by id, new ones by floor."""
        there = version.id in now.named if version.seq else version.id > now.floor
        return now.live() == base.live() and there

    def announcing(self, base: Ledger, version: Entry, now: Ledger) -> Ledger:
        """The ledger with the version announced, if it may be; an announcement of it stays as it is."""
        if not self.replaceable(base, version, now) or (now.next and now.next.entry == version):
            return now
        return now._replace(next=Announcement(version, now.sequence + 1))

    def make_live(self, base: Ledger, version: Entry, mine: Announcement | None, again: Call | None) -> Part:
        """Swap the version in, if it is still the announced one; whatever else was announced is so no more."""

        def edit(now: Ledger) -> Ledger:
            ours = now.next == mine
            if self.takes("announced-by-id"):
                ours = bool(now.next) and now.next.entry == version
            ready = self.replaceable(base, version, now) and (mine is None or ours)
            return now.with_live(LIVE, version)._replace(next=None) if ready else now

        done = yield from self.change(TABLE, edit)
        return ("follow_dimension",) if done.live().id == version.id else again

    def follow_dimension(self) -> Steps:
        """Point the table at the live version. Its version id is read before the ledger: it never goes backwards."""
        while True:
            served = yield Get(entry_of(LIVE))
            live = (yield Get(TABLE)).live()
            if served == live.served:
                return None
            if self.takes("table-unconditionally"):
                yield Put(entry_of(LIVE), live.served)
            else:
                yield Swap(entry_of(LIVE), served, live.served)

    # What keeps a lake, and who reads it.

    def vacuum(self, table: str) -> Steps:
        """Note what is unserved; a retention later, forget and delete what still is."""
        noted = yield from self.sweep(table, frozenset())
        retention = 1 if self.takes("retention-of-one") else 2 if self.takes("retention-of-two") else RETENTION
        for _ in range(retention):
            yield Await((yield Running()))
        yield from self.sweep(table, noted)
        return None

    def sweep(self, table: str, noted: frozenset[tuple[int, int | None]]) -> Part:
        """One run of vacuum, given what was noted a retention ago, (id, note). Returns what is noted now."""
        files = yield List(file_of(table))
        ledger = yield from (self.open_month(()) if table == FACT else self.table())
        stay = yield from self.needed(ledger)
        out = {e.id for _, day in ledger.days for e in day.past if e.id not in stay and self.is_old(e, noted)}
        unnamed = {id for file in files if (id := int(file.removeprefix(file_of(table)))) not in ledger.named | stay}
        gone = Delete(tuple(file for file in files if int(file.removeprefix(file_of(table))) in out | unnamed))
        if self.takes("vacuum-files-first"):
            yield gone

        def note(now: Ledger, entry: Entry) -> Entry | None:
            unserved = None if entry.id in stay else entry.unserved or now.sequence + 1
            return None if entry.id in out else entry._replace(unserved=unserved)

        while True:
            swept = ledger.with_past(partial(note, ledger))._replace(floor=max({ledger.floor} | unnamed))
            if swept == ledger or (yield Swap(LEDGERS[table], ledger, self.numbered(swept))) == OK:
                yield gone
                return frozenset((e.id, e.unserved) for _, day in swept.days for e in day.past if e.unserved)
            if not self.takes("vacuum-decides-once"):
                return frozenset()  # somebody was faster: the next run decides again
            ledger = yield Get(LEDGERS[table])

    def needed(self, ledger: Ledger) -> Part:
        """The ids that stay: pinned, announced, rolled back from, and what the catalog serves."""
        stay = set(ledger.pinned)
        if self.takes("pins-elsewhere"):
            stay = set((yield Get(PINS)) or ())
        if ledger.next:
            stay.add(ledger.next.entry.id)
        for name, day in ledger.days:
            served = yield Get(entry_of(name))
            if served and not self.takes("vacuum-served"):
                stay.add(served.id)
            if not self.takes("forget-rolled-back"):
                stay |= {entry.id for entry in day.rolled_back_from}
        return stay

    def is_old(self, entry: Entry, noted: frozenset[tuple[int, int | None]]) -> bool:
        """Whether a version has been out of use for a retention."""
        return self.takes("retention-from-supersession") or (entry.id, entry.unserved) in noted

    def close(self, name: str) -> Steps:
        """Pin the live versions of the month, then the dimension's: each pinned row then finds its member."""
        if self.takes("pins-elsewhere"):
            month = yield Get(MONTH)
            yield Put(PINS, tuple(day.live.id for _, day in month.days))
            return None

        def pinning(now: Ledger) -> Ledger:
            ids = tuple(day.live.id for _, day in now.days)
            return now if name in dict(now.pins) else now._replace(pins=(*now.pins, (name, ids)))

        yield from self.open_month(())
        for key in (TABLE, MONTH) if self.takes("pin-dimension-first") else (MONTH, TABLE):
            yield from self.change(key, pinning)
        return None

    def query(self, day: str) -> Steps:
        """Resolve the fact, then the dimension, then read their files and join them."""
        dimension = (yield Get(entry_of(LIVE))) if self.takes("resolve-dimension-first") else None
        fact = yield Get(entry_of(day))
        dimension = dimension or (yield Get(entry_of(LIVE)))
        rows = yield Get(file_of(FACT, fact.id))
        known = yield Get(file_of(DIMENSION, dimension.id))
        if rows is None or known is None:
            yield Fail("a query finds a file missing")
        elif members(rows) - members(known):
            yield Fail("a query's join loses a row")
        return None

    def export(self, day: str, identity: str) -> Steps:
        """Something newer is staged for a day."""
        yield Put(f"staged/{day}", identity)
        return None


def without_note(id: int, entry: Entry) -> Entry:
    """The entry, where it is this version without the note that it is unserved."""
    return entry._replace(unserved=None) if entry.id == id else entry
