"""Time zones: conversion between UTC and local times, and the SQL functions for it, such as `at_timezone`, `now`.

DuckDB stores a timestamp with time zone as a UTC time. Its zone is kept in the type of the expression,
if it is known when the query is compiled. Not here: functions of dates
(dates), texts (moment_text).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlglot import exp

from star_assets.athena.compiling.compiler import Compiler, Value, rule
from star_assets.athena.compiling.functions import function, same
from star_assets.athena.functions.moment_text import zone_of
from star_assets.athena.types import TIMESTAMP, UNKNOWN, VARCHAR, Type, zoned
from star_assets.engines.duckdb.session import text


def local(compiler: Compiler, value: Value) -> str:
    """SQL of the local time of a timestamp with time zone, in its zone; of other values, the timestamp itself."""
    if not value.type.is_zoned:
        return f"CAST({value.sql} AS TIMESTAMP)" if value.type.name == "date" else value.sql
    if value.type.zone is None:
        compiler.refuse("the local time of timestamps in several zones", "Write AT TIME ZONE 'UTC', or another one.")
    shift = _shift(value.type.zone)
    return (
        f"timezone({text(value.type.zone)}, {value.sql})"
        if shift is None
        else f"(timezone('UTC', {value.sql}) + {shift})"
    )


def instant(sql: str, zone: str) -> str:
    """SQL of the UTC time of a local time in a zone; the earlier one if it occurs twice."""
    shift = _shift(zone)
    return f"athena_instant({sql}, {text(zone)})" if shift is None else f"timezone('UTC', {sql} - {shift})"


def _shift(zone: str) -> str | None:
    """SQL of the interval by which a zone that is an offset is ahead of UTC; None for a named zone."""
    if zone[0] not in "+-":
        return None
    span = zone_of(zone).utcoffset(None) or timedelta()
    return f"to_minutes({int(span.total_seconds() // 60)})"


def _zone(compiler: Compiler, value: Value) -> str:
    """The zone of a literal. Raises BadQuery for an unknown one, Unfaithful for any other expression."""
    if value.literal is None:
        compiler.refuse("time zones that are not literals")
    try:
        zone_of(value.literal)
    except KeyError:
        compiler.fail(value.node, f"INVALID_FUNCTION_ARGUMENT: '{value.literal}' is not a valid time zone")
    return value.literal


def _in_zone(compiler: Compiler, node: exp.Expression, value: Value, zone: Value) -> Value:
    if not value.type.name.startswith("timestamp") and value.type != UNKNOWN:
        compiler.mismatch(node, "AT TIME ZONE", [value])
    return Value(f"CAST({value.sql} AS TIMESTAMPTZ)", zoned(_zone(compiler, zone), value.type.precision), node)


@rule(exp.AtTimeZone)
def at_time_zone(compiler: Compiler, node: exp.AtTimeZone) -> Value:
    """x AT TIME ZONE 'zone': the same time in another zone. A timestamp without time zone is taken to be in UTC."""
    return _in_zone(compiler, node, *compiler.values([node.this, node.args["zone"]]))


@function("at_timezone", takes=2)
def at_timezone(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """at_timezone(x, zone) is x AT TIME ZONE zone."""
    return _in_zone(compiler, node, *values)


@function("with_timezone", takes=2)
def with_timezone(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """with_timezone(x, zone): the timestamp with time zone whose local time in the zone is x."""
    if values[0].type.name not in ("timestamp", "date", "unknown"):
        compiler.mismatch(node, "with_timezone", values)
    zone = _zone(compiler, values[1])
    return Value(instant(local(compiler, values[0]), zone), zoned(zone, values[0].type.precision), node)


@function("from_unixtime", takes=(1, 2))
def from_unixtime(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """from_unixtime(seconds[, zone]): a timestamp with time zone."""
    if not values[0].type.is_numeric:
        compiler.mismatch(node, "from_unixtime", values)
    zone = _zone(compiler, values[1]) if len(values) > 1 else "UTC"
    milliseconds = f"CAST(floor(CAST({values[0].sql} AS DOUBLE) * 1000 + 0.5) AS BIGINT)"
    return Value(f"CAST(make_timestamp({milliseconds} * 1000) AS TIMESTAMPTZ)", zoned(zone), node)


@function("to_unixtime", takes=1)
def to_unixtime(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """to_unixtime(x): seconds. A date or timestamp is taken to be in UTC."""
    if not values[0].type.is_datetime:
        compiler.mismatch(node, "to_unixtime", values)
    return Value(f"epoch(CAST({values[0].sql} AS TIMESTAMPTZ))", Type("double"), node)


@function("from_iso8601_timestamp", takes=1)
def from_iso8601_timestamp(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """from_iso8601_timestamp(text): a timestamp with time zone, each in the zone of its text."""
    same(compiler, node, values, VARCHAR)
    instant = f"CAST(athena_iso_instant({values[0].sql}) AS TIMESTAMPTZ)"
    return Value(f"date_trunc('millisecond', {instant})", zoned(None), node)


@rule(exp.CurrentTimestamp, exp.Localtimestamp)
def current_timestamp(_: Compiler, node: exp.Expression) -> Value:
    """current_timestamp, which is in UTC, and localtimestamp, which has no zone."""
    if isinstance(node, exp.Localtimestamp):
        return Value("date_trunc('millisecond', CAST(current_timestamp AS TIMESTAMP))", TIMESTAMP, node)
    return Value("date_trunc('millisecond', current_timestamp)", zoned("UTC"), node)


@function("now", takes=0)
def now(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """now() is current_timestamp."""
    return current_timestamp(compiler, node)
