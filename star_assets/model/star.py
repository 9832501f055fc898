"""The Star: a retailer's sources, dimensions, facts and dashboards, checked against each other.

Here: whether the declarations are consistent, and loading a star by its name. Not here:
what follows from them (schema), the names in dashboards and reports (presentation).
"""

from __future__ import annotations

import importlib
import re
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import ibis
from ibis.expr.types import Table

from star_assets.model.calendars import check_calendar
from star_assets.model.dashboard import Dashboard
from star_assets.model.errors import BadDeclaration, BadSetting
from star_assets.model.kinds import check_kinds
from star_assets.model.members import MEMBER_KIND
from star_assets.model.own_code import described
from star_assets.model.presentation import check_presentation
from star_assets.model.provisional import check_provisional
from star_assets.model.rowwise import carry
from star_assets.model.schema import HOUR, PARTITION_COLUMN, AnyTable, StarSchema
from star_assets.model.source import Source
from star_assets.model.tables import (
    CALENDAR,
    IS_CURRENT,
    VALID_FROM,
    VALID_TO,
    Dimension,
    Fact,
    History,
    Provisional,
    surrogate,
)
from star_assets.model.types import UNKNOWN, Type

# The types that a measure's column may have; decimals of any precision and scale.
NUMERIC = ("int32", "int64", "float64", "decimal")


class Star(StarSchema):
    """A retailer's sources, dimensions, facts and dashboards, checked against each other.

    `provisional` are the second functions of facts, which give rows from streams until exports come. `currency` is the
    ISO 4217 code of the currency of every measure with the format "money".
    """

    def __init__(
        self,
        sources: Sequence[Source],
        dimensions: Sequence[Dimension],
        facts: Sequence[Fact],
        *,
        provisional: Sequence[Provisional] = (),
        dashboards: Sequence[Dashboard] = (),
        currency: str | None = None,
        owner: str = "team:data",
    ) -> None:
        check_kinds(sources, dimensions, facts, provisional, owner)
        dimensions, facts = _as_declared(dimensions, facts)
        every: list[AnyTable] = [*sources, *_with_histories(dimensions), *facts]
        super().__init__(sources, _with_histories(dimensions), facts)
        self.dashboards = tuple(dashboards)
        self.currency = currency
        self.default_owner = owner
        names = Counter(table.name for table in every)
        for name, count in names.items():
            if count > 1:
                raise BadDeclaration(name, "is declared twice in one star", "Names are unique over all its tables")
        for source in sources:
            self._check_source(source)
        for dim in dimensions:
            self._check_upstream(dim)
            self._check_dimension(dim)
        for fact in facts:
            self._check_upstream(fact)
            self._check_fact(fact)
        self._check_provisional(provisional)
        seconds = {function.fact.name: function for function in provisional}
        self.facts = {fact.name: self._extended(fact, seconds.get(fact.name)) for fact in facts}
        check_presentation(self, self.dashboards, self.currency)

    def owner(self, table: AnyTable) -> str:
        """The owner of a table: the declared one, or else the star's."""
        return table.owner or self.default_owner

    def _check_source(self, source: Source) -> None:
        for column in (PARTITION_COLUMN, HOUR) if source.is_stream else (PARTITION_COLUMN,):
            if column in source.columns:
                problem = f"has a column {column!r}, which is {'a' if source.is_stream else 'the'} partition column"
                remedy = f"Declare it under another name, as Column(…, header='{column}')"
                raise BadDeclaration(source.name, problem, remedy)
        if source.part_of and self.sources.get(source.part_of.name) is not source.part_of:
            raise BadDeclaration(source.name, f"is part of {source.part_of.name}, not in this star", "Add it")

    def _check_upstream(self, table: Dimension | Fact) -> None:
        for name in table.upstream:
            if name not in self.sources and not (name == CALENDAR and isinstance(table, Dimension)):
                raise BadDeclaration(
                    table.name, f"reads {name!r}, which is no source of the star", f"Known: {', '.join(self.sources)}"
                )
        try:
            returned = self.transformed(table)
        except Exception as error:
            raise BadDeclaration(
                table.name, f"its function fails: {described(error)}", "Its arguments have only the declared columns"
            ) from error
        if not isinstance(returned, Table):
            kind = "nothing" if returned is None else f"a {type(returned).__name__}, and no table"
            problem = f"its function returns {kind}"
            raise BadDeclaration(table.name, problem, "Return one of its arguments, with columns changed or left out")
        columns = returned.columns
        if PARTITION_COLUMN in columns and isinstance(table, Fact):
            raise BadDeclaration(
                table.name, f"has a column {PARTITION_COLUMN!r}, which is the partition column", "Use another name"
            )
        try:
            self.fields(table)
        except ValueError as error:
            raise BadDeclaration(table.name, str(error), "Cast it to a type that all engines share") from error

    def _check_dimension(self, table: Dimension) -> None:
        fields = {field.name: field for field in self.fields(table)}
        if table.key not in fields or str(fields[table.key].type) not in UNKNOWN:
            raise BadDeclaration(
                table.name,
                f"its key {table.key!r} is no column of type {', '.join(UNKNOWN)}",
                "The Unknown member needs a key of one of these types",
            )
        if MEMBER_KIND in self.transformed(table).columns:
            raise BadDeclaration(table.name, f"has a column {MEMBER_KIND!r}, which is added to it", "Use another name")
        check_calendar(self, table)
        if table.history:
            self._check_history(table)
        for column in table.inferred_from:
            if self.sources.get(column.source.name) is not column.source:
                raise BadDeclaration(table.name, f"infers from {column.source.name}, not in this star", "Add it")
            if Type.parse(column.source.staged[column.column].type) != fields[table.key].type:
                raise BadDeclaration(
                    table.name,
                    f"{column.source.name}.{column.column} and the key {table.key!r} have different types",
                    "Declare both with one type",
                )

    def _check_history(self, table: Dimension) -> None:
        columns = self.transformed(table).columns
        for name in table.history:
            if name not in columns or name == table.key:
                raise BadDeclaration(
                    table.name, f"history names {name!r}, which is no attribute of it", f"Known: {', '.join(columns)}"
                )
        for name in (surrogate(table.key), VALID_FROM, VALID_TO, IS_CURRENT):
            if name in columns:
                raise BadDeclaration(table.name, f"has a column {name!r}, which its history adds", "Use another name")
        column = self.describing(table)
        if column is None:
            raise BadDeclaration(
                table.name, f"has a history, but its key {table.key!r} is computed", "Return a source's key unchanged"
            )
        if column.source.keys != (column.column,):
            raise BadDeclaration(
                table.name,
                f"has a history, but {column.source.name} has the key {', '.join(column.source.keys)}",
                f"Its members must be the rows of a source whose key is {column.column}",
            )
        marked = self.source_table(column.source).mutate(_row=ibis.row_number())
        rows = ibis.table(marked.schema(), name=column.source.name)
        upstream = {name: self._unbound(name) for name in table.upstream} | {column.source.name: rows}
        try:
            carry(self.transformed(table, upstream), rows, "_row")
        except ValueError as error:
            raise BadDeclaration(
                table.name, f"has a history, but {error}", "Compute each row from one row, and aggregate elsewhere"
            ) from error

    def _check_provisional(self, functions: Sequence[Provisional]) -> None:
        by_fact: dict[str, Provisional] = {}
        for one in functions:
            fact = self.facts.get(one.fact.name)
            if fact is None:
                raise BadDeclaration(one.name, f"gives rows to {one.fact.name}, not in this star", "Add it")
            if fact.name in by_fact:
                problem = f"gives provisional rows to {fact.name}, as {by_fact[fact.name].name} does"
                raise BadDeclaration(one.name, problem, "A fact has one such function")
            by_fact[fact.name] = one
            check_provisional(self, one, fact)

    def _extended(self, table: Fact, provisional: Provisional | None) -> Fact:
        """The fact with its provisional rows, and with references to the histories of dimensions that it refers to."""
        added = {surrogate(column): history for column, history in self.versioned(table).items()}
        for name in added:
            if name in self.transformed(table).columns:
                raise BadDeclaration(table.name, f"has a column {name!r}, which is added to it", "Use another name")
        return replace(table, references={**table.references, **added}, provisional=provisional)

    def _check_fact(self, table: Fact) -> None:
        fields = {field.name: str(field.type) for field in self.fields(table)}
        named = {table.key, table.date, *table.references, *table.sort_by, *(m.column for m in table.measures)}
        for name in sorted(named - fields.keys()):
            raise BadDeclaration(table.name, f"names {name!r}, which is not among its columns", "Return it")
        for name, target in table.references.items():
            if self.dimensions.get(target.name) is not target:
                raise BadDeclaration(table.name, f"{name!r} refers to {target.name}, not in this star", "Add it")
            key = {field.name: str(field.type) for field in self.fields(target)}[target.key]
            if fields[name] != key:
                raise BadDeclaration(
                    table.name,
                    f"{name!r} is {fields[name]}, but {target.name}.{target.key} is {key}",
                    "Give both one type",
                )
        for measure in table.measures:
            if fields[measure.column].partition("(")[0] not in NUMERIC:
                problem = f"its measure {measure.column!r} is {fields[measure.column]}, expected a number"
                raise BadDeclaration(
                    table.name, problem, "Leave it out; dates, texts and booleans are columns like others"
                )
        if fields[table.date] != "timestamp":
            raise BadDeclaration(
                table.name,
                f"its date {table.date!r} is {fields[table.date]}, expected a timestamp",
                "Return one timestamp column of the driving source unchanged",
            )
        self.driving_column(table)


def _as_declared(dimensions: Sequence[Dimension], facts: Sequence[Fact]) -> tuple[Sequence[Dimension], Sequence[Fact]]:
    """The tables as they were declared, without what another star has added to them."""
    own = [table for table in dimensions if not isinstance(table, History)]
    references = [{c: to for c, to in fact.references.items() if not isinstance(to, History)} for fact in facts]
    bare = [replace(fact, references=to, provisional=None) for fact, to in zip(facts, references, strict=True)]
    return own, bare


def _with_histories(dimensions: Sequence[Dimension]) -> list[Dimension]:
    """The dimensions, each followed by its history if it declares one."""
    found: list[Dimension] = []
    for table in dimensions:
        found += [table, History.of_dimension(table)] if table.history else [table]
    return found


def load_star(path: str) -> Star:
    """The Star at `package.module:attribute`. Raises BadSetting if there is none.

    The module may also lie in the working directory, which Python's path does not include for console scripts.
    """
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)
    module, _, attribute = path.partition(":")
    if not re.fullmatch(r"\w+(\.\w+)*:\w+", path):
        raise BadSetting("STAR_MODEL", path, "package.module:attribute")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except BadDeclaration:
        raise
    except Exception as error:
        # A module runs whatever its author wrote.
        problem = f"package.module:attribute that can be imported ({described(error)})"
        raise BadSetting("STAR_MODEL", path, problem) from error
    if not isinstance(found, Star):
        raise BadSetting("STAR_MODEL", path, f"a Star, found a {type(found).__name__}")
    return found
