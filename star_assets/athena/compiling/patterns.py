"""Athena's functions of regular expressions in DuckDB's SQL.

DuckDB matches literal patterns whose syntax means the same to both, which is faster. Python
matches all others (pattern_text), or refuses them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp

from star_assets.athena.compiling.compiler import Compiler, Value
from star_assets.athena.compiling.functions import expect, function
from star_assets.athena.failures import Unanswered, Wrong
from star_assets.athena.functions import pattern_text
from star_assets.athena.types import BIGINT, BOOLEAN, INTEGER, UNKNOWN, VARCHAR, Type, array
from star_assets.engines.duckdb.session import text

# Syntax that DuckDB lacks or reads differently: look-around, back references, the end before a last
# line break, word boundaries beyond ASCII, and extensions of Java and Joni.
_NOT_PLAIN = re.compile(r"\(\?[=!<>]|\\[1-9bBkQGZzRXhHvVu]|\\x(?![0-9a-fA-F]{2})|[*+?}]\+|&&|\(\?[a-z]*[uUxd]|\$|\[:")
_CATEGORIES = re.compile(r"\\[pP]\{?(L|Lu|Ll|Lt|Lm|Lo|M|N|Nd|Nl|No|P|S|Z|C)\b\}?")


def _is_plain(pattern: str) -> bool:
    """Whether a pattern means the same to DuckDB and to Athena."""
    rest = _CATEGORIES.sub("", pattern)
    return not _NOT_PLAIN.search(rest) and not re.search(r"\\[pP]", rest)


def _may_be_empty(pattern: str) -> bool:
    """Whether a pattern may match the empty text, in which case DuckDB and Athena differ in replacing it."""
    try:
        return pattern_text.like("", f"^(?:{pattern})$")
    except (Unanswered, Wrong):
        return True


def _require(compiler: Compiler, node: exp.Expression, values: Sequence[Value], least: int, most: int) -> None:
    expect(compiler, node, values, least, most)
    if any(value.type not in (VARCHAR, UNKNOWN) for value in values[:2]):
        compiler.mismatch(node, str(node.this).lower(), values)
    pattern = values[1].literal
    if pattern is None or (_is_plain(pattern) and _CATEGORIES.search(pattern)):
        return
    try:
        pattern_text.compiled(pattern)
    except Unanswered:
        compiler.refuse(f"the regular expression {pattern}", "The embedded Athena cannot match it as Athena does.")
    except Wrong as error:
        compiler.fail(values[1].node, str(error).removeprefix("athena{").removesuffix("}"))


@function("regexp_like")
def regexp_like(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """regexp_like(text, pattern): whether the pattern matches anywhere in the text."""
    _require(compiler, node, values, 2, 2)
    value, pattern = values
    if pattern.literal is not None:
        # In Java, `$` also matches before a last line break. Only here may the match include that line break.
        ended = re.sub(r"(?<!\\)\$$", "", pattern.literal)
        if _is_plain(ended):
            end = r"(?:\n?\z)" if ended != pattern.literal else ""
            return Value(f"regexp_matches({value.sql}, {text(ended + end)})", BOOLEAN, node)
    return Value(f"athena_regexp_like({value.sql}, {pattern.sql})", BOOLEAN, node)


def _group(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> int:
    """The literal number of a group. Raises BadQuery if the pattern does not have so many."""
    number = values[2].integer if len(values) > 2 else 0
    if number is None:
        compiler.refuse(f"{node.this} of a group whose number is not a literal")
    pattern = values[1].literal
    if pattern is not None and number and not 0 <= number <= pattern_text.groups(pattern):
        count = pattern_text.groups(pattern)
        compiler.fail(node, f"INVALID_FUNCTION_ARGUMENT: Pattern has {count} groups. Cannot access group {number}")
    return number


@function("regexp_extract")
def regexp_extract(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """regexp_extract(text, pattern[, group]): the first match, or a group of it; NULL if there is no match."""
    _require(compiler, node, values, 2, 3)
    (value, pattern), group = (one.sql for one in values[:2]), _group(compiler, node, values)
    literal = values[1].literal
    # For a group that took no part in the match, DuckDB returns the empty text, and Athena NULL.
    if literal is None or not _is_plain(literal) or (group and re.search(r"\||\)[?*]|\)\{0", literal)):
        return Value(f"athena_regexp_extract({value}, {pattern}, {group})", VARCHAR, node)
    sql = f"CASE WHEN regexp_matches({value}, {pattern}) THEN regexp_extract({value}, {pattern}, {group}) END"
    return Value(sql, VARCHAR, node)


@function("regexp_extract_all")
def regexp_extract_all(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """regexp_extract_all(text, pattern[, group]): every match, or a group of each."""
    _require(compiler, node, values, 2, 3)
    group = _group(compiler, node, values)
    return _in_python("extract_all", values[:2], array(VARCHAR), node, str(group))


@function("regexp_count")
def regexp_count(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """regexp_count(text, pattern): the number of matches."""
    _require(compiler, node, values, 2, 2)
    return _in_python("count", values, BIGINT, node)


@function("regexp_split")
def regexp_split(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """regexp_split(text, pattern): the texts between the matches."""
    _require(compiler, node, values, 2, 2)
    return _in_python("split", values, array(VARCHAR), node)


@function("regexp_position")
def regexp_position(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """regexp_position(text, pattern[, start[, occurrence]]): counted from 1; -1 if there is no match."""
    _require(compiler, node, values, 2, 4)
    if any(not value.type.is_integer for value in values[2:]):
        compiler.mismatch(node, "regexp_position", values)
    rest = [value.sql for value in values[2:]]
    return _in_python("position", values[:2], INTEGER, node, *rest, *["1"] * (2 - len(rest)))


def _in_python(name: str, values: Sequence[Value], type_: Type, node: exp.Expression, *more: str) -> Value:
    return Value(f"athena_regexp_{name}({', '.join([*(value.sql for value in values), *more])})", type_, node)


@function("regexp_replace")
def regexp_replace(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """regexp_replace(text, pattern[, replacement]): $1 is the first group, ${name} a named one."""
    _require(compiler, node, values, 2, 3)
    if any(value.type not in (VARCHAR, UNKNOWN) for value in values[2:]):
        compiler.mismatch(node, "regexp_replace", values)
    pattern, new = values[1].literal, values[2].literal if len(values) > 2 else ""
    is_simple = new is not None and re.fullmatch(r"[^\\$]*", new)
    if pattern is not None and is_simple and _is_plain(pattern) and not _may_be_empty(pattern):
        return Value(f"regexp_replace({values[0].sql}, {values[1].sql}, {text(new or '')}, 'g')", VARCHAR, node)
    return _in_python("replace", values[:2], VARCHAR, node, values[2].sql if len(values) > 2 else "''")
