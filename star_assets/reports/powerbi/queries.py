"""The JSON of fields, conditions and filters in a report.

Filters refer to tables by aliases; the fields of a visual refer to them by their names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

Json = dict[str, Any]

# Kinds of comparison.
_EQUAL_OR_AFTER, _BEFORE = 2, 3

# A unit of time: the day.
_DAY = 0


@dataclass(frozen=True)
class ModelField:
    """A column or measure of the model, by the names that readers see."""

    table: str
    name: str
    is_measure: bool = False

    @property
    def reference(self) -> str:
        """Its name in a visual."""
        return f"{self.table}.{self.name}"

    def expression(self, source: Json | None = None) -> Json:
        """The field as an expression, with its table or, in a filter, the table's alias `source`."""
        of = {"SourceRef": source or {"Entity": self.table}}
        return {"Measure" if self.is_measure else "Column": {"Expression": of, "Property": self.name}}


def literal(value: str | int | bool | date) -> Json:
    """A value: `'Miami'`, `5L`, `true`, `datetime'2023-07-01T00:00:00'`."""
    if isinstance(value, bool):
        written = str(value).lower()
    elif isinstance(value, int):
        written = f"{value}L"
    elif isinstance(value, date):
        written = f"datetime'{value}T00:00:00'"
    else:
        written = "'" + value.replace("'", "''") + "'"
    return {"Literal": {"Value": written}}


def is_value(name: str, field: ModelField, value: str | int) -> Json:
    """The filter that keeps one value of a column."""
    kept = {"Expressions": [field.expression({"Source": "t"})], "Values": [[literal(value)]]}
    return _filter(name, "Categorical", field, {"In": kept})


def between(name: str, field: ModelField, first: date, last: date) -> Json:
    """The filter that keeps the days from the first to the last."""

    def compared(kind: int, day: date) -> Json:
        left = field.expression({"Source": "t"})
        return {"Comparison": {"ComparisonKind": kind, "Left": left, "Right": literal(day)}}

    kept = {"Left": compared(_EQUAL_OR_AFTER, first), "Right": compared(_BEFORE, last + timedelta(days=1))}
    return _filter(name, "Advanced", field, {"And": kept})


def most(name: str, field: ModelField, measure: ModelField, count: int) -> Json:
    """The filter that keeps the `count` values of a column with the most of a measure."""
    of_column, of_measure = {"Source": "t"}, {"Source": "m" if measure.table != field.table else "t"}
    tables = [{"Name": "t", "Entity": field.table, "Type": 0}]
    if measure.table != field.table:
        tables.append({"Name": "m", "Entity": measure.table, "Type": 0})
    query = {
        "Version": 2,
        "From": tables,
        "Select": [{**field.expression(of_column), "Name": "field"}],
        "OrderBy": [{"Direction": 2, "Expression": measure.expression(of_measure)}],
        "Top": count,
    }
    kept = {"Expressions": [field.expression(of_column)], "Table": {"SourceRef": {"Source": "subquery"}}}
    subquery = {"Name": "subquery", "Expression": {"Subquery": {"Query": query}}, "Type": 2}
    return _filter(name, "TopN", field, {"In": kept}, [subquery])


def last_days(field: ModelField, count: int) -> Json:
    """The state of a slicer that keeps the last `count` days before today."""

    def days_ago(days: int) -> Json:
        ago = {"DateAdd": {"Expression": {"Now": {}}, "Amount": -days, "TimeUnit": _DAY}}
        return {"DateSpan": {"Expression": ago, "TimeUnit": _DAY}}

    kept = {
        "Expression": field.expression({"Source": "t"}),
        "LowerBound": days_ago(count),
        "UpperBound": days_ago(1),
    }
    return _definition(field, {"Between": kept})


def _filter(name: str, type_: str, field: ModelField, condition: Json, others: Sequence[Json] = ()) -> Json:
    definition = _definition(field, condition, others)
    return {"name": name, "field": field.expression(), "type": type_, "filter": definition}


def _definition(field: ModelField, condition: Json, others: Sequence[Json] = ()) -> Json:
    tables = [*others, {"Name": "t", "Entity": field.table, "Type": 0}]
    return {"Version": 2, "From": tables, "Where": [{"Condition": condition}]}
