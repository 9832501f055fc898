"""Dashboards: what people look at, declared once for Power BI and for the HTML page.

Everything is named as in the tables: a measure or ratio of the fact by its name
(`"revenue"`), a column as `"dim_product.category"`. Here: the declaration. Not here: what the
names stand for, and whether they stand for anything (presentation).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class BarChart:
    """A measure by the values of a column, the greatest first.

    Args:
        measure: what the bars are as long as.
        by: the column, one bar per value.
        top: how many bars at most; the rest is left out.
        title: what stands above it, where "Total Revenue by Category" would not do.
    """

    measure: str
    by: str
    top: int = 10
    title: str = ""


@dataclass(frozen=True)
class LineChart:
    """A measure by day: one point per business date of the period, also of a date without rows.

    Args:
        measure: how high the line is.
        title: what stands above it, where "Total Revenue by Day" would not do.
    """

    measure: str
    title: str = ""


@dataclass(frozen=True)
class Page:
    """Tiles and charts that are looked at together, over the same rows of the fact.

    Args:
        title: what stands above the page.
        tiles: measures, each shown as a number beside two earlier ones: that of
            as many days just before the period, and, for the period's last
            day alone, that of the same weekday a week before.
        charts: what follows the tiles.
        where: by column, the one value that rows have on this page: text or an
            integer. A reader cannot change it.
        between: the first and the last business date of this page, where its
            period is fixed too.
    """

    title: str
    tiles: Sequence[str] = ()
    charts: Sequence[BarChart | LineChart] = ()
    where: Mapping[str, str | int] = field(default_factory=dict)
    between: tuple[date, date] | None = None


@dataclass(frozen=True)
class Dashboard:
    """Pages about one fact, with filters that hold for all of them.

    Args:
        name: what files and assets call it: lower-case letters, digits and _.
        title: what people call it.
        fact: the name of the fact that it is about.
        pages: the first is what it opens with.
        filters: the columns that a reader may choose values of, beside the
            period. A page that fixes a column in `where` has no filter on it.
        days: how long a period is shown at first. It ends with the last
            published date.
    """

    name: str
    title: str
    fact: str
    pages: Sequence[Page]
    filters: Sequence[str] = ()
    days: int = 28
