"""Athena's rows: ROW(…), (a, b), and their fields.

Not here: comparisons of rows (comparisons), casts that name the fields (casts).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from star_assets.athena.compiling.compiler import Compiler, Value, rule
from star_assets.athena.compiling.functions import function
from star_assets.athena.types import Type, row


def packed(values: Sequence[str]) -> str:
    """SQL of a row of these values."""
    return f"struct_pack({', '.join(f'f{number} := {sql}' for number, sql in enumerate(values))})"


@function("row")
def row_of(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """ROW(…): fields without names."""
    if not values:
        compiler.fail(node, "ROW expects at least one value")
    return Value(packed([value.sql for value in values]), row([value.type for value in values]), node)


@rule(exp.Tuple)
def tuple_(compiler: Compiler, node: exp.Tuple) -> Value:
    """`(a, b)` is ROW(a, b)."""
    return row_of(compiler, node, compiler.values(node.expressions))


def nth_field(value: Value, number: int, node: exp.Expression) -> Value:
    """The field of a row at a position, counted from 0."""
    return Value(f"struct_extract({value.sql}, 'f{number}')", value.type.parts[number], node)


def field_of(compiler: Compiler, value: Value, name: str, node: exp.Expression) -> Value:
    """The field of a row by its name. Raises BadQuery with the known names."""
    found = [number for number, (label, _) in enumerate(value.type.fields) if label == name]
    if not found:
        known = ", ".join(label or "one without a name" for label, _ in value.type.fields)
        known = known if value.type.name == "row" else f"none, it is {_article(value.type)}"
        compiler.fail(node, f"There is no field {name!r}. There are: {known}")
    return nth_field(value, found[0], node)


def _article(type_: Type) -> str:
    return f"{'an' if str(type_)[0] in 'aeiou' else 'a'} {type_}"


@rule(exp.Dot)
def dot(compiler: Compiler, node: exp.Dot) -> Value:
    """expression.field."""
    return field_of(compiler, compiler.value(node.this), node.expression.name.lower(), node)
