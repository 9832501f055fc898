"""Replacing a dimension's version by one that lacks members, so that no fact ever misses one.

A fact is audited against its dimensions and then committed; a dimension that
drops a member in between would leave a row without its member. So the new version
is announced first, then every ledger of the facts is fenced against audits that
did not see the announcement, and only then what facts use is looked up. Each
shortcut has a counterexample in the model of the protocol (star_assets_tests/protocol).
Not here: what members facts use (pipeline), the rest of a publish (publish).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from star_assets.lake.ledger import Announcement, Entry, Ledger, swap
from star_assets.lake.storage import Storage, each
from star_assets.lake.versions import Partition, ledgers_folder
from star_assets.model.errors import LostRace


def replace_live(
    storage: Storage,
    dimension: Partition,
    version: str,
    seen: Entry | None,
    facts: Sequence[Partition],
    require_unused: Callable[[], None],
    change: Callable[[Ledger], Ledger],
) -> None:
    """Make a version live that lacks members of the present one.

    Args:
        dimension: the dimension's one partition.
        version: the id of the version that is to become live.
        seen: the live version as it was read.
        facts: any partition of each fact that refers to the dimension.
        require_unused: raises where a live or past version of a fact uses a
            member that would be lost. It is called once every fact is fenced.
        change: the ledger with the version live.

    Raises LostRace where the live version moved, or another process announced
    another version; whatever `require_unused` raises. Then nothing was announced
    any more, and the live version stays.
    """

    def announce(ledger: Ledger) -> Ledger:
        _require(ledger, dimension, version, seen)
        return ledger.announcing(version)

    announced = swap(storage, dimension.ledger, announce).next
    assert announced is not None

    def finish(ledger: Ledger) -> Ledger | None:
        if ledger.live and ledger.live.version == version:
            return None
        if ledger.next != announced:
            raise LostRace(dimension.ledger)
        _require(ledger, dimension, version, seen)
        return change(ledger)

    try:
        for fact in facts:
            fence(storage, fact, dimension.table, announced.sequence)
        require_unused()
        swap(storage, dimension.ledger, finish)
    except BaseException:
        withdraw(storage, dimension, announced)
        raise


def _require(ledger: Ledger, dimension: Partition, version: str, seen: Entry | None) -> None:
    """Raises LostRace unless the live version is as seen, and the other one's files are there for sure."""
    day = ledger.day(dimension.key)
    if not day.is_as(seen) or (version not in day.versions and version <= ledger.floor):
        raise LostRace(dimension.ledger)


def fence(storage: Storage, fact: Partition, dimension: str, sequence: int) -> None:
    """Raise the fence of every ledger of a fact; those that are made later are made before their audit."""
    listed = [stored.path for stored in storage.walk(ledgers_folder(fact.database, fact.table))]
    paths = dict.fromkeys(Partition(fact.database, fact.table, day).ledger for day in _days(listed))

    def change(ledger: Ledger) -> Ledger | None:
        return ledger.fenced(dimension, sequence) if ledger.fence.get(dimension, 0) < sequence else None

    each(storage, lambda path: swap(storage, path, change), paths)


def withdraw(storage: Storage, dimension: Partition, announced: Announcement) -> None:
    """Take back the announcement of a version that will not become live."""
    swap(storage, dimension.ledger, lambda ledger: ledger.announcing(None) if ledger.next == announced else None)


def _days(listed: Sequence[str]) -> list[str]:
    """A day of each ledger, also of those that are day pointers still."""
    names = [path.rpartition("/")[2].removesuffix(".json") for path in listed if path.endswith(".json")]
    return [name.removeprefix("date=") if name.startswith("date=") else f"{name}-01" for name in names]
