"""Athena's comparisons in DuckDB's SQL: of numbers, arrays, maps and rows; IN, BETWEEN, ANY and ALL.

The two differ in comparing NaN, and NULL within arrays, maps and rows.
"""

from __future__ import annotations

from sqlglot import exp

from star_assets.athena.compiling.compiler import Compiler, Value, rule
from star_assets.athena.compiling.nested import each, once
from star_assets.athena.types import BOOLEAN, Type, array

# In Athena, every comparison of NaN with a number is false (<> is true), and one with NULL is NULL. In DuckDB,
# NaN equals itself and is the greatest number.
_NAN = {
    "=": "({0} = {1} AND (NOT isnan({0}) OR {1} IS NULL))",
    "<>": "({0} <> {1} OR (isnan({0}) AND {1} IS NOT NULL))",
    "<": "({0} < {1} AND (NOT isnan({1}) OR {0} IS NULL))",
    "<=": "({0} <= {1} AND (NOT isnan({1}) OR {0} IS NULL))",
    ">": "({0} > {1} AND (NOT isnan({0}) OR {1} IS NULL))",
    ">=": "({0} >= {1} AND (NOT isnan({0}) OR {1} IS NULL))",
}
_COMPARISONS = {exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}


def compared(compiler: Compiler, operator: str, left: Value, right: Value) -> str:
    """SQL of a comparison of two values. Raises BadQuery if they have no common type."""
    (first, second), type_ = compiler.alike([left, right], f"Operator {operator}")
    return _compared(compiler, operator, first, second, type_)


def _compared(compiler: Compiler, operator: str, first: str, second: str, type_: Type) -> str:
    if type_.is_float:
        return _NAN[operator].format(first, second)
    if not type_.parts:
        if type_.name == "json":
            compiler.refuse("comparisons of JSON", "CAST both sides AS varchar.")
        return f"({first} {operator} {second})"
    if operator in ("=", "<>"):
        equal = _equal(compiler, first, second, type_)
        return equal if operator == "=" else f"(NOT {equal})"
    if type_.name == "map":
        compiler.refuse("the order of maps")
    if any(part.parts or part.is_float for part in type_.parts):
        compiler.refuse(f"the order of values of type {type_}")
    lists = [_elements(value, type_) for value in (first, second)]
    missing = " OR ".join(f"len(list_filter({items}, lambda x: x IS NULL)) > 0" for items in lists)
    # Athena fails here, and TRY does not catch its error.
    refused = f"athena_refused('the order of values of type {type_.name} that hold NULL') IS NULL"
    return f"CASE WHEN {missing} THEN {refused} ELSE ({first} {operator} {second}) END"


def _elements(sql: str, type_: Type) -> str:
    """SQL of a list with the elements of an array or the fields of a row, in which to look for NULL."""
    if type_.name == "array":
        return sql
    fields = (f"CAST(struct_extract({sql}, 'f{n}') AS VARCHAR)" for n in range(len(type_.parts)))
    return f"CASE WHEN {sql} IS NULL THEN NULL ELSE [{', '.join(fields)}] END"


def _equal(compiler: Compiler, first: str, second: str, type_: Type) -> str:
    """SQL for whether all parts are equal; NULL if no part differs and the comparison of one is NULL."""
    if type_.name == "map":
        return _equal_maps(compiler, first, second, type_)
    if type_.name == "row":
        fields = (
            _compared(compiler, "=", f"struct_extract({first}, 'f{n}')", f"struct_extract({second}, 'f{n}')", part)
            for n, part in enumerate(type_.parts)
        )
        return f"CASE WHEN {first} IS NULL OR {second} IS NULL THEN NULL ELSE ({' AND '.join(fields)}) END"
    pairs = each(
        f"list_zip({first}, {second})",
        lambda pair: _compared(compiler, "=", f"{pair}[1]", f"{pair}[2]", type_.parts[0]),
    )
    found = once(
        pairs,
        lambda equal: (
            f"CASE WHEN list_contains({equal}, FALSE) THEN FALSE"
            f" WHEN len(list_filter({equal}, lambda x: x IS NULL)) > 0 THEN NULL ELSE TRUE END"
        ),
    )
    return (
        f"CASE WHEN {first} IS NULL OR {second} IS NULL THEN NULL"
        f" WHEN len({first}) <> len({second}) THEN FALSE ELSE {found} END"
    )


def _equal_maps(compiler: Compiler, first: str, second: str, type_: Type) -> str:
    key, value = type_.parts
    if key.parts or key.is_float:
        compiler.refuse(f"comparisons of {type_}")
    one, two = (f"list_sort(map_keys({side}))" for side in (first, second))
    values = [each(one, lambda name: f"{first}[{name}]"), each(one, lambda name: f"{second}[{name}]")]
    return f"CASE WHEN {one} = {two} THEN {_equal(compiler, values[0], values[1], array(value))} ELSE {one} = {two} END"


@rule(*_COMPARISONS)
def comparison(compiler: Compiler, node: exp.Binary) -> Value:
    """=, <>, <, <=, >, >=, with a value, or with ANY or ALL of a subquery."""
    operator, right = _COMPARISONS[type(node)], node.expression
    if isinstance(right, exp.Any | exp.All):
        return _quantified(compiler, node, operator, type(right).__name__.upper(), right.this)
    if isinstance(right, exp.Anonymous) and str(right.this).upper() == "ALL" and len(right.expressions) == 1:
        # The parser reads ALL (VALUES …) as a call of a function.
        return _quantified(compiler, node, operator, "ALL", right.expressions[0])
    return Value(compared(compiler, operator, *compiler.values([node.this, node.expression])), BOOLEAN, node)


def _quantified(compiler: Compiler, node: exp.Binary, operator: str, name: str, query: exp.Expression) -> Value:
    sql, fields = compiler.subquery(query.this if isinstance(query, exp.Paren) else query, compiler.scope)
    if len(fields) != 1:
        compiler.fail(node, f"{name} expects a subquery of one column, found {len(fields)}")
    value, type_ = compiler.value(node.this), fields[0].type
    (left, right), shared = compiler.alike([value, Value("c0", type_, query)], f"{operator} {name}")
    if shared.is_float or shared.parts:
        compiler.refuse(f"{operator} {name} of values of type {shared}", "Write IN or EXISTS.")
    inner = sql if right == "c0" else f"SELECT {right} AS c0 FROM ({sql})"
    return Value(f"({left} {operator} {name} ({inner}))", BOOLEAN, node)


@rule(exp.NullSafeEQ, exp.NullSafeNEQ)
def distinctness(compiler: Compiler, node: exp.Binary) -> Value:
    """IS [NOT] DISTINCT FROM. NaN is not distinct from NaN, in Athena as in DuckDB."""
    negated = "NOT " if isinstance(node, exp.NullSafeEQ) else ""
    (left, right), type_ = compiler.alike(compiler.values([node.this, node.expression]), "IS DISTINCT FROM")
    if type_.holds("map", "json"):
        compiler.refuse(f"IS DISTINCT FROM of {type_}")
    return Value(f"({left} IS {negated}DISTINCT FROM {right})", BOOLEAN, node)


@rule(exp.Between, parts=["symmetric"])
def between(compiler: Compiler, node: exp.Between) -> Value:
    """BETWEEN, which includes both bounds."""
    if node.args.get("symmetric"):
        compiler.refuse("BETWEEN SYMMETRIC")
    values = compiler.values([node.this, node.args["low"], node.args["high"]])
    (value, low, high), type_ = compiler.alike(values, "BETWEEN")
    if type_.parts:
        compiler.refuse(f"BETWEEN of values of type {type_}")
    ends = (_compared(compiler, operator, value, end, type_) for operator, end in ((">=", low), ("<=", high)))
    return Value(f"({' AND '.join(ends)})", BOOLEAN, node)


@rule(exp.In, parts=["query"])
def membership(compiler: Compiler, node: exp.In) -> Value:
    """IN a list, or IN a subquery of one column."""
    value = compiler.value(node.this)
    if query := node.args.get("query"):
        return _in_query(compiler, node, value, query)
    members = compiler.values(node.expressions)
    (first, *others), type_ = compiler.alike([value, *members], "IN")
    if type_.is_float or type_.parts:
        sql = " OR ".join(_compared(compiler, "=", first, other, type_) for other in others)
        return Value(f"({sql})", BOOLEAN, node)
    return Value(f"({first} IN ({', '.join(others)}))", BOOLEAN, node)


def _in_query(compiler: Compiler, node: exp.In, value: Value, query: exp.Query) -> Value:
    sql, fields = compiler.subquery(query, compiler.scope)
    if len(fields) != 1:
        compiler.fail(node, f"IN expects a subquery of one column, found {len(fields)}")
    member = Value("c0", fields[0].type, query)
    (first, other), type_ = compiler.alike([value, member], "IN")
    if type_.is_float or type_.parts:
        compiler.refuse(f"IN with a subquery of values of type {type_}", "CAST both sides to decimal or varchar.")
    inner = sql if member.type == type_ else f"SELECT {other} FROM ({sql})"
    return Value(f"({first} IN ({inner}))", BOOLEAN, node)
