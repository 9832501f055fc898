"""The key index: which exports a business date needs, found without reading history.

For each driving source it holds (key, export day, business date) of every live
staged row, in one sorted file per month of exports. A date needs every export
that holds any row of a key that ever had that date. A month's file is a pure
function of the month's staged versions, rebuilt when they differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        months = _by_month(self.exports)
        self.months = [self._month(month, exports) for month, exports in months.items()]

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

    def _month(self, month: str, exports: Mapping[str, str]) -> Folded:
        source, column = self.column.source, self.column.column
        partition = Partition("staging", f"{source.name}/_index_{column}", month)
        timezone = self.context.settings.timezone
        code = digest(source=self.context.code_identity(source.name), timezone=timezone)

        def fold(base: str | None, added: Sequence[StagedInput], file: Path) -> None:
            self.context.engine.index_keys(source, column, base, added, file)

        return fold_into(self.context, partition, code, source, exports, fold)


def _by_month(exports: Mapping[str, str]) -> dict[str, dict[str, str]]:
    months: dict[str, dict[str, str]] = {}
    for day, etag in exports.items():
        months.setdefault(day[:7], {})[day] = etag
    return months
