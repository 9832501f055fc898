"""Compiling calls: of scalar functions, and of aggregates with DISTINCT, ORDER BY, FILTER or WITHIN GROUP.

Not here: the SQL of each scalar function (functions) or aggregate (aggregates), OVER (windows).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from star_assets.athena.compiling.aggregates import AGGREGATES, MORE_FORMS, Aggregate, is_aggregate
from star_assets.athena.compiling.compiler import Compiler, Value, rule
from star_assets.athena.compiling.functions import call, function, is_function
from star_assets.athena.types import BIGINT, DOUBLE, INTEGER, UNKNOWN, VARCHAR, Type
from star_assets.engines.duckdb.session import text

# Window functions that are no aggregates: least and most arguments; type (None: of the first argument).
WINDOW_FUNCTIONS: dict[str, tuple[int, int, Type | None]] = {
    "row_number": (0, 0, BIGINT),
    "rank": (0, 0, BIGINT),
    "dense_rank": (0, 0, BIGINT),
    "percent_rank": (0, 0, DOUBLE),
    "cume_dist": (0, 0, DOUBLE),
    "ntile": (1, 1, BIGINT),
    "lag": (1, 3, None),
    "lead": (1, 3, None),
    "first_value": (1, 1, None),
    "last_value": (1, 1, None),
    "nth_value": (2, 2, None),
}


@rule(exp.Anonymous)
def call_of_any_kind(compiler: Compiler, node: exp.Anonymous) -> Value:
    """A call by name: of an aggregate, or of a scalar function."""
    name = str(node.this).lower()
    if name in WINDOW_FUNCTIONS:
        compiler.fail(node, f"{name} is a window function: it needs OVER (…)")
    return aggregated(compiler, node) if name in AGGREGATES else call(compiler, node)


@rule(exp.WithinGroup)
def within_group(compiler: Compiler, node: exp.WithinGroup) -> Value:
    """listagg(…) WITHIN GROUP (ORDER BY …)."""
    return aggregated(compiler, node)


@rule(exp.Filter)
def filtered(compiler: Compiler, node: exp.Filter) -> Value:
    """aggregate(…) FILTER (WHERE …)."""
    if not is_aggregate(node.this):
        name = str(node.this.this).lower() if isinstance(node.this, exp.Anonymous) else "this"
        if is_function(name) or name in WINDOW_FUNCTIONS:
            compiler.fail(node, f"{name} is no aggregate, so it takes no FILTER")
        compiler.refuse(f"{name}() as an aggregate")
    return aggregated(compiler, node.this, compiler.condition(node.expression.this, "FILTER"))


def aggregated(compiler: Compiler, node: exp.Expression, condition: str = "", over: str = "") -> Value:
    """A call of an aggregate, with the condition of its FILTER and its OVER, as SQL."""
    if isinstance(node, exp.WithinGroup):
        return _listagg(compiler, node, condition, over)
    name = str(node.this).lower()
    least, most, answer = AGGREGATES[name]
    arguments, distinct, order = list(node.expressions), "", ""
    if arguments and isinstance(arguments[-1], exp.Order):
        order = ordering(compiler, arguments[-1].expressions)
        arguments[-1] = arguments[-1].this
    if arguments and isinstance(arguments[0], exp.Distinct):
        distinct, arguments = "DISTINCT ", [*arguments[0].expressions, *arguments[1:]]
        if over:
            compiler.fail(node, "DISTINCT cannot be used in a window function")
    if name == "count" and (not arguments or isinstance(arguments[0], exp.Star)):
        return Value(Aggregate(name, (), "", "", condition, over, node).written("count", "*"), BIGINT, node)
    if not least <= len(arguments) <= most:
        if name in MORE_FORMS:
            compiler.refuse(f"{name} with {len(arguments)} arguments")
        compiler.fail(node, f"{name} expects {least} arguments, found {len(arguments)}")
    return answer(compiler, Aggregate(name, compiler.values(arguments), distinct, order, condition, over, node))


def _listagg(compiler: Compiler, node: exp.WithinGroup, condition: str, over: str) -> Value:
    if str(node.this.this).lower() != "listagg" or over:
        compiler.refuse(f"{node.this.this} WITHIN GROUP")
    arguments, distinct = list(node.this.expressions), ""
    if arguments and isinstance(arguments[0], exp.Distinct):
        distinct, arguments = "DISTINCT ", arguments[0].expressions
    values = compiler.values(arguments)
    if not 1 <= len(values) <= 2 or any(value.type not in (VARCHAR, UNKNOWN) for value in values):
        compiler.mismatch(node, "listagg", values)
    separator = values[1].sql if len(values) > 1 else text("")
    order = ordering(compiler, node.expression.expressions)
    called = Aggregate("listagg", values, distinct, order, condition, over, node)
    return Value(called.written("string_agg", values[0].sql, separator), VARCHAR, node)


def ordering(compiler: Compiler, items: Sequence[exp.Expression]) -> str:
    """ORDER BY of a window or an aggregate. Without NULLS FIRST, NULL comes last in both directions."""
    return " ORDER BY " + ", ".join(f"{sortable(compiler, item.this).sql}{direction(item)}" for item in items)


def sortable(compiler: Compiler, node: exp.Expression) -> Value:
    """The value of an ORDER BY item. Raises BadQuery for a type without an order."""
    value = compiler.value(node)
    if value.type.holds("map", "json"):
        compiler.fail(node, f"TYPE_MISMATCH: values of type {value.type} have no order")
    return value


def direction(item: exp.Expression) -> str:
    """ASC or DESC, NULLS FIRST or LAST."""
    nulls = "FIRST" if item.args.get("nulls_first") else "LAST"
    return f" {'DESC' if item.args.get('desc') else 'ASC'} NULLS {nulls}"


@function("grouping")
def grouping(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """grouping(columns): a bit for each, the last one the lowest; 1 where a grouping set leaves it out."""
    return Value(f"CAST(grouping({', '.join(value.sql for value in values)}) AS INTEGER)", INTEGER, node)
