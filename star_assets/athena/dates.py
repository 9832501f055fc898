"""Athena's functions of dates and timestamps, and how DuckDB answers each.

Not here: date ± interval (arithmetic), casts of texts (casts).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from star_assets.athena.arithmetic import INTERVALS, shifted
from star_assets.athena.casts import converted
from star_assets.athena.compiler import Compiler, Value, coerced, rule
from star_assets.athena.functions import TABLE, expect, function, read_signatures
from star_assets.athena.rules import text
from star_assets.athena.types import BIGINT, DATE, TIMESTAMP, UNKNOWN, VARCHAR, Type, array

# What `extract(x FROM …)` and the function of that name are in DuckDB. Weeks are
# ISO 8601's; the day of the week is 1 on Monday and 7 on Sunday.
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

TABLE.update(
    read_signatures(
        {
            "from_iso8601_date(varchar) -> date": (
                "CAST(athena_checked({0}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}', 'date') AS DATE)"
            ),
            "last_day_of_month(date) -> date": "last_day({0})",
            "last_day_of_month(timestamp) -> date": "last_day(CAST({0} AS DATE))",
            "to_unixtime(timestamp) -> double": "epoch({0})",
        }
    )
)

# The specifiers of MySQL's formats, which Athena reads, as those of strftime.
_FORMAT = {
    "Y": "%Y",
    "y": "%y",
    "m": "%m",
    "c": "%-m",
    "d": "%d",
    "e": "%-d",
    "H": "%H",
    "k": "%-H",
    "h": "%I",
    "I": "%I",
    "l": "%-I",
    "i": "%M",
    "s": "%S",
    "S": "%S",
    "p": "%p",
    "M": "%B",
    "b": "%b",
    "W": "%A",
    "a": "%a",
    "j": "%j",
    "f": "%f",
    "T": "%H:%M:%S",
    "r": "%I:%M:%S %p",
    "v": "%V",
    "x": "%G",
    "%": "%%",
}


def _unit(compiler: Compiler, node: exp.Expression, value: Value, moment: Value, finest_for_dates: bool = True) -> str:
    """The literal unit that a date function is given. A date has no hours."""
    unit = (value.literal or "").lower()
    if value.literal is None:
        compiler.refuse(f"{node.this} with a unit that is not a literal")
    if unit not in INTERVALS or (finest_for_dates and moment.type == DATE and not INTERVALS[unit][1]):
        compiler.fail(value.node, f"{unit!r} is not a valid unit of {moment.type}")
    return unit


def _moment(compiler: Compiler, node: exp.Expression, value: Value) -> Type:
    if not value.type.is_datetime and value.type != UNKNOWN:
        compiler.mismatch(node, str(node.this).lower(), [value])
    return value.type


@function("date_trunc")
def date_trunc(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """date_trunc(unit, x): the beginning of x's unit, of x's type."""
    expect(compiler, node, values, 2)
    type_ = _moment(compiler, node, values[1])
    unit = _unit(compiler, node, values[0], values[1])
    return Value(f"CAST(date_trunc('{unit}', {values[1].sql}) AS {type_.duckdb})", type_, node)


@function("date_add")
def date_add(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """date_add(unit, n, x): x moved by n units; the day is cut to what the month has."""
    expect(compiler, node, values, 3)
    _moment(compiler, node, values[2])
    unit = _unit(compiler, node, values[0], values[2])
    if not values[1].type.is_integer:
        compiler.mismatch(node, "date_add", values)
    amount = values[1].sql if unit == "millisecond" else f"CAST({values[1].sql} AS INTEGER)"
    return shifted(compiler, values[2], amount, unit, node)


@function("date_diff")
def date_diff(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """date_diff(unit, a, b): whole units from a to b; 0 months from 31 January to 1 February."""
    expect(compiler, node, values, 3)
    (earlier, later), type_ = compiler.alike(values[1:], "date_diff")
    _moment(compiler, node, Value("", type_, values[1].node))
    unit = _unit(compiler, node, values[0], Value("", type_, node))
    return Value(f"date_sub('{unit}', {earlier}, {later})", BIGINT, node)


@rule(exp.Extract)
def extract(compiler: Compiler, node: exp.Extract) -> Value:
    """EXTRACT(part FROM x)."""
    return _part(compiler, node, str(node.this).lower(), compiler.value(node.expression))


@function(*_PARTS)
def part(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """year(x), day_of_week(x) and the like."""
    expect(compiler, node, values, 1)
    return _part(compiler, node, str(node.this).lower(), values[0])


def _part(compiler: Compiler, node: exp.Expression, name: str, value: Value) -> Value:
    if name not in _PARTS:
        compiler.refuse(f"EXTRACT({name.upper()} FROM …)")
    if not value.type.is_datetime or (value.type == DATE and name in _OF_TIME):
        compiler.mismatch(node, name, [value])
    sql = f"{_PARTS[name]}({value.sql})"
    return Value(f"({sql} % 1000)" if name == "millisecond" else sql, BIGINT, node)


@function("date")
def date(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """date(x) is CAST(x AS date)."""
    expect(compiler, node, values, 1)
    return Value(converted(compiler, values[0], DATE, node), DATE, node)


@rule(exp.CurrentDate)
def current_date(_: Compiler, node: exp.Expression) -> Value:
    """Today, in UTC."""
    return Value("CAST(current_timestamp AS DATE)", DATE, node)


@rule(exp.CurrentTimestamp, exp.Localtimestamp)
def current_timestamp(_: Compiler, node: exp.Expression) -> Value:
    """Now, in UTC; current_timestamp has a zone."""
    if isinstance(node, exp.Localtimestamp):
        return Value("date_trunc('millisecond', CAST(current_timestamp AS TIMESTAMP))", TIMESTAMP, node)
    return Value("date_trunc('millisecond', current_timestamp)", Type("timestamp with time zone"), node)


@function("now")
def now(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """now() is current_timestamp."""
    expect(compiler, node, values, 0)
    return current_timestamp(compiler, node)


def _strftime(compiler: Compiler, node: exp.Expression, value: Value) -> str:
    """A literal format, as DuckDB reads it."""
    if value.literal is None:
        compiler.refuse(f"{node.this} with a format that is not a literal")
    found, letters = [], iter(value.literal)
    for letter in letters:
        if letter != "%":
            found.append(letter)
            continue
        specifier = next(letters, "%")
        if specifier not in _FORMAT:
            compiler.refuse(f"the specifier %{specifier} of {node.this}")
        found.append(_FORMAT[specifier])
    return text("".join(found))


@function("date_format")
def date_format(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """date_format(x, format), with MySQL's specifiers."""
    expect(compiler, node, values, 2)
    _moment(compiler, node, values[0])
    moment = coerced(values[0], TIMESTAMP)
    return Value(f"strftime({moment}, {_strftime(compiler, node, values[1])})", VARCHAR, node)


@function("date_parse")
def date_parse(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """date_parse(text, format), with MySQL's specifiers: a timestamp."""
    expect(compiler, node, values, 2)
    if values[0].type not in (VARCHAR, UNKNOWN):
        compiler.mismatch(node, "date_parse", values)
    if "%Y" not in (values[1].literal or "%Y"):
        # Without a year, and for two digits of one, Athena and DuckDB take different centuries.
        compiler.refuse("date_parse without %Y", "Concatenate the year to the text.")
    format_ = _strftime(compiler, node, values[1])
    return Value(f"CAST(strptime({values[0].sql}, {format_}) AS TIMESTAMP)", TIMESTAMP, node)


@function("sequence")
def sequence(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """sequence(first, last) of whole numbers or of days, both included; downwards if last is less."""
    expect(compiler, node, values, 2)
    (first, last), type_ = compiler.alike(values, "sequence")
    if type_.is_integer:
        step = f"CASE WHEN {first} <= {last} THEN 1 ELSE -1 END"
        return Value(f"CAST(generate_series({first}, {last}, {step}) AS BIGINT[])", array(BIGINT), node)
    if type_ != DATE:
        compiler.mismatch(node, "sequence", values)
    step = f"CASE WHEN {first} <= {last} THEN to_days(1) ELSE to_days(-1) END"
    return Value(f"CAST(generate_series({first}, {last}, {step}) AS DATE[])", array(DATE), node)
