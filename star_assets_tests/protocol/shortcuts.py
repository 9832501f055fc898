"""The shortcuts that somebody may be tempted to take, and the invariant that each of them breaks.

Each is a switch in the operations, asked for by `takes`. `docs/protocol.md` has the same list for readers.
"""

from __future__ import annotations

from typing import NamedTuple

from . import invariants as broken
from .explorer import Explored, Explorer
from .operations import BRIEF, Operations
from .scenarios import SCENARIOS


class Shortcut(NamedTuple):
    """What is done instead, where that breaks which invariant, by how many faults; `long`: it takes seconds to find."""

    instead: str
    scenario: str
    breaks: str
    faults: int = 0
    long: bool = False


SHORTCUTS = {
    # Committing a fact.
    "inputs-before-ledger": Shortcut("resolve the inputs, then read the ledger", "writers", broken.NEWER),
    "overwrite-on-conflict": Shortcut("after a conflict swap again, whatever is live", "writers", broken.ONCE),
    "swap-first-read": Shortcut("after a conflict swap in what was read first", "writers", broken.KEPT),
    "id-without-since": Shortcut("compare the live version's id only", "undone", broken.ROLLBACK),
    "no-sequence": Shortcut("do not number the swaps", "toggle", broken.CAUGHT_UP, faults=1),
    "no-floor": Shortcut("commit an id that vacuum may have deleted", "vacuum", broken.NAMED),
    "fact-before-dimension-served": Shortcut("commit before the catalog serves the dimension", "add", broken.JOIN),
    # Replacing a dimension.
    "check-without-fence": Shortcut("check the dimension just before the swap, without fences", "drop", broken.MEMBERS),
    "fence-unannounced": Shortcut("raise fences without an announcement", "drop", broken.MEMBERS),
    "audit-live-only": Shortcut("audit facts without the announced version", "drop", broken.MEMBERS),
    "look-before-fence": Shortcut("look at the facts only before the fences", "drop", broken.MEMBERS),
    "keep-live-members": Shortcut("keep only members that live facts use", "drop-rollback", broken.MEMBERS),
    "month-at-commit": Shortcut("make a month's ledger in its first commit", "new-month", broken.MEMBERS),
    "ledgers-only": Shortcut("do not open months of the first form before a drop", "first-form", broken.MEMBERS),
    "announced-by-id": Shortcut(
        "take an announcement for one's own by its id", "announced-twice", broken.MEMBERS, long=True
    ),
    "announcement-left": Shortcut("leave an announcement of a process that died", "drop", broken.CLEARED, faults=1),
    # Following.
    "follow-once": Shortcut("point partitions without reading the ledger again", "follow", broken.CAUGHT_UP),
    "table-unconditionally": Shortcut("update the dimension's table without its version id", "add", broken.JOIN),
    "note-kept": Shortcut(
        "point a partition away, and leave the note that it was unserved", "vacuum-died", broken.MISSING, faults=1
    ),
    # Vacuum.
    "retention-from-supersession": Shortcut("count from the supersession", "vacuum-late", broken.MISSING),
    "retention-of-one": Shortcut("wait for one follower or query", "vacuum-stale", broken.MISSING),
    "retention-of-two": Shortcut(
        "wait for a follower and a query", "vacuum-followers", broken.MISSING, faults=1, long=True
    ),
    "vacuum-served": Shortcut("take what the catalog serves, a retention after", "vacuum-late", broken.SERVED),
    "vacuum-files-first": Shortcut("delete files, then forget them", "vacuum-rollback", broken.NAMED),
    "vacuum-decides-once": Shortcut("after a conflict swap what was decided", "vacuum-rollback", broken.NAMED),
    "forget-rolled-back": Shortcut("forget what was rolled back from", "vacuum-rolled-back", broken.ROLLED_BACK_FROM),
    # Closing, migrating, reading.
    "pins-elsewhere": Shortcut("keep pins beside the ledgers", "close-vacuum", broken.NAMED),
    "pin-dimension-first": Shortcut("pin the dimension, then the facts", "close", broken.CLOSED),
    "migrate-unconditionally": Shortcut("put an opened month, not if-none-match", "migrate", broken.KEPT),
    "migrate-own-days": Shortcut("open a month with only the days of the batch", "migrate", broken.CARRIED),
    "resolve-dimension-first": Shortcut("resolve the dimension, then the fact", "add", broken.JOIN),
}


def explored(name: str, short: bool = False) -> Explored:
    """What the explorer finds in a scenario, or with a shortcut."""
    shortcut = SHORTCUTS.get(name)
    scenario = SCENARIOS[shortcut.scenario if shortcut else name]
    faults, operations = scenario.short if short else (scenario.faults, len(scenario.calls))
    taken = name if shortcut else None
    explorer = Explorer(Operations(taken), broken.rules(taken), BRIEF)
    return explorer.explore(
        scenario.store, scenario.calls[:operations], shortcut.faults if shortcut else faults, scenario.had
    )


def is_as_expected(name: str, found: Explored) -> bool:
    """Whether a scenario holds, or a shortcut breaks what it should."""
    return found.broken == (SHORTCUTS[name].breaks if name in SHORTCUTS else None)
