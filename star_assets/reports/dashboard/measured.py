"""What a page has to add up, by what: follows from a dashboard's declaration alone.

Here: the sums behind measures, slicers, breakdowns, the column that says who sees a row.
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

# Of each slice and period so many values of a breakdown are carried by name, if no chart shows more.
NAMED = 50


@dataclass(frozen=True)
class Sum:
    """A column of the fact, and how its values are put together: over rows, and sums of rows again."""

    how: Literal["sum", "count", "min", "max"]
    column: str


@dataclass(frozen=True)
class Shown:
    """What a measure is computed from: the total of `of`, over that of `per` where there is any."""

    of: tuple[Sum, ...]
    per: tuple[Sum, ...] = ()

    @property
    def sums(self) -> tuple[Sum, ...]:
        """Both, each once."""
        return tuple(dict.fromkeys((*self.of, *self.per)))

    @property
    def weight(self) -> Sum:
        """The sum by which values are greater or smaller than others, where only some can be named."""
        return (self.per or self.of)[0]


@dataclass(frozen=True)
class Breakdown:
    """A measure by the values of a column that is no slicer, `named` of them in each slice and period."""

    measure: str
    by: str
    named: int


def shown(measure: Measure | Ratio) -> Shown:
    """An average is a sum over a count, as a ratio is one sum over another."""
    if isinstance(measure, Ratio):
        of, per = measure.numerator, measure.denominator
        return Shown(tuple(Sum("sum", column) for column in of), tuple(Sum("sum", column) for column in per))
    if measure.aggregate == "avg":
        return Shown((Sum("sum", measure.column),), (Sum("count", measure.column),))
    return Shown((Sum(measure.aggregate, measure.column),))


def slicers(dashboard: Dashboard) -> tuple[str, ...]:
    """The columns whose values choose rows: a reader's filters, and what pages fix."""
    fixed = (name for page in dashboard.pages for name in page.where)
    return tuple(dict.fromkeys((*dashboard.filters, *fixed)))


def breakdowns(dashboard: Dashboard) -> tuple[Breakdown, ...]:
    """One for each bar chart whose column is no slicer; charts of one measure and column share one."""
    found: dict[tuple[str, str], int] = {}
    for chart in _charts(dashboard):
        if isinstance(chart, BarChart) and chart.by not in slicers(dashboard):
            key = chart.measure, chart.by
            found[key] = max(found.get(key, NAMED), chart.top)
    return tuple(Breakdown(*key, named) for key, named in found.items())


def daily_sums(star: Star, dashboard: Dashboard) -> tuple[Sum, ...]:
    """What is added up by day and slice: for tiles, lines and bars by a slicer."""
    names = [name for page in dashboard.pages for name in page.tiles]
    for chart in _charts(dashboard):
        if isinstance(chart, LineChart) or chart.by in slicers(dashboard):
            names.append(chart.measure)
    return _sums(star, dashboard, names)


def measures(dashboard: Dashboard) -> tuple[str, ...]:
    """The names of everything that is measured on any page."""
    tiles = (name for page in dashboard.pages for name in page.tiles)
    return tuple(dict.fromkeys((*tiles, *(chart.measure for chart in _charts(dashboard)))))


def viewer(star: Star, dashboard: Dashboard) -> Attribute | None:
    """The column with the address of who sees a row; None where everybody sees all.

    A fact that refers to no dimension with `visible_to` has no such column.
    """
    referred = star.facts[dashboard.fact].references.values()
    for table in referred:
        if table.visible_to:
            return find_attribute(star, dashboard, f"{table.name}.{table.visible_to}")
    return None


def restricted(star: Star) -> bool:
    """Whether the star says who sees what."""
    return any(table.visible_to for table in star.dimensions.values())


def _charts(dashboard: Dashboard) -> Iterator[BarChart | LineChart]:
    for page in dashboard.pages:
        yield from page.charts


def _sums(star: Star, dashboard: Dashboard, names: Iterable[str]) -> tuple[Sum, ...]:
    found = (shown(find_measure(star, dashboard, name)).sums for name in names)
    return tuple(dict.fromkeys(one for sums in found for one in sums))
