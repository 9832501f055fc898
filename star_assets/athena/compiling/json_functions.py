"""Athena's functions of JSON, and casts to and from JSON. In DuckDB, JSON is text, which Python functions read.

Not here: those Python functions (json_lookups, json_values).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from star_assets.athena.compiling.compiler import Compiler, Value
from star_assets.athena.compiling.functions import expect, function
from star_assets.athena.compiling.nested import rebuilt
from star_assets.athena.functions.json_values import shape
from star_assets.athena.types import BIGINT, BOOLEAN, JSON, UNKNOWN, VARCHAR, Type
from star_assets.engines.duckdb.session import text

# Athena's name → the number of arguments, the type, and the name of the Python function in DuckDB.
_FUNCTIONS: dict[str, tuple[int, Type, str]] = {
    "json_extract_scalar": (2, VARCHAR, "athena_json_extract_scalar"),
    "json_extract": (2, JSON, "athena_json_extract"),
    "json_size": (2, BIGINT, "athena_json_size"),
    "json_array_length": (1, BIGINT, "athena_json_array_length"),
    "json_array_get": (2, JSON, "athena_json_array_get"),
    "json_parse": (1, JSON, "athena_json_parse"),
    "is_json_scalar": (1, BOOLEAN, "athena_json_is_scalar"),
    "json_value": (2, VARCHAR, "athena_json_value"),
    "json_exists": (2, BOOLEAN, "athena_json_exists"),
    "json_query": (2, VARCHAR, "athena_json_query"),
}


@function(*_FUNCTIONS)
def of_json(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """The functions of a JSON text, some with a path or an index."""
    name = str(node.this).lower()
    count, type_, python = _FUNCTIONS[name]
    expect(compiler, node, values, count, count)
    is_path = [value.type in (VARCHAR, UNKNOWN) for value in values[1:]]
    is_index = [value.type.is_integer for value in values[1:]]
    fits = all(is_index if name == "json_array_get" else is_path)
    if values[0].type not in (VARCHAR, JSON, UNKNOWN) or not fits or (name == "json_parse" and values[0].type == JSON):
        compiler.mismatch(node, name, values)
    return Value(f"{python}({', '.join(value.sql for value in values)})", type_, node)


@function("json_format", takes=1)
def json_format(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """json_format(json): its text."""
    if values[0].type not in (JSON, UNKNOWN):
        compiler.mismatch(node, "json_format", values)
    return Value(values[0].sql, VARCHAR, node)


@function("json_array_contains", takes=2)
def json_array_contains(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """json_array_contains(array, value): the value is a text, a boolean, an integer or a double."""
    given = values[1].type
    kind = "bigint" if given.is_integer else "double" if given.is_numeric else given.name
    if values[0].type not in (VARCHAR, JSON) or kind not in ("bigint", "double", "varchar", "boolean"):
        compiler.mismatch(node, "json_array_contains", values)
    value = f"CAST({values[1].sql} AS VARCHAR)"
    return Value(f"athena_json_array_contains({values[0].sql}, '{kind}', {value})", BOOLEAN, node)


# Casts


def cast_from_json(compiler: Compiler, sql: str, to: Type, node: exp.Expression) -> str:
    """CAST(json AS type)."""
    if to.holds("date", "timestamp", "timestamp with time zone", "varbinary"):
        compiler.fail(node, f"TYPE_MISMATCH: Cannot cast json to {to}")
    found = f"athena_json_to_sql({sql}, {text(json.dumps(shape(to)))})"
    return f"CAST(CAST({found} AS JSON) AS {to.duckdb})" if to.parts else f"CAST({found} AS {to.duckdb})"


def cast_to_json(compiler: Compiler, sql: str, given: Type, node: exp.Expression) -> str:
    """CAST(value AS json)."""
    if given.holds("varbinary", "timestamp with time zone") or _has_odd_keys(given):
        compiler.fail(node, f"TYPE_MISMATCH: Cannot cast {given} to json")
    texts = _texts(sql, given)
    texts = f"CAST(to_json({texts}) AS VARCHAR)" if given.parts else texts
    return f"athena_json_from_sql({texts}, {text(json.dumps(shape(given)))})"


def _has_odd_keys(type_: Type) -> bool:
    """Whether the type contains a map whose keys cannot be the names of a JSON object."""
    keys = ("boolean", "varchar", "decimal", "double", "real", "tinyint", "smallint", "integer", "bigint", "unknown")
    return (type_.name == "map" and type_.parts[0].name not in keys) or any(map(_has_odd_keys, type_.parts))


def _texts(sql: str, type_: Type) -> str:
    """SQL of a value of the same structure whose scalars are all texts."""
    if type_.holds("timestamp") and type_.parts:
        return rebuilt(sql, type_, lambda part, number: _texts(part, type_.parts[number]))
    if type_.name == "timestamp":
        return f"athena_moment_text({sql}, {type_.precision})"
    return f"CAST({sql} AS {_as_texts(type_).duckdb})"


def _as_texts(type_: Type) -> Type:
    """The type of the same structure whose scalars are all texts."""
    return replace(type_, parts=tuple(map(_as_texts, type_.parts))) if type_.parts else VARCHAR
