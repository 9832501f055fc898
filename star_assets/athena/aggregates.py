"""Athena's aggregate and window functions, and how DuckDB answers each.

What is approximate in Athena is answered exactly, which is within its promise.
Not here: GROUP BY and its kin (queries).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from star_assets.athena.arithmetic import averaged
from star_assets.athena.compiler import Compiler, Value, coerced, rule
from star_assets.athena.functions import SPECIAL, TABLE, call, expect, function
from star_assets.athena.rules import text
from star_assets.athena.types import BIGINT, BOOLEAN, DOUBLE, INTEGER, UNKNOWN, VARCHAR, Type, array, coerces, decimal


@dataclass(frozen=True)
class Aggregate:
    """A call of an aggregate: its arguments, and how to write `name(arguments)` as often as an answer needs it.

    `over` is what follows the call: FILTER (…), OVER (…).
    """

    name: str
    values: Sequence[Value]
    distinct: str
    order: str
    over: str
    node: exp.Expression

    def written(self, name: str, *arguments: str) -> str:
        """The aggregate of DuckDB called `name`, with this call's DISTINCT, ORDER BY, FILTER and OVER."""
        return f"{name}({self.distinct}{', '.join(arguments)}{self.order}){self.over}"


Answer = Callable[[Compiler, Aggregate], Value]


def _same(name: str) -> Answer:
    """An aggregate of the type that it is given."""
    return lambda compiler, call: Value(call.written(name, call.values[0].sql), call.values[0].type, call.node)


def _of(name: str, takes: Type, gives: Type, cast: bool = False) -> Answer:
    """An aggregate with one argument of one type."""

    def answer(compiler: Compiler, call: Aggregate) -> Value:
        if not coerces(call.values[0].type, takes):
            compiler.mismatch(call.node, call.name, call.values)
        sql = call.written(name, *(coerced(value, takes) for value in call.values))
        return Value(f"CAST({sql} AS {gives.duckdb})" if cast else sql, gives, call.node)

    return answer


def _count(compiler: Compiler, call: Aggregate) -> Value:
    return Value(call.written("count", *(value.sql for value in call.values)), BIGINT, call.node)


def _ordered(name: str) -> Answer:
    """min and max: NaN is the greatest in DuckDB only."""

    def answer(compiler: Compiler, call: Aggregate) -> Value:
        (value,) = call.values
        if value.type.of:
            compiler.refuse(f"{name} of arrays")
        if value.type.is_float:
            return Value(call.written(name, f"athena_finite({value.sql})"), value.type, call.node)
        return Value(call.written(name, value.sql), value.type, call.node)

    return answer


def _sum(compiler: Compiler, call: Aggregate) -> Value:
    (value,) = call.values
    type_ = value.type
    if not type_.is_numeric:
        compiler.mismatch(call.node, "sum", call.values)
    result = BIGINT if type_.is_integer else decimal(38, type_.scale) if type_.name == "decimal" else type_
    return Value(f"CAST({call.written('sum', value.sql)} AS {result.duckdb})", result, call.node)


def _avg(compiler: Compiler, call: Aggregate) -> Value:
    (value,) = call.values
    if value.type.name == "decimal":
        total, count = call.written("sum", value.sql), call.written("count", value.sql)
        return Value(f"CASE WHEN {count} > 0 THEN {averaged(total, count, value.type)} END", value.type, call.node)
    if not value.type.is_numeric:
        compiler.mismatch(call.node, "avg", call.values)
    sql = call.written("avg", coerced(value, DOUBLE))
    return (
        Value(f"CAST({sql} AS FLOAT)", value.type, call.node)
        if value.type.name == "real"
        else Value(sql, DOUBLE, call.node)
    )


def _count_if(compiler: Compiler, call: Aggregate) -> Value:
    condition = compiler.condition(call.values[0].node, "count_if's condition")
    return Value(f"CAST({call.written('count_if', condition)} AS BIGINT)", BIGINT, call.node)


def _by(name: str) -> Answer:
    """max_by and min_by: the value may be NULL, what it is ordered by may not."""

    def answer(compiler: Compiler, call: Aggregate) -> Value:
        value, by = call.values
        if by.type.is_float:
            compiler.refuse(f"{call.name} by floating-point numbers", "CAST them to decimal.")
        return Value(call.written(name, value.sql, by.sql), value.type, call.node)

    return answer


def _array_agg(compiler: Compiler, call: Aggregate) -> Value:
    return Value(call.written("array_agg", call.values[0].sql), array(call.values[0].type), call.node)


def _approx_distinct(compiler: Compiler, call: Aggregate) -> Value:
    compiler.notices.append("approx_distinct was answered exactly.")
    return Value(f"count(DISTINCT {call.values[0].sql}){call.over}", BIGINT, call.node)


def _approx_percentile(compiler: Compiler, call: Aggregate) -> Value:
    value, share = call.values
    if not (value.type.is_numeric and share.type.is_numeric):
        compiler.mismatch(call.node, "approx_percentile", call.values)
    if share.node.find(exp.Column):
        compiler.refuse("approx_percentile with a percentage that is no literal")
    compiler.notices.append("approx_percentile was answered exactly.")
    type_ = BIGINT if value.type.is_integer else DOUBLE if value.type.name == "decimal" else value.type
    return Value(call.written("quantile_disc", coerced(value, type_), coerced(share, DOUBLE)), type_, call.node)


# Name: how many arguments, and the answer.
AGGREGATES: dict[str, tuple[int, Answer]] = {
    "count": (1, _count),
    "sum": (1, _sum),
    "avg": (1, _avg),
    "min": (1, _ordered("min")),
    "max": (1, _ordered("max")),
    "count_if": (1, _count_if),
    "bool_and": (1, _of("bool_and", BOOLEAN, BOOLEAN)),
    "every": (1, _of("bool_and", BOOLEAN, BOOLEAN)),
    "bool_or": (1, _of("bool_or", BOOLEAN, BOOLEAN)),
    "arbitrary": (1, _same("any_value")),
    "any_value": (1, _same("any_value")),
    "array_agg": (1, _array_agg),
    "max_by": (2, _by("arg_max_null")),
    "min_by": (2, _by("arg_min_null")),
    "approx_distinct": (1, _approx_distinct),
    "approx_percentile": (2, _approx_percentile),
    "stddev": (1, _of("stddev_samp", DOUBLE, DOUBLE)),
    "stddev_samp": (1, _of("stddev_samp", DOUBLE, DOUBLE)),
    "stddev_pop": (1, _of("stddev_pop", DOUBLE, DOUBLE)),
    "variance": (1, _of("var_samp", DOUBLE, DOUBLE)),
    "var_samp": (1, _of("var_samp", DOUBLE, DOUBLE)),
    "var_pop": (1, _of("var_pop", DOUBLE, DOUBLE)),
    "corr": (2, _of("corr", DOUBLE, DOUBLE)),
}

# Window functions that are no aggregates: least and most arguments; type (None: of the first argument).
_WINDOWS: dict[str, tuple[int, int, Type | None]] = {
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


def is_aggregate(node: exp.Expression) -> bool:
    """Whether a node is a call of an aggregate, so that its query has groups."""
    if isinstance(node, exp.WithinGroup):
        return True
    return isinstance(node, exp.Anonymous) and str(node.this).lower() in AGGREGATES


def _called(compiler: Compiler, node: exp.Expression, over: str) -> Value:
    """A call of an aggregate, with what follows it."""
    if isinstance(node, exp.WithinGroup):
        return _listagg(compiler, node, over)
    name = str(node.this).lower()
    count, answer = AGGREGATES[name]
    arguments, distinct, order = list(node.expressions), "", ""
    if arguments and isinstance(arguments[-1], exp.Order):
        order = ordering(compiler, arguments[-1].expressions)
        arguments[-1] = arguments[-1].this
    if arguments and isinstance(arguments[0], exp.Distinct):
        distinct, arguments = "DISTINCT ", [*arguments[0].expressions, *arguments[1:]]
        if " OVER " in over:
            compiler.fail(node, "DISTINCT cannot be used in a window function")
    if name == "count" and (not arguments or isinstance(arguments[0], exp.Star)):
        return Value(f"count(*){over}", BIGINT, node)
    if len(arguments) != count:
        # Athena has forms of these with more arguments.
        if name in ("max", "min", "max_by", "min_by", "approx_percentile", "approx_distinct"):
            compiler.refuse(f"{name} with {len(arguments)} arguments")
        compiler.fail(node, f"{name} expects {count} arguments, found {len(arguments)}")
    return answer(compiler, Aggregate(name, compiler.values(arguments), distinct, order, over, node))


def _listagg(compiler: Compiler, node: exp.WithinGroup, over: str) -> Value:
    if str(node.this.this).lower() != "listagg" or over:
        compiler.refuse(f"{node.this.this} WITHIN GROUP")
    values = compiler.values(node.this.expressions)
    if not 1 <= len(values) <= 2 or any(value.type not in (VARCHAR, UNKNOWN) for value in values):
        compiler.mismatch(node, "listagg", values)
    separator = values[1].sql if len(values) > 1 else text("")
    order = ordering(compiler, node.expression.expressions)
    return Value(f"string_agg({values[0].sql}, {separator}{order})", VARCHAR, node)


def ordering(compiler: Compiler, items: Sequence[exp.Expression]) -> str:
    """ORDER BY of a window or an aggregate. NULL comes last, whatever the direction, unless told."""
    return " ORDER BY " + ", ".join(f"{compiler.value(item.this).sql}{direction(item)}" for item in items)


def direction(item: exp.Expression) -> str:
    """ASC or DESC, NULLS FIRST or LAST."""
    nulls = "FIRST" if item.args.get("nulls_first") else "LAST"
    return f" {'DESC' if item.args.get('desc') else 'ASC'} NULLS {nulls}"


# A call may be an aggregate, alone or with FILTER or OVER, or a scalar function.


@rule(exp.WithinGroup)
def within_group(compiler: Compiler, node: exp.WithinGroup) -> Value:
    """listagg(…) WITHIN GROUP (ORDER BY …)."""
    return _called(compiler, node, "")


@rule(exp.Anonymous)
def call_of_any_kind(compiler: Compiler, node: exp.Anonymous) -> Value:
    """A call by name: of an aggregate, or of a scalar function."""
    name = str(node.this).lower()
    if name in _WINDOWS:
        compiler.fail(node, f"{name} is a window function: it needs OVER (…)")
    return _called(compiler, node, "") if name in AGGREGATES else call(compiler, node)


@rule(exp.Filter)
def filtered(compiler: Compiler, node: exp.Filter) -> Value:
    """aggregate(…) FILTER (WHERE …)."""
    return _called(compiler, _aggregate_of(compiler, node), _filter(compiler, node))


@rule(exp.Window, parts=["partition_by", "order", "spec", "alias", "over"])
def window(compiler: Compiler, node: exp.Window) -> Value:
    """function(…) OVER (PARTITION BY … ORDER BY … frame)."""
    if node.args.get("alias"):
        compiler.refuse("named windows (WINDOW w AS …)", "Write the window out in OVER (…).")
    over = f" OVER ({_window(compiler, node)})"
    called = node.this
    if isinstance(called, exp.IgnoreNulls | exp.RespectNulls):
        compiler.refuse("IGNORE NULLS and RESPECT NULLS")
    if isinstance(called, exp.Filter):
        return _called(compiler, _aggregate_of(compiler, called), _filter(compiler, called) + over)
    name = str(called.this).lower()
    if name in _WINDOWS:
        return _window_function(compiler, called, name, over)
    return _called(compiler, _aggregate_of(compiler, node), over)


def _aggregate_of(compiler: Compiler, node: exp.Expression) -> exp.Expression:
    if not is_aggregate(node.this):
        name = str(node.this.this).lower() if isinstance(node.this, exp.Anonymous) else "this"
        if name in TABLE or name in SPECIAL:
            compiler.fail(node, f"{name} is neither an aggregate nor a window function")
        compiler.refuse(f"{name}() as an aggregate or window function")
    return node.this


def _filter(compiler: Compiler, node: exp.Filter) -> str:
    return f" FILTER (WHERE {compiler.condition(node.expression.this, 'FILTER')})"


def _window(compiler: Compiler, node: exp.Window) -> str:
    parts = []
    if partition := node.args.get("partition_by"):
        parts.append("PARTITION BY " + ", ".join(value.sql for value in compiler.values(partition)))
    if order := node.args.get("order"):
        parts.append(ordering(compiler, order.expressions))
    if spec := node.args.get("spec"):
        parts.append(_frame(compiler, spec))
    return " ".join(parts)


def _frame(compiler: Compiler, spec: exp.WindowSpec) -> str:
    kind = str(spec.args["kind"]).upper()
    bounds = [_bound(compiler, spec, side) for side in ("start", "end") if spec.args.get(side)]
    if kind == "GROUPS" or (kind == "RANGE" and any(bound[0].isdigit() for bound in bounds)):
        compiler.refuse(f"window frames of {kind} with an offset", "Write ROWS.")
    return f"{kind} BETWEEN {bounds[0]} AND {bounds[1] if len(bounds) > 1 else 'CURRENT ROW'}"


def _bound(compiler: Compiler, spec: exp.WindowSpec, side: str) -> str:
    found, way = spec.args[side], str(spec.args.get(f"{side}_side") or "").upper()
    if isinstance(found, str):
        return f"{found.upper()} {way}".strip()
    offset = compiler.value(found).integer
    if offset is None:
        compiler.fail(found, "A frame's bound must be a whole number")
    return f"{offset} {way}"


def _window_function(compiler: Compiler, node: exp.Anonymous, name: str, over: str) -> Value:
    least, most, type_ = _WINDOWS[name]
    values = compiler.values(node.expressions)
    expect(compiler, node, values, least, most)
    arguments = [value.sql for value in values]
    if len(values) == 3:
        arguments[0:3:2], type_ = compiler.alike([values[0], values[2]], name)
    return Value(f"{name}({', '.join(arguments)}){over}", type_ or values[0].type, node)


@function("grouping")
def grouping(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """grouping(columns): a bit for each, the last one the lowest; 1 where a grouping set leaves it out."""
    return Value(f"CAST(grouping({', '.join(value.sql for value in values)}) AS INTEGER)", INTEGER, node)
