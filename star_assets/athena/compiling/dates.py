"""Athena's functions of dates and timestamps in DuckDB's SQL.

Not here: date ± interval (intervals), zones (zones), formats (date_formats), casts of texts (casts).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from star_assets.athena.compiling.casts import converted, rounded_moment
from star_assets.athena.compiling.compiler import Compiler, Value, coerced, rule
from star_assets.athena.compiling.functions import declare_all, function
from star_assets.athena.compiling.intervals import DAY
from star_assets.athena.compiling.zones import instant, local
from star_assets.athena.types import BIGINT, DATE, DAYS, MONTHS, UNKNOWN, VARCHAR, Type, array

# Units of date_add and similar functions: the DuckDB function that makes an interval of an
# integer, and whether the unit may be used with a date.
_UNITS = {
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

# The names in `extract(x FROM …)`, which are functions too → DuckDB's functions. Weeks are
# those of ISO 8601; the day of the week is 1 on Monday and 7 on Sunday.
_PARTS = {
    "year": "year",
    "quarter": "quarter",
    "month": "month",
    "week": "week",
    "week_of_year": "week",
    "day": "day",
    "day_of_month": "day",
    "day_of_week": "isodow",
    "dow": "isodow",
    "day_of_year": "dayofyear",
    "doy": "dayofyear",
    "year_of_week": "isoyear",
    "yow": "isoyear",
    "hour": "hour",
    "minute": "minute",
    "second": "second",
    "millisecond": "millisecond",
}
_OF_TIME = ("hour", "minute", "second", "millisecond")

declare_all(
    {
        "from_iso8601_date(varchar) -> date": (
            "CAST(athena_checked({0}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}', 'date') AS DATE)"
        ),
        "to_milliseconds(interval day to second) -> bigint": "{0}",
        "current_timezone() -> varchar": "'UTC'",
    }
)


def _unit(compiler: Compiler, node: exp.Expression, value: Value, moment: Type) -> str:
    """The literal unit of a date function's call. Raises BadQuery for a unit that the type `moment` lacks."""
    unit = (value.literal or "").lower()
    if value.literal is None:
        compiler.refuse(f"{node.this} with a unit that is not a literal")
    if unit not in _UNITS or (moment == DATE and not _UNITS[unit][1]):
        problem = f"INVALID_FUNCTION_ARGUMENT: {unit!r} is not a valid unit of {moment}"
        compiler.fail(value.node, problem)
    return unit


def _require_moment(compiler: Compiler, node: exp.Expression, value: Value) -> None:
    if not value.type.is_datetime and value.type != UNKNOWN:
        compiler.mismatch(node, str(node.this).lower(), [value])


@function("date_trunc", takes=2)
def date_trunc(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """date_trunc(unit, x): the beginning of the unit that x is in, in x's type."""
    value, type_ = values[1], values[1].type
    _require_moment(compiler, node, value)
    unit = _unit(compiler, node, values[0], type_)
    if not type_.is_zoned:
        return Value(f"CAST(date_trunc('{unit}', {value.sql}) AS {type_.duckdb})", type_, node)
    shown = local(compiler, value)
    if _UNITS[unit][1]:
        return Value(instant(f"CAST(date_trunc('{unit}', {shown}) AS TIMESTAMP)", type_.zone or ""), type_, node)
    # When clocks are set back, an hour occurs twice; the answer is in the same of the two.
    return Value(f"({value.sql} - ({shown} - date_trunc('{unit}', {shown})))", type_, node)


@function("date_add", takes=3)
def date_add(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """date_add(unit, n, x): x plus n units. A day that the month does not have becomes its last day."""
    value, type_ = values[2], values[2].type
    _require_moment(compiler, node, value)
    unit = _unit(compiler, node, values[0], type_)
    if not values[1].type.is_integer:
        compiler.mismatch(node, "date_add", values)
    span, for_dates = _UNITS[unit]
    amount = f"{span}({values[1].sql if unit == 'millisecond' else f'CAST({values[1].sql} AS INTEGER)'})"
    if type_.is_zoned and for_dates:
        return Value(instant(f"({local(compiler, value)} + {amount})", type_.zone or ""), type_, node)
    sql = f"CAST({value.sql} + {amount} AS {type_.duckdb})"
    is_finer = unit == "millisecond" and type_.precision < 3
    return Value(rounded_moment(sql, type_) if is_finer else sql, type_, node)


@function("date_diff", takes=3)
def date_diff(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """date_diff(unit, a, b): whole units from a to b; 0 months from 31 January to 1 February."""
    (earlier, later), type_ = compiler.alike(values[1:], "date_diff")
    _require_moment(compiler, node, Value("", type_, values[1].node))
    unit = _unit(compiler, node, values[0], type_)
    if type_.is_zoned:
        # Days and longer units are counted in the first timestamp's zone; hours do not depend on a zone.
        zone = values[1].type.zone if _UNITS[unit][1] else "UTC"
        sides = (Value(side, Type(type_.name, zone=zone), node) for side in (earlier, later))
        earlier, later = (local(compiler, side) for side in sides)
    return Value(f"date_sub('{unit}', {earlier}, {later})", BIGINT, node)


@function("last_day_of_month", takes=1)
def last_day_of_month(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """last_day_of_month(x): a date."""
    _require_moment(compiler, node, values[0])
    return Value(f"last_day(CAST({local(compiler, values[0])} AS DATE))", DATE, node)


@rule(exp.Extract)
def extract(compiler: Compiler, node: exp.Extract) -> Value:
    """EXTRACT(part FROM x)."""
    value, name = compiler.value(node.expression), str(node.this).lower()
    if value.type == DATE and name in _OF_TIME:
        compiler.fail(node, f"TYPE_MISMATCH: Cannot extract {name.upper()} from date")
    return _part(compiler, node, name, value)


@function(*_PARTS, takes=1)
def part(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """year(x), day_of_week(x) and similar functions. The hour of a date is 0."""
    return _part(compiler, node, str(node.this).lower(), values[0])


# The parts of an interval: its length in milliseconds or months, and how many of it make the next longer part.
_PARTS_OF_DAYS = {"day": (DAY, 0), "hour": (3_600_000, 24), "minute": (60_000, 60), "second": (1_000, 60)}
_PARTS_OF_MONTHS = {"year": (12, 0), "month": (1, 12)}


def _part(compiler: Compiler, node: exp.Expression, name: str, value: Value) -> Value:
    if name not in _PARTS:
        compiler.refuse(f"EXTRACT({name.upper()} FROM …)")
    spans = {DAYS: _PARTS_OF_DAYS, MONTHS: _PARTS_OF_MONTHS}.get(value.type, {})
    if name in spans:
        one, of_next = spans[name]
        sql = f"({value.sql} // {one})"
        return Value(f"({sql} % {of_next})" if of_next else sql, BIGINT, node)
    if not value.type.is_datetime:
        compiler.mismatch(node, name, [value])
    shown = local(compiler, value) if value.type.is_zoned or name in _OF_TIME else value.sql
    sql = f"{_PARTS[name]}({shown})"
    return Value(f"({sql} % 1000)" if name == "millisecond" else sql, BIGINT, node)


@function("date", takes=1)
def date(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """date(x) is CAST(x AS date)."""
    return Value(converted(compiler, values[0], DATE, node), DATE, node)


@rule(exp.CurrentDate)
def current_date(_: Compiler, node: exp.Expression) -> Value:
    """Today, in UTC."""
    return Value("CAST(current_timestamp AS DATE)", DATE, node)


@function("to_iso8601", takes=1)
def to_iso8601(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """to_iso8601(x): the text of a date or timestamp. Raises Unfaithful for a timestamp with time zone."""
    _require_moment(compiler, node, values[0])
    if values[0].type.is_zoned:
        compiler.refuse("to_iso8601 of instants", "CAST them to timestamp, or write date_format.")
    return Value(f"replace({converted(compiler, values[0], VARCHAR, node)}, ' ', 'T')", VARCHAR, node)


@function("sequence", takes=(2, 3))
def sequence(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """sequence(first, last[, step]) of integers, dates or timestamps, both ends included; it may descend."""
    (first, last), type_ = compiler.alike(values[:2], "sequence")
    step = values[2] if len(values) > 2 else None
    if type_.is_integer:
        by = coerced(step, BIGINT) if step else f"CASE WHEN {first} <= {last} THEN 1 ELSE -1 END"
        if step and not step.type.is_integer:
            compiler.mismatch(node, "sequence", values)
        return Value(f"athena_numbers(CAST({first} AS BIGINT), CAST({last} AS BIGINT), {by})", array(BIGINT), node)
    if (type_ not in (DATE,) and (type_.name != "timestamp" or not step)) or (step and not step.type.is_interval):
        compiler.mismatch(node, "sequence", values)
    by = step.sql if step else f"CASE WHEN {first} <= {last} THEN {DAY} ELSE -{DAY} END"
    kind = "months" if step and step.type == MONTHS else "times"
    found = f"athena_{kind}(CAST({first} AS TIMESTAMP), CAST({last} AS TIMESTAMP), {by})"
    return Value(f"CAST({found} AS {type_.duckdb}[])", array(type_), node)
