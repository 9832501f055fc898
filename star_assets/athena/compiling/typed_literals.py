"""Typed literals: DATE '…', TIMESTAMP '…' with or without a zone, DECIMAL '…'; and casts of string literals.

They are parsed when the query is compiled, so that errors have a position and DuckDB can prune
partitions by them. Not here: casts of other values (casts).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from sqlglot import exp

from star_assets.athena.compiling.compiler import Compiler, Value
from star_assets.athena.failures import Unanswered
from star_assets.athena.functions.moment_text import instant, parts
from star_assets.athena.types import Type, decimal, zoned
from star_assets.engines.duckdb.session import text


def _is_literal(compiler: Compiler, value: Value, word: str) -> bool:
    """Whether the name of the type stands directly before the text, and not in a CAST."""
    start = value.node.meta.get("start")
    return start is not None and re.search(rf"(?i)\b{word}\s*$", compiler.sql[:start]) is not None


def decimal_literal(compiler: Compiler, node: exp.Cast, value: Value, to: Type) -> Value | None:
    """DECIMAL '12.30', whose precision and scale are those of its text; None for anything else."""
    if value.literal is None or to.name != "decimal" or not _is_literal(compiler, value, "decimal"):
        return None
    found = re.fullmatch(r"[+-]?0*(\d*)(?:\.(\d*))?", value.literal)
    if not found or not (found[1] or found[2] or "0" in value.literal):
        compiler.fail(node, f"INVALID_LITERAL: '{value.literal}' is not a valid DECIMAL literal")
    digits, scale = len(found[1]) + len(found[2] or ""), len(found[2] or "")
    type_ = decimal(max(1, digits), scale)
    return Value(f"CAST({text(value.literal)} AS {type_.duckdb})", type_, node)


def moment_literal(compiler: Compiler, node: exp.Cast, value: Value, to: Type) -> Value:
    """A date or timestamp, with or without time zone, of a string literal."""
    written = str(value.literal)
    is_cast = not _is_literal(compiler, value, "date|timestamp")
    try:
        moment, digits, zone = parts(written)
        if to.name == "date":
            return _date(moment, written, node)
        if digits > 3 and not is_cast:
            compiler.refuse("timestamps finer than milliseconds", "Athena's tables hold milliseconds.")
        if written[:1].isspace() and not is_cast:
            raise ValueError(written)
        precision = to.precision if is_cast else digits
        moment = _rounded(moment, precision)
        if to.name == "timestamp":
            return Value(f"CAST('{moment}' AS TIMESTAMP)", Type("timestamp", precision), node)
        at = instant(moment, zone or "UTC")
        return Value(f"CAST('{at}' AS TIMESTAMPTZ)", zoned(zone or "UTC", precision), node)
    except Unanswered as refusal:
        compiler.refuse(refusal.what)
    except (ValueError, KeyError) as error:
        kind = "INVALID_CAST_ARGUMENT: Value cannot be cast to" if is_cast else "INVALID_LITERAL: It is no"
        raise compiler.failure(node, f"{kind} {to}: {written}") from error


def _date(moment: datetime, written: str, node: exp.Cast) -> Value:
    if not re.fullmatch(r"\s*\d{4}-\d{1,2}-\d{1,2}\s*", written, re.ASCII):
        raise ValueError(written)
    return Value(f"CAST('{moment.date()}' AS DATE)", Type("date"), node)


def _rounded(moment: datetime, digits: int) -> datetime:
    unit = 10 ** (6 - digits)
    try:
        return moment + timedelta(microseconds=(moment.microsecond + unit // 2) // unit * unit - moment.microsecond)
    except OverflowError as error:
        raise Unanswered(f"the year of {moment}, rounded") from error
