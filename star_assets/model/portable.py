"""Which operations give the same on every engine, and what to write instead of the others.

`agreed.txt` lists what tests have shown to agree, value by value; they write it
(star_assets_tests/engines/agreement.py). Not here: how an engine computes.
"""

from __future__ import annotations

from enum import Enum
from functools import cache
from pathlib import Path

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
from ibis.expr.types import Table

from star_assets.model.errors import BadDeclaration
from star_assets.model.star import Star
from star_assets.model.tables import Dimension, Fact

AGREED_FILE = Path(__file__).with_name("agreed.txt")

# What holds other operations together, and is nothing by itself.
_SILENT = (
    ops.PhysicalTable,
    ops.Reference,
    ops.Project,
    ops.DropColumns,
    ops.JoinChain,
    ops.Field,
    ops.Literal,
    ops.Alias,
    ops.SortKey,
    ops.WindowBoundary,
)

# What to write instead, by the operation's name or the beginning of its signature; the longest beginning counts.
INSTEAD = {
    "ArgMax": "rank the rows with a window whose order has no NULLs, and filter on the first",
    "ArgMin": "rank the rows with a window whose order has no NULLs, and filter on the first",
    "Capitalize": "spell the text as it is meant in the source, or map the values that there are with cases()",
    "Cast(decimal, to int)": "round() or floor() first, so that it is said how",
    "Cast(string": "declare the column with that type in its Source, whose grammar reads it alike everywhere",
    "Cast(float": "keep money and counts in decimals and integers; a float has no exact text",
    "Divide(decimal": "multiply by a literal of a declared scale (0.01 of decimal(3,2)), or // for whole numbers",
    "First": "min() or max(), or rank the rows with a window and filter on the first",
    "GroupConcat": "keep one row for each value",
    "Hash": "hexdigest('sha256')",
    "JoinLink(any": "rank the rows with a window, filter on the first, and join that",
    "JoinLink(asof": "a range join: valid_from <= moment and moment < valid_to",
    "Last": "min() or max(), or rank the rows with a window and filter on the first",
    "Lowercase": "compare with the spellings that there are, in isin() or cases()",
    "Limit": "rank the rows with a window and filter on the rank",
    "Mean": "sum and count as two columns, divided where they are shown",
    "Median": "rank the rows with a window and filter on the middle one",
    "IsNull(float": "identical_to(ibis.null('float64')), since NaN is no NULL",
    "NotNull(float": "~identical_to(ibis.null('float64')), since NaN is no NULL",
    "RegexExtract": "split(), substr() or find()",
    "RegexReplace": "replace()",
    "RegexSearch": "like(), contains(), startswith() or endswith()",
    "Round(float": "cast to a decimal of the scale, which rounds half away from zero",
    "Sample": "filter on a column",
    "TimestampDiff": "compare days: business_date() of both",
    "Uppercase": "compare with the spellings that there are, in isin() or cases()",
}


@cache
def agreed() -> frozenset[str]:
    """The signatures of the operations that are known to agree."""
    return frozenset(AGREED_FILE.read_text().splitlines())


def signature(node: ops.Node) -> str | None:
    """An operation with the kinds of what it works on, such as `Multiply(decimal, int)`; None for what is none."""
    if isinstance(node, _SILENT) or not isinstance(node, ops.Value | ops.Relation | ops.JoinLink):
        return None
    name = node.__func_name__ if isinstance(node, ops.ScalarUDF) else type(node).__name__
    if isinstance(node, ops.JoinLink | ops.WindowFunction):
        found = [node.how]
    elif isinstance(node, ops.Relation):
        found = []
    else:
        arguments = [one for argument in node.args for one in (argument if isinstance(argument, tuple) else [argument])]
        kinds = {_kind(one.dtype) for one in arguments if isinstance(one, ops.Value)}
        words = [node.format_str] if isinstance(node, ops.Strftime) else [getattr(node, "part", None)]
        parameters = [*arguments, *(word.value for word in words if isinstance(word, ops.Literal))]
        found = [*sorted(filter(None, kinds)), *filter(None, map(_parameter, parameters))]
    return f"{name}({', '.join(found)})" if found else name


def signatures(table: Table) -> list[str]:
    """Every operation of an expression, each once."""
    found = (signature(node) for node in table.op().find(ops.Node))
    return sorted({one for one in found if one})


def unportable(table: Table) -> list[str]:
    """The operations of an expression that are not known to agree, as sentences that say what to write instead."""
    return [_told(one) for one in signatures(table) if one not in agreed()]


def require_portable(star: Star) -> None:
    """Raises BadDeclaration for the first table whose function uses what is not known to agree."""
    tables: list[Dimension | Fact] = [*star.dimensions.values(), *star.facts.values()]
    for table in tables:
        if problems := unportable(star.transformed(table)):
            raise BadDeclaration(
                table.name,
                f"its function uses what DuckDB and Spark are not known to agree on: {'; '.join(problems)}",
                "Write it otherwise, or compute with STAR_ENGINE=duckdb alone",
            )


def _told(found: str) -> str:
    instead = max((begin for begin in INSTEAD if found.startswith(begin)), key=len, default=None)
    return f"{found} (instead: {INSTEAD[instead]})" if instead else found


def _parameter(argument: object) -> str | None:
    """What is no value but decides the result: a type, a unit, a word."""
    if isinstance(argument, dt.DataType):
        return f"to {_kind(argument)}"
    if isinstance(argument, Enum):
        return str(argument.value)
    return argument if isinstance(argument, str) else None


def _kind(type_: dt.DataType) -> str | None:
    if type_.is_null():
        return None
    if type_.is_interval():
        return f"interval {type_.unit.value}"
    for kind in ("boolean", "integer", "floating", "decimal", "string", "date", "timestamp"):
        if getattr(type_, f"is_{kind}")():
            return {"integer": "int", "floating": "float"}.get(kind, kind)
    return str(type_)
