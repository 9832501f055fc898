"""The key index: which exports a business date needs, found without reading history.

For each driving source it holds (key, export day, business date) of every live
staged row, in one sorted file per month of exports. A date needs every export
that holds any row of a key that ever had that date. A month's file is a pure
function of the month's staged versions, rebuilt when they differ.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from star_assets.engines.engine import StagedInput
from star_assets.lake.versions import Partition, read_manifest
from star_assets.model.source import SourceColumn
from star_assets.pipeline.context import Context
from star_assets.pipeline.fold import Folded, fold_into
from star_assets.pipeline.identity import digest


class KeyIndex:
    """The index of one driving column, as of the exports that are live now."""

    def __init__(self, context: Context, column: SourceColumn) -> None:
        self.context = context
        self.column = column
        self.exports = context.staged_exports(column.source)
        self.months = list(_months(context, column, self.exports))

    def exports_of(self, dates: Sequence[str] | None) -> Mapping[str, list[str]]:
        """For each business date (None: for every one that has rows), the export days it needs, sorted."""
        if dates is not None:
            return self.context.engine.exports_of_dates(self.column.source, self._files, dates)
        # The same files say the same: who asks every minute has them read once.
        name, versions = (
            f"{self.column.source.name}.{self.column.column}",
            tuple(month.version for month in self.months),
        )
        known, found = self.context.exports_by_date.get(name, ((), {}))
        if known != versions:
            found = self.context.engine.exports_of_dates(self.column.source, self._files, None)
            self.context.exports_by_date[name] = versions, found
        return found

    def dates_of(self, exports: Sequence[str]) -> list[str]:
        """The business dates that any key of these exports has, or ever had, sorted."""
        return self.context.engine.dates_of_exports(self.column.source, self._files, exports)

    def years(self) -> tuple[int, int] | None:
        """The first and last year with a business date; None while there is none."""
        storage = self.context.storage
        manifests = [read_manifest(storage, month.partition, month.version) for month in self.months]
        found = [manifest.statistics.get("date", {}) for manifest in manifests]
        known = [(str(bounds["min"]), str(bounds["max"])) for bounds in found if "min" in bounds]
        if not known:
            return None
        return int(min(low for low, _ in known)[:4]), int(max(high for _, high in known)[:4])

    @property
    def _files(self) -> list[str]:
        return [month.file for month in self.months]


def catch_up(context: Context, column: SourceColumn, deadline: float) -> bool:
    """Bring the index up to date month by month, until `time.monotonic()` is past the deadline. Whether it is."""
    months = _months(context, column, context.staged_exports(column.source))
    return all(time.monotonic() <= deadline for _ in months)


def _months(context: Context, column: SourceColumn, exports: Mapping[str, str]) -> Iterator[Folded]:
    source = column.source
    code = digest(source=context.code_identity(source.name), timezone=context.settings.timezone)

    def fold(base: str | None, added: Sequence[StagedInput], file: Path) -> None:
        context.engine.index_keys(source, column.column, base, added, file)

    for month, staged in _by_month(exports).items():
        partition = Partition("staging", f"{source.name}/_index_{column.column}", month)
        yield fold_into(context, partition, code, source, staged, fold)


def _by_month(exports: Mapping[str, str]) -> dict[str, dict[str, str]]:
    months: dict[str, dict[str, str]] = {}
    for day, etag in exports.items():
        months.setdefault(day[:7], {})[day] = etag
    return months
