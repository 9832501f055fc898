"""CAST and TRY_CAST: what Athena makes of a value in another type, and what it refuses.

DuckDB reads more than Athena does (`12.5` or `1_000` as an integer) and rounds
otherwise (half to even), so text is checked before it is cast and numbers are
rounded before. Source: Trino's documentation of CAST, and its operators.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable

from sqlglot import exp

from star_assets.athena.compiler import Compiler, Value, rule
from star_assets.athena.types import UNKNOWN, VARCHAR, Type, from_sqlglot

# The texts that Athena takes for a value of a type.
_DECIMAL_TEXT = r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?"
_VALID = {
    "integer": r"[+-]?[0-9]+",
    "double": rf"\s*({_DECIMAL_TEXT}|[+-]?(NaN|Infinity))\s*",
    "decimal": rf"\s*{_DECIMAL_TEXT}\s*",
    "date": r"\s*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}\s*",
    "timestamp": r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}( [0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}([.][0-9]{1,6})?)?)?",
    "boolean": r"(?i)true|false|t|f|1|0",
}


@rule(exp.Cast)
def cast(compiler: Compiler, node: exp.Cast) -> Value:
    """CAST(value AS type), and literals such as DATE '2023-07-01'."""
    type_ = _target(compiler, node)
    value = compiler.value(node.this)
    if value.literal is not None and type_.name in ("date", "timestamp"):
        return _moment(compiler, node, value, type_)
    return Value(converted(compiler, value, type_, node), type_, node)


@rule(exp.TryCast, parts=["safe"])
def try_cast(compiler: Compiler, node: exp.TryCast) -> Value:
    """TRY_CAST: NULL where CAST is an error."""
    type_ = _target(compiler, node)
    return Value(f"TRY({converted(compiler, compiler.value(node.this), type_, node)})", type_, node)


def _target(compiler: Compiler, node: exp.Cast) -> Type:
    if not isinstance(node.to, exp.DataType) or isinstance(node.to.this, exp.Interval):
        compiler.refuse("casts to intervals")
    type_ = from_sqlglot(node.to)
    if type_.name == "text":
        compiler.fail(node, "Unknown type: string. In queries Athena calls it varchar")
    sized = node.to.expressions
    if type_ == VARCHAR and sized:
        compiler.refuse(f"CAST AS varchar({sized[0].name})", "Write substr(value, 1, n), then CAST AS varchar.")
    if type_.name == "timestamp" and sized and int(sized[0].name) not in (0, 3):
        compiler.refuse(f"timestamp({sized[0].name})", "Athena's tables hold milliseconds: timestamp(3).")
    if not type_.is_known:
        compiler.refuse(f"CAST AS {type_}")
    return type_


def _moment(compiler: Compiler, node: exp.Cast, value: Value, type_: Type) -> Value:
    """A date or timestamp written as a literal: checked here, so that DuckDB can prune by it."""

    written = str(value.literal).strip()
    try:
        parts = [int(part) for part in written.partition(" ")[0].split("-")]
        datetime.date(*parts)
        time = written.partition(" ")[2]
        if time and (type_.name == "date" or not _is_time(time)):
            raise ValueError
    except (ValueError, TypeError) as error:
        problem = f"INVALID_CAST_ARGUMENT: Value cannot be cast to {type_}: {value.literal}"
        raise compiler.failure(node, problem) from error
    if "." in written and len(written.rpartition(".")[2]) > 3:
        compiler.refuse("timestamps finer than milliseconds", "Athena's tables hold milliseconds.")
    return Value(f"CAST({value.sql} AS {type_.duckdb})", type_, node)


def _is_time(text: str) -> bool:
    parts = text.split(":")
    limits = (24, 60, 60)
    return 2 <= len(parts) <= 3 and all(
        part.replace(".", "", index == 2).isdigit() and float(part) < limits[index] for index, part in enumerate(parts)
    )


def converted(compiler: Compiler, value: Value, to: Type, node: exp.Expression) -> str:
    """The SQL of a value cast to another type. Raises BadQuery where Athena has no such cast."""
    given = value.type
    if given in (to, UNKNOWN):
        return f"CAST({value.sql} AS {to.duckdb})"
    if given.of or to.of:
        if given.of and to.of and given.of.is_integer and to.of.is_numeric:
            return f"CAST({value.sql} AS {to.duckdb})"
        compiler.refuse(f"CAST of {given} AS {to}", "Cast the elements after UNNEST.")
    found = _CASTS.get((_kind(given), _kind(to)))
    if not found:
        if (_kind(given), _kind(to)) in _UNFAITHFUL:
            compiler.refuse(f"CAST of {given} AS {to}", "CAST to decimal first.")
        compiler.fail(node, f"TYPE_MISMATCH: Cannot cast {given} to {to}")
    return found(value.sql, to)


def _kind(type_: Type) -> str:
    return "integer" if type_.is_integer else "double" if type_.is_float else type_.name


def _plain(sql: str, to: Type) -> str:
    return f"CAST({sql} AS {to.duckdb})"


def _half_up(sql: str, to: Type) -> str:
    return f"CAST(round({sql}) AS {to.duckdb})"


def _checked(sql: str, to: Type) -> str:
    return f"CAST(athena_checked({sql}, '{_VALID[_kind(to)]}', '{to}') AS {to.duckdb})"


def _shortest(sql: str, to: Type) -> str:
    # Trino rounds the shortest text that is the same number, which is what DuckDB prints.
    return f"CAST(CAST({sql} AS VARCHAR) AS {to.duckdb})"


def _in_milliseconds(sql: str, to: Type) -> str:
    return f"athena_milliseconds({_checked(sql, to)})"


# What has a cast at all, and how it is answered.
_CASTS: dict[tuple[str, str], Callable[[str, Type], str]] = {
    ("integer", "integer"): _plain,
    ("integer", "decimal"): _plain,
    ("integer", "double"): _plain,
    ("integer", "varchar"): _plain,
    ("integer", "boolean"): _plain,
    ("decimal", "integer"): _plain,
    ("decimal", "decimal"): _plain,
    ("decimal", "double"): _plain,
    ("decimal", "varchar"): _plain,
    ("decimal", "boolean"): _plain,
    ("double", "integer"): _half_up,
    ("double", "decimal"): _shortest,
    ("double", "double"): _plain,
    ("double", "boolean"): _plain,
    ("boolean", "integer"): _plain,
    ("boolean", "double"): _plain,
    ("boolean", "decimal"): _plain,
    ("boolean", "varchar"): _plain,
    ("varchar", "integer"): _checked,
    ("varchar", "double"): _checked,
    ("varchar", "decimal"): _checked,
    ("varchar", "boolean"): _checked,
    ("varchar", "date"): _checked,
    ("varchar", "timestamp"): _in_milliseconds,
    ("varchar", "varchar"): _plain,
    ("date", "varchar"): _plain,
    ("date", "timestamp"): _plain,
    ("timestamp", "date"): _plain,
    ("timestamp", "timestamp"): _plain,
    ("timestamp with time zone", "timestamp"): _plain,
    ("timestamp with time zone", "date"): _plain,
}

# Casts that Athena has and whose text or zone would differ here.
_UNFAITHFUL = {
    ("double", "varchar"),
    ("timestamp", "varchar"),
    ("timestamp with time zone", "varchar"),
    ("date", "timestamp with time zone"),
    ("timestamp", "timestamp with time zone"),
    ("varchar", "timestamp with time zone"),
    ("varbinary", "varchar"),
    ("varchar", "varbinary"),
}
