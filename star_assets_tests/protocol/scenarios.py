"""Where the explorer begins: small lakes, the operations that meet there, and how many faults may happen.

One month, one dimension, at most two days, two to four operations. Not here: which shortcut breaks in which scenario
(shortcuts).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .explorer import IDS, Call
from .ledger import DIMENSION, FACT, LIVE, MONTH, POINTERS, TABLE, Day, Entry, Ledger, Served, entry_of, file_of


def ledger(**days: list[tuple[int, str]]) -> Ledger:
    """A ledger whose days have these versions, each an id and an identity, the live one first."""
    found = Ledger(sequence=5)
    for name, versions in days.items():
        entries = [Entry(id, identity, seq=id, since=1) for id, identity in versions]
        found = found.with_day(name, Day(entries[0], tuple(entries[1:])))
    return found


def lake(
    month: Ledger | None,
    dimension: Ledger,
    served: Mapping[str, tuple[int, int]] | None = None,
    first_form: bool = False,
    **staged: str,
) -> dict[str, Any]:
    """A store: ledgers, files, a catalog of what is live (but for `served`), and what is staged for each day."""
    store: dict[str, Any] = {
        IDS: 9,
        TABLE: dimension,
        **{f"staged/{day}": identity for day, identity in staged.items()},
    }
    if month and first_form:
        store |= {POINTERS + name: day for name, day in month.days}
    elif month:
        store[MONTH] = month
    for table, found in ((FACT, month), (DIMENSION, dimension)):
        if found:
            store |= {file_of(table, entry.id): entry.identity for entry in found.entries}
            store |= {entry_of(name): day.live.served for name, day in found.days if day.live}
    return store | {entry_of(name): Served(*entry) for name, entry in (served or {}).items()}


ONE = ledger(d1=[(1, "1a")])
TWO = ledger(d1=[(3, "1a"), (1, "0a")])
THREE = ledger(d1=[(3, "1a"), (2, "2a"), (1, "0a")])
BACK_AT_ONE = ledger(d1=[(1, "0a"), (3, "1a")])  # somebody rolled back
TWO_DAYS = ledger(d1=[(1, "0a")], d2=[(2, "0a")])
A = ledger(live=[(2, "a")])
AB = ledger(live=[(3, "ab"), (2, "a")])
ABC = ledger(live=[(3, "abc")])

COMMIT, BATCH = ("commit_fact", "d1"), ("commit_fact", "d1", "d2")
FOLLOW, BACK, FORTH = ("follow_fact", ("d1",)), ("rollback_fact", "d1", 1), ("rollback_fact", "d1", 3)
ADD, DROP, DROP_BACK = ("commit_dimension", "ab"), ("commit_dimension", "a"), ("rollback_dimension", 2)
ADD_C, QUERY, CLOSE = ("commit_dimension", "abc"), ("query", "d1"), ("close", "2023-10")
DROPS = (("commit_dimension", "ab", 0), ("commit_dimension", "ac", 0))  # of c, and of b
VACUUM, VACUUM_DIMENSION = ("vacuum", FACT), ("vacuum", DIMENSION)

# What a follower was told that read the ledger before, and the catalog after the version 3 was committed and served.
STALE_READS = (ledger(d1=[(1, "0a")]), Served(3, 1))


class Scenario(NamedTuple):
    """A lake, the operations that meet on it, how many faults may happen, and how many states that makes.

    `short` is for every run of the tests: how many faults, and how many of the operations, the first ones. `had` are
    replies that the first operation had before the lake became as it is.
    """

    store: Mapping[str, Any]
    calls: tuple[Call, ...]
    faults: int
    states: int
    short: tuple[int, int] = (0, 4)
    had: tuple[Any, ...] = ()


TWO_PAST = ledger(d1=[(3, "2a"), (1, "1b")])  # what is live does not use b, what was does
MIGRATING = lake(TWO_DAYS, AB, first_form=True, d1="1a", d2="1a")
STALE_TABLE = lake(ONE, ledger(live=[(2, "a"), (1, "a")]), {LIVE: (1, 0)}, d1="2b")

SCENARIOS = {
    # Facts.
    "writers": Scenario(lake(TWO_DAYS, AB, d1="2a", d2="2a"), (BATCH, BATCH, ("export", "d2", "3a")), 1, 357_904),
    "undone": Scenario(lake(ONE, AB, d1="2a"), (COMMIT, COMMIT, BACK), 1, 409_942),
    "toggle": Scenario(lake(TWO._replace(sequence=0), AB, d1="1a"), (BACK, FORTH), 2, 15_979, short=(2, 2)),
    "follow": Scenario(lake(ONE, AB, d1="2a"), (COMMIT, FOLLOW, FOLLOW, QUERY), 1, 99_551, short=(1, 4)),
    # A dimension that loses a member, or gains one.
    "drop": Scenario(lake(ONE, AB, d1="2b"), (COMMIT, DROP, QUERY), 2, 934_549, short=(1, 3)),
    "two-drops": Scenario(lake(ONE, ABC, d1="2c"), (*DROPS, COMMIT), 0, 672_672, short=(1, 2)),
    "drop-rollback": Scenario(lake(TWO_PAST, AB, d1="2a"), (BACK, DROP, QUERY), 2, 9_962, short=(2, 3)),
    "drop-late": Scenario(lake(TWO_PAST, AB, {"d1": (1, 1)}, d1="2a"), (FOLLOW, VACUUM, DROP, QUERY), 1, 134_129),
    "new-month": Scenario(lake(None, AB, d1="2b"), (COMMIT, DROP), 2, 283_768, short=(1, 2)),
    "first-form": Scenario(lake(TWO_PAST, AB, first_form=True, d1="2b"), (COMMIT, DROP, BACK), 1, 415_469),
    "add": Scenario(STALE_TABLE, (ADD, COMMIT, QUERY, ("follow_dimension",)), 1, 1_641_414),
    "dimensions": Scenario(lake(ONE, AB, d1="2b"), (DROP_BACK, ADD_C, QUERY), 1, 186_380),
    "dimension-rollback": Scenario(lake(ONE, AB, d1="2b"), (DROP_BACK, COMMIT, QUERY), 1, 29_051, short=(1, 3)),
    "announced-twice": Scenario(lake(ONE, AB, d1="2b"), (DROP_BACK, ADD, COMMIT, DROP_BACK), 0, 958_272, short=(0, 3)),
    # Vacuum.
    "vacuum": Scenario(lake(TWO, AB, d1="2a"), (VACUUM, COMMIT, QUERY), 1, 250_551),
    "vacuum-rollback": Scenario(lake(TWO, AB, d1="1a"), (VACUUM, BACK, QUERY), 1, 51_732, short=(1, 3)),
    "vacuum-rolled-back": Scenario(lake(BACK_AT_ONE, AB, d1="1a"), (VACUUM, COMMIT, FORTH), 1, 90_654),
    "vacuum-late": Scenario(lake(TWO, AB, {"d1": (1, 1)}, d1="1a"), (VACUUM, FOLLOW, QUERY), 2, 41_305, short=(1, 3)),
    "vacuum-stale": Scenario(lake(ONE, AB, d1="2a"), (COMMIT, FOLLOW, VACUUM, QUERY), 0, 131_260),
    "vacuum-died": Scenario(lake(TWO, A, d1="1a"), (FOLLOW, VACUUM, QUERY), 1, 16_491, (1, 3), had=STALE_READS),
    "vacuum-followers": Scenario(
        lake(THREE, A, d1="2a"), (FOLLOW, ("rollback_fact", "d1", 2), VACUUM, QUERY), 1, 3_351_778, had=STALE_READS
    ),
    "vacuum-dimension": Scenario(
        lake(ONE, AB, d1="1a"), (VACUUM_DIMENSION, DROP_BACK, ADD_C), 0, 440_091, short=(1, 2)
    ),
    # Closing and migrating.
    "close": Scenario(lake(ONE, A, d1="2b"), (CLOSE, ADD, COMMIT), 1, 102_656),
    "close-vacuum": Scenario(lake(TWO, A, d1="2a"), (CLOSE, COMMIT, VACUUM), 0, 77_990),
    "migrate": Scenario(MIGRATING, (COMMIT, ("commit_fact", "d2"), BACK), 1, 1_581_284),
}
