"""The warehouse: a star, its lake and its engine, and every step that one may ask of them.

Here: one object that the command line, Dagster and tests all call. Not here: how
a step works (stage, dimensions, facts), what Dagster makes of it (orchestration).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from star_assets.model.star import Star
from star_assets.pipeline.outcome import CheckResult, Outcome
from star_assets.settings import Settings


class Warehouse:
    """A star in a lake. Attributes: star, settings, storage, catalog, engine."""

    def __init__(self, star: Star, settings: Settings) -> None: ...

    def refresh(self, table: str, days: Sequence[str]) -> Iterator[Outcome]:
        """Stage a source's days, or build a table's, and publish what passes its audit.

        Yields one Outcome per day, as it is known, in order of days. Whatever a
        user can cause ends in an Outcome with status `failed`, not in an exception.
        """
        raise NotImplementedError

    def days(self) -> list[str]:
        """Every day from the start date to the last one with an export of any source."""
        raise NotImplementedError

    def sample(self, table: str, day: str, rows: int = 5) -> pa.Table:
        """The first rows of the live version of a table's day."""
        raise NotImplementedError

    def reconcile(self, fact: str, days: Sequence[str]) -> CheckResult:
        """Rows and every summed measure of the live fact against its sources, day by day.

        The sources' side is computed again from the staged rows; the fact's side
        is read from the files that the catalog serves. metadata: `days` (those
        that differ), `expected` and `found` totals.
        """
        raise NotImplementedError
