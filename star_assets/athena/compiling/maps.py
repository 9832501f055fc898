"""Athena's maps in DuckDB's SQL: MAP(…), subscripts by key, and functions of maps.

Not here: lambdas over maps (lambdas), aggregates that make maps (aggregates).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from star_assets.athena.compiling.compiler import Compiler, Value
from star_assets.athena.compiling.functions import expect, function
from star_assets.athena.compiling.nested import each
from star_assets.athena.types import UNKNOWN, Type, array, map_of, row


@function("map")
def map_(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """MAP(keys, values), two arrays; MAP() is empty."""
    if not values:
        return Value("CAST(MAP() AS MAP(INTEGER, INTEGER))", map_of(UNKNOWN, UNKNOWN), node)
    expect(compiler, node, values, 2, 2)
    keys, items = (value.type.of for value in values)
    if keys is None or items is None:
        compiler.mismatch(node, "map", values)
    _require_plain(compiler, keys)
    return Value(f"map({values[0].sql}, {values[1].sql})", map_of(keys, items), node)


def _require_plain(compiler: Compiler, key: Type) -> None:
    if key.parts or key.is_float or key.name == "json":
        compiler.refuse(f"maps whose keys are of type {key}")


def parts_of_map(compiler: Compiler, node: exp.Expression, value: Value) -> tuple[Type, Type]:
    """The types of a map's keys and values. Raises BadQuery for another value."""
    if value.type.name != "map":
        compiler.mismatch(node, str(node.this).lower(), [value])
    key, item = value.type.parts
    return key, item


def _wanted(compiler: Compiler, container: Value, key: Value, node: exp.Expression) -> str:
    wanted = container.type.parts[0]
    (_, sql), type_ = compiler.alike([Value("", wanted, node), key], "A map's key")
    if type_ != wanted:
        compiler.mismatch(node, "A map's key", [container, key])
    return sql


def at_key(compiler: Compiler, container: Value, key: Value, node: exp.Expression) -> Value:
    """map[key]: an error if the key is missing."""
    return Value(
        f"athena_at_key({container.sql}, {_wanted(compiler, container, key, node)})", container.type.parts[1], node
    )


def element_of_map(compiler: Compiler, container: Value, key: Value, node: exp.Expression) -> Value:
    """element_at(map, key): NULL if the key is missing."""
    return Value(f"({container.sql})[{_wanted(compiler, container, key, node)}]", container.type.parts[1], node)


@function("map_keys", "map_values", takes=1)
def keys_or_values(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """map_keys and map_values, in no defined order, as on Athena."""
    key, item = parts_of_map(compiler, node, values[0])
    name = str(node.this).lower()
    return Value(f"{name}({values[0].sql})", array(key if name == "map_keys" else item), node)


@function("map_entries", takes=1)
def map_entries(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """An array of rows (key, value)."""
    types = parts_of_map(compiler, node, values[0])
    sql = each(f"map_entries({values[0].sql})", lambda pair: f"struct_pack(f0 := {pair}.key, f1 := {pair}.value)")
    return Value(sql, array(row(types)), node)


@function("map_from_entries", takes=1)
def map_from_entries(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """The map with the entries of an array of rows (key, value)."""
    pair = values[0].type.of
    if pair is None or pair.name != "row" or len(pair.parts) != 2:
        compiler.mismatch(node, "map_from_entries", values)
    _require_plain(compiler, pair.parts[0])
    return Value(f"map_from_entries({values[0].sql})", map_of(*pair.parts), node)


@function("map_concat")
def map_concat(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """map_concat(maps…): one map; a repeated key has its last value."""
    if len(values) < 2:
        compiler.fail(node, "map_concat expects at least two arguments")
    maps, type_ = compiler.alike(values, "map_concat")
    parts_of_map(compiler, node, Value("", type_, node))
    missing = " OR ".join(f"{sql} IS NULL" for sql in maps)
    return Value(f"CASE WHEN {missing} THEN NULL ELSE map_concat({', '.join(maps)}) END", type_, node)
