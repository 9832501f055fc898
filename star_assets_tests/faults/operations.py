"""What is done to a lake while processes die: each operation, and the failures that may come of it.

Here: one function an operation; it chooses its tables and days at random. Not
here: who runs it, and when it is killed (storm).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from ctypes import c_double
from datetime import timedelta
from functools import partial
from random import Random

from star_assets.lake.drift import mend
from star_assets.lake.vacuum import vacuum
from star_assets.model.errors import (
    AuditFailed,
    NotStaged,
    RollbackRefused,
    StarError,
    Transient,
    UnknownPartition,
    UnknownVersion,
)
from star_assets.pipeline.outcome import Outcome
from star_assets.pipeline.warehouse import Warehouse
from star_assets_tests.pipeline.retailers import DAYS

# What vacuum keeps at least. Who takes longer than that may find files gone.
RETENTION = timedelta(seconds=3)

# Unix seconds that processes share, without a lock that one could take to its grave.
Looked = c_double

# Returns what went wrong, in words, that should not have.
Operation = Callable[[Warehouse, Random], list[str]]


def stage(warehouse: Warehouse, rng: Random) -> list[str]:
    return refresh(warehouse, rng.choice([*warehouse.star.sources]), some_days(rng))


def build_dimension(warehouse: Warehouse, rng: Random) -> list[str]:
    return refresh(warehouse, "dim_product", DAYS, NotStaged)


def build_history(warehouse: Warehouse, rng: Random) -> list[str]:
    return refresh(warehouse, "dim_product_history", DAYS, NotStaged)


def build_fact(warehouse: Warehouse, rng: Random) -> list[str]:
    """A date's members may not be in the dimension yet."""
    return refresh(warehouse, "fact_sales", some_days(rng), NotStaged, AuditFailed)


def fold(warehouse: Warehouse, rng: Random) -> list[str]:
    """Bring the books of a table up to date, and nothing else."""
    table = rng.choice([*warehouse.star.dimensions, *warehouse.star.facts])
    return allowing(lambda: warehouse.catch_up(table))


def roll_back(warehouse: Warehouse, rng: Random) -> list[str]:
    table = rng.choice([*warehouse.star.tables])
    day = None if table in warehouse.star.dimensions else rng.choice(DAYS)
    refusals = (AuditFailed, RollbackRefused, UnknownPartition, UnknownVersion)
    return allowing(lambda: warehouse.rollback(table, day, None), *refusals)


def clean(looked: Looked, warehouse: Warehouse, rng: Random) -> list[str]:
    """Nothing goes before it is in the ledger."""
    tables = warehouse.versioned_tables()

    def remove() -> None:
        retention = max(RETENTION, timedelta(seconds=time.time() - looked.value))
        vacuum(warehouse.storage, warehouse.catalog, tables, retention)

    return allowing(remove)


def repair(warehouse: Warehouse, rng: Random) -> list[str]:
    return allowing(lambda: mend(warehouse.storage, warehouse.catalog, warehouse.entries()))


def run(warehouse: Warehouse, rng: Random) -> list[str]:
    """Everything that is out of date, as the command does it."""
    problems = []
    for table in warehouse.star.tables:
        days: list[str] = []
        problems += allowing(lambda table=table, days=days: days.extend(warehouse.out_of_date(table).days))  # type: ignore[misc]
        problems += refresh(warehouse, table, days, NotStaged, AuditFailed)
    return problems + allowing(lambda: warehouse.mend([*warehouse.star.tables]))


def operations(looked: Looked) -> dict[str, tuple[Operation, int]]:
    """Every operation, with how often it is chosen. `looked` is when the last look at all ledgers began."""
    return {
        "stage": (stage, 5),
        "dimension": (build_dimension, 3),
        "history": (build_history, 3),
        "fact": (build_fact, 5),
        "fold": (fold, 3),
        "run": (run, 3),
        "rollback": (roll_back, 3),
        "vacuum": (partial(clean, looked), 3),
        "repair": (repair, 2),
    }


def refresh(warehouse: Warehouse, table: str, days: Iterable[str], *allowed: type[StarError]) -> list[str]:
    outcomes: list[Outcome] = list(warehouse.refresh(table, [*days]))
    failed = [outcome.error for outcome in outcomes if outcome.error]
    return [in_words(error) for error in failed if not isinstance(error, (Transient, *allowed))]


def allowing(call: Callable[[], object], *allowed: type[StarError]) -> list[str]:
    try:
        call()
    except StarError as error:
        if not isinstance(error, (Transient, *allowed)):
            return [in_words(error)]
    return []


def in_words(error: StarError) -> str:
    return f"{type(error).__name__}: {error}"


def some_days(rng: Random) -> list[str]:
    return sorted(rng.sample(DAYS, rng.randint(1, len(DAYS))))
