"""Athena's scalar functions: registering them, compiling a call, and the functions of values of any type.

A function that is not registered is refused by name. Most are one line of a table of signatures;
those whose type depends on their arguments are Python functions. Not here: functions of texts,
numbers, arrays, maps, dates, patterns and JSON (modules of those names), aggregates.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from star_assets.athena.compiling.comparisons import compared
from star_assets.athena.compiling.compiler import Compiler, Value, coerced
from star_assets.athena.type_names import parse_type
from star_assets.athena.types import UNKNOWN, VARCHAR, Type, coerces
from star_assets.engines.duckdb.session import text

Function = Callable[[Compiler, exp.Expression, Sequence[Value]], Value]

# A function whose arguments are lambdas or keywords compiles them itself.
HigherOrder = Callable[[Compiler, exp.Expression], Value]


@dataclass(frozen=True)
class Signature:
    """A signature of a function: its parameters' types, its type, and DuckDB's SQL, with {0} for an argument."""

    parameters: tuple[Type, ...]
    result: Type
    sql: str

    def takes(self, values: Sequence[Value]) -> bool:
        """Whether these arguments can be coerced to the parameters' types."""
        return len(values) == len(self.parameters) and all(
            coerces(value.type, parameter) for value, parameter in zip(values, self.parameters, strict=True)
        )


# The functions by name. Of several signatures, the first that takes the arguments is used.
TABLE: dict[str, list[Signature]] = {}
SPECIAL: dict[str, tuple[Function, tuple[int, int] | None]] = {}
HIGHER_ORDER: dict[str, HigherOrder] = {}


def declare_all(lines: dict[str, str]) -> None:
    """Register signatures: `name(types) -> type`, each with DuckDB's SQL."""
    for line, sql in lines.items():
        name, parameters, result = re.fullmatch(r"(\w+)\((.*)\) -> (.+)", line).groups()  # type: ignore[union-attr]
        types = tuple(parse_type(part) for part in parameters.split(", ") if part)
        TABLE.setdefault(name, []).append(Signature(types, parse_type(result), sql))


def function(*names: str, takes: int | tuple[int, int] | None = None) -> Callable[[Function], Function]:
    """Declare that the decorated Python function compiles calls of these names.

    `takes` is the number of arguments, or the least and the most; without it, the function checks them itself.
    """
    bounds = (takes, takes) if isinstance(takes, int) else takes

    def declare(answer: Function) -> Function:
        SPECIAL.update(dict.fromkeys(names, (answer, bounds)))
        return answer

    return declare


def higher_order(*names: str) -> Callable[[HigherOrder], HigherOrder]:
    """Declare that the decorated Python function compiles calls of these names that have a lambda or a keyword."""

    def declare(answer: HigherOrder) -> HigherOrder:
        HIGHER_ORDER.update(dict.fromkeys(names, answer))
        return answer

    return declare


def is_function(name: str) -> bool:
    """Whether a scalar function has this name."""
    return name in TABLE or name in SPECIAL or name in HIGHER_ORDER


def call(compiler: Compiler, node: exp.Anonymous) -> Value:
    """A call of a scalar function by its name."""
    name = str(node.this).lower()
    if not is_function(name):
        compiler.refuse(f"{name}()")
    has_lambda = any(isinstance(argument, exp.Lambda) for argument in node.expressions)
    if has_lambda and name not in HIGHER_ORDER:
        compiler.refuse(f"{name} with a lambda")
    if has_lambda or (name not in TABLE and name not in SPECIAL):
        return HIGHER_ORDER[name](compiler, node)
    for argument in node.expressions:
        if isinstance(argument, exp.Distinct | exp.Order | exp.Star):
            compiler.fail(node, f"{name} is no aggregate function, so it takes plain values only")
    return answered(compiler, name, compiler.values(node.expressions), node)


def answered(compiler: Compiler, name: str, values: Sequence[Value], node: exp.Expression) -> Value:
    """A call of a registered function, with compiled arguments. Raises BadQuery if no signature takes them."""
    if name in SPECIAL:
        answer, bounds = SPECIAL[name]
        if bounds:
            expect(compiler, node, values, *bounds)
        return answer(compiler, node, values)
    for signature in TABLE[name]:
        if signature.takes(values):
            given = [coerced(value, type_) for value, type_ in zip(values, signature.parameters, strict=True)]
            return Value(signature.sql.format(*given), signature.result, node)
    expected = " or ".join(f"{name}({', '.join(map(str, signature.parameters))})" for signature in TABLE[name])
    types = ", ".join(str(value.type) for value in values)
    return compiler.fail(node, f"FUNCTION_NOT_FOUND: {name}({types}) is not known. Expected {expected}")


def expect(compiler: Compiler, node: exp.Expression, values: Sequence[Value], least: int, most: int) -> None:
    """Raises BadQuery unless there are `least` to `most` arguments."""
    if not least <= len(values) <= most:
        count = str(least) if least == most else f"{least} to {most}"
        compiler.fail(node, f"{node.this} expects {count} arguments, found {len(values)}")


# NULL


@function("coalesce")
def coalesce(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """The first value that is not NULL."""
    if len(values) < 2:
        compiler.fail(node, "coalesce expects at least two arguments")
    sql, type_ = compiler.alike(values, "coalesce")
    return Value(f"coalesce({', '.join(sql)})", type_, node)


@function("nullif", takes=2)
def nullif(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """NULL if both are equal, else the first one in its own type."""
    equal = compared(compiler, "=", values[0], values[1])
    return Value(f"CASE WHEN {equal} THEN NULL ELSE {values[0].sql} END", values[0].type, node)


@function("try", takes=1)
def try_(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """NULL where the value is an error."""
    return Value(f"TRY({values[0].sql})", values[0].type, node)


@function("greatest", "least")
def extreme(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """greatest and least: NULL if one is NULL, unlike in DuckDB. NaN is ignored, unless all values are NaN."""
    name = str(node.this).lower()
    sql, type_ = compiler.alike(values, name)
    if type_.holds("map", "json"):
        compiler.mismatch(node, name, values)
    unknown = " OR ".join(f"{value} IS NULL" for value in sql)
    found = f"{name}({', '.join(sql)})"
    if type_.is_float:
        numbers = f"list_filter([{', '.join(sql)}], lambda x: NOT isnan(x))"
        found = f"coalesce(list_{'max' if name == 'greatest' else 'min'}({numbers}), 'NaN')"
    return Value(f"CASE WHEN {unknown} THEN NULL ELSE {found} END", type_, node)


# Types


@function("typeof", takes=1)
def typeof(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """The name of a value's type."""
    type_ = values[0].type
    if type_.holds("varchar"):
        compiler.refuse("typeof of texts", "Athena says how long they may be, which is not known here.")
    return Value(text(type_.exact), VARCHAR, node)


def same(compiler: Compiler, node: exp.Expression, values: Sequence[Value], type_: Type) -> None:
    """Raise BadQuery unless all values are of the type, or NULL."""
    if any(value.type not in (type_, UNKNOWN) for value in values):
        compiler.mismatch(node, str(node.this).lower(), values)
