"""The operations that give equal results on every engine, and what to write instead of others.

`agreed.txt` lists the operations for which tests have compared the engines value by value;
the tests write that file (star_assets_tests/engines/agreement.py). Not here: how an engine
computes.
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

# Nodes of an expression that have no signature, because they only combine operations.
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

# What to write instead of an operation, by a beginning of its signature; the longest beginning that fits counts.
INSTEAD = {
    "ArgMax": "rank the rows with a window whose order has no NULLs, and filter on the first",
    "ArgMin": "rank the rows with a window whose order has no NULLs, and filter on the first",
    "Capitalize": "write the text in the source as it should be shown, or map the existing values with cases()",
    "Cast(decimal, to int)": "round() or floor() first, which say how to round",
    "Cast(string": "declare the column with that type in its Source, whose grammar is the same on every engine",
    "Cast(float": "keep money and counts in decimals and integers; a float has no exact text",
    "Divide(decimal": "multiply by a literal of a declared scale (0.01 of decimal(3,2)), or // for whole numbers",
    "First": "min() or max(), or rank the rows with a window and filter on the first",
    "GroupConcat": "keep one row for each value",
    "Hash": "hexdigest('sha256')",
    "JoinLink(any": "rank the rows with a window, filter on the first, and join that",
    "JoinLink(asof": "a range join: valid_from <= moment and moment < valid_to",
    "Last": "min() or max(), or rank the rows with a window and filter on the first",
    "Lowercase": "compare with the existing spellings, in isin() or cases()",
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
    "Uppercase": "compare with the existing spellings, in isin() or cases()",
}


@cache
def agreed() -> frozenset[str]:
    """The signatures of the operations on which the engines are known to agree."""
    return frozenset(AGREED_FILE.read_text().splitlines())


def signature(node: ops.Node) -> str | None:
    """An operation with the kinds of its arguments, such as `Multiply(decimal, int)`; None for a node of _SILENT."""
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
    """The signatures of all operations in an expression, each once."""
    found = (signature(node) for node in table.op().find(ops.Node))
    return sorted({one for one in found if one})


def unportable(table: Table) -> list[str]:
    """The operations of an expression on which engines may disagree, each with what to write instead."""
    return [_with_alternative(one) for one in signatures(table) if one not in agreed()]


def require_portable(star: Star) -> None:
    """Raises BadDeclaration for the first table whose function uses an operation on which engines may disagree."""
    tables: list[Dimension | Fact] = [*star.dimensions.values(), *star.facts.values()]
    functions = [(table.name, star.transformed(table)) for table in tables]
    second = [fact.provisional for fact in star.facts.values() if fact.provisional]
    functions += [(function.name, star.provisional_rows(function)) for function in second]
    for name, rows in functions:
        if problems := unportable(rows):
            raise BadDeclaration(
                name,
                f"its function uses operations on which DuckDB and Spark may disagree: {'; '.join(problems)}",
                "Change the function, or compute with STAR_ENGINE=duckdb alone",
            )


def _with_alternative(found: str) -> str:
    instead = max((begin for begin in INSTEAD if found.startswith(begin)), key=len, default=None)
    return f"{found} (instead: {INSTEAD[instead]})" if instead else found


def _parameter(argument: object) -> str | None:
    """The text of an argument that is no expression but decides the result: a type, a unit, a word."""
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
