"""SQL of Spark: of names, texts and types, of Ibis expressions, and of the primitives that these may call."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import ibis
import sqlglot
from ibis.expr.types import Table
from sqlglot import expressions as sge

from star_assets.model.types import Type

# What each type is in Spark. A TIMESTAMP would be a moment that is shown in the session's zone.
_SPARK = {
    "int32": "INT",
    "int64": "BIGINT",
    "float64": "DOUBLE",
    "boolean": "BOOLEAN",
    "string": "STRING",
    "date": "DATE",
    "timestamp": "TIMESTAMP_NTZ",
}


def statement(rows: Table, zone: str) -> str:
    """The Spark statement of an Ibis expression, its primitives written out: Spark 3.5 has no functions in SQL."""
    known = primitives(zone)

    def written_out(node: sge.Expression) -> sge.Expression:
        if not isinstance(node, sge.Anonymous) or node.name.lower() not in known:
            return node
        arguments = [argument.transform(written_out).sql("spark") for argument in node.expressions]
        return sqlglot.parse_one(known[node.name.lower()](*arguments), dialect="spark")

    found = sqlglot.parse_one(ibis.pyspark.compile(rows), dialect="spark")
    return str(found.transform(written_out).sql("spark"))


def primitives(zone: str) -> Mapping[str, Callable[..., str]]:
    """SQL for each of the engine's primitives, given that of its arguments. See model/functions."""
    return {
        "business_date": lambda moment: business_date(moment, zone),
        "start_of_day": lambda day: to_utc(f"CAST({day} AS TIMESTAMP_NTZ)", zone),
        "surrogate_key": surrogate_key,
    }


def surrogate_key(key: str, moment: str) -> str:
    """SQL for the number of a member as it was from a moment on."""
    milliseconds = f"CAST(unix_millis(CAST({moment} AS TIMESTAMP_LTZ)) AS STRING)"
    digits = f"substr(sha2(({key}) || '@' || coalesce({milliseconds}, ''), 256), 1, 16)"
    return f"shiftrightunsigned(CAST(conv({digits}, 16, -10) AS BIGINT), 1)"


def business_date(timestamp: str, zone: str) -> str:
    """SQL for the calendar day of a UTC timestamp in a time zone."""
    if zone == "UTC":
        return f"CAST({timestamp} AS DATE)"
    return f"CAST(convert_timezone('UTC', {text(zone)}, {timestamp}) AS DATE)"


def to_utc(timestamp: str, zone: str) -> str:
    """SQL for the UTC timestamp of one that clocks in a time zone show; of the two in an extra hour, the later one.

    Spark takes the earlier one. The later one is what the offset of a day later gives.
    """
    if zone == "UTC":
        return timestamp
    earlier = f"convert_timezone({text(zone)}, 'UTC', {timestamp})"
    later = f"(convert_timezone({text(zone)}, 'UTC', {timestamp} + INTERVAL 1 DAY) - INTERVAL 1 DAY)"
    return f"if(convert_timezone('UTC', {text(zone)}, {later}) = {timestamp}, {later}, {earlier})"


def sql_type(type_: Type) -> str:
    """The Spark type that holds a type of the model."""
    return str(type_).upper() if type_.name == "decimal" else _SPARK[type_.name]


def name(identifier: str) -> str:
    """An identifier, quoted."""
    return "`" + identifier.replace("`", "``") + "`"


def text(value: str) -> str:
    """A string literal."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def physical(rows: Table) -> str:
    """Every column, cast to the type that holds it."""
    return ", ".join(
        f"CAST({name(column)} AS {sql_type(Type.of(dtype))}) AS {name(column)}"
        for column, dtype in rows.schema().items()
    )
