"""Athena's functions of arrays, and how DuckDB answers each.

Not here: subscripts and ARRAY[…] (rules), UNNEST (sources), sequence (dates).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from star_assets.athena.compiler import Compiler, Value, coerced
from star_assets.athena.functions import expect, function
from star_assets.athena.types import BIGINT, BOOLEAN, Type, array


def _elements(compiler: Compiler, node: exp.Expression, value: Value) -> Type:
    if value.type.of is None:
        compiler.mismatch(node, str(node.this).lower(), [value])
    return value.type.of


@function("cardinality")
def cardinality(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """The number of an array's elements."""
    expect(compiler, node, values, 1)
    _elements(compiler, node, values[0])
    return Value(f"len({values[0].sql})", BIGINT, node)


@function("element_at")
def element_at(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """element_at(array, n): NULL outside of the array; negative numbers count from its end."""
    expect(compiler, node, values, 2)
    element = _elements(compiler, node, values[0])
    if not values[1].type.is_integer:
        compiler.mismatch(node, "element_at", values)
    return Value(f"athena_element_at({values[0].sql}, {coerced(values[1], BIGINT)})", element, node)


@function("contains")
def contains(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """contains(array, element): NULL if it is not found and the array has a NULL."""
    expect(compiler, node, values, 2)
    given = Value("", _elements(compiler, node, values[0]), node)
    (_, wanted), type_ = compiler.alike([given, values[1]], "contains")
    items = coerced(values[0], array(type_))
    found = f"list_contains({items}, {wanted})"
    unsure = f"len(list_filter({items}, lambda x: x IS NULL)) > 0"
    return Value(
        f"CASE WHEN {found} THEN TRUE WHEN {unsure} OR {wanted} IS NULL THEN NULL ELSE {found} END", BOOLEAN, node
    )


@function("array_sort")
def array_sort(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """array_sort(array): ascending, NULL last."""
    expect(compiler, node, values, 1)
    _elements(compiler, node, values[0])
    return Value(f"list_sort({values[0].sql}, 'ASC', 'NULLS LAST')", values[0].type, node)


@function("array_max", "array_min")
def array_extreme(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """array_max and array_min: NULL if one element is, unlike DuckDB's."""
    expect(compiler, node, values, 1)
    element = _elements(compiler, node, values[0])
    if element.is_float:
        compiler.refuse(f"{node.this} of floating-point numbers")
    items, name = values[0].sql, str(node.this).lower().replace("array_", "list_")
    return Value(
        f"CASE WHEN len(list_filter({items}, lambda x: x IS NULL)) = 0 THEN {name}({items}) END", element, node
    )
