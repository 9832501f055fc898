"""CAST and TRY_CAST, with Athena's conversions and errors.

DuckDB casts more texts than Athena does (`12.5` or `1_000` to an integer), and it rounds
half to even. So texts are checked, and numbers rounded, before DuckDB casts them. Source:
Trino's documentation of CAST, and its answers. Not here: literals with a type
(typed_literals), JSON (json_functions).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp

from star_assets.athena.compiling.compiler import Compiler, Value, rule
from star_assets.athena.compiling.intervals import text_of
from star_assets.athena.compiling.json_functions import cast_from_json, cast_to_json
from star_assets.athena.compiling.nested import once, rebuilt
from star_assets.athena.compiling.typed_literals import decimal_literal, moment_literal
from star_assets.athena.compiling.zones import local
from star_assets.athena.type_names import from_sqlglot
from star_assets.athena.types import JSON, MOMENTS, TIMESTAMP, UNKNOWN, VARCHAR, Type
from star_assets.engines.duckdb.session import text

# The texts that Athena casts to each type.
_DECIMAL_TEXT = r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?"
_VALID = {
    "integer": r"[+-]?[0-9]+",
    "double": rf"\s*({_DECIMAL_TEXT}|[+-]?(NaN|Infinity))\s*",
    "decimal": rf"\s*{_DECIMAL_TEXT}\s*",
    "date": r"\s*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}\s*",
    "boolean": r"(?i)true|false|t|f|1|0",
}

# The texts of timestamps without a zone, which DuckDB casts. A Python function reads all other texts.
_MOMENT = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}( [0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}([.][0-9]{1,6})?)?)?"


@rule(exp.Cast)
def cast(compiler: Compiler, node: exp.Cast) -> Value:
    """CAST(value AS type), and literals such as DATE '2023-07-01'."""
    to = _target(compiler, node)
    value = compiler.value(node.this)
    if literal := decimal_literal(compiler, node, value, to):
        return literal
    if value.literal is not None and (to.name == "date" or to.name in MOMENTS):
        return moment_literal(compiler, node, value, to)
    return Value(_sized(converted(compiler, value, to, node), value, node), _resulting(value.type, to), node)


@rule(exp.TryCast, parts=["safe"])
def try_cast(compiler: Compiler, node: exp.TryCast) -> Value:
    """TRY_CAST: NULL where CAST fails. An error in computing the value itself remains an error."""
    to = _target(compiler, node)
    value = compiler.value(node.this)

    def tried(sql: str) -> str:
        given = replace(value, sql=sql)
        return f"TRY({_sized(converted(compiler, given, to, node), given, node)})"

    is_plain = isinstance(node.this, exp.Column | exp.Literal)
    return Value(tried(value.sql) if is_plain else once(value.sql, tried), _resulting(value.type, to), node)


def _target(compiler: Compiler, node: exp.Cast) -> Type:
    if not isinstance(node.to, exp.DataType) or isinstance(node.to.this, exp.Interval):
        compiler.refuse("casts to intervals")
    type_ = from_sqlglot(node.to)
    if type_.name == "text":
        compiler.fail(node, "Unknown type: string. In queries Athena calls it varchar")
    within = (part for part in node.to.find_all(exp.DataType) if part is not node.to)
    if any(from_sqlglot(part) == VARCHAR and part.expressions for part in within):
        compiler.refuse(f"CAST AS {type_} with the length of its texts", "Leave the length out.")
    if type_.name in MOMENTS and type_.precision > 3:
        compiler.refuse(f"timestamp({type_.precision})", "Athena's tables hold milliseconds: timestamp(3).")
    if not type_.is_known:
        compiler.refuse(f"CAST AS {type_}")
    return type_


def _sized(sql: str, value: Value, node: exp.Cast) -> str:
    """The value of a cast to varchar(n): a text is cut to n characters; the text of any other value must fit."""
    sizes = node.to.expressions if from_sqlglot(node.to) == VARCHAR else []
    if not sizes:
        return sql
    length = int(sizes[0].name)
    if value.type == VARCHAR:
        return f"substr({sql}, 1, {length})"
    return f"athena_fitting({sql}, {length})"


def _resulting(given: Type, to: Type) -> Type:
    """The type of a cast. A timestamp with time zone keeps its zone; a date or timestamp is taken to be in UTC."""
    if not to.is_zoned:
        return to
    return replace(to, zone=given.zone if given.name == to.name else None if given == VARCHAR else "UTC")


def converted(compiler: Compiler, value: Value, to: Type, node: exp.Expression) -> str:
    """SQL of a value cast to another type. Raises BadQuery if Athena has no such cast."""
    given, sql = value.type, value.sql
    if given == UNKNOWN:
        return f"CAST({sql} AS {to.duckdb})"
    if _bare(given) == _bare(to):
        return sql
    if given == JSON:
        return cast_from_json(compiler, sql, to, node)
    if to == JSON:
        return cast_to_json(compiler, sql, given, node)
    if given.parts or to.parts:
        return _nested(compiler, value, to, node)
    if given.is_zoned and to.name != given.name:
        if to == VARCHAR:
            compiler.refuse("CAST of instants AS varchar", "CAST them to timestamp, or write date_format.")
        sql, given = local(compiler, value), replace(TIMESTAMP, precision=given.precision)
    found = _CASTS.get((_kind(given), _kind(to)))
    if not found:
        compiler.fail(node, f"TYPE_MISMATCH: Cannot cast {given} to {to}")
    return found(sql, given, to)


def _bare(type_: Type) -> Type:
    """A type without the names of its fields and its zone, which change no value."""
    return replace(type_, labels=(), zone=None, parts=tuple(map(_bare, type_.parts)))


def _nested(compiler: Compiler, value: Value, to: Type, node: exp.Expression) -> str:
    given = value.type
    if given.name != to.name or len(given.parts) != len(to.parts):
        compiler.fail(node, f"TYPE_MISMATCH: Cannot cast {given} to {to}")
    return rebuilt(
        value.sql,
        given,
        lambda sql, number: converted(compiler, Value(sql, given.parts[number], node), to.parts[number], node),
    )


def _kind(type_: Type) -> str:
    return "integer" if type_.is_integer else type_.name


Cast = Callable[[str, Type, Type], str]


def _plain(sql: str, _: Type, to: Type) -> str:
    return f"CAST({sql} AS {to.duckdb})"


def _half_up(sql: str, _: Type, to: Type) -> str:
    return f"CAST(round({sql}) AS {to.duckdb})"


def _checked(sql: str, _: Type, to: Type) -> str:
    kind = "double" if to.is_float else _kind(to)
    if kind == "double":
        # Java accepts the suffixes f and d.
        sql = rf"regexp_replace({sql}, '([0-9.])[fFdD](\s*)$', '\1\2')"
    return f"CAST(athena_checked({sql}, '{_VALID[kind]}', '{to}') AS {to.duckdb})"


def _shortest(sql: str, _: Type, to: Type) -> str:
    # Trino rounds the shortest text of the number, which is the text that DuckDB prints.
    return f"CAST(CAST({sql} AS VARCHAR) AS {to.duckdb})"


def decimal_text(sql: str, type_: Type) -> str:
    """SQL of a decimal's text, with a zero before the point. DuckDB omits it if all digits are behind the point."""
    plain = f"CAST({sql} AS VARCHAR)"
    return f"athena_with_zero({plain})" if type_.precision == type_.scale else plain


def _moment_text(sql: str, given: Type, _: Type) -> str:
    return f"athena_moment_text({sql}, {given.precision})"


def rounded_moment(sql: str, type_: Type) -> str:
    """SQL of a timestamp, with or without time zone, rounded half up to its type's digits of a second's fraction."""
    return f"CAST(athena_rounded({sql}, {10 ** (6 - type_.precision)}) AS {type_.duckdb})"


def _moment(sql: str, given: Type, to: Type) -> str:
    return rounded_moment(sql, to) if to.precision < given.precision else sql


def _moment_of_text(sql: str, _: Type, to: Type) -> str:
    clean = f"CASE WHEN regexp_full_match({sql}, {text(_MOMENT)}) THEN {sql} ELSE athena_without_zone({sql}) END"
    return rounded_moment(f"CAST({clean} AS TIMESTAMP)", to)


def _instant_of_text(sql: str, _: Type, to: Type) -> str:
    return rounded_moment(f"CAST(athena_instant_of({sql}) AS TIMESTAMPTZ)", to)


# Each pair of types that Athena casts, with the function that writes DuckDB's SQL.
_CASTS: dict[tuple[str, str], Cast] = {
    ("integer", "integer"): _plain,
    ("integer", "decimal"): _plain,
    ("integer", "double"): _plain,
    ("integer", "real"): _plain,
    ("integer", "varchar"): _plain,
    ("integer", "boolean"): _plain,
    ("decimal", "integer"): _plain,
    ("decimal", "decimal"): _plain,
    ("decimal", "double"): _plain,
    ("decimal", "real"): _plain,
    ("decimal", "varchar"): lambda sql, given, _: decimal_text(sql, given),
    ("decimal", "boolean"): _plain,
    ("double", "integer"): _half_up,
    ("double", "decimal"): _shortest,
    ("double", "real"): lambda sql, _, to: f"athena_real({sql})",
    ("double", "boolean"): _plain,
    ("double", "varchar"): lambda sql, _, to: f"athena_double_text({sql})",
    ("real", "integer"): _half_up,
    ("real", "decimal"): _shortest,
    ("real", "double"): _plain,
    ("real", "boolean"): _plain,
    ("real", "varchar"): lambda sql, _, to: f"athena_real_text({sql})",
    ("boolean", "integer"): _plain,
    ("boolean", "double"): _plain,
    ("boolean", "real"): _plain,
    ("boolean", "decimal"): _plain,
    ("boolean", "varchar"): _plain,
    ("varchar", "integer"): _checked,
    ("varchar", "double"): _checked,
    ("varchar", "real"): _checked,
    ("varchar", "decimal"): _checked,
    ("varchar", "boolean"): _checked,
    ("varchar", "date"): lambda sql, given, to: _checked(f"athena_near({sql})", given, to),
    ("varchar", "timestamp"): _moment_of_text,
    ("varchar", "timestamp with time zone"): _instant_of_text,
    ("varchar", "varbinary"): lambda sql, _, to: f"encode({sql})",
    ("date", "varchar"): lambda sql, given, to: _plain(f"athena_year_checked({sql})", given, to),
    ("date", "timestamp"): _plain,
    ("date", "timestamp with time zone"): _plain,
    ("timestamp", "date"): _plain,
    ("timestamp", "timestamp"): _moment,
    ("timestamp", "timestamp with time zone"): _plain,
    ("timestamp", "varchar"): _moment_text,
    ("timestamp with time zone", "timestamp with time zone"): _moment,
    ("interval day to second", "varchar"): lambda sql, given, _: text_of(sql, given),
    ("interval year to month", "varchar"): lambda sql, given, _: text_of(sql, given),
}
