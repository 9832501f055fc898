"""Compiling Athena's queries into DuckDB's SQL: SELECT, set operations, VALUES, WITH.

Here: the clauses of a query. Not here: FROM (sources), expressions (compiler and its rules),
reading tables (scans).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from star_assets.athena.compiling import (
    arithmetic,
    arrays,
    calls,
    casts,
    comparisons,
    date_formats,
    dates,
    json_functions,
    lambdas,
    numbers,
    patterns,
    rules,
    texts,
    windows,
    zones,
)
from star_assets.athena.compiling.calls import direction, sortable
from star_assets.athena.compiling.compiler import Compiler, Value, coerced, describe
from star_assets.athena.compiling.context import Context
from star_assets.athena.compiling.rows import nth_field
from star_assets.athena.compiling.scope import Field, Scope, Source
from star_assets.athena.compiling.sources import From, renamed
from star_assets.athena.parse import closest
from star_assets.athena.types import Type, common

# Rules register themselves when their modules are imported.
RULE_MODULES = (
    *(arithmetic, arrays, calls, casts, comparisons, date_formats, dates, json_functions),
    *(lambdas, numbers, patterns, rules, texts, windows, zones),
)

# The clauses that a SELECT may have. Any other is refused.
_CLAUSES = {
    "with_", "expressions", "from_", "joins", "where", "group", "having", "windows", "order", "limit", "offset",
    "distinct",
}  # fmt: skip
_GROUP_CLAUSES = {"expressions", "grouping_sets", "rollup", "cube", "all"}
_TAIL = {"with_", "order", "limit", "offset"}
_PARTS: dict[type[exp.Expression], set[str]] = {
    exp.Subquery: {"this", *_TAIL},
    exp.Values: {"expressions", *_TAIL},
    exp.SetOperation: {"this", "expression", "distinct", *_TAIL},
}


@dataclass(frozen=True)
class Queries:
    """Compiles queries in one context."""

    context: Context

    def compile(self, node: exp.Expression, parent: Scope | None) -> tuple[str, Sequence[Field]]:
        """A query as DuckDB's SQL, whose columns are c0, c1, …, and the fields it gives."""
        for part, found in node.args.items():
            if found and any(isinstance(node, kind) and part not in parts for kind, parts in _PARTS.items()):
                self.compiler(Scope(parent)).refuse(f"{describe(node)} with {part.strip('_').upper()}")
        if with_ := node.args.get("with_"):
            return self._with(with_, node, parent)
        if isinstance(node, exp.Subquery):
            return self._nested(node, parent)
        if isinstance(node, exp.Select):
            return self._select(node, parent)
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, parent)
        if isinstance(node, exp.Values):
            return self._values(node, parent)
        return self.compiler(Scope(parent)).refuse(describe(node))

    def compiler(self, scope: Scope) -> Compiler:
        """The compiler of expressions in a scope."""
        return Compiler(scope, self.context.sql, self.compile, self.context.plan.notices)

    def _with(self, with_: exp.With, node: exp.Expression, parent: Scope | None) -> tuple[str, Sequence[Field]]:
        compiler, queries, defined = self.compiler(Scope(parent)), self, []
        if with_.args.get("recursive"):
            compiler.refuse("WITH RECURSIVE")
        for cte in with_.expressions:
            sql, fields = queries.compile(cte.this, parent)
            names = cte.args["alias"].columns
            alias = self.context.plan.alias()
            defined.append(f"{alias} AS ({sql})")
            fields = renamed(compiler, fields, names, cte)
            queries = Queries(queries.context.with_table(cte.alias.lower(), alias, fields))
        rest = node.copy()
        rest.set("with_", None)
        sql, fields = queries.compile(rest, parent)
        return f"WITH {', '.join(defined)} {sql}", fields

    def _nested(self, node: exp.Subquery, parent: Scope | None) -> tuple[str, Sequence[Field]]:
        sql, fields = self.compile(node.this, parent)
        return self._sorted(node, sql, fields), fields

    # SELECT

    def _select(self, node: exp.Select, parent: Scope | None) -> tuple[str, Sequence[Field]]:
        scope = Scope(parent)
        compiler = self.compiler(scope)
        for clause, found in node.args.items():
            if found and clause not in _CLAUSES:
                compiler.refuse(clause.strip("_").upper())
        from_ = From(self.context, scope, compiler, compile_query)
        source = from_.sql(node)
        where = ""
        if clause := node.args.get("where"):
            where = f" WHERE {compiler.condition(clause.this, 'WHERE')}"
            from_.note_conditions(clause.this)
        compiler.windows.update({named.name.lower(): named for named in node.args.get("windows") or []})
        items = self._items(node, compiler)
        group = self._group(node, compiler, items)
        having = ""
        if clause := node.args.get("having"):
            having = f" HAVING {compiler.condition(clause.this, 'HAVING')}"
        fields = [Field(label, value.type, f"c{index}") for index, (label, value) in enumerate(items)]
        compiler.outputs.update({label.lower(): value for label, value in items if label})
        tail = self._tail(node, compiler, fields)
        if distinct := node.args.get("distinct"):
            self._require_distinct(node, compiler, items)
        listed = ", ".join(f"{value.sql} AS c{index}" for index, (_, value) in enumerate(items))
        return f"SELECT {'DISTINCT ' if distinct else ''}{listed}{source}{where}{group}{having}{tail}", fields

    def _items(self, node: exp.Select, compiler: Compiler) -> list[tuple[str | None, Value]]:
        """The items of SELECT, each with its label and its value; stars are expanded."""
        items: list[tuple[str | None, Value]] = []
        for item in node.expressions:
            if isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star)):
                items += self._star(item, compiler)
            elif isinstance(item, exp.Alias):
                items.append((item.alias, compiler.value(item.this)))
            else:
                label = item.name if isinstance(item, exp.Column) else None
                items.append((label, compiler.value(item)))
        return items

    def _require_distinct(
        self, node: exp.Select, compiler: Compiler, items: Sequence[tuple[str | None, Value]]
    ) -> None:
        """Raises Unfaithful where DuckDB's DISTINCT differs, and BadQuery for an ORDER BY that Athena refuses."""
        if node.args["distinct"].args.get("on"):
            compiler.refuse("DISTINCT ON")
        for _, value in items:
            require_equality(compiler, value, "SELECT DISTINCT")
        labels = {label.lower() for label, _ in items if label}
        listed = {value.sql for _, value in items}
        for item in order.expressions if (order := node.args.get("order")) else []:
            is_listed = isinstance(item.this, exp.Column) and not item.this.table and item.this.name.lower() in labels
            value = compiler.value(item.this)
            if not is_listed and value.integer is None and value.sql not in listed:
                problem = "EXPRESSION_NOT_IN_DISTINCT: With SELECT DISTINCT, ORDER BY must name what SELECT lists"
                compiler.fail(item, problem)

    def _star(self, item: exp.Expression, compiler: Compiler) -> list[tuple[str | None, Value]]:
        star = item.this if isinstance(item, exp.Column) else item
        if any(star.args.values()):
            compiler.refuse("SELECT * EXCEPT and the like")
        sources = compiler.scope.sources
        if isinstance(item, exp.Column):
            parts = [part.name.lower() for part in item.parts[:-1]]
            sources = [source for source in sources if source.is_called(parts)]
            if not sources:
                known = closest(parts[-1], {source.name for source in compiler.scope.sources if source.name})
                compiler.fail(
                    item, f"There is no table {'.'.join(parts)!r} in this FROM. There are: {', '.join(known)}"
                )
        elif not sources:
            compiler.fail(item, "SELECT * needs a FROM")
        found = [field for source in sources for field in source.fields]
        for source in sources:
            source.used.update(field.sql for field in source.fields)
        for field_ in found:
            if not field_.type.is_known:
                compiler.refuse(f"column {field_.name!r} of type {field_.type}", "Leave it out of the SELECT.")
        return [(field.name, Value(field.sql, field.type, item)) for field in found]

    def _group(self, node: exp.Select, compiler: Compiler, items: Sequence[tuple[str | None, Value]]) -> str:
        group = node.args.get("group")
        if not group:
            return ""
        for clause, found in group.args.items():
            if found and clause not in _GROUP_CLAUSES:
                compiler.refuse(f"GROUP BY {clause.upper()}")
        parts = [part for clause in _GROUP_ORDER for part in group.args.get(clause) or []]
        # `all` is false with GROUP BY DISTINCT, which drops repeated grouping sets and changes nothing else.
        if group.args.get("all") is False and any(isinstance(part, _SETS) for part in parts):
            compiler.refuse("GROUP BY DISTINCT of ROLLUP, CUBE and GROUPING SETS", "Write each grouping set once.")
        if not parts:
            compiler.fail(node, "GROUP BY names no column")
        return f" GROUP BY {', '.join(self._grouped(part, compiler, items) for part in parts)}"

    def _grouped(self, part: exp.Expression, compiler: Compiler, items: Sequence[tuple[str | None, Value]]) -> str:
        if isinstance(part, _SETS):
            _require_columns(compiler, part)
            name_ = {"Rollup": "ROLLUP", "Cube": "CUBE"}.get(type(part).__name__, "GROUPING SETS")
            return f"{name_} ({', '.join(self._grouped(inner, compiler, items) for inner in part.expressions)})"
        if isinstance(part, exp.Tuple):
            return f"({', '.join(self._grouped(inner, compiler, items) for inner in part.expressions)})"
        if isinstance(part, exp.Paren):
            return f"({self._grouped(part.this, compiler, items)})"
        value = compiler.value(part)
        if value.integer is not None:
            value = _at_position(compiler, value, [item for _, item in items], "GROUP BY")
        require_equality(compiler, value, "GROUP BY")
        # DuckDB would take a bare number for a position.
        return f"CAST({value.sql} AS {value.type.duckdb})" if value.sql.lstrip("(- ").isdigit() else value.sql

    # ORDER BY, LIMIT, OFFSET

    def _tail(self, node: exp.Expression, compiler: Compiler, fields: Sequence[Field]) -> str:
        tail = ""
        if order := node.args.get("order"):
            listed = [f"{self._ordered(item.this, compiler, fields)}{direction(item)}" for item in order.expressions]
            tail = f" ORDER BY {', '.join(listed)}"
        if limit := node.args.get("limit"):
            tail += self._limit(limit, compiler)
        if offset := node.args.get("offset"):
            tail += f" OFFSET {_count(compiler, offset.expression, 'OFFSET')}"
        return tail

    def _ordered(self, item: exp.Expression, compiler: Compiler, fields: Sequence[Field]) -> str:
        """SQL of an item of ORDER BY: the position of a column of the answer, or an expression."""
        if isinstance(item, exp.Column) and not item.table:
            label = item.name.lower()
            found = [index for index, field in enumerate(fields, 1) if field.name and field.name.lower() == label]
            if len(found) > 1:
                compiler.fail(item, f"Column {label!r} of ORDER BY is ambiguous: SELECT has several of that name")
            if found:
                return str(found[0])
        value = sortable(compiler, item)
        if value.integer is not None:
            positions = [Value(str(index), field.type, item) for index, field in enumerate(fields, 1)]
            return _at_position(compiler, value, positions, "ORDER BY").sql
        return f"CAST({value.sql} AS {value.type.duckdb})" if value.sql.isdigit() else value.sql

    def _limit(self, limit: exp.Expression, compiler: Compiler) -> str:
        if isinstance(limit, exp.Fetch):
            options = limit.args.get("limit_options")
            if options and (options.args.get("with_ties") or options.args.get("percent")):
                compiler.refuse("FETCH FIRST … WITH TIES")
            return f" LIMIT {_count(compiler, limit.args['count'], 'FETCH FIRST')}"
        if limit.args.get("offset"):
            compiler.fail(limit, "LIMIT a, b is not Athena's SQL. Write OFFSET a LIMIT b")
        if limit.expression.name.upper() == "ALL":
            return ""
        return f" LIMIT {_count(compiler, limit.expression, 'LIMIT')}"

    # Several queries in one

    def _set_operation(self, node: exp.SetOperation, parent: Scope | None) -> tuple[str, Sequence[Field]]:
        compiler = self.compiler(Scope(parent))
        sides = [self.compile(side, parent) for side in (node.this, node.expression)]
        (_, left), (_, right) = sides
        operator = type(node).__name__.upper()
        if len(left) != len(right):
            compiler.fail(node, f"{operator} needs as many columns on both sides, found {len(left)} and {len(right)}")
        types = []
        for index, (one, two) in enumerate(zip(left, right, strict=True), 1):
            type_ = common(one.type, two.type)
            if not type_:
                compiler.fail(
                    node,
                    f"TYPE_MISMATCH: column {index} of {operator} is {one.type} on one side, {two.type} on the other",
                )
            types.append(type_)
        fields = [
            Field(one.name, type_, f"c{index}") for index, (one, type_) in enumerate(zip(left, types, strict=True))
        ]
        keyword = operator if node.args.get("distinct") else f"{operator} ALL"
        sql = f" {keyword} ".join(_as_types(sql, given, types) for sql, given in sides)
        return self._sorted(node, sql, fields), fields

    def _sorted(self, node: exp.Expression, sql: str, fields: Sequence[Field]) -> str:
        """A query with the ORDER BY, LIMIT and OFFSET that follow it."""
        tail = self._tail(node, self.compiler(Scope(None, [Source(None, None, fields)])), fields)
        return f"SELECT * FROM ({sql}){tail}" if tail else sql

    def _values(self, node: exp.Values, parent: Scope | None) -> tuple[str, Sequence[Field]]:
        compiler = self.compiler(Scope(parent))
        rows = [self._row(compiler, row.expressions) for row in node.expressions]
        if len({len(row) for row in rows}) > 1:
            compiler.fail(node, "VALUES needs as many values in every row")
        columns = [compiler.alike(column, "VALUES") for column in zip(*rows, strict=True)]
        listed = zip(*(sql for sql, _ in columns), strict=True)
        values = ", ".join(f"({', '.join(row)})" for row in listed)
        names = ", ".join(f"c{index}" for index in range(len(columns)))
        fields = [Field(None, type_, f"c{index}") for index, (_, type_) in enumerate(columns)]
        sql = f"SELECT * FROM (VALUES {values}) AS {self.context.plan.alias()}({names})"
        return self._sorted(node, sql, fields), fields

    def _row(self, compiler: Compiler, given: Sequence[exp.Expression]) -> list[Value]:
        """The columns of a row of VALUES: of `(a, b)`, of a single value, or the fields of `ROW(a, b)`."""
        values = compiler.values(given)
        if len(values) > 1 or values[0].type.name != "row":
            return values
        return [nth_field(values[0], number, values[0].node) for number in range(len(values[0].type.parts))]


def compile_query(context: Context, node: exp.Expression, parent: Scope | None) -> tuple[str, Sequence[Field]]:
    """A query as DuckDB's SQL, whose columns are c0, c1, …, and the fields it gives."""
    return Queries(context).compile(node, parent)


def require_equality(compiler: Compiler, value: Value, where: str) -> None:
    """Raises Unfaithful for values of types whose equality differs between DuckDB and Athena."""
    if value.type.holds("map", "json"):
        compiler.refuse(f"{where} of values of type {value.type}", "Leave them out, or CAST them.")


def _require_columns(compiler: Compiler, node: exp.Expression) -> None:
    for part in node.expressions:
        if isinstance(part, (exp.Tuple, exp.Paren, *_SETS)):
            parts = part.expressions if not isinstance(part, exp.Paren) else [part.this]
            _require_columns(compiler, exp.Tuple(expressions=[one.copy() for one in parts]))
        elif not isinstance(part, exp.Column) and not compiler.value(part).integer:
            compiler.fail(part, "INVALID_COLUMN_REFERENCE: ROLLUP, CUBE and GROUPING SETS take columns alone")


_GROUP_ORDER = ("expressions", "rollup", "cube", "grouping_sets")
_SETS = (exp.Rollup, exp.Cube, exp.GroupingSets)


def _as_types(sql: str, fields: Sequence[Field], types: Sequence[Type]) -> str:
    if all(field.type == type_ for field, type_ in zip(fields, types, strict=True)):
        return f"(SELECT * FROM ({sql}))"
    given = (Value(field.sql, field.type, exp.Null()) for field in fields)
    listed = (f"{coerced(value, type_)} AS {value.sql}" for value, type_ in zip(given, types, strict=True))
    return f"(SELECT {', '.join(listed)} FROM ({sql}))"


def _at_position(compiler: Compiler, position: Value, items: Sequence[Value], clause: str) -> Value:
    number = position.integer or 0
    if not 1 <= number <= len(items):
        compiler.fail(position.node, f"{clause} {number}: SELECT has {len(items)} columns")
    return items[number - 1]


def _count(compiler: Compiler, node: exp.Expression, clause: str) -> int:
    number = compiler.value(node).integer
    if number is None:
        compiler.fail(node, f"{clause} expects a whole number")
    return number
