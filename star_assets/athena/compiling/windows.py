"""Athena's window functions and OVER (…) in DuckDB's SQL.

Not here: the aggregates that may stand before OVER (aggregates).
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from star_assets.athena.compiling.aggregates import is_aggregate
from star_assets.athena.compiling.calls import WINDOW_FUNCTIONS, aggregated, ordering
from star_assets.athena.compiling.compiler import Compiler, Value, rule
from star_assets.athena.compiling.functions import expect, is_function

_OF_VALUES = ("lag", "lead", "first_value", "last_value", "nth_value")


@rule(exp.Window, parts=["partition_by", "order", "spec", "alias", "over"])
def window(compiler: Compiler, node: exp.Window) -> Value:
    """function(…) [IGNORE NULLS] OVER (PARTITION BY … ORDER BY … frame), or OVER a named window."""
    over = f" OVER ({_window(compiler, node)})"
    called, nulls = node.this, ""
    if isinstance(called, exp.IgnoreNulls | exp.RespectNulls):
        nulls = " IGNORE NULLS" if isinstance(called, exp.IgnoreNulls) else ""
        called = called.this
        if str(called.this).lower() not in _OF_VALUES:
            compiler.fail(node, f"{called.this} takes no IGNORE NULLS")
    if isinstance(called, exp.Filter):
        compiler.fail(node, "NOT_SUPPORTED: FILTER is not yet supported for window functions. Write CASE within")
    name = str(called.this).lower()
    if name in WINDOW_FUNCTIONS:
        return _window_function(compiler, called, name, nulls, over)
    if not is_aggregate(called):
        if is_function(name):
            compiler.fail(node, f"{name} is neither an aggregate nor a window function")
        compiler.refuse(f"{name}() as a window function")
    return aggregated(compiler, called, "", over)


def _window(compiler: Compiler, node: exp.Window) -> str:
    """SQL of the contents of OVER (…), which may begin with a named window."""
    parts: dict[str, Any] = {}
    if alias := node.args.get("alias"):
        base = compiler.windows.get(alias.name.lower())
        if base is None:
            compiler.fail(node, f"There is no window {alias.name!r}. Define it: WINDOW {alias.name} AS (…)")
        if base.args.get("alias"):
            compiler.refuse("a named window that extends another")
        parts = {part: found for part, found in base.args.items() if part in _PARTS and found}
        if node.args.get("partition_by") or (node.args.get("order") and "order" in parts):
            compiler.fail(node, f"OVER cannot repeat a clause of the window {alias.name}")
    parts.update({part: found for part, found in node.args.items() if part in _PARTS and found})
    sql = []
    if partition := parts.get("partition_by"):
        sql.append("PARTITION BY " + ", ".join(value.sql for value in compiler.values(partition)))
    if order := parts.get("order"):
        sql.append(ordering(compiler, order.expressions))
    if spec := parts.get("spec"):
        sql.append(_frame(compiler, spec, parts.get("order")))
    return " ".join(sql)


_PARTS = ("partition_by", "order", "spec")


def _frame(compiler: Compiler, spec: exp.WindowSpec, order: exp.Order | None) -> str:
    kind = str(spec.args["kind"]).upper()
    bounds = [_bound(compiler, spec, side) for side in ("start", "end") if spec.args.get(side)]
    if kind == "RANGE" and any(bound[0].isdigit() for bound in bounds):
        keys = order.expressions if order else []
        if len(keys) != 1 or not compiler.value(keys[0].this).type.is_integer:
            compiler.refuse("window frames of RANGE with an offset, unless ordered by one integer", "Write ROWS.")
    if spec.args.get("exclude"):
        compiler.refuse("window frames with EXCLUDE")
    return f"{kind} BETWEEN {bounds[0]} AND {bounds[1] if len(bounds) > 1 else 'CURRENT ROW'}"


def _bound(compiler: Compiler, spec: exp.WindowSpec, side: str) -> str:
    found, way = spec.args[side], str(spec.args.get(f"{side}_side") or "").upper()
    if isinstance(found, str):
        return f"{found.upper()} {way}".strip()
    offset = compiler.value(found).integer
    if offset is None or offset < 0:
        compiler.fail(found, "A frame's bound must be a whole number")
    return f"{offset} {way}"


def _window_function(compiler: Compiler, node: exp.Anonymous, name: str, nulls: str, over: str) -> Value:
    least, most, type_ = WINDOW_FUNCTIONS[name]
    values = compiler.values(node.expressions)
    expect(compiler, node, values, least, most)
    arguments = [value.sql for value in values]
    if name in ("lag", "lead", "nth_value") and len(values) > 1 and (offset := values[1].integer) is not None:
        if offset < (1 if name == "nth_value" else 0):
            compiler.fail(node, f"INVALID_FUNCTION_ARGUMENT: {name} needs an offset of at least {int(name[0] == 'n')}")
    elif len(values) > 1:
        compiler.refuse(f"{name} with an offset that is not a literal")
    if len(values) == 3:
        arguments[0:3:2], type_ = compiler.alike([values[0], values[2]], name)
    return Value(f"{name}({', '.join(arguments)}{nulls}){over}", type_ or values[0].type, node)
