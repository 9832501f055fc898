"""One tick of the Athena partition sensor: it makes the Glue catalog serve the versions that the ledgers name.

Every tick lists the ledgers of each table and updates the partitions whose live
version changed. Once an hour, and after a restart of the daemon, the sensor
compares every catalog entry with its ledger, and every table over raw exports
with the exports. Both are done in small steps: a tick ends at its deadline, and
the next tick continues. Not here: how differences are found (lake.drift,
pipeline.raw), the events that Dagster gets (published_elsewhere).
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

# Drift without a publication, such as a partition that was dropped by hand, is found within an hour.
PASS_SECONDS = 3600.0


@dataclass
class Tick:
    """The result of a tick: what it mended, its errors, and the table that the full pass is at (empty: it is over)."""

    drifts: list[Drift] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    at: str = ""


class CatalogSync:
    """Updates the catalog from the ledgers, from tick to tick of one process."""

    def __init__(self) -> None:
        self.followers: dict[tuple[str, str], Follower] = {}
        # The index of the table that the next tick lists first.
        self._turn = 0
        # The tables left of the full pass, the begun steps of the first of them, and when the next pass is due.
        self._at, self._left = "", list[str]()
        self._steps: Iterator[list[Drift]] | None = None
        self._next_pass = 0.0

    @property
    def live(self) -> dict[tuple[str, str], Mapping[str | None, Entry] | None]:
        """The live versions of each table, as last listed; None for a table that has not been listed."""
        return {table: follower.live for table, follower in self.followers.items()}

    def tick(self, warehouse: Warehouse, at: str, deadline: float) -> Tick:
        """Update what changed since the last tick, then go on with the full pass, if one is due.

        Args:
            at: the table at which a full pass of an earlier process stopped.
            deadline: `time.monotonic()` after which no further step is begun.
        """
        if not self.followers:
            self._at = at
            for table in warehouse.entries():
                ledgers = warehouse.ledgers(table.database, table.name).look
                self.followers[table.database, table.name] = Follower(
                    warehouse.storage, warehouse.catalog, table, ledgers
                )
        found = Tick()
        self._list_changes(found, deadline)
        self._continue_pass(warehouse, found, deadline)
        found.at = self._at
        return found

    def _list_changes(self, found: Tick, deadline: float) -> None:
        """One listing per table. A table that the deadline left out is listed first in the next tick."""
        tables = list(self.followers.values())
        for table in tables[self._turn :] + tables[: self._turn]:
            if time.monotonic() > deadline:
                return
            self._turn = (self._turn + 1) % len(tables)
            if table.live is not None:
                _take_steps(table.look(), table.name, found, deadline)

    def _continue_pass(self, warehouse: Warehouse, found: Tick, deadline: float) -> None:
        """Go on with the full pass, by one step at least, even after the deadline."""
        parts = self._parts(warehouse)
        if not self._left and time.monotonic() >= self._next_pass:
            names = list(parts)
            first = names.index(self._at) if self._at in names else 0
            self._left = names[first:] + names[:first]
        while self._left:
            self._steps = self._steps or parts[self._left[0]]()
            if _take_steps(self._steps, self._left[0], found, deadline):
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


def _take_steps(steps: Iterator[list[Drift]], name: str, found: Tick, deadline: float) -> bool:
    """Take one step, and more while there is time. Whether that was all."""
    try:
        for drifts in steps:
            found.drifts += drifts
            if time.monotonic() > deadline:
                return False
    except StarError as error:
        found.problems.append(f"{name}: {error}")
    return True
