"""What a visual shows: from the report's and the model's files alone, by SQL that a DirectQuery model sends.

Fields, filters, relationships and aggregates are what the files say. The reader
knows no star, and refuses what it does not understand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from .dax_reader import Ast, parse
from .tmdl_reader import Model, Object, column_reference, read_model

Rows = list[tuple[Any, ...]]
Column = tuple[str, str]

_AGGREGATES = {"SUM": "SUM", "AVERAGE": "AVG", "MIN": "MIN", "MAX": "MAX"}


@dataclass(frozen=True)
class Context:
    """What rows count: conditions on columns, and the inactive relationships that are used."""

    conditions: tuple[tuple[Column, str], ...] = ()
    used: frozenset[frozenset[Column]] = frozenset()

    def only(self, column: Column, condition: str) -> Context:
        """With this condition in place of others on the column."""
        return replace(self, conditions=tuple(c for c in self.conditions if c[0] != column)).also(column, condition)

    def also(self, column: Column, condition: str) -> Context:
        """With this condition too."""
        return replace(self, conditions=(*self.conditions, (column, condition)))

    def without(self, table: str | None) -> Context:
        """Without the conditions on a table, or without any."""
        return replace(self, conditions=tuple(c for c in self.conditions if table and c[0][0] != table))


@dataclass
class Reader:
    """A project's files, and where its questions are asked."""

    files: Mapping[str, str]
    ask: Callable[[str], Rows]
    today: date
    join: str = "JOIN"
    model: Model = field(init=False)

    def __post_init__(self) -> None:
        self.model = read_model(self.files)

    # Pages and visuals

    def rows(self, page: str, visual: str) -> Rows:
        """The rows that a visual shows: the values of its columns, then of its measures."""
        shown = self._json(f"/pages/{page}/visuals/{visual}/visual.json")
        context = self._page_context(page)
        roles = shown["visual"]["query"]["queryState"]
        columns, measures = [], []
        for role in ("Category", "Values", "Y"):
            for projection in roles.get(role, {}).get("projections", ()):
                kind, table, name = _field(projection["field"], {})
                (columns if kind == "Column" else measures).append((table, name))
        if not columns:
            return self.measured([name for _, name in measures], context)
        for filter_ in shown.get("filterConfig", {}).get("filters", ()):
            context = self._filtered(filter_["filter"], context)
        return self._grouped(columns, [name for _, name in measures], context, shown["visual"]["query"])

    def measured(self, names: Iterable[str], context: Context) -> Rows:
        """One row: the values of measures in a context."""
        return [tuple(self._value(self._measure(name), context, {}) for name in names)]

    def _page_context(self, page: str) -> Context:
        """What the page's filters and the slicers on it keep."""
        context = Context()
        for filter_ in self._json(f"/pages/{page}/page.json").get("filterConfig", {}).get("filters", ()):
            context = self._filtered(filter_["filter"], context)
        for path in self.files:
            if f"/pages/{page}/visuals/" in path and path.endswith("/visual.json"):
                visual = json.loads(self.files[path])["visual"]
                for entry in visual.get("objects", {}).get("general", ()):
                    context = self._filtered(entry["properties"]["filter"]["filter"], context)
        return context

    def _json(self, end: str) -> Any:
        (path,) = [path for path in self.files if path.endswith(end)]
        return json.loads(self.files[path])

    def _grouped(self, columns: list[Column], measures: list[str], context: Context, query: Any) -> Rows:
        shown = [self._sql(column) for column in columns]
        values = [self._aggregate(self._measure(name)) for name in measures]
        fact = self._table_of(self._measure(measures[0]))
        text = f"SELECT {', '.join([*shown, *values])} {self._from(fact, columns, context)} GROUP BY {', '.join(shown)}"
        (sort,) = query["sortDefinition"]["sort"]
        kind, table, name = _field(sort["field"], {})
        by = shown[columns.index((table, name))] if kind == "Column" else values[measures.index(name)]
        return self.ask(f"{text} ORDER BY {by} {'DESC' if sort['direction'] == 'Descending' else 'ASC'}, 1")

    # Filters

    def _filtered(self, definition: Any, context: Context) -> Context:
        sources = {one["Name"]: one for one in definition["From"]}
        entities = {name: one["Entity"] for name, one in sources.items() if "Entity" in one}
        for where in definition["Where"]:
            context = self._condition(where["Condition"], context, entities, sources)
        return context

    def _condition(self, condition: Any, context: Context, entities: Any, sources: Any) -> Context:
        (kind,) = condition
        given = condition[kind]
        if kind == "And":
            return self._condition(
                given["Right"], self._condition(given["Left"], context, entities, sources), entities, sources
            )
        if kind == "Comparison":
            operator = {0: "=", 1: ">", 2: ">=", 3: "<", 4: "<="}[given["ComparisonKind"]]
            return context.also(_column(given["Left"], entities), f"{operator} {_literal(given['Right'])}")
        if kind == "Between":
            low, high = self._day(given["LowerBound"]), self._day(given["UpperBound"])
            return context.also(_column(given["Expression"], entities), f"BETWEEN DATE '{low}' AND DATE '{high}'")
        if kind == "In" and "Values" in given:
            values = ", ".join(_literal(value) for row in given["Values"] for value in row)
            return context.also(_column(given["Expressions"][0], entities), f"IN ({values})")
        if kind == "In":
            query = sources[given["Table"]["SourceRef"]["Source"]]["Expression"]["Subquery"]["Query"]
            return context.also(_column(given["Expressions"][0], entities), f"IN ({self._best(query, context)})")
        raise ValueError(f"a condition that is not known: {kind}")

    def _best(self, query: Any, context: Context) -> str:
        """The values that have most, or least, of a measure."""
        entities = {one["Name"]: one["Entity"] for one in query["From"]}
        column = _column(query["Select"][0], entities)
        (order,) = query["OrderBy"]
        _, _, name = _field(order["Expression"], entities)
        measure = self._measure(name)
        shown, best = self._sql(column), self._aggregate(measure)
        source = self._from(self._table_of(measure), [column], context)
        direction = {1: "ASC", 2: "DESC"}[order["Direction"]]
        return f"SELECT {shown} {source} GROUP BY {shown} ORDER BY {best} {direction}, 1 LIMIT {query['Top']}"

    def _day(self, bound: Any) -> date:
        """A day counted from today."""
        span = bound["DateSpan"]
        assert span["TimeUnit"] == 0
        return self._moment(span["Expression"])

    def _moment(self, expression: Any) -> date:
        if "Now" in expression:
            return self.today
        added = expression["DateAdd"]
        assert added["TimeUnit"] == 0
        return self._moment(added["Expression"]) + timedelta(days=added["Amount"])

    # The model

    def _measure(self, name: str) -> Ast:
        return parse(self.model.measures[name][1].expression)

    def _table(self, name: str) -> Object:
        return self.model.tables[name]

    def _sql(self, column: Column) -> str:
        """A column as SQL; tables go by the names that readers see."""
        table, name = column
        source = self._table(table).of("column")[name].properties["sourceColumn"]
        return f'"{table}"."{source}"'

    def lake_table(self, name: str) -> str:
        """The table that a table's partition names."""
        (partition,) = self._table(name).of("partition").values()
        (found,) = re.findall(r'\[Name = "(\w+)", Kind = "Table"\]', partition.properties["source"])
        return str(found)

    def _from(self, table: str, columns: Iterable[Column], context: Context) -> str:
        """FROM and WHERE: the table, and by relationships the tables of these columns and of the conditions."""
        others = dict.fromkeys(one for one, _ in [*columns, *(column for column, _ in context.conditions)])
        text = f'FROM "{self.lake_table(table)}" AS "{table}"'
        for other in others:
            if other != table:
                on = self._related(table, other, context)
                text += f' {self.join} "{self.lake_table(other)}" AS "{other}" ON {on}'
        if context.conditions:
            kept = [f"{self._sql(column)} {condition}" for column, condition in context.conditions]
            text += f" WHERE {' AND '.join(kept)}"
        return text

    def _related(self, table: str, other: str, context: Context) -> str:
        found = []
        for one in self.model.relationships:
            ends = tuple(column_reference(one.properties[end]) for end in ("fromColumn", "toColumn"))
            if {end[0] for end in ends} == {table, other}:
                found.append((frozenset(ends) in context.used, one.properties.get("isActive") != "false", ends))
        chosen = [ends for used, active, ends in found if used] or [ends for used, active, ends in found if active]
        if len(chosen) != 1:
            raise ValueError(f"{len(chosen)} active relationships of {table} with {other}")
        return " = ".join(map(self._sql, chosen[0]))

    def _table_of(self, measure: Ast) -> str:
        """The table that a measure adds up."""
        if measure[0] == "column":
            return str(measure[1])
        found = {self._table_of(one) for one in measure[1:] if isinstance(one, tuple)}
        found |= {self._table_of(one) for given in measure[1:] if isinstance(given, list) for one in given}
        (table,) = found - {""} or {""}
        return table

    # DAX

    def _aggregate(self, measure: Ast) -> str:
        """A measure as SQL over a group of rows."""
        if measure[0] == "call" and measure[1] in _AGGREGATES:
            (column,) = measure[2]
            return f"{_AGGREGATES[measure[1]]}({self._sql(column[1:])})"
        if measure[0] == "call" and measure[1] == "DIVIDE":
            above, below = map(self._aggregate, measure[2])
            return f"CAST({above} AS DOUBLE) / NULLIF({below}, 0)"
        if measure[0] == "binary":
            return f"({self._aggregate(measure[2])} {measure[1]} {self._aggregate(measure[3])})"
        raise ValueError(f"no aggregate that is known: {measure}")

    def _value(self, ast: Ast, context: Context, variables: dict[str, Any]) -> Any:
        """The one value of an expression."""
        if ast[0] == "number":
            return ast[1]
        if ast[0] == "name":
            return variables[ast[1]]
        if ast[0] == "measure":
            return self._value(self._measure(ast[1]), context, {})
        if ast[0] == "variables":
            known = dict(variables)
            for name, value in ast[1]:
                known[name] = self._value(value, context, known)
            return self._value(ast[2], context, known)
        if ast[0] == "call" and ast[1] == "CALCULATE":
            for filter_ in ast[2][1:]:
                context = self._modified(filter_, context, variables)
            return self._value(ast[2][0], context, variables)
        if ast[0] == "call" and ast[1] == "DATE":
            return date(*(one[1] for one in ast[2]))
        if ast[0] == "call" and ast[1] == "DATEDIFF":
            first, last = (self._value(one, context, variables) for one in ast[2][:2])
            assert ast[2][2] == ("name", "DAY")
            return (last - first).days
        if ast[0] == "binary" and (ast[2][0] != "call" or ast[2][1] not in _AGGREGATES):
            left, right = (self._value(one, context, variables) for one in ast[2:])
            right = timedelta(days=right) if isinstance(left, date) else right
            return left + right if ast[1] == "+" else left - right
        ((value,),) = self.ask(f"SELECT {self._aggregate(ast)} {self._from(self._table_of(ast), [], context)}")
        return value

    def _modified(self, filter_: Ast, context: Context, variables: dict[str, Any]) -> Context:
        """The context under one filter of CALCULATE, whose values are those of the context before."""
        if filter_[0] == "binary":
            return context.only(filter_[2][1:], self._compared(filter_, context, variables))
        name, given = filter_[1:]
        if name == "KEEPFILTERS":
            return context.also(given[0][2][1:], self._compared(given[0], context, variables))
        if name == "REMOVEFILTERS":
            return context.without(given[0][1] if given else None)
        if name == "USERELATIONSHIP":
            return replace(context, used=context.used | {frozenset(one[1:] for one in given)})
        column = given[0][1:]
        if name == "DATESBETWEEN":
            first, last = (self._value(one, context, variables) for one in given[1:])
            return context.only(column, f"BETWEEN DATE '{first}' AND DATE '{last}'")
        if name == "DATESYTD":
            last = self._value(("call", "MAX", given), context, variables)
            return context.without(column[0]).also(column, f"BETWEEN DATE '{last.year}-01-01' AND DATE '{last}'")
        raise ValueError(f"no filter that is known: {name}")

    def _compared(self, filter_: Ast, context: Context, variables: dict[str, Any]) -> str:
        value = self._value(filter_[3], context, variables)
        return f"{filter_[1]} {'DATE ' if isinstance(value, date) else ''}'{value}'"


def _field(expression: Any, entities: Mapping[str, str]) -> tuple[str, str, str]:
    (kind,) = expression.keys() & {"Column", "Measure"}
    source = expression[kind]["Expression"]["SourceRef"]
    table = source["Entity"] if "Entity" in source else entities[source["Source"]]
    return kind, table, expression[kind]["Property"]


def _column(expression: Any, entities: Mapping[str, str]) -> Column:
    kind, table, name = _field(expression, entities)
    if kind != "Column":
        raise ValueError(f"expected a column, found the measure {name}")
    return table, name


def _literal(expression: Any) -> str:
    """A literal of a filter as SQL."""
    text = str(expression["Literal"]["Value"])
    if found := re.fullmatch(r"datetime'(\d{4}-\d\d-\d\d)T00:00:00'", text):
        return f"DATE '{found[1]}'"
    if re.fullmatch(r"-?\d+L", text):
        return text[:-1]
    if text.startswith("'"):
        return text
    raise ValueError(f"no literal that is known: {text}")
