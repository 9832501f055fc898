"""One tick of the Athena partition sensor: it makes the Glue catalog serve the versions that the ledgers name.

Every tick lists the ledgers of each table and updates the partitions whose live
version changed. Once an hour, and after a restart of the daemon, the sensor
compares every catalog entry with its ledger, and every table over raw exports
with the exports. Both are done in small steps: a tick ends at its deadline, and
the next tick continues. Not here: how differences are found (lake.drift,
pipeline.raw_tables), the events that Dagster gets (landed).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from star_assets.exports.finding import RAW
from star_assets.lake.drift import Drift, Follower
from star_assets.lake.ledger import Entry
from star_assets.model.errors import StarError

if TYPE_CHECKING:
    from star_assets.pipeline.warehouse import Warehouse

# Drift that nobody published, say a partition that was dropped by hand, is found within an hour.
PASS_SECONDS = 3600.0


@dataclass
class Tick:
    """What a tick did: what it mended, what it ran into, and where the pass over everything is (empty: at its end)."""

    drifts: list[Drift] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    at: str = ""


class Keeper:
    """Keeps the catalog in step, from tick to tick of one process."""

    def __init__(self) -> None:
        self.followers: dict[tuple[str, str], Follower] = {}
        # Which table is the first to be looked at.
        self._turn = 0
        # What is left of a pass, the steps of its first part that were begun, and when the next one is due.
        self._at, self._left = "", list[str]()
        self._steps: Iterator[list[Drift]] | None = None
        self._next_pass = 0.0

    @property
    def live(self) -> dict[tuple[str, str], Mapping[str | None, Entry] | None]:
        """The live versions of each table, as last looked up; None of a table before its first look."""
        return {table: follower.live for table, follower in self.followers.items()}

    def tick(self, warehouse: Warehouse, at: str, deadline: float) -> Tick:
        """Look for what moved, then go on with the pass over everything, if one is due.

        Args:
            at: where a pass of an earlier process had come to.
            deadline: `time.monotonic()` after which no further step is begun.
        """
        if not self.followers:
            self._at = at
            for table in warehouse.entries():
                ledgers = warehouse.ledgers(table.database, table.name)
                self.followers[table.database, table.name] = Follower(
                    warehouse.storage, warehouse.catalog, table, ledgers
                )
        found = Tick()
        self._look(found, deadline)
        self._go_through(warehouse, found, deadline)
        found.at = self._at
        return found

    def _look(self, found: Tick, deadline: float) -> None:
        """One listing per table. Who had no turn for want of time is the first in the next tick."""
        tables = list(self.followers.values())
        for table in tables[self._turn :] + tables[: self._turn]:
            if time.monotonic() > deadline:
                return
            self._turn = (self._turn + 1) % len(tables)
            if table.live is not None:
                _take(table.look(), table.name, found, deadline)

    def _go_through(self, warehouse: Warehouse, found: Tick, deadline: float) -> None:
        """Go on with the pass over everything; at least by one step, however little time is left."""
        parts = self._parts(warehouse)
        if not self._left and time.monotonic() >= self._next_pass:
            names = list(parts)
            first = names.index(self._at) if self._at in names else 0
            self._left = names[first:] + names[:first]
        while self._left:
            self._steps = self._steps or parts[self._left[0]]()
            if _take(self._steps, self._left[0], found, deadline):
                self._steps = None
                self._left.pop(0)
                self._next_pass = time.monotonic() + PASS_SECONDS
            if time.monotonic() > deadline:
                break
        self._at = self._left[0] if self._left else ""

    def _parts(self, warehouse: Warehouse) -> dict[str, Callable[[], Iterator[list[Drift]]]]:
        # Imported here, so that loading the definitions needs no engine.
        from star_assets.pipeline.raw.updating import mend_raw

        parts = {table.name: table.look_through for table in self.followers.values()}
        sources = warehouse.star.sources
        raw = {f"{RAW}.{name}": partial(mend_raw, warehouse, source, False) for name, source in sources.items()}
        return {**parts, **raw}


def _take(steps: Iterator[list[Drift]], name: str, found: Tick, deadline: float) -> bool:
    """Take one step, and more while there is time. Whether that was all."""
    try:
        for drifts in steps:
            found.drifts += drifts
            if time.monotonic() > deadline:
                return False
    except StarError as error:
        found.problems.append(f"{name}: {error}")
    return True
