"""Querying Athena for the rows behind a dashboard.

They are queried once for all viewers; a viewer's page is made of that viewer's rows. Not here:
the SQL (statements), the content of a page (document).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from star_assets.model import Dashboard, Fact, Star
from star_assets.model.presentation import find_measure
from star_assets.reports.dashboard import statements
from star_assets.reports.dashboard.measured import Breakdown, breakdowns, daily_sums, shown, slicers, viewer
from star_assets.reports.dashboard.periods import periods

if TYPE_CHECKING:
    from star_assets.athena.client import Athena
    from star_assets.pipeline.warehouse import Warehouse

Number = int | float | Decimal | None


@dataclass(frozen=True)
class Slice:
    """A combination of the slicers' values, as texts, and the viewer of its rows, in lower case."""

    values: tuple[str | None, ...]
    viewer: str | None = None

    def order(self) -> tuple[tuple[bool, str], ...]:
        """The sort key of slices, by which the same answers give the same page."""
        return tuple((value is None, value or "") for value in (*self.values, self.viewer))


@dataclass(frozen=True)
class Row:
    """The sums of a slice at a time, which is a business date or the number of a period.

    In a breakdown, the sums of one value of its column, or of all other values if `named` is false.
    """

    slice: Slice
    time: str | int
    sums: tuple[Number, ...]
    value: str | None = None
    named: bool = True


@dataclass(frozen=True)
class Answers:
    """All rows behind a dashboard, of all viewers.

    Attributes:
        days: the published business dates, in order.
        periods: the first and last date of each period of the breakdowns.
        slices: every slice, also those of members without a row.
        daily: the rows by date and slice.
        broken_down: for each breakdown, its rows by period, slice and value.
        viewers: the addresses of all who see a member, in lower case.
        until: the time of the newest event on the last day, in the business time zone; None if that day has no
            provisional row.
    """

    days: list[str] = field(default_factory=list)
    periods: list[tuple[str, str]] = field(default_factory=list)
    slices: list[Slice] = field(default_factory=list)
    daily: list[Row] = field(default_factory=list)
    broken_down: dict[Breakdown, list[Row]] = field(default_factory=dict)
    viewers: list[str] = field(default_factory=list)
    until: datetime | None = None

    def seen_by(self, address: str) -> Answers:
        """The answers with only the rows that this address may see."""

        def own(rows: Iterable[Row]) -> list[Row]:
            return [row for row in rows if row.slice.viewer == address]

        return Answers(
            self.days,
            self.periods,
            [found for found in self.slices if found.viewer == address],
            own(self.daily),
            {breakdown: own(rows) for breakdown, rows in self.broken_down.items()},
            [address],
            self.until,
        )


def ask(warehouse: Warehouse, athena: Athena, dashboard: Dashboard) -> Answers:
    """Query everything that a dashboard shows. Empty if no date of its fact is published."""
    star = warehouse.star
    days = sorted(found.values[0] for found in warehouse.catalog.partitions("olap", dashboard.fact))
    if not days:
        return Answers()
    known = periods(days, [page.between for page in dashboard.pages if page.between])
    daily = [*_rows(athena, statements.daily(star, dashboard), star, dashboard, len(daily_sums(star, dashboard)))]
    broken_down = {}
    for breakdown in breakdowns(dashboard):
        sums = len(shown(find_measure(star, dashboard, breakdown.measure)).sums)
        sql = statements.broken_down(star, dashboard, breakdown, known)
        broken_down[breakdown] = [*_rows(athena, sql, star, dashboard, sums)]
    # Days may have been published since the first query; their rows are in the answers too.
    days = sorted({*days, *(str(row.time) for row in daily)})
    used = [row.slice for rows in (daily, *broken_down.values()) for row in rows]
    return Answers(
        days,
        known,
        sorted({*_members(athena, star, dashboard), *used}, key=Slice.order),
        daily,
        broken_down,
        _viewers(athena, star, dashboard),
        _until(athena, star.facts[dashboard.fact], days[-1], warehouse.settings.zone),
    )


def address(value: object) -> str | None:
    """An e-mail address in lower case, to compare it; None for any other text, such as the Unknown member's."""
    text = str(value).strip().casefold()
    return text if "@" in text else None


def _rows(athena: Athena, sql: str, star: Star, dashboard: Dashboard, sums: int) -> Iterator[Row]:
    table = athena.query(sql).table
    columns = {name: table[name].to_pylist() for name in table.column_names}
    times = columns.get(statements.DAY) or columns.get(statements.PERIOD) or []
    values = columns.get(statements.VALUE, [None] * len(times))
    named = columns.get(statements.NAMED, [True] * len(times))
    totals = [*zip(*(columns[name] for name in statements.sum_names(sums)), strict=True)] if sums else [()] * len(times)
    slices = _slices(columns, star, dashboard, len(times))
    for slice_, time, total, value, is_named in zip(slices, times, totals, values, named, strict=True):
        yield Row(slice_, time, total, _text(value), is_named)


def _slices(columns: dict[str, list[Any]], star: Star, dashboard: Dashboard, count: int) -> list[Slice]:
    names = statements.slice_names(len(slicers(dashboard)))
    values: Sequence[tuple[Any, ...]] = [*zip(*(columns[name] for name in names), strict=True)]
    viewers = columns[statements.VIEWER] if viewer(star, dashboard) else [None] * count
    return [
        Slice(tuple(map(_text, found)), address(seen_by))
        for found, seen_by in zip(values if names else [()] * count, viewers, strict=True)
    ]


def _members(athena: Athena, star: Star, dashboard: Dashboard) -> list[Slice]:
    sql = statements.members(star, dashboard)
    if sql is None:
        return []
    table = athena.query(sql).table
    columns = {name: table[name].to_pylist() for name in table.column_names}
    return _slices(columns, star, dashboard, table.num_rows)


def _viewers(athena: Athena, star: Star, dashboard: Dashboard) -> list[str]:
    column = viewer(star, dashboard)
    if column is None:
        return []
    found = athena.query(statements.viewers(column)).table[statements.VIEWER].to_pylist()
    return sorted({known for value in found if (known := address(value))})


def _until(athena: Athena, fact: Fact, day: str, zone: ZoneInfo) -> datetime | None:
    if fact.provisional is None:
        return None
    newest = athena.query(statements.provisional_until(fact, day)).table[statements.UNTIL][0].as_py()
    return newest.replace(tzinfo=UTC).astimezone(zone) if newest else None


def _text(value: object) -> str | None:
    """A column's value as text; None for NULL."""
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
