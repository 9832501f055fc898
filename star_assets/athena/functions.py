"""Athena's scalar functions: which there are, of what types, and how DuckDB answers each.

A function that is not listed is refused by name. Most are one line of the
table; those whose type depends on their arguments are Python functions below
it. Not here: arrays, dates, regular expressions
(arrays, dates, patterns), aggregates and windows (aggregates).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from star_assets.athena.compiler import Compiler, Value, coerced, rule
from star_assets.athena.rules import compared
from star_assets.athena.types import UNKNOWN, VARCHAR, Type, coerces, decimal, parse_type

Function = Callable[[Compiler, exp.Expression, Sequence[Value]], Value]

# name(types) -> type: DuckDB's SQL, {0} being the first argument. Of several
# lines with one name the first that takes the arguments answers.
SIGNATURES = {
    # Text
    "lower(varchar) -> varchar": "lower({0})",
    "upper(varchar) -> varchar": "athena_upper({0})",
    "length(varchar) -> bigint": "length({0})",
    "reverse(varchar) -> varchar": "reverse({0})",
    "replace(varchar, varchar) -> varchar": "replace({0}, {1}, '')",
    "replace(varchar, varchar, varchar) -> varchar": "athena_replace({0}, {1}, {2})",
    "substr(varchar, bigint) -> varchar": "athena_substr({0}, {1})",
    "substr(varchar, bigint, bigint) -> varchar": "athena_substr_of({0}, {1}, {2})",
    "substring(varchar, bigint) -> varchar": "athena_substr({0}, {1})",
    "substring(varchar, bigint, bigint) -> varchar": "athena_substr_of({0}, {1}, {2})",
    "strpos(varchar, varchar) -> bigint": "strpos({0}, {1})",
    "starts_with(varchar, varchar) -> boolean": "starts_with({0}, {1})",
    "split(varchar, varchar) -> array(varchar)": "athena_split({0}, {1})",
    "split_part(varchar, varchar, bigint) -> varchar": "athena_split_part({0}, {1}, {2})",
    "lpad(varchar, bigint, varchar) -> varchar": "lpad({0}, CAST({1} AS INTEGER), {2})",
    "rpad(varchar, bigint, varchar) -> varchar": "rpad({0}, CAST({1} AS INTEGER), {2})",
    "chr(bigint) -> varchar": "chr(CAST({0} AS INTEGER))",
    # Numbers
    "sign(double) -> double": "CAST(sign({0}) AS DOUBLE)",
    "sqrt(double) -> double": "athena_sqrt({0})",
    "exp(double) -> double": "exp({0})",
    "ln(double) -> double": "athena_log({0}, ln(abs({0})))",
    "log10(double) -> double": "athena_log({0}, log10(abs({0})))",
    "log2(double) -> double": "athena_log({0}, log2(abs({0})))",
    "power(double, double) -> double": "pow({0}, {1})",
    "pow(double, double) -> double": "pow({0}, {1})",
    "pi() -> double": "pi()",
    "is_nan(double) -> boolean": "isnan({0})",
    "is_finite(double) -> boolean": "isfinite({0})",
    "is_infinite(double) -> boolean": "isinf({0})",
    "nan() -> double": "'NaN'::DOUBLE",
    "infinity() -> double": "'Infinity'::DOUBLE",
    # Arrays of texts
    "array_join(array(varchar), varchar) -> varchar": "array_to_string({0}, {1})",
}


@dataclass(frozen=True)
class Signature:
    """One line of the table."""

    parameters: tuple[Type, ...]
    result: Type
    sql: str

    def takes(self, values: Sequence[Value]) -> bool:
        """Whether these arguments fit."""
        return len(values) == len(self.parameters) and all(
            coerces(value.type, parameter) for value, parameter in zip(values, self.parameters, strict=True)
        )


def read_signatures(lines: dict[str, str]) -> dict[str, list[Signature]]:
    """The table by function name."""
    found: dict[str, list[Signature]] = {}
    for line, sql in lines.items():
        name, parameters, result = re.fullmatch(r"(\w+)\((.*)\) -> (.+)", line).groups()  # type: ignore[union-attr]
        types = tuple(parse_type(part) for part in parameters.split(", ") if part)
        found.setdefault(name, []).append(Signature(types, parse_type(result), sql))
    return found


# What answers a call, by name. Other modules add theirs.
TABLE = read_signatures(SIGNATURES)
SPECIAL: dict[str, Function] = {}


def function(*names: str) -> Callable[[Function], Function]:
    """Declare the decorated Python function as what answers calls of these names."""

    def declare(answer: Function) -> Function:
        SPECIAL.update(dict.fromkeys(names, answer))
        return answer

    return declare


def call(compiler: Compiler, node: exp.Anonymous) -> Value:
    """A call of a scalar function by its name."""
    name = str(node.this).lower()
    if name not in TABLE and name not in SPECIAL:
        compiler.refuse(f"{name}()")
    for argument in node.expressions:
        if isinstance(argument, exp.Distinct | exp.Order | exp.Star):
            compiler.fail(node, f"{name} is no aggregate function, so it takes plain values only")
    return answered(compiler, name, compiler.values(node.expressions), node)


def answered(compiler: Compiler, name: str, values: Sequence[Value], node: exp.Expression) -> Value:
    """A call of a listed function, with compiled arguments."""
    if name in SPECIAL:
        return SPECIAL[name](compiler, node, values)
    for signature in TABLE[name]:
        if signature.takes(values):
            given = [coerced(value, type_) for value, type_ in zip(values, signature.parameters, strict=True)]
            return Value(signature.sql.format(*given), signature.result, node)
    expected = " or ".join(f"{name}({', '.join(map(str, signature.parameters))})" for signature in TABLE[name])
    types = ", ".join(str(value.type) for value in values)
    return compiler.fail(node, f"TYPE_MISMATCH: {name}({types}) is not known. Expected {expected}")


def expect(
    compiler: Compiler, node: exp.Expression, values: Sequence[Value], least: int, most: int | None = None
) -> None:
    """Raise BadQuery unless there are so many arguments."""
    most = least if most is None else most
    if not least <= len(values) <= most:
        count = str(least) if least == most else f"{least} to {most}"
        compiler.fail(node, f"{node.this} expects {count} arguments, found {len(values)}")


# Grammar of its own


@rule(exp.Substring, parts=["start", "length"])
def substring(compiler: Compiler, node: exp.Substring) -> Value:
    """SUBSTRING(text FROM start [FOR length]), or with commas."""
    parts = [node.this, node.args.get("start"), node.args.get("length")]
    return answered(compiler, "substr", compiler.values([part for part in parts if part is not None]), node)


@rule(exp.StrPosition)
def position(compiler: Compiler, node: exp.StrPosition) -> Value:
    """POSITION(text IN text)."""
    return answered(compiler, "strpos", compiler.values([node.this, node.args["substr"]]), node)


# Unicode's white space, which Athena's trim removes.
_WHITE = "chr(9) || chr(10) || chr(11) || chr(12) || chr(13) || ' ' || chr(133) || chr(5760) || chr(8232) || chr(8233)"
_TRIMS = {"": "trim", "BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}


@rule(exp.Trim, parts=["position"])
def trim(compiler: Compiler, node: exp.Trim) -> Value:
    """TRIM([LEADING|TRAILING|BOTH] [letters FROM] text), or trim(text, letters)."""
    given = [part for part in (node.this, node.expression) if part]
    return _trimmed(compiler, node, compiler.values(given), _TRIMS[str(node.args.get("position") or "").upper()])


@function("ltrim", "rtrim")
def one_sided_trim(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """ltrim and rtrim."""
    expect(compiler, node, values, 1, 2)
    return _trimmed(compiler, node, values, str(node.this).lower())


def _trimmed(compiler: Compiler, node: exp.Expression, values: Sequence[Value], name: str) -> Value:
    if any(value.type not in (VARCHAR, UNKNOWN) for value in values):
        compiler.mismatch(node, name, values)
    letters = values[1].sql if len(values) > 1 else _WHITE
    return Value(f"{name}({values[0].sql}, {letters})", VARCHAR, node)


@function("concat")
def concat(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """concat: NULL if one is NULL, unlike DuckDB's."""
    if len(values) < 2:
        compiler.fail(node, "concat expects at least two arguments")
    if any(value.type.of for value in values):
        compiler.refuse("concat of arrays", "Write a || b.")
    if any(value.type not in (VARCHAR, UNKNOWN) for value in values):
        compiler.mismatch(node, "concat", values)
    return Value(f"({' || '.join(value.sql for value in values)})", VARCHAR, node)


# NULL


@function("coalesce")
def coalesce(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """The first value that is not NULL."""
    if len(values) < 2:
        compiler.fail(node, "coalesce expects at least two arguments")
    sql, type_ = compiler.alike(values, "coalesce")
    return Value(f"coalesce({', '.join(sql)})", type_, node)


@function("nullif")
def nullif(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """NULL if both are equal, else the first, in its own type."""
    expect(compiler, node, values, 2)
    equal = compared(compiler, "=", values[0], values[1])
    return Value(f"CASE WHEN {equal} THEN NULL ELSE {values[0].sql} END", values[0].type, node)


@function("try")
def try_(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """NULL where the value is an error."""
    expect(compiler, node, values, 1)
    return Value(f"TRY({values[0].sql})", values[0].type, node)


@function("greatest", "least")
def extreme(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """greatest and least: NULL if one is NULL, unlike DuckDB's."""
    name = str(node.this).lower()
    sql, type_ = compiler.alike(values, name)
    if type_.is_float:
        compiler.refuse(f"{name} of floating-point numbers", "CAST them to decimal.")
    unknown = " OR ".join(f"{value} IS NULL" for value in sql)
    return Value(f"CASE WHEN {unknown} THEN NULL ELSE {name}({', '.join(sql)}) END", type_, node)


# Numbers whose type follows their argument


@function("abs")
def absolute(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """abs: of the type it is given."""
    expect(compiler, node, values, 1)
    _numeric(compiler, node, values[0])
    return Value(f"CAST(abs({values[0].sql}) AS {values[0].type.duckdb})", values[0].type, node)


@function("mod")
def modulus(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """mod(n, m) is n % m."""
    expect(compiler, node, values, 2)
    found = compiler.value(exp.Mod(this=node.expressions[0].copy(), expression=node.expressions[1].copy()))
    return Value(found.sql, found.type, node)


@function("floor", "ceil", "ceiling")
def whole(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """floor and ceil: a decimal loses its scale, the rest keep their type."""
    expect(compiler, node, values, 1)
    given = values[0].type
    _numeric(compiler, node, values[0])
    if given.is_integer:
        return Value(values[0].sql, given, node)
    type_ = given
    if given.name == "decimal":
        type_ = decimal(given.precision - given.scale + min(given.scale, 1), 0)
    return Value(f"CAST({str(node.this).lower()}({values[0].sql}) AS {type_.duckdb})", type_, node)


@function("round")
def rounded(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """round(x[, digits]): half away from zero. A decimal rounded to digits keeps its scale."""
    expect(compiler, node, values, 1, 2)
    value, given = values[0], values[0].type
    _numeric(compiler, node, value)
    if len(values) == 1:
        type_ = decimal(given.precision - given.scale + min(given.scale, 1), 0) if given.name == "decimal" else given
        return Value(f"CAST(round({value.sql}) AS {type_.duckdb})", type_, node)
    digits = values[1].integer
    if digits is None:
        compiler.refuse("round to a number of digits that is not a literal")
    if given.name == "decimal":
        type_ = decimal(given.precision + 1, given.scale)
        if digits >= given.scale:
            return Value(f"CAST({value.sql} AS {type_.duckdb})", type_, node)
        wide = f"CAST({value.sql} AS {type_.duckdb})"
        return Value(f"CAST(round({wide}, {digits}) AS {type_.duckdb})", type_, node)
    return Value(f"CAST(round({value.sql}, {digits}) AS {given.duckdb})", given, node)


def _numeric(compiler: Compiler, node: exp.Expression, value: Value) -> None:
    if not value.type.is_numeric:
        compiler.mismatch(node, str(node.this).lower(), [value])
