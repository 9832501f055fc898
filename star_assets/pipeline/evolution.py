"""Finds the undeclared columns of a source's exports, and the day on which each first came.

Not here: staging such columns (engines, by the Source's `new_columns`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta

from star_assets.model.days import day_of
from star_assets.model.errors.exports import visible_names
from star_assets.model.source import Source
from star_assets.pipeline.context import Context
from star_assets.rules.winners import DELETED

# Days before an export that are looked at for one with rows: a source may export nothing for weeks.
LOOKED_BACK = 31


def undeclared(source: Source, columns: Iterable[str]) -> tuple[str, ...]:
    """Those of a staged version's columns that the source does not declare, in their order."""
    return tuple(column for column in columns if column not in source.staged and column != DELETED)


def new_columns(context: Context, source: Source) -> dict[str, str]:
    """The undeclared columns that came after the source's first staged rows, each with its first export day."""
    first: dict[str, str] = {}
    begin = None
    for served in context.catalog.partitions("staging", source.name):
        day = served.export
        if int(served.parameters.get("rows", 0)):
            begin = begin or day
            for column in undeclared(source, (column.name for column in served.columns)):
                first.setdefault(column, day)
    return {column: day for column, day in first.items() if day != begin}


def new_column_notes(source: Source, columns: Mapping[str, str]) -> list[str]:
    """What people should know of `new_columns`: which, since when, and how to give them a type."""
    if not columns:
        return []
    listed = visible_names([f"{column} since {day}" for column, day in columns.items()])
    noun, pronoun = ("1 column", "it") if len(columns) == 1 else (f"{len(columns):,} columns", "them")
    return [f"{source.name}: {noun} came later than the first export: {listed}. Declare {pronoun} to give a type."]


class NewColumns:
    """Tells which columns of a day the one before it had not, while days are staged in their order."""

    def __init__(self, context: Context, source: Source) -> None:
        self.context = context
        self.source = source
        self._listed: set[str] | None = None
        self._known: dict[str, tuple[str, ...]] = {}

    def of(self, day: str, columns: Sequence[str], rows: int) -> list[str]:
        """Those of a day's undeclared columns that are new; none where no day before it has rows."""
        before = self._before(day)
        if rows:
            self._known[day] = tuple(columns)
        return [] if before is None else [column for column in columns if column not in before]

    def _before(self, day: str) -> tuple[str, ...] | None:
        """The undeclared columns of the last day with rows before this one; None where there is none."""
        for other in self._earlier(day):
            if other in self._known or self._read(other):
                return self._known[other]
        return None

    def _earlier(self, day: str) -> Iterator[str]:
        """Days before this one, the last first: the one before it, which nearly always will do, without a listing."""
        yield str(date.fromisoformat(day_of(day)) - timedelta(days=1))
        if self._listed is None:
            self._listed = set(self.context.staged(self.source))
        earlier = sorted((other for other in self._listed | self._known.keys() if other < day), reverse=True)
        yield from earlier[:LOOKED_BACK]

    def _read(self, day: str) -> bool:
        """Look at a staged day. Whether it has rows."""
        live = self.context.ledgers("staging", self.source.name).last.day(day).live
        if live is None or not live.rows:
            return False
        manifest = self.context.staged_manifest(self.source.name, day, live.version)
        if manifest is None:
            return False
        self._known[day] = undeclared(self.source, (name for name, _ in manifest.schema))
        return True
