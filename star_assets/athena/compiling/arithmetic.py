"""Athena's arithmetic in DuckDB: integers, exact decimals, floating point.

Source: Trino's documentation of decimal operators (result precision and scale).
Not here: arithmetic of timestamps and intervals (intervals), rounding functions (numbers).
"""

from __future__ import annotations

from sqlglot import exp

from star_assets.athena.compiling.compiler import Compiler, Value, coerced, rule
from star_assets.athena.compiling.intervals import in_time
from star_assets.athena.types import BIGINT, UNKNOWN, Type, common, decimal

# The digits of the longest decimal.
_DIGITS = 38

_NAMES = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}


@rule(*_NAMES, parts=["typed", "safe"])
def arithmetic(compiler: Compiler, node: exp.Binary) -> Value:
    """+, -, *, / and % of two numbers; of moments and spans of time, what there is."""
    name = _NAMES[type(node)]
    left, right = compiler.values([node.this, node.expression])
    if any(value.type.is_datetime or value.type.is_interval for value in (left, right)):
        return in_time(compiler, node, name, left, right)
    both = common(left.type, right.type)
    if both == UNKNOWN:
        return Value("NULL", UNKNOWN, node)
    if both is None or not both.is_numeric:
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
    """-x. The least bigint is one literal with its sign, because its absolute value is no bigint."""
    if isinstance(node.this, exp.Literal) and node.this.name == str(2**63):
        return Value(f"CAST('-{node.this.name}' AS BIGINT)", BIGINT, node)
    value = compiler.value(node.this)
    if not (value.type.is_numeric or value.type.is_interval) and value.type != UNKNOWN:
        compiler.mismatch(node, "Operator -", [value])
    return Value(f"(- {value.sql})", value.type, node)


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
    dividend = _unscaled(left, scale - one.scale + two.scale)
    return scaled(f"athena_round_div({dividend}, {_unscaled(right)})", type_), type_


def _remainder(left: Value, right: Value) -> tuple[str, Type]:
    one, two = left.type.as_decimal, right.type.as_decimal
    scale = max(one.scale, two.scale)
    type_ = decimal(min(one.precision - one.scale, two.precision - two.scale) + scale, scale)
    wholes = f"{_unscaled(left, scale - one.scale)}, {_unscaled(right, scale - two.scale)}"
    return scaled(f"athena_mod({wholes})", type_), type_


_DECIMAL = {
    "+": lambda left, right: _sum("+", left, right),
    "-": lambda left, right: _sum("-", left, right),
    "*": _product,
    "/": _quotient,
    "%": _remainder,
}


def _narrow(value: Value) -> str:
    return f"CAST({value.sql} AS {value.type.as_decimal.duckdb})" if value.type.is_integer else value.sql


def _unscaled(value: Value, zeros: int = 0) -> str:
    """SQL of a decimal's digits as a HUGEINT, followed by zeros: 12.34 → 1234."""
    type_ = value.type.as_decimal
    if not type_.scale:
        sql = f"CAST({value.sql} AS HUGEINT)"
    elif type_.precision + type_.scale > _DIGITS:
        # DuckDB keeps the scale of a multiplied decimal, which would need more than 38 digits here.
        sql = f"CAST(replace(CAST({value.sql} AS VARCHAR), '.', '') AS HUGEINT)"
    else:
        sql = f"CAST(CAST({value.sql} AS DECIMAL({_DIGITS},{type_.scale})) * {10**type_.scale} AS HUGEINT)"
    if type_.precision + zeros <= _DIGITS:
        return f"({sql} * {10**zeros}::HUGEINT)" if zeros else sql
    room = max(_DIGITS - zeros, 0)
    return f"athena_with_zeros({sql}, {10 ** (_DIGITS - room)}::HUGEINT, {10**room}::HUGEINT)"


def scaled(whole: str, type_: Type) -> str:
    """SQL of a decimal with a HUGEINT's digits: the inverse of `_unscaled`."""
    if not type_.scale:
        return f"CAST({whole} AS {type_.duckdb})"
    step = f"CAST('0.{'0' * (type_.scale - 1)}1' AS DECIMAL(38,{type_.scale}))"
    return f"CAST(CAST({whole} AS DECIMAL(38,0)) * {step} AS {type_.duckdb})"


def averaged(total: str, count: str, type_: Type) -> str:
    """The mean of decimals from their sum and their count, in their own type, rounded half up."""
    sum_ = Value(total, decimal(38, type_.scale), exp.Null())
    return scaled(f"athena_round_div({_unscaled(sum_)}, CAST({count} AS HUGEINT))", type_)
