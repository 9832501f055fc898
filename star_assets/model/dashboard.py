"""The declaration of dashboards: pages, charts, tiles and filters, for Power BI and for the HTML page.

A dashboard names a measure or ratio of its fact by its name (`"revenue"`), and a column
as `"dim_product.category"`. Not here: finding what the names stand for, and refusing
names that stand for nothing (presentation).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class BarChart:
    """A measure by the values of a column, the greatest first.

    Args:
        measure: the measure or ratio that the length of a bar shows.
        by: the column; the chart has one bar for each of its values.
        top: the greatest number of bars; values beyond are left out.
        title: the chart's title; by default one such as "Total Revenue by Category".
    """

    measure: str
    by: str
    top: int = 10
    title: str = ""


@dataclass(frozen=True)
class LineChart:
    """A measure by day: one point per business date of the period, also of a date without rows.

    Args:
        measure: the measure or ratio that the height of the line shows.
        title: the chart's title; by default one such as "Total Revenue by Day".
    """

    measure: str
    title: str = ""


@dataclass(frozen=True)
class Page:
    """Tiles and charts that are shown together, over the same rows of the fact.

    Args:
        title: the page's title.
        tiles: measures, each shown as a number with two comparisons: of the period
            with the same number of days before it, and of the period's last day
            with the same weekday a week before.
        charts: the charts below the tiles.
        where: by column, the one value, text or an integer, that all rows of this
            page have. A reader cannot change it.
        between: the first and the last business date of this page, if its
            period is fixed too.
    """

    title: str
    tiles: Sequence[str] = ()
    charts: Sequence[BarChart | LineChart] = ()
    where: Mapping[str, str | int] = field(default_factory=dict)
    between: tuple[date, date] | None = None


@dataclass(frozen=True)
class Dashboard:
    """Pages about one fact, with filters that apply to all pages.

    Args:
        name: its name in files and assets: lower-case letters, digits and _.
        title: its title for people.
        fact: the name of the fact whose rows it shows.
        pages: the pages; the dashboard opens with the first one.
        filters: the columns of which a reader may choose values, beside the
            period. A page that fixes a column in `where` has no filter on it.
        days: the number of days of the period that is shown at first, which
            ends with the last published date.
    """

    name: str
    title: str
    fact: str
    pages: Sequence[Page]
    filters: Sequence[str] = ()
    days: int = 28
