"""Athena's arrays in DuckDB's SQL: ARRAY[…], subscripts, and functions of arrays.

Not here: UNNEST (sources), sequence (dates), lambdas (lambdas), || (texts).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from star_assets.athena.compiling.compiler import Compiler, Value, coerced, rule
from star_assets.athena.compiling.functions import function
from star_assets.athena.compiling.maps import at_key, element_of_map
from star_assets.athena.compiling.nested import each
from star_assets.athena.compiling.rows import nth_field, packed
from star_assets.athena.types import BIGINT, BOOLEAN, UNKNOWN, VARCHAR, Type, array, row


@rule(exp.Array)
def array_of(compiler: Compiler, node: exp.Array) -> Value:
    """ARRAY[…]."""
    if not node.expressions:
        return Value("CAST([] AS INTEGER[])", array(UNKNOWN), node)
    elements, type_ = compiler.alike(compiler.values(node.expressions), "ARRAY")
    return Value(f"[{', '.join(elements)}]", array(type_), node)


@rule(exp.Bracket)
def subscript(compiler: Compiler, node: exp.Bracket) -> Value:
    """array[n], counted from 1; map[key]; row[n]. An error if there is no such element; element_at returns NULL."""
    if len(node.expressions) != 1:
        compiler.fail(node, "A subscript is one value")
    container, index = compiler.values([node.this, node.expressions[0]])
    if container.type.name == "map":
        return at_key(compiler, container, index, node)
    if container.type.name == "row":
        if index.integer is None or not 1 <= index.integer <= len(container.type.parts):
            compiler.fail(node, f"A row of {len(container.type.parts)} fields has no field at that place")
        return nth_field(container, index.integer - 1, node)
    if container.type.of is None or not index.type.is_integer:
        compiler.mismatch(node, "A subscript", [container, index])
    return Value(f"athena_subscript({container.sql}, {coerced(index, BIGINT)})", container.type.of, node)


def elements(compiler: Compiler, node: exp.Expression, value: Value) -> Type:
    """The type of an array's elements. Raises BadQuery for another value."""
    if value.type == UNKNOWN:
        return UNKNOWN
    if value.type.of is None:
        compiler.mismatch(node, str(node.this).lower(), [value])
    return value.type.of


def _plain(compiler: Compiler, node: exp.Expression, type_: Type) -> None:
    """Raises Unfaithful for elements of types whose equality differs between DuckDB and Athena."""
    if type_.parts or type_.is_float or type_.name == "json":
        compiler.refuse(f"{str(node.this).lower()} of values of type {type_}")


@function("cardinality", takes=1)
def cardinality(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """The number of an array's elements, or of a map's keys."""
    if values[0].type.name == "map":
        return Value(f"CAST(cardinality({values[0].sql}) AS BIGINT)", BIGINT, node)
    elements(compiler, node, values[0])
    return Value(f"len({values[0].sql})", BIGINT, node)


@function("element_at", takes=2)
def element_at(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """element_at(array, n), a negative n counts from the end; element_at(map, key). NULL if there is no element."""
    if values[0].type.name == "map":
        return element_of_map(compiler, values[0], values[1], node)
    element = elements(compiler, node, values[0])
    if not values[1].type.is_integer:
        compiler.mismatch(node, "element_at", values)
    return Value(f"athena_element_at({values[0].sql}, {coerced(values[1], BIGINT)})", element, node)


@function("contains", takes=2)
def contains(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """contains(array, element): NULL if the element is not found and the array has a NULL."""
    items, wanted, _ = _with_element(compiler, node, values)
    found = f"list_contains({items}, {wanted})"
    unsure = f"len(list_filter({items}, lambda x: x IS NULL)) > 0"
    sql = f"CASE WHEN {found} THEN TRUE WHEN {unsure} OR {wanted} IS NULL THEN NULL ELSE {found} END"
    return Value(sql, BOOLEAN, node)


def _with_element(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> tuple[str, str, Type]:
    """SQL of an array and of a value to look for, both coerced to their common type, and that type."""
    given = Value("", elements(compiler, node, values[0]), node)
    (_, wanted), type_ = compiler.alike([given, values[1]], str(node.this).lower())
    _plain(compiler, node, type_)
    return coerced(values[0], array(type_)), wanted, type_


@function("array_position", takes=2)
def array_position(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """The position of the first occurrence of an element, from 1; 0 if there is none."""
    items, wanted, _ = _with_element(compiler, node, values)
    found = f"coalesce(CAST(list_position({items}, {wanted}) AS BIGINT), 0)"
    return Value(f"CASE WHEN {items} IS NOT NULL AND {wanted} IS NOT NULL THEN {found} END", BIGINT, node)


@function("array_remove", takes=2)
def array_remove(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """The elements that are not equal to a value."""
    items, wanted, type_ = _with_element(compiler, node, values)
    kept = f"list_filter({items}, lambda x: x IS NULL OR x <> {wanted})"
    return Value(f"CASE WHEN {wanted} IS NOT NULL THEN {kept} END", array(type_), node)


@function("array_distinct", takes=1)
def array_distinct(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """Each distinct element once, in order of appearance. NULL counts as an element."""
    _plain(compiler, node, elements(compiler, node, values[0]))
    return Value(f"athena_distinct({values[0].sql})", values[0].type, node)


@function("array_union", "array_intersect", "array_except", takes=2)
def as_sets(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """Set operations of two arrays; elements in order of appearance. NULL counts as an element."""
    (left, right), type_ = compiler.alike(values, str(node.this).lower())
    _plain(compiler, node, elements(compiler, node, Value("", type_, node)))
    return Value(f"athena_{str(node.this).lower()}({left}, {right})", type_, node)


@function("arrays_overlap", takes=2)
def arrays_overlap(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """Whether two arrays have a common element; NULL if they have none and one of them contains NULL."""
    (left, right), type_ = compiler.alike(values, "arrays_overlap")
    _plain(compiler, node, elements(compiler, node, Value("", type_, node)))
    return Value(f"athena_overlap({left}, {right})", BOOLEAN, node)


@function("array_sort", takes=1)
def array_sort(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """array_sort(array): ascending, NULL last."""
    type_ = elements(compiler, node, values[0])
    if type_.holds("map", "json", "row"):
        compiler.refuse(f"array_sort of values of type {type_}")
    return Value(f"list_sort({values[0].sql}, 'ASC', 'NULLS LAST')", values[0].type, node)


@function("array_max", "array_min", takes=1)
def array_extreme(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """array_max and array_min: NULL if any element is NULL, unlike in DuckDB."""
    element = elements(compiler, node, values[0])
    _plain(compiler, node, element)
    items, name = values[0].sql, str(node.this).lower().replace("array_", "list_")
    return Value(
        f"CASE WHEN len(list_filter({items}, lambda x: x IS NULL)) = 0 THEN {name}({items}) END", element, node
    )


@function("array_join", takes=(2, 3))
def array_join(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """array_join(array, separator[, text for NULL]): without that text, NULL elements are left out."""
    type_ = elements(compiler, node, values[0])
    if type_.name not in ("varchar", "unknown") and not type_.is_integer:
        compiler.refuse(f"array_join of values of type {type_}", "CAST the array to array(varchar).")
    if any(value.type not in (VARCHAR, UNKNOWN) for value in values[1:]):
        compiler.mismatch(node, "array_join", values)
    items = coerced(values[0], array(VARCHAR)) if type_ != VARCHAR else values[0].sql
    if len(values) == 3:
        items = f"list_transform({items}, lambda x: coalesce(x, {values[2].sql}))"
    joined = f"coalesce(array_to_string(list_filter({items}, lambda x: x IS NOT NULL), {values[1].sql}), '')"
    return Value(f"CASE WHEN {items} IS NOT NULL THEN {joined} END", VARCHAR, node)


@function("flatten", takes=1)
def flatten(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """An array of arrays as one array."""
    inner = elements(compiler, node, values[0])
    if inner.of is None:
        compiler.mismatch(node, "flatten", values)
    return Value(f"flatten({values[0].sql})", inner, node)


@function("slice", takes=3)
def slice_(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """slice(array, start, length); a negative start counts from the end."""
    elements(compiler, node, values[0])
    if not (values[1].type.is_integer and values[2].type.is_integer):
        compiler.mismatch(node, "slice", values)
    return Value(f"athena_slice({values[0].sql}, {values[1].sql}, {values[2].sql})", values[0].type, node)


@function("trim_array", takes=2)
def trim_array(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """trim_array(array, n): without its last n elements."""
    elements(compiler, node, values[0])
    if not values[1].type.is_integer:
        compiler.mismatch(node, "trim_array", values)
    return Value(f"athena_trim_array({values[0].sql}, {values[1].sql})", values[0].type, node)


@function("repeat", takes=2)
def repeat(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """repeat(element, n): an array."""
    if not values[1].type.is_integer:
        compiler.mismatch(node, "repeat", values)
    sql = f"list_transform(range(CAST({values[1].sql} AS BIGINT)), lambda x: {values[0].sql})"
    return Value(f"CASE WHEN {values[1].sql} IS NOT NULL THEN {sql} END", array(values[0].type), node)


@function("zip")
def zip_(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """zip(arrays…): rows of what stands at the same place; shorter arrays are filled with NULL."""
    if len(values) < 2:
        compiler.fail(node, "zip expects at least two arrays")
    types = [elements(compiler, node, value) for value in values]
    missing = " OR ".join(f"{value.sql} IS NULL" for value in values)
    rows = each(
        f"list_zip({', '.join(value.sql for value in values)})",
        lambda given: packed([f"{given}[{number}]" for number in range(1, len(values) + 1)]),
    )
    return Value(f"CASE WHEN {missing} THEN NULL ELSE {rows} END", array(row(types)), node)
