"""The key index: which exports a business date needs, found without reading history.

For each driving source it holds (key, export day, business date) of every live
staged row; for lines that are exported by themselves, (key, header's key, export
day). A date needs every export that holds any row of a key that ever had that
date, and any row of a line that ever belonged to such a key. There is one sorted
file per month of exports, a pure function of the month's staged versions,
rebuilt when they differ.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from star_assets.engines.engine import StagedInput
from star_assets.lake.versions import Partition
from star_assets.model.source import Source, SourceColumn
from star_assets.pipeline.context import Context
from star_assets.pipeline.fold import Fold, Folded, fold_into, years
from star_assets.pipeline.identity import digest

ExportsByDate = Mapping[str, list[str]]


class KeyIndex:
    """The index of one driving column, as of the exports that are live now."""

    def __init__(self, context: Context, column: SourceColumn) -> None:
        self.context = context
        self.column = column
        self.exports = context.staged_exports(column.source)
        self.months = list(_months(context, column, self.exports))

    def exports_of(self, dates: Sequence[str] | None) -> ExportsByDate:
        """For each business date (None: for every one that has rows), the export days it needs, sorted."""
        source = self.column.source
        if dates is not None:
            return self.context.engine.exports_of_dates(source, self.files, dates)
        return _known(
            self.context,
            f"{source.name}.{self.column.column}",
            self.months,
            lambda: self.context.engine.exports_of_dates(source, self.files, None),
        )

    def dates_of(self, exports: Sequence[str]) -> list[str]:
        """The business dates that any key of these exports has, or ever had, sorted."""
        return self.context.engine.dates_of_exports(self.column.source, self.files, exports)

    def years(self) -> tuple[int, int] | None:
        """The first and last year with a business date; None while there is none."""
        return years(self.context, self.months, "date")

    @property
    def files(self) -> list[str]:
        """The months' files, where they can be read."""
        return [month.file for month in self.months]


class LineIndex:
    """The index of lines that are exported by themselves, as of the exports that are live now."""

    def __init__(self, context: Context, headers: KeyIndex, part: Source) -> None:
        self.context = context
        self.headers = headers
        self.part = part
        self.exports = context.staged_exports(part)
        self.months = list(_line_months(context, part, self.exports))

    def exports_of(self, dates: Sequence[str] | None) -> ExportsByDate:
        """For each business date (None: for every one that has lines), the part's export days it needs, sorted."""

        def ask() -> ExportsByDate:
            files = [month.file for month in self.months]
            header = self.headers.column.source
            return self.context.engine.line_exports_of_dates(header, self.headers.files, self.part, files, dates)

        if dates is not None:
            return ask()
        name = f"{self.part.name} by {self.headers.column.column}"
        return _known(self.context, name, [*self.headers.months, *self.months], ask)


def catch_up(context: Context, column: SourceColumn, parts: Sequence[Source], deadline: float) -> bool:
    """Bring the indexes up to date month by month, until `time.monotonic()` is past the deadline. Whether they are."""
    months = [_months(context, column, context.staged_exports(column.source))]
    months += [_line_months(context, part, context.staged_exports(part)) for part in parts if part.lines == "changed"]
    return all(time.monotonic() <= deadline for index in months for _ in index)


def _known(context: Context, name: str, months: Sequence[Folded], ask: Callable[[], ExportsByDate]) -> ExportsByDate:
    """What the index says of every date. The same files say the same: who asks every minute has them read once."""
    versions = tuple(month.version for month in months)
    known, found = context.exports_by_date.get(name, ((), {}))
    if known != versions:
        found = ask()
        context.exports_by_date[name] = versions, found
    return found


def _months(context: Context, column: SourceColumn, exports: Mapping[str, str]) -> Iterator[Folded]:
    source = column.source
    code = digest(source=context.code_identity(source.name), timezone=context.settings.timezone)

    def fold(base: str | None, added: Sequence[StagedInput], file: Path) -> None:
        context.engine.index_keys(source, column.column, base, added, file)

    return _by_month(context, source, f"_index_{column.column}", code, exports, fold)


def _line_months(context: Context, part: Source, exports: Mapping[str, str]) -> Iterator[Folded]:
    code = digest(source=context.code_identity(part.name))

    def fold(base: str | None, added: Sequence[StagedInput], file: Path) -> None:
        context.engine.index_lines(part, base, added, file)

    return _by_month(context, part, "_index_lines", code, exports, fold)


def _by_month(
    context: Context, source: Source, folder: str, code: str, exports: Mapping[str, str], fold: Fold
) -> Iterator[Folded]:
    months: dict[str, dict[str, str]] = {}
    for day, etag in exports.items():
        months.setdefault(day[:7], {})[day] = etag
    for month, staged in months.items():
        partition = Partition("staging", f"{source.name}/{folder}", month)
        yield fold_into(context, partition, code, source, staged, fold)
