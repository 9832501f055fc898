"""Compiling FROM: tables, views, subqueries, joins and UNNEST, and the columns that they add to the scope.

Not here: the other clauses (queries), reading a table's files (scans).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from star_assets.athena.compiling.comparisons import compared
from star_assets.athena.compiling.compiler import Compiler, Value, describe
from star_assets.athena.compiling.context import Context
from star_assets.athena.compiling.nested import each
from star_assets.athena.compiling.scans import Scan
from star_assets.athena.compiling.scope import CATALOG, Field, Scope, Source, Unresolved
from star_assets.athena.parse import Statement, parse_query, split
from star_assets.athena.type_names import parse_type
from star_assets.athena.types import BIGINT, Type
from star_assets.engines.duckdb.session import name
from star_assets.lake.catalog import TableEntry
from star_assets.model.errors import Unfaithful

# The parts that a table in FROM may have. Any other is refused.
_TABLE_ARGS = {"this", "db", "catalog", "alias", "joins"}


@dataclass
class From:
    """The FROM clause of one SELECT: compiled from left to right, filling the scope.

    `compile` compiles a query within FROM, in a context and below a scope: it returns the SQL and the fields.
    """

    context: Context
    scope: Scope
    compiler: Compiler
    compile: Callable[[Context, exp.Expression, Scope | None], tuple[str, Sequence[Field]]]
    outer: bool = False

    def sql(self, node: exp.Select) -> str:
        """` FROM …`, or nothing."""
        if not (from_ := node.args.get("from_")):
            return ""
        return f" FROM {self._joined(from_.this, node.args.get('joins') or [])}"

    def note_conditions(self, where: exp.Expression) -> None:
        """Give each scan the conditions of WHERE on its partition columns alone, so that it reads fewer partitions.

        Does nothing if there is an outer join, which may add rows that the table does not have.
        """
        if self.outer:
            return
        for condition in _conjuncts(where):
            columns = list(condition.find_all(exp.Column))
            if not columns or condition.find(exp.Query, exp.Window):
                continue
            owners = {self._owner(column) for column in columns}
            if len(owners) == 1 and (scan := self._scan(owners.pop())):
                scan.conditions.append(self.compiler.value(condition).sql)

    def _owner(self, column: exp.Column) -> str:
        """The reference to a source whose partition column this is; '' for any other column."""
        try:
            found = self.scope.resolve(column)[0].sql
        except Unresolved:
            return ""
        alias, _, column_name = found.partition(".")
        scan = self._scan(alias)
        return alias if scan and column_name in {name(key) for key in scan.keys} else ""

    def _scan(self, alias: str) -> Scan | None:
        mine = {id(source) for source in self.scope.sources}
        return next((s for s in self.context.plan.scans if s.alias == alias and id(s.source) in mine), None)

    # Items

    def _joined(self, first: exp.Expression, joins: Sequence[exp.Join]) -> str:
        """SQL of the items that commas separate, each with its joins. JOIN binds tighter than a comma."""
        lists: list[tuple[exp.Expression, list[exp.Join]]] = [(first, [])]
        for join in joins:
            if _is_comma(join):
                lists.append((join.this, []))
            else:
                lists[-1][1].append(join)
        listed = []
        for item, joined in lists:
            begin = len(self.scope.sources)
            sql = self._item(item) + "".join(self._join(join, begin) for join in joined)
            # Only these joins need parentheses; elsewhere they would hide the items before the comma from LATERAL.
            adds_rows = any(join.args.get("side") in ("RIGHT", "FULL") for join in joined)
            listed.append(f"({sql})" if adds_rows else sql)
        return " CROSS JOIN ".join(listed)

    def _item(self, node: exp.Expression) -> str:
        if node.args.get("sample"):
            self.compiler.refuse("TABLESAMPLE", "Its rows are random. Write a WHERE.")
        if joins := node.args.get("joins"):
            # Within parentheses.
            alone = node.copy()
            alone.set("joins", None)
            return f"({self._joined(alone, joins)})"
        if isinstance(node, exp.Table):
            return self._table(node)
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table | exp.Subquery):
            if not isinstance(node.this, exp.Table) and not node.this.args.get("joins"):
                return self._derived(node, node, self.scope.parent)
            if node.args.get("alias"):
                self.compiler.refuse("a name for joined tables", "Write SELECT * FROM within the parentheses.")
            return self._item(node.this)
        if isinstance(node, exp.Unnest):
            return self._unnest(node)
        if isinstance(node, exp.Lateral):
            return f"LATERAL {self._derived(node.this, node, self.scope)}"
        if isinstance(node, exp.Query | exp.Values):
            return self._derived(node, node, self.scope.parent)
        return self.compiler.refuse(f"{describe(node)} in FROM")

    def _derived(self, query: exp.Expression, node: exp.Expression, parent: Scope | None) -> str:
        """A subquery, with the alias and the column names that `node` gives it."""
        bare = query.copy()
        alias = node.args.get("alias")
        bare.set("alias", None)
        sql, fields = self.compile(self.context, bare, parent)
        return f"({sql}) AS {self._add(alias, None, fields, node)}"

    def _add(
        self, alias: exp.TableAlias | None, database: str | None, fields: Sequence[Field], node: exp.Expression
    ) -> str:
        """Add fields to the scope under a new name in DuckDB, which is returned."""
        fresh = self.context.plan.alias()
        given = renamed(self.compiler, fields, alias.columns if alias else [], node)
        placed = [replace(field, sql=f"{fresh}.{field.sql}") for field in given]
        label = alias.name.lower() if alias and alias.name else None
        self.scope.sources.append(Source(label, database, placed))
        return fresh

    def _table(self, node: exp.Table) -> str:
        for argument, found in node.args.items():
            if found and argument not in _TABLE_ARGS:
                self.compiler.refuse(f"{argument.upper()} of a table")
        if not node.name:
            self.compiler.refuse("joins of VALUES within parentheses", "Write (SELECT * FROM (VALUES …)).")
        table, database = node.name.lower(), node.db.lower()
        alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(table))
        if not database and (cte := self.context.ctes.get(table)):
            return f"{cte[0]} AS {self._add(alias, None, cte[1], node)}"
        database = database or self.context.database
        found = self.context.plan.tables.get((database, table))
        if not found or (node.catalog and node.catalog.lower() != CATALOG):
            self.compiler.fail(node, f"There is no table {database}.{table}")
        entry, partitions = found
        scope_database = None if node.args.get("alias") else database
        if entry.view_sql is not None:
            return self._view(entry, alias, scope_database, node)
        if entry.format != "parquet":
            raise Unfaithful(
                f"{database}.{table}, a table of {entry.format} files",
                f"Query its typed rows: staging.{table}, which `star-assets run` builds.",
            )
        columns = [*entry.columns, *entry.partition_columns]
        fields = [Field(column.name, parse_type(column.type), name(column.name)) for column in columns]
        fresh = self._add(alias, scope_database, fields, node)
        scan = Scan(entry, partitions, fresh, self.scope.sources[-1])
        self.context.plan.scans.append(scan)
        return f"{scan.table} AS {fresh}"

    def _view(self, entry: TableEntry, alias: exp.TableAlias, database: str | None, node: exp.Expression) -> str:
        statement: Statement = split(entry.view_sql or "")[0]
        inside = replace(self.context, sql=statement.sql, database=entry.view_database or entry.database, ctes={})
        sql, compiled = self.compile(inside, parse_query(statement), None)
        fields = [replace(field, name=str(field.name).lower()) for field in compiled]
        return f"({sql}) AS {self._add(alias, database, fields, node)}"

    def _unnest(self, node: exp.Unnest) -> str:
        arrays = [column for value in self.compiler.values(node.expressions) for column in self._columns(value)]
        fields = [Field(None, type_, f"c{index}") for index, (_, type_) in enumerate(arrays)]
        listed = [f"unnest({sql}) AS c{index}" for index, (sql, _) in enumerate(arrays)]
        alias = node.args.get("alias")
        if (ordinality := node.args.get("offset")) is not None and ordinality is not False:
            lengths = ", ".join(f"coalesce(len({sql}), 0)" for sql, _ in arrays)
            longest = f"greatest({lengths})"
            listed.append(f"unnest(generate_series(1, {longest})) AS c{len(arrays)}")
            fields.append(Field(None, BIGINT, f"c{len(arrays)}"))
            if alias and isinstance(ordinality, exp.Identifier):
                alias = alias.copy()
                alias.append("columns", ordinality.copy())
        return f"LATERAL (SELECT {', '.join(listed)}) AS {self._add(alias, None, fields, node)}"

    def _columns(self, value: Value) -> list[tuple[str, Type]]:
        """The arrays that become columns of UNNEST, each with the type of its elements."""
        element = value.type.of
        if element and element.name == "row":
            return [
                (each(value.sql, lambda given, n=number: f"struct_extract({given}, 'f{n}')"), part)  # type: ignore[misc]
                for number, part in enumerate(element.parts)
            ]
        if value.type.name == "map":
            key, item = value.type.parts
            return [(f"map_keys({value.sql})", key), (f"map_values({value.sql})", item)]
        if element is None:
            self.compiler.mismatch(value.node, "UNNEST", [value])
        return [(value.sql, element)]

    # Joins

    def _join(self, join: exp.Join, begin: int) -> str:
        """A join with the sources from `begin` on."""
        side, kind = (str(join.args.get(part) or "").upper() for part in ("side", "kind"))
        on, using = join.args.get("on"), join.args.get("using")
        if join.args.get("method") or kind not in ("", "INNER", "CROSS", "OUTER") or join.args.get("match_condition"):
            self.compiler.refuse(f"{join.args.get('method') or kind} JOIN", "Write JOIN … ON.")
        middle = len(self.scope.sources)
        item = self._item(join.this)
        if side:
            self.outer = True
        if kind == "CROSS":
            return f" CROSS JOIN {item}"
        if not on and not using:
            self.compiler.fail(join.this, "JOIN needs ON or USING")
        condition = self.compiler.condition(on, "ON") if on else self._using(using, begin, middle, side)
        if on and not side:
            self.note_conditions(on)
        return f" {side or 'INNER'} JOIN {item} ON {condition}"

    def _using(self, names: Sequence[exp.Identifier], begin: int, middle: int, side: str) -> str:
        """JOIN … USING (names): each pair of equal columns becomes one column, which belongs to neither table."""
        sides = self.scope.sources[begin:middle], self.scope.sources[middle:]
        conditions, merged = [], []
        for identifier in names:
            column = exp.column(identifier.name)
            column.this.meta.update(identifier.meta)
            try:
                one, two = (Scope(None, list(sources)).resolve(column)[0] for sources in sides)
            except Unresolved as error:
                raise self.compiler.failure(identifier, str(error)) from error
            values = [Value(one.sql, one.type, column), Value(two.sql, two.type, column)]
            conditions.append(compared(self.compiler, "=", *values))
            (first, second), type_ = self.compiler.alike(values, "USING")
            found = {"RIGHT": second, "FULL": f"coalesce({first}, {second})"}.get(side, first)
            merged.append(Field(identifier.name, type_, found))
        using = {identifier.name.lower() for identifier in names}
        for source in self.scope.sources[begin:]:
            source.fields = [field for field in source.fields if str(field.name).lower() not in using]
        self.scope.sources.insert(begin, Source(None, None, merged))
        return " AND ".join(conditions)


def _is_comma(join: exp.Join) -> bool:
    """Whether a join was written with a comma: only with the word JOIN does the parser add more arguments."""
    return not join.args.keys() & {"pivots", "kind"}


def _conjuncts(node: exp.Expression) -> Iterator[exp.Expression]:
    """The operands of AND, at any depth."""
    pending = [node]
    while pending:
        part = pending.pop()
        if isinstance(part, exp.And):
            pending += [part.expression, part.this]
        elif isinstance(part, exp.Paren):
            pending.append(part.this)
        else:
            yield part


def renamed(
    compiler: Compiler, fields: Sequence[Field], names: Sequence[exp.Identifier], node: exp.Expression
) -> list[Field]:
    """Fields with the names of `AS t(a, b)`. Raises BadQuery for another number of names."""
    if names and len(names) != len(fields):
        compiler.fail(node, f"There are {len(names)} column names for {len(fields)} columns")
    if not names:
        return list(fields)
    return [replace(field, name=given.name.lower()) for field, given in zip(fields, names, strict=True)]
