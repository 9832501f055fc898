"""Athena's functions of numbers in DuckDB's SQL.

Not here: operators (arithmetic), casts (casts).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from star_assets.athena.compiling.compiler import Compiler, Value, coerced
from star_assets.athena.compiling.functions import declare_all, expect, function
from star_assets.athena.types import BIGINT, DOUBLE, decimal

declare_all(
    {
        "sqrt(double) -> double": "athena_sqrt({0})",
        "cbrt(double) -> double": "cbrt({0})",
        "exp(double) -> double": "exp({0})",
        "ln(double) -> double": "athena_log({0}, ln(abs({0})))",
        "log10(double) -> double": "athena_log({0}, log10(abs({0})))",
        "log2(double) -> double": "athena_log({0}, log2(abs({0})))",
        "log(double, double) -> double": "(athena_log({1}, ln(abs({1}))) / athena_log({0}, ln(abs({0}))))",
        "power(double, double) -> double": "pow({0}, {1})",
        "pow(double, double) -> double": "pow({0}, {1})",
        "pi() -> double": "pi()",
        "e() -> double": "exp(1::DOUBLE)",
        "sin(double) -> double": "sin({0})",
        "cos(double) -> double": "cos({0})",
        "tan(double) -> double": "tan({0})",
        "asin(double) -> double": "CASE WHEN abs({0}) > 1 THEN 'NaN'::DOUBLE ELSE asin({0}) END",
        "acos(double) -> double": "CASE WHEN abs({0}) > 1 THEN 'NaN'::DOUBLE ELSE acos({0}) END",
        "atan(double) -> double": "atan({0})",
        "atan2(double, double) -> double": "atan2({0}, {1})",
        "sinh(double) -> double": "sinh({0})",
        "cosh(double) -> double": "cosh({0})",
        "tanh(double) -> double": "tanh({0})",
        "radians(double) -> double": "radians({0})",
        "degrees(double) -> double": "degrees({0})",
        "is_nan(double) -> boolean": "isnan({0})",
        "is_finite(double) -> boolean": "isfinite({0})",
        "is_infinite(double) -> boolean": "isinf({0})",
        "nan() -> double": "'NaN'::DOUBLE",
        "infinity() -> double": "'Infinity'::DOUBLE",
        "bitwise_and(bigint, bigint) -> bigint": "({0} & {1})",
        "bitwise_or(bigint, bigint) -> bigint": "({0} | {1})",
        "bitwise_xor(bigint, bigint) -> bigint": "xor({0}, {1})",
        "bitwise_not(bigint) -> bigint": "(~ {0})",
        "to_base(bigint, bigint) -> varchar": "athena_to_base({0}, {1})",
        "from_base(varchar, bigint) -> bigint": "athena_from_base({0}, {1})",
    }
)


def _numeric(compiler: Compiler, node: exp.Expression, value: Value) -> None:
    if not value.type.is_numeric:
        compiler.mismatch(node, str(node.this).lower(), [value])


@function("abs", takes=1)
def absolute(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """abs(x), in x's type."""
    _numeric(compiler, node, values[0])
    return Value(f"CAST(abs({values[0].sql}) AS {values[0].type.duckdb})", values[0].type, node)


@function("sign", takes=1)
def sign(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """sign(x), in x's type; for a decimal, decimal(1,0)."""
    _numeric(compiler, node, values[0])
    given = values[0].type
    type_ = decimal(1, 0) if given.name == "decimal" else given
    sql = f"CAST(sign({values[0].sql}) AS {type_.duckdb})"
    return Value(f"CASE WHEN isnan({values[0].sql}) THEN 'NaN' ELSE {sql} END" if type_.is_float else sql, type_, node)


@function("mod", takes=2)
def modulus(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """mod(n, m) is n % m."""
    found = compiler.value(exp.Mod(this=node.expressions[0].copy(), expression=node.expressions[1].copy()))
    return Value(found.sql, found.type, node)


@function("floor", "ceil", "ceiling", takes=1)
def whole(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """floor and ceil, in x's type; a decimal loses its scale."""
    given = values[0].type
    _numeric(compiler, node, values[0])
    if given.is_integer:
        return Value(values[0].sql, given, node)
    type_ = given
    if given.name == "decimal":
        type_ = decimal(given.precision - given.scale + min(given.scale, 1), 0)
    return Value(f"CAST({str(node.this).lower()}({values[0].sql}) AS {type_.duckdb})", type_, node)


@function("round", takes=(1, 2))
def rounded(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """round(x[, digits]), half away from zero. With digits, a decimal keeps its scale."""
    value, given = values[0], values[0].type
    _numeric(compiler, node, value)
    digits = values[1].integer if len(values) > 1 else 0
    if digits is None:
        compiler.refuse("round to a number of digits that is not a literal")
    if given.is_float:
        return Value(f"CAST(athena_round({value.sql}, {digits}) AS {given.duckdb})", given, node)
    if given.name == "decimal" and len(values) == 1:
        given = decimal(given.precision - given.scale + min(given.scale, 1), 0)
    elif given.name == "decimal":
        given = decimal(given.precision + 1, given.scale)
        value = replace(value, sql=f"CAST({value.sql} AS {given.duckdb})")
    return Value(f"CAST(round({value.sql}, {digits}) AS {given.duckdb})", given, node)


@function("truncate", takes=(1, 2))
def truncated(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """truncate(x[, digits]): towards zero. A decimal cut to digits keeps its type."""
    value = values[0]
    _numeric(compiler, node, value)
    if value.type.is_float:
        if len(values) == 2:
            compiler.fail(node, "FUNCTION_NOT_FOUND: truncate of a double takes no number of digits")
        return Value(f"CAST(trunc({value.sql}) AS {value.type.duckdb})", value.type, node)
    given = value.type.as_decimal
    exact = f"CAST({value.sql} AS {given.duckdb})"
    if len(values) == 1:
        type_ = decimal(max(1, given.precision - given.scale), 0)
        return Value(f"CAST(trunc({exact}) AS {type_.duckdb})", type_, node)
    digits = values[1].integer
    if digits is None:
        compiler.refuse("truncate to a number of digits that is not a literal")
    return Value(f"CAST(trunc({exact}, {digits}) AS {given.duckdb})", given, node)


@function("bit_count", takes=2)
def bit_count(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """bit_count(x, bits): the number of ones in the two's complement of x."""
    if values[1].integer != 64 or not values[0].type.is_integer:
        compiler.refuse("bit_count of other than 64 bits")
    return Value(f"CAST(bit_count({coerced(values[0], BIGINT)}) AS BIGINT)", BIGINT, node)


@function("width_bucket")
def width_bucket(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """width_bucket(x, low, high, n): 1 to n; 0 below low, n + 1 from high on."""
    if len(values) == 2:
        compiler.refuse("width_bucket with an array of bounds", "Write CASE.")
    expect(compiler, node, values, 4, 4)
    for value in values[:3]:
        _numeric(compiler, node, value)
    x, low, high = (coerced(value, DOUBLE) for value in values[:3])
    if not values[3].type.is_integer:
        compiler.mismatch(node, "width_bucket", values)
    return Value(f"athena_width_bucket({x}, {low}, {high}, {coerced(values[3], BIGINT)})", BIGINT, node)
