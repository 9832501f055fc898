"""Athena's functions of regular expressions, and how DuckDB answers each.

DuckDB's expressions have no look-around and no back-reference, and give the
empty text where Athena gives NULL. So patterns must be literals that both read
alike; all others are refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp

from star_assets.athena.compiler import Compiler, Value
from star_assets.athena.functions import expect, function
from star_assets.athena.rules import text
from star_assets.athena.types import BOOLEAN, UNKNOWN, VARCHAR


def _pattern(compiler: Compiler, value: Value) -> str:
    if value.literal is None:
        compiler.refuse("regular expressions that are not literals")
    if re.search(r"\(\?[=!<>]|\\[1-9kQGZRXhHvVpP]|[*+?}]\+|&&|\(\?[a-z]*[uUxd]", value.literal):
        compiler.refuse(f"the regular expression {value.literal}", "Its syntax is read otherwise here.")
    return text(value.literal)


@function("regexp_like")
def regexp_like(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """Whether the pattern is found anywhere in the text."""
    expect(compiler, node, values, 2)
    return Value(f"regexp_matches({_text(compiler, node, values[0])}, {_pattern(compiler, values[1])})", BOOLEAN, node)


@function("regexp_extract")
def regexp_extract(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """The first match, or a group of it; NULL where there is none."""
    expect(compiler, node, values, 2, 3)
    value, pattern = _text(compiler, node, values[0]), _pattern(compiler, values[1])
    group = values[2].integer if len(values) > 2 else 0
    if group is None or (group and re.search(r"\||\)[?*]|\)\{0", pattern)):
        compiler.refuse("regexp_extract of a group that may be absent from a match")
    sql = f"CASE WHEN regexp_matches({value}, {pattern}) THEN regexp_extract({value}, {pattern}, {group}) END"
    return Value(sql, VARCHAR, node)


@function("regexp_replace")
def regexp_replace(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """Every match replaced; $1 is the first group."""
    expect(compiler, node, values, 2, 3)
    value, pattern = _text(compiler, node, values[0]), _pattern(compiler, values[1])
    new = values[2].literal if len(values) > 2 else ""
    if new is None or "\\" in new or re.search(r"\$(?![0-9])|\$[0-9]{2}", new):
        compiler.refuse("regexp_replace with a replacement that is not plain text and $1 to $9")
    replacement = text(re.sub(r"\$([0-9])", r"\\\1", new))
    return Value(f"regexp_replace({value}, {pattern}, {replacement}, 'g')", VARCHAR, node)


def _text(compiler: Compiler, node: exp.Expression, value: Value) -> str:
    if value.type not in (VARCHAR, UNKNOWN):
        compiler.mismatch(node, str(node.this).lower(), [value])
    return value.sql
