"""Formatting and parsing timestamps: date_format and date_parse with MySQL's formats, format_datetime with Joda's.

Not here: CAST (casts), ISO 8601 (dates, zones).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from sqlglot import exp

from star_assets.athena.compiling.compiler import Compiler, Value
from star_assets.athena.compiling.functions import function, same
from star_assets.athena.compiling.zones import local
from star_assets.athena.types import TIMESTAMP, UNKNOWN, VARCHAR, zoned
from star_assets.engines.duckdb.session import text

# The specifiers of MySQL's formats → those of strftime.
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


# The specifiers that Athena refuses.
_NOT_IN_ATHENA = "DUuVwX"

# The letters of Joda's patterns, repeated as in the pattern → the specifiers of strftime.
_JODA = {
    "yyyy": "%Y",
    "yy": "%y",
    "MM": "%m",
    "M": "%-m",
    "MMM": "%b",
    "MMMM": "%B",
    "dd": "%d",
    "d": "%-d",
    "HH": "%H",
    "H": "%-H",
    "hh": "%I",
    "h": "%-I",
    "mm": "%M",
    "m": "%-M",
    "ss": "%S",
    "s": "%-S",
    "SSS": "%g",
    "a": "%p",
    "EEE": "%a",
    "EEEE": "%A",
    "D": "%-j",
    "DDD": "%j",
}
_JODA_TOKEN = re.compile(r"'((?:[^']|'')*)'|([a-zA-Z])\2*|[^a-zA-Z']+")


def _literal(compiler: Compiler, node: exp.Expression, value: Value) -> str:
    if value.literal is None:
        compiler.refuse(f"{node.this} with a format that is not a literal")
    return value.literal


def _mysql(compiler: Compiler, node: exp.Expression, value: Value) -> str:
    """A literal format of MySQL's as a format of DuckDB's. Raises BadQuery, Unfaithful."""
    found, letters = [], iter(_literal(compiler, node, value))
    for letter in letters:
        if letter != "%":
            found.append(letter)
            continue
        specifier = next(letters, "")
        if specifier in _NOT_IN_ATHENA and specifier:
            compiler.fail(node, f"INVALID_FUNCTION_ARGUMENT: %{specifier} not supported in date format string")
        # MySQL reads any other letter as itself.
        found.append(_FORMAT.get(specifier, specifier))
    return text("".join(found))


def _joda(compiler: Compiler, node: exp.Expression, value: Value, known: Mapping[str, str]) -> str:
    """A literal pattern of Joda's as a format of DuckDB's. Raises Unfaithful for letters that are not in `known`."""
    found = []
    for token in _JODA_TOKEN.finditer(_literal(compiler, node, value)):
        if token[1] is not None:
            found.append((token[1].replace("''", "'") or "'").replace("%", "%%"))
        elif token[2] is None:
            found.append(token[0].replace("%", "%%"))
        elif token[0] in known:
            found.append(known[token[0]])
        else:
            compiler.refuse(f"the pattern {token[0]} of {node.this}")
    return text("".join(found))


def _shown(compiler: Compiler, node: exp.Expression, value: Value) -> str:
    if not value.type.is_datetime and value.type != UNKNOWN:
        compiler.mismatch(node, str(node.this).lower(), [value])
    return local(compiler, value)


@function("date_format", takes=2)
def date_format(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """date_format(x, format), with MySQL's specifiers."""
    return Value(f"strftime({_shown(compiler, node, values[0])}, {_mysql(compiler, node, values[1])})", VARCHAR, node)


@function("format_datetime", takes=2)
def format_datetime(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """format_datetime(x, pattern), with Joda's letters."""
    pattern = _joda(compiler, node, values[1], _JODA)
    return Value(f"strftime({_shown(compiler, node, values[0])}, {pattern})", VARCHAR, node)


@function("date_parse", takes=2)
def date_parse(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """date_parse(text, format), with MySQL's specifiers: a timestamp."""
    same(compiler, node, values[:1], VARCHAR)
    if "%Y" not in (values[1].literal or "%Y"):
        # Without a year, or with two digits of it, Athena and DuckDB assume different years.
        compiler.refuse("date_parse without %Y", "Concatenate the year to the text.")
    format_ = _mysql(compiler, node, values[1])
    return Value(f"date_trunc('millisecond', strptime({values[0].sql}, {format_}))", TIMESTAMP, node)


@function("parse_datetime", takes=2)
def parse_datetime(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """parse_datetime(text, pattern), with Joda's letters: a timestamp with time zone, in UTC."""
    same(compiler, node, values[:1], VARCHAR)
    if "yyyy" not in (values[1].literal or "yyyy"):
        compiler.refuse("parse_datetime without yyyy", "Concatenate the year to the text.")
    pattern = _joda(
        compiler, node, values[1], {letters: found for letters, found in _JODA.items() if "E" not in letters}
    )
    return Value(f"CAST(CAST(strptime({values[0].sql}, {pattern}) AS TIMESTAMP) AS TIMESTAMPTZ)", zoned("UTC"), node)
