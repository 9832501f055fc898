"""The columns of the semantic model: which it has, which are hidden, and their labels, types and formats.

Not here: measures (measures), writing a table (model).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from star_assets.model import PARTITION_COLUMN, BarChart, Dimension, Fact, Field, Star
from star_assets.model.calendars import calendar_of
from star_assets.model.labels import column_label
from star_assets.model.members import MEMBER_KIND
from star_assets.model.presentation import find_attribute
from star_assets.model.tables import IS_CURRENT, PARTITION_DATE, VALID_FROM, VALID_TO, History
from star_assets.model.types import Type

_FORMATS = {"int64": "0", "decimal": "#,0.00##", "double": "#,0.00##"}
_DATE, _MOMENT = "yyyy-mm-dd", "yyyy-mm-dd hh:nn:ss"

# The label of the facts' partition column, since "Date" is the calendar's.
PARTITION_LABEL = "Partition Date"


@dataclass(frozen=True)
class ModelColumn:
    """A column of the semantic model: its name in the lake, its label, and its type and format in Power BI."""

    name: str
    label: str
    type: str
    format: str = ""
    description: str = ""
    folder: str = ""
    hidden: bool = False
    key: bool = False
    sorted_by: str = ""


def model_columns(star: Star, table: Dimension | Fact) -> dict[str, ModelColumn]:
    """The columns of a table, by their names in the lake, without those that have personal data.

    The column of `visible_to` is always there, because row-level security reads it.
    """
    personal = star.personal(table) - {table.visible_to if isinstance(table, Dimension) else None}
    fields = {field.name: field for field in star.fields(table) if field.name not in personal}
    hidden = _hidden_of_fact(table) if isinstance(table, Fact) else _hidden_of_dimension(star, table)
    key = table.key if isinstance(table, Dimension) else None
    found = {
        name: ModelColumn(
            name,
            column_label(table, name),
            field.type.power_bi,
            _format(field.type),
            field.description,
            _folder(table, name),
            name in hidden,
            name == key,
            _sorted_by(table, name, fields),
        )
        for name, field in fields.items()
    }
    if isinstance(table, Fact):
        shown = calendar_of(star, table) is None
        found[PARTITION_COLUMN] = ModelColumn(
            PARTITION_COLUMN, PARTITION_LABEL, "string", "", "The business date, as text.", "Details", not shown
        )
    return found


def _format(type_: Type) -> str:
    if type_.name in ("date", "timestamp"):
        return _DATE if type_.name == "date" else _MOMENT
    return _FORMATS.get(type_.power_bi, "")


def _folder(table: Dimension | Fact, name: str) -> str:
    details = isinstance(table, Fact) or name == MEMBER_KIND
    return "Details" if details else ""


def _hidden_of_fact(fact: Fact) -> set[str]:
    """Keys and the columns of measures: readers use the dimensions and the measures instead."""
    return {*fact.references, *(measure.column for measure in fact.measures)}


def _hidden_of_dimension(star: Star, table: Dimension) -> set[str]:
    if isinstance(table, History):
        shown = {*table.of.history, VALID_FROM, VALID_TO, IS_CURRENT}
        return {field.name for field in star.fields(table)} - shown
    hidden = {PARTITION_DATE, table.visible_to or PARTITION_DATE}
    return hidden if table.key in _named(star, table) else {*hidden, table.key}


def _named(star: Star, table: Dimension) -> set[str]:
    """The columns that the star names in a label, a hierarchy or a dashboard."""
    named = {*table.labels, *(level for levels in table.hierarchies.values() for level in levels)}
    for dashboard in star.dashboards:
        charts = [chart for page in dashboard.pages for chart in page.charts if isinstance(chart, BarChart)]
        for name in [*dashboard.filters, *(chart.by for chart in charts)]:
            attribute = find_attribute(star, dashboard, name)
            named |= {attribute.column} if attribute.table is table else set()
    return named


def _sorted_by(table: Dimension | Fact, name: str, fields: Mapping[str, Field]) -> str:
    """The label of the column that a column is sorted by, such as `month` for `month_name`; else ""."""
    number = name.removesuffix("_name")
    counted = number != name and number in fields and fields[number].type.name in ("int32", "int64")
    return column_label(table, number) if counted else ""
