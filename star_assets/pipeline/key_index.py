"""The key index: which exports a business date needs, found without reading history.

For each driving source it holds (key, export day, business date) of every live
staged row; for lines that are exported by themselves, (key, header's key, export
day). A date needs every export that holds any row of a key that ever had that
date, and any row of a line that ever belonged to such a key. The index of a stream
has the receipts of events too: a date also needs every export that has any row of
the receipt of an event of that date. There is one sorted file per month of exports,
a book of the month's staged versions, and one of a stream's newest day; what the index
says of every date is kept beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from star_assets.lake.ledger import Snapshot
from star_assets.lake.versions import Partition
from star_assets.model.days import BusinessDate, ExportsByDate, day_of
from star_assets.model.source import Source, SourceColumn
from star_assets.pipeline.context import Context
from star_assets.pipeline.documents import document
from star_assets.pipeline.fold import Book, Fold, folded, years
from star_assets.pipeline.folded_book import FoldedBook
from star_assets.pipeline.identity import digest

if TYPE_CHECKING:
    from star_assets.engines.engine import StagedInput


# The name of the book of a stream's newest day, the only one that batches change; the day after, its month has it.
NEWEST = "newest-day"


class KeyIndex:
    """The index of one driving column, for the exports that a snapshot of its source holds."""

    def __init__(self, context: Context, column: SourceColumn, staged: Snapshot, keep: bool) -> None:
        self.context = context
        self.column = column
        self.keep = keep
        seen = context.indexed.get(column)
        if seen is None or seen[0] is not staged or (keep and not seen[1]):
            context.indexed[column] = seen = staged, keep, list(_months(context, column, staged, keep))
        self.months = seen[2]

    def exports_by_date(self) -> ExportsByDate:
        """For every business date that has rows, the export days that it needs."""
        source = self.column.source
        if not self.months:
            return {}
        partition = Partition("staging", f"{source.name}/_dates_{self.column.column}")
        return _kept_dates(
            self.context,
            partition,
            self.months,
            lambda: self.context.books.keys.exports_of_dates(source, self.files),
            self.keep,
        )

    def years(self) -> tuple[int, int] | None:
        """The first and last year with a business date; None while there is none."""
        return years(self.months, "date")

    @property
    def files(self) -> list[str]:
        """The months' files, where they can be read."""
        return [self.context.book_file(month) for month in self.months]


class LineIndex:
    """The index of lines that are exported by themselves, for the exports that a snapshot of their source holds."""

    def __init__(self, context: Context, headers: KeyIndex, part: Source, staged: Snapshot, keep: bool) -> None:
        self.context = context
        self.headers = headers
        self.part = part
        self.keep = keep
        self.months = list(_line_months(context, part, staged, keep))

    def exports_by_date(self) -> ExportsByDate:
        """For every business date that has lines, the part's export days that it needs."""
        header = self.headers.column
        partition = Partition("staging", f"{self.part.name}/_dates_{header.source.name}_{header.column}")
        return _kept_dates(
            self.context,
            partition,
            [*self.headers.months, *self.months],
            lambda: self.context.books.keys.line_exports_of_dates(
                header.source, self.headers.files, self.part, self.files
            ),
            self.keep,
        )

    @property
    def files(self) -> list[str]:
        """The months' files, where they can be read."""
        return [self.context.book_file(month) for month in self.months]


def superseding_exports(headers: KeyIndex, events: KeyIndex, receipt: Sequence[str]) -> ExportsByDate:
    """For every business date that has events, the export days of headers with any row of their receipts."""
    source = headers.column.source
    if not events.months:
        return {}
    partition = Partition("staging", f"{source.name}/_dates_{events.column.source.name}")
    return _kept_dates(
        headers.context,
        partition,
        [*headers.months, *events.months],
        lambda: headers.context.books.keys.exports_of_receipts(source, headers.files, receipt, events.files),
        headers.keep,
    )


def moved_receipts(
    headers: KeyIndex, events: KeyIndex, receipt: Sequence[str]
) -> list[tuple[BusinessDate, BusinessDate]]:
    """(date of events, date of headers) wherever a receipt has both, and they differ."""
    keys = headers.context.books.keys
    return keys.moved_receipts(headers.column.source, headers.files, receipt, events.files)


def catch_up(context: Context, columns: Sequence[SourceColumn], parts: Sequence[Source], deadline: float) -> bool:
    """Bring the indexes up to date month by month, until `time.monotonic()` is past the deadline. Whether they are."""
    months = [_months(context, column, context.look("staging", column.source.name), True) for column in columns]
    for part in parts:
        if part.lines == "changed":
            months.append(_line_months(context, part, context.look("staging", part.name), True))
    return all(time.monotonic() <= deadline for index in months for _ in index)


def _kept_dates(
    context: Context, partition: Partition, months: Sequence[FoldedBook], ask: Callable[[], ExportsByDate], keep: bool
) -> ExportsByDate:
    """What the index says of every date. The same months say the same, so only the first to ask reads their keys."""
    identity = digest(months=[month.identity.made_of for month in months])
    found: ExportsByDate = document(context, partition, identity, lambda: dict(ask()), keep)
    return found


def _months(context: Context, column: SourceColumn, staged: Snapshot, keep: bool) -> Iterator[FoldedBook]:
    source = column.source
    # Where exports are hours, they are texts.
    hours = {"hours": True} if source.is_stream else {}
    code = digest(source=context.code_identity(source.name), timezone=context.settings.timezone, **hours)

    def fold(base: str | None, added: Sequence[StagedInput], file: Path) -> None:
        context.books.keys.index_keys(source, column.column, base, added, file)

    return _by_month(context, source, f"_index_{column.column}", code, staged, fold, keep)


def _line_months(context: Context, part: Source, staged: Snapshot, keep: bool) -> Iterator[FoldedBook]:
    code = digest(source=context.code_identity(part.name))

    def fold(base: str | None, added: Sequence[StagedInput], file: Path) -> None:
        context.books.keys.index_lines(part, base, added, file)

    return _by_month(context, part, "_index_lines", code, staged, fold, keep)


def _by_month(
    context: Context,
    source: Source,
    folder: str,
    code: str,
    staged: Snapshot,
    fold: Fold[Sequence[StagedInput]],
    keep: bool,
) -> Iterator[FoldedBook]:
    kept = context.look("staging", f"{source.name}/{folder}")
    newest = day_of(next(reversed(staged.live), "")) if source.is_stream else ""

    def book(name: str, exports: Mapping[str, str], sequence: int) -> FoldedBook:
        partition = Partition("staging", f"{source.name}/{folder}", name)
        read = partial(context.staged_inputs, source)
        return folded(context, Book(partition, code, exports, sequence, read), fold, keep, kept=kept)

    for month, ledger in sorted(staged.ledgers.items()):
        live = ledger.versions
        of_newest = (
            {export: live[export] for export in live if day_of(export) == newest} if newest.startswith(month) else {}
        )
        if others := live if not of_newest else {export: live[export] for export in live if export not in of_newest}:
            yield book(month, others, ledger.sequence)
        if of_newest:
            yield book(NEWEST, of_newest, staged.sequence)
