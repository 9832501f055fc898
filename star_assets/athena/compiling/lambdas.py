"""Athena's functions with lambdas, in DuckDB's SQL.

A lambda is compiled with the types of its parameters into a lambda of DuckDB's. Not here: functions
of arrays and maps without lambdas (arrays, maps).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from star_assets.athena.compiling.arrays import elements
from star_assets.athena.compiling.compiler import Compiler, Value, coerced
from star_assets.athena.compiling.functions import higher_order
from star_assets.athena.compiling.maps import parts_of_map
from star_assets.athena.compiling.nested import each, fresh, once
from star_assets.athena.types import BOOLEAN, UNKNOWN, Type, array, common, map_of


def _arguments(compiler: Compiler, node: exp.Expression, shape: str) -> list[exp.Expression]:
    """The arguments of a call. `shape` has a v for each value, and for each lambda the number of its parameters."""
    given = "".join(str(len(one.expressions)) if isinstance(one, exp.Lambda) else "v" for one in node.expressions)
    if given != shape:
        expected = ", ".join("a value" if part == "v" else f"a lambda of {part}" for part in shape)
        compiler.fail(node, f"FUNCTION_NOT_FOUND: {str(node.this).lower()} expects {expected}")
    return list(node.expressions)


def applied(compiler: Compiler, lambda_: exp.Expression, parameters: Sequence[tuple[str, Type]]) -> Value:
    """The body of a lambda, compiled with the SQL and the types of its parameters."""
    names = [part.name.lower() for part in lambda_.expressions]
    meant = {name: Value(sql, type_, lambda_) for name, (sql, type_) in zip(names, parameters, strict=True)}
    return replace(compiler, parameters={**compiler.parameters, **meant}).value(lambda_.this)


def _condition(compiler: Compiler, lambda_: exp.Expression, parameters: Sequence[tuple[str, Type]]) -> str:
    value = applied(compiler, lambda_, parameters)
    if value.type not in (BOOLEAN, UNKNOWN):
        compiler.fail(lambda_, f"FUNCTION_NOT_FOUND: the lambda must be boolean, found {value.type}")
    return value.sql


def _array(compiler: Compiler, node: exp.Expression, argument: exp.Expression) -> tuple[Value, Type]:
    value = compiler.value(argument)
    return value, elements(compiler, node, value)


@higher_order("transform")
def transform(compiler: Compiler, node: exp.Expression) -> Value:
    """transform(array, x -> …): the array with the lambda applied to each element."""
    items, lambda_ = _arguments(compiler, node, "v1")
    value, type_ = _array(compiler, node, items)
    name = fresh()
    found = applied(compiler, lambda_, [(name, type_)])
    return Value(f"list_transform({value.sql}, lambda {name}: {found.sql})", array(found.type), node)


@higher_order("filter")
def filter_(compiler: Compiler, node: exp.Expression) -> Value:
    """filter(array, x -> …): the elements for which it is true."""
    items, lambda_ = _arguments(compiler, node, "v1")
    value, type_ = _array(compiler, node, items)
    return Value(
        each(value.sql, lambda x: _condition(compiler, lambda_, [(x, type_)]), "list_filter"), value.type, node
    )


@higher_order("any_match", "all_match", "none_match")
def match(compiler: Compiler, node: exp.Expression) -> Value:
    """any_match, all_match, none_match: NULL if the answer depends on an element for which the lambda is NULL."""
    items, lambda_ = _arguments(compiler, node, "v1")
    value, type_ = _array(compiler, node, items)
    found = each(value.sql, lambda x: f"CAST({_condition(compiler, lambda_, [(x, type_)])} AS BOOLEAN)")
    return Value(f"athena_{str(node.this).lower()}({found})", BOOLEAN, node)


@higher_order("reduce")
def reduce(compiler: Compiler, node: exp.Expression) -> Value:
    """reduce(array, state, (s, x) -> s, s -> result)."""
    items, initial, step, last = _arguments(compiler, node, "vv21")
    value, type_ = _array(compiler, node, items)
    state, s, x = compiler.value(initial), fresh(), fresh()
    stepped = applied(compiler, step, [(s, state.type), (x, type_)])
    # A state of NULL takes the type of the lambda. Any other must have a type that holds what the lambda returns.
    held = common(state.type, stepped.type)
    if held is None or (held != state.type and state.type != UNKNOWN):
        compiler.fail(node, f"FUNCTION_NOT_FOUND: reduce begins with {state.type}, and its lambda gives {stepped.type}")
    if state.type == UNKNOWN:
        stepped = applied(compiler, step, [(s, held), (x, type_)])
    begin = f"CAST({state.sql} AS {held.duckdb})"
    total = f"list_reduce({value.sql}, lambda {s}, {x}: {coerced(stepped, held)}, {begin})"
    result = fresh()
    found = applied(compiler, last, [(result, held)])
    sql = f"list_transform([{total}], lambda {result}: {found.sql})[1]"
    return Value(f"CASE WHEN {value.sql} IS NOT NULL THEN {sql} END", found.type, node)


@higher_order("zip_with")
def zip_with(compiler: Compiler, node: exp.Expression) -> Value:
    """zip_with(a, b, (x, y) -> …): the shorter array is filled with NULL."""
    left, right, lambda_ = _arguments(compiler, node, "vv2")
    (one, one_type), (two, two_type) = _array(compiler, node, left), _array(compiler, node, right)
    pair = fresh()
    found = applied(compiler, lambda_, [(f"{pair}[1]", one_type), (f"{pair}[2]", two_type)])
    sql = f"list_transform(list_zip({one.sql}, {two.sql}), lambda {pair}: {found.sql})"
    return Value(f"CASE WHEN {one.sql} IS NOT NULL AND {two.sql} IS NOT NULL THEN {sql} END", array(found.type), node)


@higher_order("array_sort")
def array_sort(compiler: Compiler, node: exp.Expression) -> Value:
    """array_sort(array, (x, y) -> -1, 0 or 1): each element is placed by the number of elements that precede it."""
    items, lambda_ = _arguments(compiler, node, "v2")
    value, type_ = _array(compiler, node, items)
    i, j = fresh(), fresh()

    def sorted_(given: str) -> str:
        sides = [(f"{given}[{i}]", type_), (f"{given}[{j}]", type_)]
        order = applied(compiler, lambda_, sides)
        if not order.type.is_integer:
            compiler.fail(lambda_, f"FUNCTION_NOT_FOUND: the lambda must be an integer, found {order.type}")
        places = f"generate_series(1, len({given}))"
        is_before = f"{order.sql} > 0 OR ({order.sql} = 0 AND {j} < {i})"
        before = f"len(list_filter({places}, lambda {j}: {i} <> {j} AND ({is_before})))"
        ranked = f"list_sort(list_transform({places}, lambda {i}: [{before}, {i}]))"
        return each(ranked, lambda pair: f"{given}[{pair}[2]]")

    return Value(once(value.sql, sorted_), value.type, node)


# Maps


@higher_order("map_filter")
def map_filter(compiler: Compiler, node: exp.Expression) -> Value:
    """map_filter(map, (k, v) -> …): the entries for which it is true."""
    given, lambda_ = _arguments(compiler, node, "v2")
    value = compiler.value(given)
    key, item = parts_of_map(compiler, node, value)
    kept = each(
        f"map_entries({value.sql})",
        lambda pair: _condition(compiler, lambda_, [(f"{pair}.key", key), (f"{pair}.value", item)]),
        "list_filter",
    )
    return Value(f"map_from_entries({kept})", value.type, node)


@higher_order("transform_values", "transform_keys")
def transform_map(compiler: Compiler, node: exp.Expression) -> Value:
    """transform_values and transform_keys: (k, v) -> the new value, or the new key."""
    given, lambda_ = _arguments(compiler, node, "v2")
    value, pair = compiler.value(given), fresh()
    key, item = parts_of_map(compiler, node, value)
    found = applied(compiler, lambda_, [(f"{pair}.key", key), (f"{pair}.value", item)])
    changed = f"list_transform(map_entries({value.sql}), lambda {pair}: {found.sql})"
    if str(node.this).lower() == "transform_values":
        return Value(f"map(map_keys({value.sql}), {changed})", map_of(key, found.type), node)
    if found.type.parts or found.type.is_float:
        compiler.refuse(f"maps whose keys are of type {found.type}")
    return Value(f"map({changed}, map_values({value.sql}))", map_of(found.type, item), node)


@higher_order("map_zip_with")
def map_zip_with(compiler: Compiler, node: exp.Expression) -> Value:
    """map_zip_with(a, b, (k, x, y) -> …): a map with the keys of both."""
    left, right, lambda_ = _arguments(compiler, node, "vv3")
    one, two = compiler.value(left), compiler.value(right)
    key, first = parts_of_map(compiler, node, one)
    other, second = parts_of_map(compiler, node, two)
    if key != other:
        compiler.mismatch(node, "map_zip_with", [one, two])
    name = fresh()
    found = applied(compiler, lambda_, [(name, key), (f"({one.sql})[{name}]", first), (f"({two.sql})[{name}]", second)])
    keys = f"athena_array_union(map_keys({one.sql}), map_keys({two.sql}))"
    sql = f"map({keys}, list_transform({keys}, lambda {name}: {found.sql}))"
    missing = f"{one.sql} IS NULL OR {two.sql} IS NULL"
    return Value(f"CASE WHEN {missing} THEN NULL ELSE {sql} END", map_of(key, found.type), node)
