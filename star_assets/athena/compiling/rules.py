"""Compiling Athena's literals, names, conditions, CASE and IF: one small rule for each kind of syntax.

Not here: comparisons, arithmetic, casts, functions, aggregates; each has its own module.
"""

from __future__ import annotations

from sqlglot import exp

from star_assets.athena.compiling.comparisons import compared
from star_assets.athena.compiling.compiler import Compiler, Value, rule
from star_assets.athena.compiling.rows import field_of
from star_assets.athena.compiling.scope import Unresolved
from star_assets.athena.types import BIGINT, BOOLEAN, DOUBLE, INTEGER, UNKNOWN, VARCHAR, decimal
from star_assets.engines.duckdb.session import text

# Names and literals


@rule(exp.Literal)
def literal(compiler: Compiler, node: exp.Literal) -> Value:
    """`'text'`, `1` (integer or bigint), `1.50` (decimal(3,2)), `1e0` (double)."""
    if node.is_string:
        return Value(text(node.name), VARCHAR, node)
    written = node.name.lower().replace("_", "")
    if "e" in written:
        return Value(f"CAST({text(written)} AS DOUBLE)", DOUBLE, node)
    if "." in written:
        whole, _, fraction = written.partition(".")
        type_ = decimal(max(1, len(whole.lstrip("0")) + len(fraction)), len(fraction))
        return Value(f"CAST({text(written)} AS {type_.duckdb})", type_, node)
    if not written.isdigit() or int(written) >= 2**63:
        compiler.fail(node, f"Invalid numeric literal: {node.name}")
    type_ = INTEGER if int(written) < 2**31 else BIGINT
    return Value(str(int(written)), type_, node)


@rule(exp.Null)
def null(_: Compiler, node: exp.Null) -> Value:
    """NULL, whose type is unknown until it is coerced."""
    return Value("NULL", UNKNOWN, node)


@rule(exp.Boolean)
def boolean(_: Compiler, node: exp.Boolean) -> Value:
    """TRUE and FALSE."""
    return Value("TRUE" if node.this else "FALSE", BOOLEAN, node)


@rule(exp.Column, parts=["table", "db", "catalog"])
def column(compiler: Compiler, node: exp.Column) -> Value:
    """A column, or a field of a column that is a row. In ORDER BY, a label of SELECT goes first."""
    if not node.table and (known := compiler.parameters.get(node.name.lower())):
        return Value(known.sql, known.type, node)
    if not node.table and (output := compiler.outputs.get(node.name.lower())):
        return Value(output.sql, output.type, node)
    try:
        found, fields = compiler.scope.resolve(node)
    except Unresolved as error:
        raise compiler.failure(node, str(error)) from error
    value = Value(found.sql, found.type, node)
    for name in fields:
        value = field_of(compiler, value, name, node)
    return value


@rule(exp.Identifier, parts=["quoted", "temporary", "global_"])
def parameter(compiler: Compiler, node: exp.Identifier) -> Value:
    """The parameter of a lambda around the expression."""
    return column(compiler, exp.column(node.copy()))


@rule(exp.Paren)
def paren(compiler: Compiler, node: exp.Paren) -> Value:
    """`( … )`."""
    inner = compiler.value(node.this)
    return Value(f"({inner.sql})", inner.type, node)


# Conditions


@rule(exp.And, exp.Or)
def junction(compiler: Compiler, node: exp.Connector) -> Value:
    """AND, OR. A long chain is a tree that is deep on its left side: a loop follows it, since recursion has a limit."""
    kind, parts = type(node), []
    name = "AND" if kind is exp.And else "OR"
    left: exp.Expression = node
    while isinstance(left, kind):
        parts.append(left.expression)
        left = left.this
    conditions = [compiler.condition(part, f"What {name} joins") for part in (left, *reversed(parts))]
    return Value("(" + f" {name} ".join(conditions) + ")", BOOLEAN, node)


@rule(exp.Not)
def negation(compiler: Compiler, node: exp.Not) -> Value:
    """NOT."""
    return Value(f"(NOT {compiler.condition(node.this, 'What NOT negates')})", BOOLEAN, node)


@rule(exp.Is, parts=["negate"])
def is_null(compiler: Compiler, node: exp.Is) -> Value:
    """IS [NOT] NULL. Athena has no IS TRUE."""
    if not isinstance(node.expression, exp.Null):
        compiler.fail(node, "Only IS NULL and IS NOT NULL are Athena's SQL")
    negated = "NOT " if node.args.get("negate") else ""
    return Value(f"({compiler.value(node.this).sql} IS {negated}NULL)", BOOLEAN, node)


@rule(exp.Exists)
def exists(compiler: Compiler, node: exp.Exists) -> Value:
    """EXISTS."""
    return Value(f"EXISTS ({compiler.subquery(node.this, compiler.scope)[0]})", BOOLEAN, node)


@rule(exp.Subquery, parts=["with_", "order", "limit", "offset"])
def scalar_subquery(compiler: Compiler, node: exp.Subquery) -> Value:
    """A subquery as a value: one column; NULL if it has no row, an error if it has several."""
    sql, fields = compiler.subquery(node, compiler.scope)
    if len(fields) != 1:
        compiler.fail(node, f"A subquery that is a value must have one column, found {len(fields)}")
    return Value(f"({sql})", fields[0].type, node)


@rule(exp.Like, parts=["negate"])
def like(compiler: Compiler, node: exp.Like) -> Value:
    """[NOT] LIKE: case counts; there is no escape character unless one is declared."""
    values = compiler.values([node.this, node.expression])
    if any(value.type not in (VARCHAR, UNKNOWN) for value in values):
        compiler.mismatch(node, "LIKE", values)
    negated = "NOT " if node.args.get("negate") else ""
    return Value(f"({values[0].sql} {negated}LIKE {values[1].sql})", BOOLEAN, node)


@rule(exp.Escape)
def like_with_escape(compiler: Compiler, node: exp.Escape) -> Value:
    """LIKE … ESCAPE."""
    escape = compiler.value(node.expression).literal
    if escape is None or len(escape) != 1 or not isinstance(node.this, exp.Like):
        compiler.fail(node.expression, "ESCAPE expects one character")
    pattern = compiler.value(node.this)
    return Value(f"{pattern.sql[:-1]} ESCAPE {text(escape)})", BOOLEAN, node)


# Choices


@rule(exp.Case, parts=["this", "default"])
def case(compiler: Compiler, node: exp.Case) -> Value:
    """CASE, searched or simple. All results are coerced to their common type."""
    conditions = []
    for branch in node.args["ifs"]:
        if node.this is not None:
            conditions.append(compared(compiler, "=", compiler.value(node.this), compiler.value(branch.this)))
        else:
            conditions.append(compiler.condition(branch.this, "WHEN"))
    results = [compiler.value(branch.args["true"]) for branch in node.args["ifs"]]
    results.append(compiler.value(node.args.get("default") or exp.Null()))
    sql, type_ = compiler.alike(results, "CASE")
    branches = " ".join(f"WHEN {when} THEN {then}" for when, then in zip(conditions, sql, strict=False))
    return Value(f"CASE {branches} ELSE {sql[-1]} END", type_, node)


@rule(exp.If, parts=["true", "false"])
def if_(compiler: Compiler, node: exp.If) -> Value:
    """IF(condition, value[, otherwise])."""
    condition = compiler.condition(node.this, "IF's condition")
    branches = compiler.values([node.args["true"], node.args.get("false") or exp.Null()])
    (then, otherwise), type_ = compiler.alike(branches, "IF")
    return Value(f"CASE WHEN {condition} THEN {then} ELSE {otherwise} END", type_, node)
