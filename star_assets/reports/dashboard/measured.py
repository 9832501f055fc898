"""The sums that a page needs, and the columns that they are grouped by, from a dashboard's declaration.

Here: the sums behind measures, slicers, breakdowns, the column with the viewer of a row.
Not here: the SQL (statements).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from star_assets.model import Dashboard, Star
from star_assets.model.dashboard import BarChart, LineChart
from star_assets.model.presentation import Attribute, find_attribute, find_measure
from star_assets.model.tables import Measure, Ratio

# So many values of a breakdown are listed for each slice and period, or more if a chart shows more.
NAMED = 50


@dataclass(frozen=True)
class Sum:
    """An aggregate of a column of the fact, over rows and then over the sums of rows."""

    how: Literal["sum", "count", "min", "max"]
    column: str


@dataclass(frozen=True)
class Shown:
    """The sums that a measure is computed from: the total of `of`, divided by that of `per` if there is any."""

    of: tuple[Sum, ...]
    per: tuple[Sum, ...] = ()

    @property
    def sums(self) -> tuple[Sum, ...]:
        """The sums of both, each once."""
        return tuple(dict.fromkeys((*self.of, *self.per)))

    @property
    def weight(self) -> Sum:
        """The sum by which the greatest values of a breakdown are chosen."""
        return (self.per or self.of)[0]


@dataclass(frozen=True)
class Breakdown:
    """A measure by the values of a column that is no slicer; `named` values are listed in each slice and period."""

    measure: str
    by: str
    named: int


def shown(measure: Measure | Ratio) -> Shown:
    """The sums of a measure or ratio; an average is a sum divided by a count."""
    if isinstance(measure, Ratio):
        of, per = measure.numerator, measure.denominator
        return Shown(tuple(Sum("sum", column) for column in of), tuple(Sum("sum", column) for column in per))
    if measure.aggregate == "avg":
        return Shown((Sum("sum", measure.column),), (Sum("count", measure.column),))
    return Shown((Sum(measure.aggregate, measure.column),))


def slicers(dashboard: Dashboard) -> tuple[str, ...]:
    """The columns that rows are filtered by: the dashboard's filters, and the values that pages fix."""
    fixed = (name for page in dashboard.pages for name in page.where)
    return tuple(dict.fromkeys((*dashboard.filters, *fixed)))


def breakdowns(dashboard: Dashboard) -> tuple[Breakdown, ...]:
    """A breakdown for each bar chart whose column is no slicer. Charts of the same measure and column share it."""
    found: dict[tuple[str, str], int] = {}
    for chart in _charts(dashboard):
        if isinstance(chart, BarChart) and chart.by not in slicers(dashboard):
            key = chart.measure, chart.by
            found[key] = max(found.get(key, NAMED), chart.top)
    return tuple(Breakdown(*key, named) for key, named in found.items())


def daily_sums(star: Star, dashboard: Dashboard) -> tuple[Sum, ...]:
    """The sums by day and slice: of tiles, line charts, and bar charts by a slicer."""
    names = [name for page in dashboard.pages for name in page.tiles]
    for chart in _charts(dashboard):
        if isinstance(chart, LineChart) or chart.by in slicers(dashboard):
            names.append(chart.measure)
    return _sums(star, dashboard, names)


def measures(dashboard: Dashboard) -> tuple[str, ...]:
    """The names of the measures and ratios of all pages."""
    tiles = (name for page in dashboard.pages for name in page.tiles)
    return tuple(dict.fromkeys((*tiles, *(chart.measure for chart in _charts(dashboard)))))


def viewer(star: Star, dashboard: Dashboard) -> Attribute | None:
    """The column with the address of a row's viewer; None if everybody may see all rows.

    A fact that refers to no dimension with `visible_to` has no such column.
    """
    referred = star.facts[dashboard.fact].references.values()
    for table in referred:
        if table.visible_to:
            return find_attribute(star, dashboard, f"{table.name}.{table.visible_to}")
    return None


def restricted(star: Star) -> bool:
    """Whether the star declares who may see which rows."""
    return any(table.visible_to for table in star.dimensions.values())


def _charts(dashboard: Dashboard) -> Iterator[BarChart | LineChart]:
    for page in dashboard.pages:
        yield from page.charts


def _sums(star: Star, dashboard: Dashboard, names: Iterable[str]) -> tuple[Sum, ...]:
    found = (shown(find_measure(star, dashboard, name)).sums for name in names)
    return tuple(dict.fromkeys(one for sums in found for one in sums))
