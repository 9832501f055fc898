"""The tables of a star, and what follows from their declarations without any data: columns, lineage, upstream tables.

Not here: whether the declarations are consistent, dashboards (star); running a transform.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import ibis
from ibis.expr.types import Table

from star_assets.model.driving import driving_column
from star_assets.model.errors import UnknownTable
from star_assets.model.lineage import Origin, column_lineage, passed_through
from star_assets.model.members import MEMBER_KIND, MEMBER_KIND_DESCRIPTION
from star_assets.model.source import Source, SourceColumn
from star_assets.model.tables import (
    CALENDAR,
    IS_CURRENT,
    IS_PROVISIONAL,
    IS_PROVISIONAL_DESCRIPTION,
    VALID_FROM,
    VALID_TO,
    Dimension,
    Fact,
    History,
    Provisional,
    surrogate,
)
from star_assets.model.types import UNKNOWN, Type

AnyTable = Source | Dimension | Fact

# The partition column of every partitioned table. It is never a data column too, because
# Athena refuses a table that has a column twice.
PARTITION_COLUMN = "date"

# The second partition column of a stream.
HOUR = "hour"


@dataclass(frozen=True)
class Field:
    """One column of a published table: its name, type and description."""

    name: str
    type: Type
    description: str = ""


class StarSchema:
    """The tables of a star by name, and what follows from their declarations."""

    def __init__(self, sources: Sequence[Source], dimensions: Sequence[Dimension], facts: Sequence[Fact]) -> None:
        self.sources: Mapping[str, Source] = {table.name: table for table in sources}
        self.dimensions: Mapping[str, Dimension] = {table.name: table for table in dimensions}
        self.facts: Mapping[str, Fact] = {table.name: table for table in facts}
        self._transformed: dict[str, Table] = {}
        self._provisional_rows: dict[str, Table] = {}
        self._final: dict[str, dict[str, frozenset[Origin]]] = {}
        self._lineage: dict[str, dict[str, frozenset[Origin]]] = {}

    @property
    def tables(self) -> dict[str, AnyTable]:
        """Every table by name: sources, then dimensions, then facts."""
        return {**self.sources, **self.dimensions, **self.facts}

    def table(self, name: str) -> AnyTable:
        """The table of that name. Raises UnknownTable."""
        if name not in self.tables:
            raise UnknownTable(name, list(self.tables))
        return self.tables[name]

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
            types |= {IS_PROVISIONAL: Type("boolean")} if table.provisional else {}
            types |= {surrogate(column): Type("int64") for column in self.versioned(table)}
        return tuple(Field(name, type_, self._description(table, name)) for name, type_ in types.items())

    def lineage(self, table: Dimension | Fact) -> dict[str, frozenset[Origin]]:
        """For each column, the (source, column) pairs that its value comes from."""
        if table.name not in self._lineage:
            self._lineage[table.name] = self._whole_lineage(table)
        return self._lineage[table.name]

    def _whole_lineage(self, table: Dimension | Fact) -> dict[str, frozenset[Origin]]:
        found = self._final_lineage(table)
        if not isinstance(table, Fact) or table.provisional is None:
            return found
        events = column_lineage(self.provisional_rows(table.provisional))
        added = {IS_PROVISIONAL: frozenset[Origin]()}
        added |= {surrogate(column): events[column] | events[table.date] for column in self.versioned(table)}
        return {name: origins | (events | added)[name] for name, origins in (added | found).items()}

    def _final_lineage(self, table: Dimension | Fact) -> dict[str, frozenset[Origin]]:
        """The lineage by the table's own function alone, without that of provisional rows."""
        if table.name not in self._final:
            found = column_lineage(self.transformed(table))
            if isinstance(table, History):
                described = self.describing(table.of)
                version = described and described.source.version
                since = frozenset({(described.source.name, version)}) if described and version else frozenset()
                found |= {table.key: found[table.of.key] | since, VALID_FROM: since, VALID_TO: since, IS_CURRENT: since}
            elif isinstance(table, Fact):
                found |= {surrogate(c): found[c] | found[table.date] for c in self.versioned(table)}
            self._final[table.name] = found
        return self._final[table.name]

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
        """The sources that a table is built from, including those of inferred members and of provisional rows."""
        names = dict.fromkeys(name for name in table.upstream if name in self.sources)
        if isinstance(table, Fact) and table.provisional:
            names.update(dict.fromkeys(table.provisional.upstream))
        if isinstance(table, Dimension):
            names.update(dict.fromkeys(column.source.name for column in self.inferred_from(table)))
        if CALENDAR in table.upstream:
            names.update(dict.fromkeys(column.source.name for column in self.dated_columns()))
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
        """The look-up sources: upstream sources that are neither the driving source, nor its lines, nor the stream."""
        related = {self.driving_column(fact).source, *self.parts(fact)}
        if stream := self.stream(fact):
            related.add(stream.source)
        return tuple(source for source in self.upstream_sources(fact) if source not in related)

    def event_stream(self, provisional: Provisional) -> Source:
        """The stream that a function of provisional rows reads."""
        return next(self.sources[name] for name in provisional.upstream if self.sources[name].is_stream)

    def provisional_rows(self, function: Provisional, upstream: Mapping[str, Table] | None = None) -> Table:
        """The rows of a function of provisional rows, over `upstream` tables by name, or over unbound tables."""
        if upstream is not None:
            return function.transform(**{name: upstream[name] for name in function.upstream})
        if function.fact.name not in self._provisional_rows:
            unbound = {name: self.source_table(self.sources[name]) for name in function.upstream}
            self._provisional_rows[function.fact.name] = function.transform(**unbound)
        return self._provisional_rows[function.fact.name]

    def stream(self, fact: Fact) -> SourceColumn | None:
        """The event time of the stream with the fact's provisional rows; None if it has none."""
        if fact.provisional is None:
            return None
        source = self.event_stream(fact.provisional)
        return source[str(source.event_time)]

    def receipt(self, fact: Fact) -> tuple[str, ...]:
        """The fact's columns with the receipts of its provisional rows; none if it has no such rows."""
        if fact.provisional is None:
            return ()
        rows, stream = self.provisional_rows(fact.provisional), self.event_stream(fact.provisional)
        kept = {passed_through(rows, name): name for name in reversed(rows.columns)}
        return tuple(kept[stream.name, column] for column in fact.provisional.receipt)

    def receipt_of(self, source: Source) -> dict[str, Source]:
        """The columns of a stream that hold receipts, each with the source whose key they are."""
        return {
            column: fact.provisional.until
            for fact in self.facts.values()
            if fact.provisional and self.event_stream(fact.provisional) is source
            for column in fact.provisional.receipt
        }

    def inferred_from(self, dimension: Dimension) -> tuple[SourceColumn, ...]:
        """The source columns whose values become members: the declared ones, and those of events that refer to it."""
        target = dimension.of if isinstance(dimension, History) else dimension
        found = dict.fromkeys(dimension.inferred_from)
        for fact in self.facts.values():
            if fact.provisional:
                rows = self.provisional_rows(fact.provisional)
                columns = [column for column, table in fact.references.items() if table is target]
                origins = [passed_through(rows, column) for column in columns]
                found |= dict.fromkeys(self.sources[origin[0]][origin[1]] for origin in origins if origin)
        return tuple(found)

    def dated_columns(self) -> tuple[SourceColumn, ...]:
        """The columns whose business dates are partitions of facts: of driving sources, and of streams."""
        found = [column for fact in self.facts.values() for column in (self.driving_column(fact), self.stream(fact))]
        return tuple(dict.fromkeys(column for column in found if column))

    @cached_property
    def _driving(self) -> dict[str, SourceColumn]:
        return {
            fact.name: driving_column(fact, self.transformed(fact), self._final_lineage(fact), self.sources)
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
            if column == IS_PROVISIONAL:
                return IS_PROVISIONAL_DESCRIPTION
            for measure in table.measures:
                if measure.column == column and measure.description:
                    return measure.description
            for reference, history in self.versioned(table).items():
                if column == surrogate(reference):
                    return f"The member of {reference} as it was at {table.date}, in {history.name}."
        inherited = {
            self.sources[source].staged[name].description
            for source, name in self._final_lineage(table).get(column, ())
            if source in self.sources
        }
        return inherited.pop() if len(inherited) == 1 else ""
