"""Athena's aggregate functions in DuckDB's SQL.

The exact answer is given for functions that Athena answers approximately.
Not here: the syntax of their calls (calls), GROUP BY (queries).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from star_assets.athena.compiling.arithmetic import averaged
from star_assets.athena.compiling.compiler import Compiler, Value, coerced
from star_assets.athena.compiling.nested import each
from star_assets.athena.types import BIGINT, BOOLEAN, DAYS, DOUBLE, MONTHS, REAL, Type, array, coerces, decimal, map_of


@dataclass(frozen=True)
class Aggregate:
    """A call of an aggregate: its arguments and clauses, from which an answer writes one or several DuckDB aggregates.

    `distinct`, `order`, `condition` (of FILTER) and `over` are SQL, or empty.
    """

    name: str
    values: Sequence[Value]
    distinct: str
    order: str
    condition: str
    over: str
    node: exp.Expression

    def written(self, name: str, *arguments: str, order: str | None = None, where: str = "") -> str:
        """The aggregate of DuckDB called `name`, with this call's DISTINCT, ORDER BY, FILTER and OVER.

        `order` replaces the call's own ORDER BY; `where` is an additional condition.
        """
        conditions = " AND ".join(filter(None, (self.condition, where)))
        filtered = f" FILTER (WHERE {conditions})" if conditions else ""
        order = self.order if order is None else order
        return f"{name}({self.distinct}{', '.join(arguments)}{order}){filtered}{self.over}"


Answer = Callable[[Compiler, Aggregate], Value]


def _same(name: str) -> Answer:
    """An aggregate whose type is that of its argument."""
    return lambda compiler, call: Value(call.written(name, call.values[0].sql), call.values[0].type, call.node)


def _of(name: str, takes: Type, gives: Type) -> Answer:
    """An aggregate whose arguments are all of the type `takes`."""

    def answer(compiler: Compiler, call: Aggregate) -> Value:
        if not all(coerces(value.type, takes) for value in call.values):
            compiler.mismatch(call.node, call.name, call.values)
        sql = call.written(name, *(coerced(value, takes) for value in call.values))
        return Value(sql, gives, call.node)

    return answer


def _count(compiler: Compiler, call: Aggregate) -> Value:
    return Value(call.written("count", *(value.sql for value in call.values)), BIGINT, call.node)


def _ordered(name: str) -> Answer:
    """min(x), max(x), and with an n the least or greatest n values. DuckDB takes NaN for the greatest number."""

    def answer(compiler: Compiler, call: Aggregate) -> Value:
        value = call.values[0]
        if value.type.parts or value.type.name == "json":
            compiler.refuse(f"{name} of values of type {value.type}")
        sql = f"athena_finite({value.sql})" if value.type.is_float else value.sql
        if len(call.values) == 1:
            return Value(call.written(name, sql), value.type, call.node)
        return Value(call.written(name, sql, _number(compiler, call, 1)), array(value.type), call.node)

    return answer


def _number(compiler: Compiler, call: Aggregate, at: int) -> str:
    """The literal n of a call: how many values it returns. Raises Unfaithful for another expression."""
    found = call.values[at].integer
    if found is None or found < 1:
        compiler.refuse(f"{call.name} whose number of values is no literal of 1 or more")
    return str(found)


def _sum(compiler: Compiler, call: Aggregate) -> Value:
    (value,) = call.values
    type_ = value.type
    if not type_.is_numeric and not type_.is_interval:
        compiler.mismatch(call.node, "sum", call.values)
    result = BIGINT if type_.is_integer else decimal(38, type_.scale) if type_.name == "decimal" else type_
    return Value(f"CAST({call.written('sum', value.sql)} AS {result.duckdb})", result, call.node)


def _avg(compiler: Compiler, call: Aggregate) -> Value:
    (value,) = call.values
    if value.type.name == "decimal":
        total, count = call.written("sum", value.sql), call.written("count", value.sql)
        return Value(f"CASE WHEN {count} > 0 THEN {averaged(total, count, value.type)} END", value.type, call.node)
    if value.type in (DAYS, MONTHS):
        compiler.refuse("avg of intervals")
    if not value.type.is_numeric:
        compiler.mismatch(call.node, "avg", call.values)
    sql = call.written("avg", coerced(value, DOUBLE))
    return Value(f"CAST({sql} AS FLOAT)", REAL, call.node) if value.type == REAL else Value(sql, DOUBLE, call.node)


def _finite(name: str) -> Answer:
    """An aggregate of pairs of numbers: NULL if DuckDB's answer is not finite, such as for a single pair."""

    def answer(compiler: Compiler, call: Aggregate) -> Value:
        found = _of(name, DOUBLE, DOUBLE)(compiler, call)
        return Value(f"CASE WHEN isfinite({found.sql}) THEN {found.sql} END", DOUBLE, call.node)

    return answer


def _geometric_mean(compiler: Compiler, call: Aggregate) -> Value:
    if not call.values[0].type.is_numeric:
        compiler.mismatch(call.node, call.name, call.values)
    value = coerced(call.values[0], DOUBLE)
    return Value(f"exp({call.written('avg', f'athena_log({value}, ln(abs({value})))')})", DOUBLE, call.node)


def _shape(name: str, least: int) -> Answer:
    """An aggregate of at least `least` values: NULL for fewer, NaN if all are equal."""

    def answer(compiler: Compiler, call: Aggregate) -> Value:
        found = _of(name, DOUBLE, DOUBLE)(compiler, call)
        n = call.written("count", call.values[0].sql)
        return Value(f"CASE WHEN {n} >= {least} THEN coalesce({found.sql}, 'NaN') END", DOUBLE, call.node)

    return answer


def _skewness(compiler: Compiler, call: Aggregate) -> Value:
    """The skewness of the population; DuckDB's function estimates it from a sample."""
    found = _shape("skewness", 3)(compiler, call)
    n = call.written("count", call.values[0].sql)
    return Value(f"({found.sql} * ({n} - 2) / sqrt({n} * ({n} - 1)))", DOUBLE, call.node)


def _count_if(compiler: Compiler, call: Aggregate) -> Value:
    condition = compiler.condition(call.values[0].node, "count_if's condition")
    return Value(call.written("count", f"CASE WHEN {condition} THEN TRUE END"), BIGINT, call.node)


def _by(name: str, way: str) -> Answer:
    """max_by and min_by, also of n values. Rows whose ordering value is NULL are ignored."""

    def answer(compiler: Compiler, call: Aggregate) -> Value:
        value, by = call.values[:2]
        if by.type.is_float or by.type.holds("map", "json"):
            compiler.refuse(f"{call.name} by values of type {by.type}", "CAST them to decimal.")
        if len(call.values) == 2:
            return Value(call.written(name, value.sql, by.sql), value.type, call.node)
        order = f" ORDER BY {by.sql} {way}"
        listed = call.written("array_agg", value.sql, order=order, where=f"{by.sql} IS NOT NULL")
        return Value(f"list_slice({listed}, 1, {_number(compiler, call, 2)})", array(value.type), call.node)

    return answer


def _array_agg(compiler: Compiler, call: Aggregate) -> Value:
    return Value(call.written("array_agg", call.values[0].sql), array(call.values[0].type), call.node)


def _approx_distinct(compiler: Compiler, call: Aggregate) -> Value:
    compiler.notices.append("approx_distinct was answered exactly.")
    return Value(call.written("count", f"DISTINCT {call.values[0].sql}"), BIGINT, call.node)


def _approx_percentile(compiler: Compiler, call: Aggregate) -> Value:
    """Of n sorted values the one at floor(p * n), counted from 0, as Athena's sketch answers if it has all values."""
    value, share = call.values
    shares = share.node.expressions if isinstance(share.node, exp.Array) else [share.node]
    if not value.type.is_numeric or not (share.type.is_numeric or share.type.of):
        compiler.mismatch(call.node, "approx_percentile", call.values)
    if share.node.find(exp.Column):
        compiler.refuse("approx_percentile with a percentage that is no literal")
    compiler.notices.append("approx_percentile was answered exactly.")
    type_ = BIGINT if value.type.is_integer else REAL if value.type.name == "decimal" else value.type
    found = [
        call.written("quantile_disc", coerced(value, type_), f"least({coerced(one, DOUBLE)} + 1e-9, 1)")
        for one in compiler.values(shares)
    ]
    if share.type.of:
        count = call.written("count", value.sql)
        return Value(f"CASE WHEN {count} > 0 THEN [{', '.join(found)}] END", array(type_), call.node)
    return Value(found[0], type_, call.node)


# Maps


def _require_key(compiler: Compiler, call: Aggregate, key: Type) -> None:
    if key.parts or key.is_float or key.name == "json":
        compiler.refuse(f"{call.name} with keys of type {key}")
    if call.distinct or call.over:
        compiler.refuse(f"{call.name} with DISTINCT or OVER")


def _entries(macro: str, item_type: Callable[[Type], Type]) -> Answer:
    """A map of the keys that are not NULL, made by a macro from the lists of keys and items."""

    def answer(compiler: Compiler, call: Aggregate) -> Value:
        key, item = call.values
        _require_key(compiler, call, key.type)
        where = f"{key.sql} IS NOT NULL"
        keys, items = (call.written("array_agg", value.sql, where=where) for value in (key, item))
        return Value(f"{macro}({keys}, {items})", map_of(key.type, item_type(item.type)), call.node)

    return answer


def _map_union(compiler: Compiler, call: Aggregate) -> Value:
    (value,) = call.values
    if value.type.name != "map":
        compiler.mismatch(call.node, "map_union", call.values)
    _require_key(compiler, call, value.type.parts[0])
    keys, items = (
        f"flatten({call.written('array_agg', f'{part}({value.sql})')})" for part in ("map_keys", "map_values")
    )
    return Value(f"athena_first_entries({keys}, {items})", value.type, call.node)


def _histogram(compiler: Compiler, call: Aggregate) -> Value:
    (value,) = call.values
    _require_key(compiler, call, value.type)
    type_ = map_of(value.type, BIGINT)
    return Value(f"CAST({call.written('histogram', value.sql)} AS {type_.duckdb})", type_, call.node)


def _approx_most_frequent(compiler: Compiler, call: Aggregate) -> Value:
    """A map of the n most frequent values to their counts."""
    value = call.values[1]
    _require_key(compiler, call, value.type)
    compiler.notices.append("approx_most_frequent was answered exactly.")
    counted = f"map_entries({call.written('histogram', value.sql)})"
    ranked = f"list_reverse_sort({each(counted, lambda pair: f'struct_pack(n := {pair}.value, x := {pair}.key)')})"
    most = f"list_slice({ranked}, 1, {_number(compiler, call, 0)})"
    type_ = map_of(value.type, BIGINT)
    entries = each(most, lambda pair: f"struct_pack(k := {pair}.x, v := {pair}.n)")
    return Value(f"CAST(map_from_entries({entries}) AS {type_.duckdb})", type_, call.node)


# Name: least and most arguments, and the answer.
AGGREGATES: dict[str, tuple[int, int, Answer]] = {
    "count": (1, 1, _count),
    "sum": (1, 1, _sum),
    "avg": (1, 1, _avg),
    "geometric_mean": (1, 1, _geometric_mean),
    "min": (1, 2, _ordered("min")),
    "max": (1, 2, _ordered("max")),
    "count_if": (1, 1, _count_if),
    "bool_and": (1, 1, _of("bool_and", BOOLEAN, BOOLEAN)),
    "every": (1, 1, _of("bool_and", BOOLEAN, BOOLEAN)),
    "bool_or": (1, 1, _of("bool_or", BOOLEAN, BOOLEAN)),
    "bitwise_and_agg": (1, 1, _of("bit_and", BIGINT, BIGINT)),
    "bitwise_or_agg": (1, 1, _of("bit_or", BIGINT, BIGINT)),
    "arbitrary": (1, 1, _same("any_value")),
    "any_value": (1, 1, _same("any_value")),
    "array_agg": (1, 1, _array_agg),
    "max_by": (2, 3, _by("arg_max_null", "DESC")),
    "min_by": (2, 3, _by("arg_min_null", "ASC")),
    "approx_distinct": (1, 2, _approx_distinct),
    "approx_percentile": (2, 2, _approx_percentile),
    "stddev": (1, 1, _of("stddev_samp", DOUBLE, DOUBLE)),
    "stddev_samp": (1, 1, _of("stddev_samp", DOUBLE, DOUBLE)),
    "stddev_pop": (1, 1, _of("stddev_pop", DOUBLE, DOUBLE)),
    "variance": (1, 1, _of("var_samp", DOUBLE, DOUBLE)),
    "var_samp": (1, 1, _of("var_samp", DOUBLE, DOUBLE)),
    "var_pop": (1, 1, _of("var_pop", DOUBLE, DOUBLE)),
    "corr": (2, 2, _finite("corr")),
    "covar_pop": (2, 2, _of("covar_pop", DOUBLE, DOUBLE)),
    "covar_samp": (2, 2, _of("covar_samp", DOUBLE, DOUBLE)),
    "regr_slope": (2, 2, _finite("regr_slope")),
    "regr_intercept": (2, 2, _finite("regr_intercept")),
    "skewness": (1, 1, _skewness),
    "kurtosis": (1, 1, _shape("kurtosis", 4)),
    "approx_most_frequent": (3, 3, _approx_most_frequent),
    "map_agg": (2, 2, _entries("athena_first_entries", lambda item: item)),
    "multimap_agg": (2, 2, _entries("athena_multimap", array)),
    "map_union": (1, 1, _map_union),
    "histogram": (1, 1, _histogram),
}

# Aggregates for which Athena accepts more arguments than the embedded Athena; those calls are refused.
MORE_FORMS = ("max", "min", "max_by", "min_by", "approx_percentile", "approx_distinct")


def is_aggregate(node: exp.Expression) -> bool:
    """Whether a node is a call of an aggregate, so that its query has groups."""
    if isinstance(node, exp.WithinGroup):
        return True
    return isinstance(node, exp.Anonymous) and str(node.this).lower() in AGGREGATES
