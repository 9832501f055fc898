"""Resolving column names: against the sources of a FROM clause, then against the queries around it.

Not here: expressions over the columns (rules), reading a table's files (scans).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from star_assets.athena.parse import closest
from star_assets.athena.types import Type

# The one catalog that Athena offers by default.
CATALOG = "awsdatacatalog"


@dataclass(frozen=True)
class Field:
    """A column of a source: its name (None if it has none), its type, the SQL that refers to it."""

    name: str | None
    type: Type
    sql: str

    def is_called(self, name: str) -> bool:
        """Whether a name in lower case is this column's, whose case is ignored."""
        return self.name is not None and self.name.lower() == name


@dataclass
class Source:
    """One item of a FROM clause. `used` has the columns that the query refers to, as SQL."""

    name: str | None
    database: str | None
    fields: Sequence[Field]
    used: set[str] = field(default_factory=set)

    def is_called(self, parts: Sequence[str]) -> bool:
        """Whether `t`, `db.t` or `awsdatacatalog.db.t` means this source."""
        full = (CATALOG, self.database, self.name) if self.database else (self.name,)
        return tuple(parts) == full[-len(parts) :]


class Unresolved(Exception):
    """A name that no column has, or several. The message says which."""


@dataclass
class Scope:
    """The sources that a query's expressions may refer to; `parent` is the scope of the query around it."""

    parent: Scope | None = None
    sources: list[Source] = field(default_factory=list)

    def resolve(self, column: exp.Column) -> tuple[Field, Sequence[str]]:
        """The column of a reference, and the names of the fields that follow it (`column.field`). Raises Unresolved."""
        parts = [part.name.lower() for part in column.parts]
        # `a.b` is column b of table a rather than field b of column a.
        for end in range(len(parts) - 1, -1, -1):
            found = self._nearest(parts[end], parts[:end])
            if found and (end == len(parts) - 1 or found.type.name == "row"):
                return found, parts[end + 1 :]
        raise Unresolved(self._why(parts[-1], parts[:-1]))

    def _nearest(self, name: str, table: Sequence[str]) -> Field | None:
        """The column in the innermost query that has one of that name."""
        scope: Scope | None = self
        while scope:
            if found := scope._own(name, table):
                return found
            scope = scope.parent
        return None

    def _own(self, name: str, table: Sequence[str]) -> Field | None:
        sources = [source for source in self.sources if not table or source.is_called(table)]
        found = [(source, field) for source in sources for field in source.fields if field.is_called(name)]
        if len(found) > 1:
            owners = ", ".join(str(source.name) for source, _ in found)
            raise Unresolved(f"Column {name!r} is ambiguous: {owners} have it. Write table.{name}")
        for source, field_ in found:
            source.used.add(field_.sql)
            return field_
        return None

    def _why(self, name: str, table: Sequence[str]) -> str:
        sources = self.visible()
        if table:
            owners = [source for source in sources if source.is_called(table)]
            if not owners:
                known = closest(table[-1], {source.name for source in sources if source.name})
                return f"There is no table {'.'.join(table)!r} in this FROM. There are: {', '.join(known) or 'none'}"
            sources = owners
        known = closest(name, {field.name.lower() for source in sources for field in source.fields if field.name})
        return f"There is no column {name!r}. Known, closest first: {', '.join(known[:12]) or 'none'}"

    def visible(self) -> list[Source]:
        """Every source of this query and of those around it, the innermost first."""
        return [*self.sources, *(self.parent.visible() if self.parent else [])]
