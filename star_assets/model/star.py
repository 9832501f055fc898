"""The Star: a retailer's sources, dimensions, facts and dashboards, checked against each other.

Here: looking up tables, validating declarations, and all that follows from them without
any data: schemas, lineage, which table is built from which. Not here: running a transform.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import ibis
from ibis.expr.types import Table

from star_assets.model.calendars import check_calendar
from star_assets.model.dashboard import Dashboard
from star_assets.model.driving import driving_column
from star_assets.model.errors import BadDeclaration, BadSetting, UnknownTable
from star_assets.model.kinds import check_kinds
from star_assets.model.lineage import Origin, column_lineage, passed_through
from star_assets.model.members import MEMBER_KIND, MEMBER_KIND_DESCRIPTION
from star_assets.model.own_code import failed
from star_assets.model.presentation import check_presentation
from star_assets.model.rowwise import carry
from star_assets.model.source import Source, SourceColumn
from star_assets.model.tables import (
    CALENDAR,
    IS_CURRENT,
    VALID_FROM,
    VALID_TO,
    Dimension,
    Fact,
    History,
    surrogate,
)
from star_assets.model.types import UNKNOWN, Type

AnyTable = Source | Dimension | Fact

# The types that a measure's column may have; decimals of any precision and scale.
NUMERIC = ("int32", "int64", "float64", "decimal")

# The partition column of every partitioned table. It is never a data column too, because
# Athena refuses a table that has a column twice.
PARTITION_COLUMN = "date"


@dataclass(frozen=True)
class Field:
    """One column of a published table: its name, type and description."""

    name: str
    type: Type
    description: str = ""


class Star:
    """A retailer's sources, dimensions, facts and dashboards, checked against each other.

    `currency` is the ISO 4217 code of the currency of every measure with the format "money".
    """

    def __init__(
        self,
        sources: Sequence[Source],
        dimensions: Sequence[Dimension],
        facts: Sequence[Fact],
        *,
        dashboards: Sequence[Dashboard] = (),
        currency: str | None = None,
        owner: str = "team:data",
    ) -> None:
        check_kinds(sources, dimensions, facts, owner)
        self.sources: Mapping[str, Source] = {source.name: source for source in sources}
        dimensions, facts = _as_declared(dimensions, facts)
        self.dimensions: Mapping[str, Dimension] = {table.name: table for table in _with_histories(dimensions)}
        self.facts: Mapping[str, Fact] = {table.name: table for table in facts}
        self.dashboards = tuple(dashboards)
        self.currency = currency
        self.default_owner = owner
        self._transformed: dict[str, Table] = {}
        self._lineage: dict[str, dict[str, frozenset[Origin]]] = {}
        every: list[AnyTable] = [*sources, *_with_histories(dimensions), *facts]
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
        self.facts = {fact.name: self._with_surrogates(fact) for fact in facts}
        check_presentation(self)

    @property
    def tables(self) -> dict[str, AnyTable]:
        """Every table by name: sources, then dimensions, then facts."""
        return {**self.sources, **self.dimensions, **self.facts}

    def table(self, name: str) -> AnyTable:
        """The table of that name. Raises UnknownTable."""
        if name not in self.tables:
            raise UnknownTable(name, list(self.tables))
        return self.tables[name]

    def owner(self, table: AnyTable) -> str:
        """The owner of a table: the declared one, or else the star's."""
        return table.owner or self.default_owner

    # What follows from the declarations

    def source_table(self, source: Source) -> Table:
        """The source as a transform sees it: its declared columns, unbound."""
        schema = {name: Type.parse(column.type).ibis for name, column in source.staged.items()}
        return ibis.table(schema, name=source.name)

    def transformed(self, table: Dimension | Fact, upstream: Mapping[str, Table] | None = None) -> Table:
        """The result of the table's transform, over `upstream` tables by name, or over unbound tables."""
        if upstream is not None:
            return table.transform(**{name: upstream[name] for name in table.upstream})
        if table.name not in self._transformed:
            unbound = {name: self._unbound(name) for name in table.upstream}
            self._transformed[table.name] = table.transform(**unbound)
        return self._transformed[table.name]

    def fields(self, table: AnyTable) -> tuple[Field, ...]:
        """The columns of the published table, without the partition column."""
        if isinstance(table, Source):
            return tuple(Field(name, Type.parse(c.type), c.description) for name, c in table.staged.items())
        types = {name: Type.of(dtype) for name, dtype in self.transformed(table).schema().items()}
        if isinstance(table, History):
            moment, flag = Type("timestamp"), Type("boolean")
            types = {table.key: Type("int64"), **types, VALID_FROM: moment, VALID_TO: moment, IS_CURRENT: flag}
        if isinstance(table, Dimension):
            types[MEMBER_KIND] = Type("string")
        else:
            types |= {surrogate(column): Type("int64") for column in self.versioned(table)}
        return tuple(Field(name, type_, self._description(table, name)) for name, type_ in types.items())

    def lineage(self, table: Dimension | Fact) -> dict[str, frozenset[Origin]]:
        """For each column, the (source, column) pairs that its value comes from."""
        if table.name not in self._lineage:
            found = column_lineage(self.transformed(table))
            if isinstance(table, History):
                described = self.describing(table.of)
                version = described and described.source.version
                since = frozenset({(described.source.name, version)}) if described and version else frozenset()
                found |= {table.key: found[table.of.key] | since, VALID_FROM: since, VALID_TO: since, IS_CURRENT: since}
            elif isinstance(table, Fact):
                found |= {surrogate(c): found[c] | found[table.date] for c in self.versioned(table)}
            self._lineage[table.name] = found
        return self._lineage[table.name]

    def personal(self, table: AnyTable) -> frozenset[str]:
        """The columns with personal data: of a source, the declared ones; else those computed from such columns."""
        if isinstance(table, Source):
            return frozenset(name for name, column in table.declared.items() if column.personal)
        marked = {(source.name, name) for source in self.sources.values() for name in self.personal(source)}
        return frozenset(name for name, origins in self.lineage(table).items() if origins & marked)

    def describing(self, dimension: Dimension) -> SourceColumn | None:
        """The source column with the unchanged values of the dimension's key; None if the key is computed."""
        origin = passed_through(self.transformed(dimension), dimension.key)
        return self.sources[origin[0]][origin[1]] if origin and origin[0] in self.sources else None

    def versioned(self, fact: Fact) -> dict[str, History]:
        """The fact's columns that refer to a dimension with a history, each with that history."""
        histories = {table.of: table for table in self.dimensions.values() if isinstance(table, History)}
        return {column: histories[target] for column, target in fact.references.items() if target in histories}

    def upstream_sources(self, table: Dimension | Fact) -> tuple[Source, ...]:
        """The sources that a table is built from, including those of inferred members."""
        names = dict.fromkeys(name for name in table.upstream if name in self.sources)
        if isinstance(table, Dimension):
            names.update(dict.fromkeys(column.source.name for column in table.inferred_from))
        if CALENDAR in table.upstream:
            names.update(dict.fromkeys(self.driving_column(fact).source.name for fact in self.facts.values()))
        return tuple(self.sources[name] for name in names)

    def reserved_keys(self, source: Source) -> dict[str, object]:
        """The source's key column, if it becomes a dimension's key, with the key of that dimension's Unknown member."""
        return {
            column: UNKNOWN[str(Type.parse(source.declared[column].type))]
            for dim in self.dimensions.values()
            for origin, column in self.lineage(dim)[dim.key]
            if origin == source.name and (column,) == source.declared_keys
        }

    def driving_column(self, fact: Fact) -> SourceColumn:
        """The column of the driving source whose business date is the fact's partition."""
        return self._driving[fact.name]

    def parts(self, fact: Fact) -> tuple[Source, ...]:
        """The upstream sources that are lines of the fact's driving source."""
        driving = self.driving_column(fact).source
        return tuple(source for source in self.upstream_sources(fact) if source.part_of is driving)

    def grain(self, fact: Fact) -> Source:
        """The source with one row for each row of the fact: a part, or the driving source."""
        origins = {source for source, _ in self.lineage(fact)[fact.key]}
        parts = sorted(self.parts(fact), key=lambda part: part.name not in origins)
        return parts[0] if parts else self.driving_column(fact).source

    def lookups(self, fact: Fact) -> tuple[Source, ...]:
        """The look-up sources: upstream sources that are neither the driving source nor its lines."""
        related = {self.driving_column(fact).source, *self.parts(fact)}
        return tuple(source for source in self.upstream_sources(fact) if source not in related)

    # Validation

    @cached_property
    def _driving(self) -> dict[str, SourceColumn]:
        return {
            fact.name: driving_column(fact, self.transformed(fact), self.lineage(fact), self.sources)
            for fact in self.facts.values()
        }

    def _unbound(self, name: str) -> Table:
        if name == CALENDAR:
            return ibis.table({"date_key": "date"}, name=CALENDAR)
        return self.source_table(self.sources[name])

    def _description(self, table: Dimension | Fact, column: str) -> str:
        if column == MEMBER_KIND:
            return MEMBER_KIND_DESCRIPTION
        if column in table.columns:
            return table.columns[column]
        if isinstance(table, Fact):
            for measure in table.measures:
                if measure.column == column and measure.description:
                    return measure.description
            for reference, history in self.versioned(table).items():
                if column == surrogate(reference):
                    return f"The member of {reference} as it was at {table.date}, in {history.name}."
        inherited = {
            self.sources[source].staged[name].description
            for source, name in self.lineage(table).get(column, ())
            if source in self.sources
        }
        return inherited.pop() if len(inherited) == 1 else ""

    def _check_source(self, source: Source) -> None:
        if PARTITION_COLUMN in source.columns:
            raise BadDeclaration(
                source.name,
                f"has a column {PARTITION_COLUMN!r}, which is the partition column",
                "Declare it under another name, as Column(…, header='date')",
            )
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
                table.name, f"its function fails: {failed(error)}", "It sees the declared columns"
            ) from error
        if not isinstance(returned, Table):
            kind = "nothing" if returned is None else f"a {type(returned).__name__}, and no table"
            problem = f"its function returns {kind}"
            raise BadDeclaration(table.name, problem, "Return one that it is given, with columns changed or left out")
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
        given = {name: self._unbound(name) for name in table.upstream} | {column.source.name: rows}
        try:
            carry(self.transformed(table, given), rows, "_row")
        except ValueError as error:
            raise BadDeclaration(
                table.name, f"has a history, but {error}", "Compute each row from one row, and aggregate elsewhere"
            ) from error

    def _with_surrogates(self, table: Fact) -> Fact:
        """The fact with additional references to histories, for references to dimensions that have one."""
        added = {surrogate(column): history for column, history in self.versioned(table).items()}
        for name in added:
            if name in self.transformed(table).columns:
                raise BadDeclaration(table.name, f"has a column {name!r}, which is added to it", "Use another name")
        return replace(table, references={**table.references, **added})

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
                    table.name, problem, "Leave it out; dates, texts and truths are columns like others"
                )
        if fields[table.date] != "timestamp":
            raise BadDeclaration(
                table.name,
                f"its date {table.date!r} is {fields[table.date]}, expected a timestamp",
                "Return one timestamp column of the driving source unchanged",
            )
        self.driving_column(table)


def _as_declared(dimensions: Sequence[Dimension], facts: Sequence[Fact]) -> tuple[Sequence[Dimension], Sequence[Fact]]:
    """The tables as they were declared, without the histories that another star has added to them."""
    own = [table for table in dimensions if not isinstance(table, History)]
    references = [{c: to for c, to in fact.references.items() if not isinstance(to, History)} for fact in facts]
    return own, [replace(fact, references=found) for fact, found in zip(facts, references, strict=True)]


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
        problem = f"package.module:attribute that can be imported ({failed(error)})"
        raise BadSetting("STAR_MODEL", path, problem) from error
    if not isinstance(found, Star):
        raise BadSetting("STAR_MODEL", path, f"a Star, found a {type(found).__name__}")
    return found
