"""Spark's SQL for names, texts and Ibis expressions, and for the primitives that transforms may call."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import ibis
import sqlglot
from ibis.expr.types import Table
from sqlglot import expressions as sge

from star_assets.model.types import Type


def statement(rows: Table, zone: str) -> str:
    """The Spark statement of an Ibis expression. Primitives are written out, since Spark 3.5 has no SQL functions."""
    known = primitives(zone)

    def written_out(node: sge.Expression) -> sge.Expression:
        if not isinstance(node, sge.Anonymous) or node.name.lower() not in known:
            return node
        arguments = [argument.transform(written_out).sql("spark") for argument in node.expressions]
        return sqlglot.parse_one(known[node.name.lower()](*arguments), dialect="spark")

    found = sqlglot.parse_one(ibis.pyspark.compile(rows), dialect="spark")
    return str(found.transform(written_out).sql("spark"))


def primitives(zone: str) -> Mapping[str, Callable[..., str]]:
    """For each primitive of model/functions, by name: a function from its arguments' SQL to its own."""
    return {
        "business_date": lambda moment: business_date(moment, zone),
        "start_of_day": lambda day: to_utc(f"CAST({day} AS TIMESTAMP_NTZ)", zone),
        "surrogate_key": surrogate_key,
    }


def surrogate_key(key: str, moment: str) -> str:
    """SQL for the surrogate key of a member's interval that begins at a moment."""
    milliseconds = f"CAST(unix_millis(CAST({moment} AS TIMESTAMP_LTZ)) AS STRING)"
    digits = f"substr(sha2(({key}) || '@' || coalesce({milliseconds}, ''), 256), 1, 16)"
    return f"shiftrightunsigned(CAST(conv({digits}, 16, -10) AS BIGINT), 1)"


def business_date(timestamp: str, zone: str) -> str:
    """SQL for the calendar day of a UTC timestamp in a time zone."""
    if zone == "UTC":
        return f"CAST({timestamp} AS DATE)"
    return f"CAST(convert_timezone('UTC', {text(zone)}, {timestamp}) AS DATE)"


def to_utc(timestamp: str, zone: str) -> str:
    """SQL for the UTC timestamp of a local time; of a local time that occurs twice, the later one.

    Spark's function returns the earlier one. The later one follows from the offset of the next day.
    """
    if zone == "UTC":
        return timestamp
    earlier = f"convert_timezone({text(zone)}, 'UTC', {timestamp})"
    later = f"(convert_timezone({text(zone)}, 'UTC', {timestamp} + INTERVAL 1 DAY) - INTERVAL 1 DAY)"
    return f"if(convert_timezone('UTC', {text(zone)}, {later}) = {timestamp}, {later}, {earlier})"


def name(identifier: str) -> str:
    """SQL for a quoted identifier."""
    return "`" + identifier.replace("`", "``") + "`"


def text(value: str) -> str:
    """SQL for a string literal."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def physical(rows: Table) -> str:
    """SQL for every column of `rows`, cast to its type in Spark."""
    return ", ".join(
        f"CAST({name(column)} AS {Type.of(dtype).spark}) AS {name(column)}" for column, dtype in rows.schema().items()
    )
