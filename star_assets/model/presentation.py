"""Resolving and checking the names in dashboards, labels, hierarchies and ratios, when a star is loaded.

Here: finding measures and columns by name, the titles of charts, the checks. Not here:
the declarations (tables, dashboard), labels for people (labels).
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

from star_assets.model.dashboard import BarChart, Dashboard, LineChart, Page
from star_assets.model.errors import BadDeclaration
from star_assets.model.labels import column_label, measure_label, table_label
from star_assets.model.schema import StarSchema
from star_assets.model.source import NAME
from star_assets.model.tables import Dimension, Fact, Format, Measure, Ratio

# ISO 4217.
_CURRENCY = re.compile("[A-Z]{3}")

# The types of columns of which a page may fix a value → the Python type of that value.
_FIXED = {"string": str, "int32": int, "int64": int}


@dataclass(frozen=True)
class Attribute:
    """A column that a dashboard names.

    `through` is the first of the fact's columns that refer to the column's table; None for
    a column of the fact itself.
    """

    table: Dimension | Fact
    column: str
    through: str | None

    @property
    def label(self) -> str:
        """The label of the column."""
        return column_label(self.table, self.column)


def find_measure(star: StarSchema, dashboard: Dashboard, name: str) -> Measure | Ratio:
    """The measure or ratio of that name, of the dashboard's fact. Raises BadDeclaration with the nearest name."""
    shown = {measure.name: measure for measure in reversed(star.facts[dashboard.fact].shown)}
    if name not in shown:
        raise _unknown(f"dashboard {dashboard.name}", name, f"measure of {dashboard.fact}", shown)
    return shown[name]


def find_attribute(star: StarSchema, dashboard: Dashboard, name: str) -> Attribute:
    """The column that a name such as `"dim_store.city"` stands for. Raises BadDeclaration with the nearest name."""
    fact = star.facts[dashboard.fact]
    found = {f"{fact.name}.{column}": Attribute(fact, column, None) for column in _columns(star, fact)}
    for through, table in reversed([*fact.references.items()]):
        found |= {f"{table.name}.{column}": Attribute(table, column, through) for column in _columns(star, table)}
    if name not in found:
        raise _unknown(f"dashboard {dashboard.name}", name, f"column of {fact.name} or what it refers to", found)
    return found[name]


def chart_title(star: StarSchema, dashboard: Dashboard, chart: BarChart | LineChart) -> str:
    """The title of a chart: the declared one, or else one such as "Total Revenue by Category" or "… by Day"."""
    if chart.title:
        return chart.title
    measured = measure_label(star.facts[dashboard.fact], find_measure(star, dashboard, chart.measure))
    by = find_attribute(star, dashboard, chart.by).label if isinstance(chart, BarChart) else "Day"
    return f"{measured} by {by}"


def check_presentation(star: StarSchema, dashboards: Sequence[Dashboard], currency: str | None) -> None:
    """Raise BadDeclaration for the first label, hierarchy, ratio or dashboard that cannot be shown."""
    if currency is not None and not _CURRENCY.fullmatch(currency):
        raise BadDeclaration("star", f"currency is {currency!r}", 'Use a code of ISO 4217, such as "USD"')
    tables: list[Dimension | Fact] = [*star.dimensions.values(), *star.facts.values()]
    _check_distinct("star", "tables", [table_label(table) for table in tables])
    for dimension in star.dimensions.values():
        _check_dimension(star, dimension)
    for fact in star.facts.values():
        _check_fact(star, fact)
    restricting = [table.name for table in star.dimensions.values() if table.visible_to]
    if len(restricting) > 1:
        raise BadDeclaration("star", f"{' and '.join(restricting)} both declare visible_to", "Declare it once")
    for name, count in Counter(dashboard.name for dashboard in dashboards).items():
        if count > 1:
            raise BadDeclaration(f"dashboard {name}", "is declared twice in one star", "Names are unique")
    for dashboard in dashboards:
        _check_dashboard(star, dashboard)


def _check_dimension(star: StarSchema, table: Dimension) -> None:
    columns = _columns(star, table)
    _check_columns(table.name, "labels", table.labels, columns)
    _check_distinct(table.name, "columns", [column_label(table, column) for column in columns])
    personal = star.personal(table)
    for name, levels in table.hierarchies.items():
        _check_columns(table.name, f"hierarchy {name!r}", levels, columns)
        for level in levels:
            if level in personal:
                raise _personal(f"{table.name}, hierarchy {name!r}", level)
    if table.visible_to is not None:
        _check_columns(table.name, "visible_to", [table.visible_to], columns)
        if columns[table.visible_to] != "string":
            raise BadDeclaration(
                table.name,
                f"visible_to names {table.visible_to!r}, which is {columns[table.visible_to]}",
                "Name a text column with e-mail addresses",
            )


def _check_fact(star: StarSchema, table: Fact) -> None:
    columns = _columns(star, table)
    _check_columns(table.name, "labels", table.labels, columns)
    for ratio in table.ratios:
        if not NAME.fullmatch(ratio.name) or ratio.name in columns:
            raise BadDeclaration(
                table.name, f"ratio {ratio.name!r} is not a usable name, or is the name of a column", "Use another name"
            )
        for name in (*ratio.numerator, *ratio.denominator):
            if name not in table.summed:
                raise _unknown(f"{table.name}, ratio {ratio.name!r}", name, "measure that adds up", table.summed)
    for measure in table.shown:
        if measure.format not in (None, *get_args(Format)):
            raise BadDeclaration(
                f"{table.name}, measure {measure.name!r}",
                f"its format is {measure.format!r}",
                f"Use one of {', '.join(get_args(Format))}",
            )
    labels = [column_label(table, column) for column in columns]
    _check_distinct(table.name, "columns and measures", [*labels, *(measure_label(table, one) for one in table.shown)])


def _check_dashboard(star: StarSchema, dashboard: Dashboard) -> None:
    place = f"dashboard {dashboard.name}"
    if not NAME.fullmatch(dashboard.name):
        raise BadDeclaration(place, "is not a usable name", "Use lower-case letters, digits and _")
    if dashboard.fact not in star.facts:
        raise _unknown(place, dashboard.fact, "fact of the star", star.facts)
    if not dashboard.pages:
        raise BadDeclaration(place, "has no page", "Declare one")
    if dashboard.days < 1:
        raise BadDeclaration(place, f"days is {dashboard.days}", "Show one day or more")
    for page in dashboard.pages:
        for name in _measures(page):
            find_measure(star, dashboard, name)
        for chart in page.charts:
            if isinstance(chart, BarChart) and chart.top < 1:
                raise BadDeclaration(f"{place}, page {page.title!r}", f"top is {chart.top}", "Show one bar or more")
        if page.between and page.between[0] > page.between[1]:
            first, last = page.between
            raise BadDeclaration(
                f"{place}, page {page.title!r}", f"{first} is after {last}", "Put the first date first"
            )
        _check_fixed(star, dashboard, page)
    for name in _used_columns(dashboard):
        attribute = find_attribute(star, dashboard, name)
        if attribute.column in star.personal(attribute.table):
            raise _personal(place, name)


def _check_fixed(star: StarSchema, dashboard: Dashboard, page: Page) -> None:
    for name, value in page.where.items():
        attribute = find_attribute(star, dashboard, name)
        type_ = _columns(star, attribute.table)[attribute.column]
        if type_ not in _FIXED or type(value) is not _FIXED[type_]:
            raise BadDeclaration(
                f"dashboard {dashboard.name}, page {page.title!r}",
                f"{name} is {type_}, and cannot be {value!r}",
                "Fix a text column to a text, or an integer column to an integer",
            )


def _measures(page: Page) -> Iterator[str]:
    yield from page.tiles
    yield from (chart.measure for chart in page.charts)


def _used_columns(dashboard: Dashboard) -> Iterator[str]:
    """The name of every column that a dashboard uses."""
    yield from dashboard.filters
    for page in dashboard.pages:
        yield from (chart.by for chart in page.charts if isinstance(chart, BarChart))
        yield from page.where


def _columns(star: StarSchema, table: Dimension | Fact) -> dict[str, str]:
    """The type of each column of the published table."""
    return {field.name: str(field.type) for field in star.fields(table)}


def _check_columns(place: str, role: str, named: Iterable[str], columns: dict[str, str]) -> None:
    for name in named:
        if name not in columns:
            raise _unknown(f"{place}, {role}", name, "column of it", columns)


def _check_distinct(place: str, what: str, labels: Iterable[str]) -> None:
    """Raises BadDeclaration if two labels differ in case alone, because Power BI ignores the case of names."""
    for label, count in Counter(label.casefold() for label in labels).items():
        if count > 1:
            raise BadDeclaration(place, f"two of its {what} are called {label!r}", "Declare a label for one of them")


def _unknown(place: str, name: str, what: str, known: Iterable[str]) -> BadDeclaration:
    nearest = difflib.get_close_matches(name, [*known], n=1, cutoff=0)
    return BadDeclaration(
        place, f"{name!r} is no {what}", f"The nearest is {nearest[0]!r}" if nearest else "There is none at all"
    )


def _personal(place: str, column: str) -> BadDeclaration:
    return BadDeclaration(place, f"{column!r} is personal", "Show another column; see personal=True in the source")
