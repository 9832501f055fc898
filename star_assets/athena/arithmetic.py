"""Athena's arithmetic in DuckDB: integers, exact decimals, floating point, dates and intervals.

Sources: Trino's documentation of decimal operators (result precision and scale)
and of date and time operators. Not here: rounding functions (functions).
"""

from __future__ import annotations

import re

from sqlglot import exp

from star_assets.athena.compiler import Compiler, Value, coerced, rule
from star_assets.athena.types import BIGINT, UNKNOWN, VARCHAR, Type, common, decimal

_NAMES = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}

# Units of an interval: the DuckDB function that makes one of a whole number, and
# whether a date, which has no time, can take it.
INTERVALS = {
    "millisecond": ("to_milliseconds", False),
    "second": ("to_seconds", False),
    "minute": ("to_minutes", False),
    "hour": ("to_hours", False),
    "day": ("to_days", True),
    "week": ("to_weeks", True),
    "month": ("to_months", True),
    "quarter": ("to_quarters", True),
    "year": ("to_years", True),
}


@rule(*_NAMES, parts=["typed", "safe"])
def arithmetic(compiler: Compiler, node: exp.Binary) -> Value:
    """+, -, *, / and % of two numbers; + and - of a date or timestamp and an interval."""
    name = _NAMES[type(node)]
    if isinstance(node.this, exp.Interval) or isinstance(node.expression, exp.Interval):
        return _shifted(compiler, node, name)
    left, right = compiler.values([node.this, node.expression])
    both = common(left.type, right.type)
    if both == UNKNOWN:
        return Value("NULL", UNKNOWN, node)
    if both is None or not both.is_numeric:
        if both and both.is_datetime and name == "-":
            compiler.refuse("the interval between two dates", "Write date_diff('day', earlier, later).")
        compiler.mismatch(node, f"Operator {name}", [left, right])
    return Value(*combined(name, left, right, both), node)


def combined(name: str, left: Value, right: Value, both: Type) -> tuple[str, Type]:
    """Two numbers, combined: the SQL and the type, given the type that they have in common."""
    if both.name == "decimal":
        return _DECIMAL[name](left, right)
    first, second = coerced(left, both), coerced(right, both)
    if both.is_float:
        # DuckDB computes FLOAT as Athena does, and x / 0 as infinity or NaN; only % by zero needs help.
        sql = f"athena_float_mod({first}, {second})" if name == "%" else f"({first} {name} {second})"
        return (f"CAST({sql} AS {both.duckdb})" if both.name == "real" else sql), both
    if name in "/%":
        macro = "athena_int_div" if name == "/" else "athena_mod"
        return f"CAST({macro}({first}, {second}) AS {both.duckdb})", both
    return f"CAST({first} {name} {second} AS {both.duckdb})", both


@rule(exp.Neg)
def negative(compiler: Compiler, node: exp.Neg) -> Value:
    """-x. The least bigint is a literal of its own."""
    if isinstance(node.this, exp.Literal) and node.this.name == str(2**63):
        return Value(f"CAST('-{node.this.name}' AS BIGINT)", BIGINT, node)
    value = compiler.value(node.this)
    if not value.type.is_numeric and value.type != UNKNOWN:
        compiler.mismatch(node, "Operator -", [value])
    return Value(f"(- {value.sql})", value.type, node)


@rule(exp.DPipe)
def concatenation(compiler: Compiler, node: exp.DPipe) -> Value:
    """|| of texts or of arrays; NULL if one is NULL."""
    values = compiler.values([node.this, node.expression])
    (left, right), type_ = compiler.alike(values, "Operator ||")
    if type_ in (VARCHAR, UNKNOWN):
        return Value(f"({left} || {right})", VARCHAR, node)
    if type_.of:
        sql = f"CASE WHEN {left} IS NOT NULL AND {right} IS NOT NULL THEN list_concat({left}, {right}) END"
        return Value(sql, type_, node)
    return compiler.mismatch(node, "Operator ||", values)


# Decimals. DuckDB's own operators overflow at 18 digits and divide in floating
# point, so operands are widened first, and division is of whole numbers.


def _sum(operator: str, left: Value, right: Value) -> tuple[str, Type]:
    one, two = left.type.as_decimal, right.type.as_decimal
    scale = max(one.scale, two.scale)
    type_ = decimal(max(one.precision - one.scale, two.precision - two.scale) + scale + 1, scale)
    wide = type_.duckdb
    return f"CAST(CAST({left.sql} AS {wide}) {operator} CAST({right.sql} AS {wide}) AS {wide})", type_


def _product(left: Value, right: Value) -> tuple[str, Type]:
    one, two = left.type.as_decimal, right.type.as_decimal
    type_ = decimal(one.precision + two.precision, one.scale + two.scale)
    if one.precision + two.precision <= 18:
        return f"({_narrow(left)} * {_narrow(right)})", type_
    widened = (f"CAST({value.sql} AS DECIMAL(38,{t.scale}))" for value, t in ((left, one), (right, two)))
    return f"CAST({' * '.join(widened)} AS {type_.duckdb})", type_


def _quotient(left: Value, right: Value) -> tuple[str, Type]:
    one, two = left.type.as_decimal, right.type.as_decimal
    scale = max(one.scale, two.scale)
    type_ = decimal(one.precision + two.scale + max(0, two.scale - one.scale), scale)
    dividend = f"{_unscaled(left)} * {10 ** (scale - one.scale + two.scale)}::HUGEINT"
    return scaled(f"athena_round_div({dividend}, {_unscaled(right)})", type_), type_


def _remainder(left: Value, right: Value) -> tuple[str, Type]:
    one, two = left.type.as_decimal, right.type.as_decimal
    scale = max(one.scale, two.scale)
    type_ = decimal(min(one.precision - one.scale, two.precision - two.scale) + scale, scale)
    wide = f"DECIMAL(38,{scale})"
    return f"CAST(athena_mod(CAST({left.sql} AS {wide}), CAST({right.sql} AS {wide})) AS {type_.duckdb})", type_


_DECIMAL = {
    "+": lambda left, right: _sum("+", left, right),
    "-": lambda left, right: _sum("-", left, right),
    "*": _product,
    "/": _quotient,
    "%": _remainder,
}


def _narrow(value: Value) -> str:
    return f"CAST({value.sql} AS {value.type.as_decimal.duckdb})" if value.type.is_integer else value.sql


def _unscaled(value: Value) -> str:
    """A decimal without its point: 12.34 is 1234."""
    scale = value.type.as_decimal.scale
    if not scale:
        return f"CAST({value.sql} AS HUGEINT)"
    return f"CAST(CAST({value.sql} AS DECIMAL(38,{scale})) * {10**scale} AS HUGEINT)"


def scaled(whole: str, type_: Type) -> str:
    """The inverse of `_unscaled`: a HUGEINT with a point put in."""
    if not type_.scale:
        return f"CAST({whole} AS {type_.duckdb})"
    step = f"CAST('0.{'0' * (type_.scale - 1)}1' AS DECIMAL(38,{type_.scale}))"
    return f"CAST(CAST({whole} AS DECIMAL(38,0)) * {step} AS {type_.duckdb})"


def averaged(total: str, count: str, type_: Type) -> str:
    """The mean of decimals from their sum and their count, in their own type, rounded half up."""
    sum_ = Value(total, decimal(38, type_.scale), exp.Null())
    return scaled(f"athena_round_div({_unscaled(sum_)}, CAST({count} AS HUGEINT))", type_)


# Dates and intervals


def _shifted(compiler: Compiler, node: exp.Binary, operator: str) -> Value:
    moment, interval = node.this, node.expression
    if isinstance(moment, exp.Interval) and operator == "+":
        moment, interval = interval, moment
    if operator not in "+-" or not isinstance(interval, exp.Interval) or isinstance(moment, exp.Interval):
        compiler.refuse(f"{operator} of intervals", "Add an interval to a date or a timestamp, or subtract it.")
    amount, unit = interval_parts(compiler, interval)
    return shifted(compiler, compiler.value(moment), f"{operator}{amount}", unit, node)


def interval_parts(compiler: Compiler, node: exp.Interval) -> tuple[int, str]:
    """INTERVAL '3' DAY as 3 and `day`."""
    amount, unit = str(node.this.name), str(node.args.get("unit") or "").lower()
    if not re.fullmatch(r"[+-]?\d+", amount) or unit not in ("second", "minute", "hour", "day", "month", "year"):
        compiler.refuse(f"INTERVAL '{amount}' {unit.upper()}", "Write a whole number of one unit: INTERVAL '3' DAY.")
    return int(amount), unit


def shifted(compiler: Compiler, moment: Value, amount: str, unit: str, node: exp.Expression) -> Value:
    """A date or timestamp moved by so many units: of the type it was."""
    if unit not in INTERVALS or not moment.type.is_datetime:
        compiler.mismatch(node, f"Adding a {unit}", [moment])
    function, for_dates = INTERVALS[unit]
    if moment.type.name == "date" and not for_dates:
        compiler.fail(node, f"Cannot add {unit}s to a date, which has no time. CAST it to timestamp")
    return Value(f"CAST({moment.sql} + {function}({amount}) AS {moment.type.duckdb})", moment.type, node)
