"""INTERVAL literals, and the arithmetic of intervals, dates and timestamps.

In DuckDB, an interval day to second is a number of milliseconds, an interval year to month a
number of months. Source: Trino's documentation of date and time operators.
"""

from __future__ import annotations

import re
from dataclasses import replace

from sqlglot import exp

from star_assets.athena.compiling.compiler import Compiler, Value, coerced, rule
from star_assets.athena.compiling.zones import instant, local
from star_assets.athena.types import DATE, DAYS, DOUBLE, MONTHS, TIMESTAMP, Type, common

_MILLISECONDS = {"day": 86_400_000, "hour": 3_600_000, "minute": 60_000, "second": 1_000}
_MONTHS = {"year": 12, "month": 1}
DAY = _MILLISECONDS["day"]

# The separators in a literal, each before the part of that unit.
_BETWEEN = {"hour": " ", "minute": ":", "second": ":", "month": "-"}


@rule(exp.Interval, parts=["this", "unit"])
def interval(compiler: Compiler, node: exp.Interval) -> Value:
    """INTERVAL '3' DAY, INTERVAL '1 02:03' DAY TO MINUTE, INTERVAL '1-2' YEAR TO MONTH."""
    is_negative, literal = isinstance(node.this, exp.Neg), node.this
    literal = literal.this if is_negative else literal
    unit = node.args.get("unit")
    first = str(unit.this if isinstance(unit, exp.IntervalSpan) else unit or "").lower()
    last = str(unit.expression).lower() if isinstance(unit, exp.IntervalSpan) else first
    units = _MONTHS if first in _MONTHS else _MILLISECONDS
    if not isinstance(literal, exp.Literal) or first not in units or last not in units:
        compiler.fail(node, "INTERVAL expects a text and a unit: second, minute, hour, day, month or year")
    names = list(units)[list(units).index(first) : list(units).index(last) + 1]
    pattern = r"(\d+)" + "".join(f"(?:{_BETWEEN[name]}(\\d+))?" for name in names[1:])
    fraction = r"(?:[.](\d{1,3}))?" if last == "second" else ""
    written = re.fullmatch(rf"([-+]?){pattern}{fraction}", literal.name)
    # The parser splits '1 day', which Athena refuses, into a literal without a position and a unit.
    if not written or "start" not in literal.meta:
        compiler.fail(node, f"INVALID_LITERAL: '{literal.name}' is not a valid INTERVAL literal")
    amount = sum(int(part or 0) * units[name] for name, part in zip(names, written.groups()[1:], strict=False))
    if last == "second":
        amount += int((written.groups()[-1] or "").ljust(3, "0"))
    amount = -amount if is_negative != (written[1] == "-") else amount
    return Value(str(amount), MONTHS if units is _MONTHS else DAYS, node)


def in_time(compiler: Compiler, node: exp.Expression, operator: str, left: Value, right: Value) -> Value:
    """An operator of two values, at least one of which is a date, a timestamp or an interval."""
    if left.type.is_interval and right.type.is_datetime and operator == "+":
        left, right = right, left
    if left.type.is_datetime and right.type.is_interval and operator in "+-":
        return moved(
            compiler, left, f"{operator}{right.sql}" if operator == "+" else _minus(right.sql), right.type, node
        )
    if left.type.is_interval and left.type == right.type and operator in "+-":
        return Value(f"({left.sql} {operator} {right.sql})", left.type, node)
    if left.type.is_datetime and right.type.is_datetime and operator == "-":
        return _between(compiler, node, left, right)
    if right.type.is_interval and left.type.is_numeric and operator == "*":
        left, right = right, left
    if left.type.is_interval and right.type.is_numeric and operator in "*/":
        if right.type.is_integer and operator == "*":
            return Value(f"({left.sql} * {right.sql})", left.type, node)
        return Value(f"CAST(trunc({left.sql} {operator} {coerced(right, DOUBLE)}) AS BIGINT)", left.type, node)
    return compiler.mismatch(node, f"Operator {operator}", [left, right])


def _minus(sql: str) -> str:
    return sql[1:] if sql.startswith("-") else f"-{sql}"


def _between(compiler: Compiler, node: exp.Expression, left: Value, right: Value) -> Value:
    both = common(left.type, right.type) or TIMESTAMP
    if both == DATE:
        return Value(f"(CAST({left.sql} - {right.sql} AS BIGINT) * {DAY})", DAYS, node)
    first, second = coerced(left, both), coerced(right, both)
    return Value(f"(epoch_ms({first}) - epoch_ms({second}))", DAYS, node)


def moved(compiler: Compiler, moment: Value, amount: str, span: Type, node: exp.Expression) -> Value:
    """A date or timestamp plus an interval. `amount` is SQL: its milliseconds or months, as `span` says."""
    amount, type_ = amount.removeprefix("+"), moment.type
    if span == MONTHS:
        shifted = f"{local(compiler, moment)} + to_months(CAST({amount} AS INTEGER))"
        if type_.is_zoned:
            return Value(instant(shifted, type_.zone or ""), type_, node)
        return Value(f"CAST({shifted} AS {type_.duckdb})", type_, node)
    if type_ == DATE:
        return Value(_date_moved(compiler, moment, amount, node), DATE, node)
    result = replace(type_, precision=max(3, type_.precision))
    return Value(f"({moment.sql} + to_milliseconds({amount}))", result, node)


def _date_moved(compiler: Compiler, moment: Value, amount: str, node: exp.Expression) -> str:
    problem = "INVALID_FUNCTION_ARGUMENT: Cannot add hour, minutes or seconds to a date"
    if amount.lstrip("-").isdigit():
        if int(amount) % DAY:
            compiler.fail(node, problem)
        return f"CAST({moment.sql} + to_days({int(amount) // DAY}) AS DATE)"
    checked = f"CASE WHEN {amount} % {DAY} <> 0 THEN athena_error('{problem}') ELSE {amount} // {DAY} END"
    return f"CAST({moment.sql} + to_days(CAST({checked} AS INTEGER)) AS DATE)"


def text_of(sql: str, type_: Type) -> str:
    """SQL of an interval's text: `1 02:03:04.000`, `1-2`."""
    return f"athena_{'months' if type_ == MONTHS else 'days'}_text({sql})"
