"""Replacing a dimension's live version by a version without some of its members, while facts are published.

A fact is audited against its dimensions and then committed. If a dimension dropped a
member in between, a row of the fact would lack its member. So the new version is
announced first; then every ledger of the facts is fenced against audits that did not see
the announcement; and only then are the members that facts use looked up. Each shortcut
has a counterexample in the model of the protocol (star_assets_tests/protocol).
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
    """Make a version live that lacks members of the present live version.

    Args:
        dimension: the dimension's one partition.
        version: the id of the version that is to become live.
        seen: the live version as the caller read it.
        facts: any partition of each fact that refers to the dimension.
        require_unused: raises if a live or past version of a fact uses a member
            that would be lost. It is called once every fact is fenced.
        change: returns the dimension's ledger with the version live.

    Raises LostRace if another version became live, or another process announced one;
    and what `require_unused` raises. The announcement is then withdrawn, and the live
    version stays.
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
    """Raises LostRace if the live version is not `seen`, or vacuum may have removed the files of `version`."""
    day = ledger.day(dimension.key)
    if not day.is_as(seen) or (version not in day.versions and version <= ledger.floor):
        raise LostRace(dimension.ledger)


def fence(storage: Storage, fact: Partition, dimension: str, sequence: int) -> None:
    """Raise the fence in every existing ledger of a fact. (A later ledger is made before its first audit.)"""
    listed = [stored.path for stored in storage.walk(ledgers_folder(fact.database, fact.table))]
    paths = dict.fromkeys(Partition(fact.database, fact.table, day).ledger for day in _days(listed))

    def change(ledger: Ledger) -> Ledger | None:
        return ledger.fenced(dimension, sequence) if ledger.fence.get(dimension, 0) < sequence else None

    each(storage, lambda path: swap(storage, path, change), paths)


def withdraw(storage: Storage, dimension: Partition, announced: Announcement) -> None:
    """Take back the announcement of a version that will not become live."""
    swap(storage, dimension.ledger, lambda ledger: ledger.announcing(None) if ledger.next == announced else None)


def _days(listed: Sequence[str]) -> list[str]:
    """One day of each ledger among the listed files, and the day of each day pointer."""
    names = [path.rpartition("/")[2].removesuffix(".json") for path in listed if path.endswith(".json")]
    return [name.removeprefix("date=") if name.startswith("date=") else f"{name}-01" for name in names]
