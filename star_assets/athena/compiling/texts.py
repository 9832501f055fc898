"""Athena's functions of texts and bytes in DuckDB's SQL.

Not here: LIKE (rules), regular expressions (patterns), the functions in Python (functions.plain_text).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp

from star_assets.athena.compiling.casts import decimal_text
from star_assets.athena.compiling.compiler import Compiler, Value, coerced, rule
from star_assets.athena.compiling.functions import answered, declare_all, function, higher_order, same
from star_assets.athena.types import DOUBLE, INTEGERS, UNKNOWN, VARBINARY, VARCHAR, Type, array, common
from star_assets.engines.duckdb.session import text

declare_all(
    {
        "lower(varchar) -> varchar": "lower({0})",
        "upper(varchar) -> varchar": "athena_upper({0})",
        "length(varchar) -> bigint": "length({0})",
        "length(varbinary) -> bigint": "octet_length({0})",
        "replace(varchar, varchar) -> varchar": "replace({0}, {1}, '')",
        # If the old text is empty, Athena puts the new text between all characters.
        "replace(varchar, varchar, varchar) -> varchar": (
            "CASE WHEN {1} = '' THEN athena_replace({0}, {1}, {2}) ELSE replace({0}, {1}, {2}) END"
        ),
        "translate(varchar, varchar, varchar) -> varchar": "athena_translate({0}, {1}, {2})",
        "substr(varchar, bigint) -> varchar": "athena_substr({0}, {1})",
        "substr(varchar, bigint, bigint) -> varchar": "athena_substr_of({0}, {1}, {2})",
        "substring(varchar, bigint) -> varchar": "athena_substr({0}, {1})",
        "substring(varchar, bigint, bigint) -> varchar": "athena_substr_of({0}, {1}, {2})",
        "strpos(varchar, varchar) -> bigint": "strpos({0}, {1})",
        "strpos(varchar, varchar, bigint) -> bigint": "athena_nth_place({0}, {1}, {2})",
        "starts_with(varchar, varchar) -> boolean": "starts_with({0}, {1})",
        "split(varchar, varchar) -> array(varchar)": "athena_split({0}, {1})",
        "split(varchar, varchar, bigint) -> array(varchar)": "athena_split_at_most({0}, {1}, {2})",
        "split_part(varchar, varchar, bigint) -> varchar": "athena_split_part({0}, {1}, {2})",
        "split_to_map(varchar, varchar, varchar) -> map(varchar, varchar)": "athena_pairs({0}, {1}, {2})",
        "lpad(varchar, bigint, varchar) -> varchar": "lpad({0}, CAST({1} AS INTEGER), {2})",
        "rpad(varchar, bigint, varchar) -> varchar": "rpad({0}, CAST({1} AS INTEGER), {2})",
        "chr(bigint) -> varchar": "chr(CAST({0} AS INTEGER))",
        "codepoint(varchar) -> integer": "CASE WHEN length({0}) = 1 THEN unicode({0})"
        " ELSE athena_error('FUNCTION_NOT_FOUND: codepoint expects one letter') END",
        "soundex(varchar) -> varchar": "athena_soundex({0})",
        "levenshtein_distance(varchar, varchar) -> bigint": "athena_edits({0}, {1})",
        "hamming_distance(varchar, varchar) -> bigint": "athena_differences({0}, {1})",
        # URLs
        "url_encode(varchar) -> varchar": "athena_url_encode({0})",
        "url_decode(varchar) -> varchar": "athena_url_decode({0})",
        "url_extract_parameter(varchar, varchar) -> varchar": "athena_url_parameter({0}, {1})",
        "url_extract_protocol(varchar) -> varchar": "athena_url_part({0}, 'protocol')",
        "url_extract_host(varchar) -> varchar": "athena_url_part({0}, 'host')",
        "url_extract_port(varchar) -> bigint": "CAST(athena_url_part({0}, 'port') AS BIGINT)",
        "url_extract_path(varchar) -> varchar": "athena_url_part({0}, 'path')",
        "url_extract_query(varchar) -> varchar": "athena_url_part({0}, 'query')",
        "url_extract_fragment(varchar) -> varchar": "athena_url_part({0}, 'fragment')",
        # Bytes
        "to_utf8(varchar) -> varbinary": "encode({0})",
        "from_utf8(varbinary) -> varchar": "decode({0})",
        "to_hex(varbinary) -> varchar": "hex({0})",
        "from_hex(varchar) -> varbinary": "unhex({0})",
        "to_base64(varbinary) -> varchar": "to_base64({0})",
        "from_base64(varchar) -> varbinary": "from_base64({0})",
        "md5(varbinary) -> varbinary": "unhex(md5({0}))",
        "sha1(varbinary) -> varbinary": "unhex(sha1({0}))",
        "sha256(varbinary) -> varbinary": "unhex(sha256({0}))",
    }
)


# Functions with a syntax of their own


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


@function("ltrim", "rtrim", takes=(1, 2))
def one_sided_trim(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """ltrim and rtrim."""
    return _trimmed(compiler, node, values, str(node.this).lower())


def _trimmed(compiler: Compiler, node: exp.Expression, values: Sequence[Value], name: str) -> Value:
    if any(value.type not in (VARCHAR, UNKNOWN) for value in values):
        compiler.mismatch(node, name, values)
    letters = values[1].sql if len(values) > 1 else _WHITE
    return Value(f"{name}({values[0].sql}, {letters})", VARCHAR, node)


# Concatenation: NULL if any part is NULL, unlike in DuckDB


@rule(exp.DPipe, parts=["safe"])
def concatenation(compiler: Compiler, node: exp.DPipe) -> Value:
    """||, of texts, bytes or arrays, and of an array and an element."""
    return _joined(compiler, node, compiler.values([node.this, node.expression]))


@function("concat")
def concat(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """concat of texts, bytes or arrays."""
    if len(values) < 2:
        compiler.fail(node, "concat expects at least two arguments")
    if len(values) == 2:
        return _joined(compiler, node, values)
    found = next((value.type for value in values if value.type.of), None)
    if found:
        return Value(_chain(*compiler.alike(values, "concat")), compiler.alike(values, "concat")[1], node)
    type_ = next((value.type for value in values if value.type != UNKNOWN), VARCHAR)
    if type_ not in (VARCHAR, VARBINARY) or any(value.type not in (type_, UNKNOWN) for value in values):
        compiler.fail(node, f"FUNCTION_NOT_FOUND: concat({', '.join(str(value.type) for value in values)})")
    return Value(_chain([coerced(value, type_) for value in values], type_), type_, node)


def _joined(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    left, right = values
    if UNKNOWN in (left.type, right.type) and VARCHAR in (left.type, right.type):
        # Athena takes the NULL for an array, to which the text is added.
        return Value("CAST(NULL AS VARCHAR[])", array(VARCHAR), node)
    type_ = common(left.type, right.type)
    if type_ and (type_ in (VARCHAR, VARBINARY) or type_.of):
        return Value(_chain([coerced(left, type_), coerced(right, type_)], type_), type_, node)
    for items, element, is_last in ((left, right, True), (right, left, False)):
        if items.type.of and (type_ := common(items.type, array(element.type))):
            one = f"[{coerced(element, type_.parts[0])}]"
            both = [coerced(items, type_), one] if is_last else [one, coerced(items, type_)]
            return Value(_chain(both, type_), type_, node)
    types = f"{left.type}, {right.type}"
    return compiler.fail(node, f"FUNCTION_NOT_FOUND: concat({types}). CAST both to varchar")


def _chain(sql: Sequence[str], type_: Type) -> str:
    if not type_.of:
        return f"({' || '.join(sql)})"
    found = sql[0]
    for other in sql[1:]:
        found = f"CASE WHEN {found} IS NOT NULL AND {other} IS NOT NULL THEN list_concat({found}, {other}) END"
    return found


@function("concat_ws")
def concat_ws(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """concat_ws(separator, texts… or an array): NULLs are left out."""
    if len(values) < 2:
        compiler.fail(node, "INVALID_FUNCTION_ARGUMENT: There must be two or more arguments")
    if len(values) == 2 and values[1].type.of:
        same(compiler, node, [values[0], Value("", values[1].type.parts[0], node)], VARCHAR)
        return Value(f"array_to_string({coerced(values[1], array(VARCHAR))}, {values[0].sql})", VARCHAR, node)
    same(compiler, node, values, VARCHAR)
    parts = ", ".join(f"CAST({value.sql} AS VARCHAR)" for value in values[1:])
    joined = f"coalesce(array_to_string(list_filter([{parts}], lambda x: x IS NOT NULL), {values[0].sql}), '')"
    return Value(f"CASE WHEN {values[0].sql} IS NOT NULL THEN {joined} END", VARCHAR, node)


@function("reverse", takes=1)
def reverse(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """reverse(x), of a text or an array."""
    if values[0].type.of:
        return Value(f"list_reverse({values[0].sql})", values[0].type, node)
    same(compiler, node, values, VARCHAR)
    return Value(f"athena_reverse({values[0].sql})", VARCHAR, node)


@higher_order("normalize")
def normalize(compiler: Compiler, node: exp.Expression) -> Value:
    """normalize(text[, form]). The form is a keyword, by default NFC."""
    given, *rest = node.expressions or [exp.Null()]
    form = rest[0].name.upper() if rest else "NFC"
    if len(rest) > 1 or form not in ("NFC", "NFD", "NFKC", "NFKD"):
        compiler.fail(node, "normalize expects a text and one of NFC, NFD, NFKC, NFKD")
    value = compiler.value(given)
    same(compiler, node, [value], VARCHAR)
    return Value(f"athena_normalize({value.sql}, '{form}')", VARCHAR, node)


# format

_SPECIFIER = re.compile(r"%(?:%|n|[-0,+( #]*\d*(?:\.\d+)?[a-zA-Z])")


@function("format")
def format_(compiler: Compiler, node: exp.Expression, values: Sequence[Value]) -> Value:
    """format(format, values…), with Java's specifiers, in the order of the values."""
    if len(values) < 2:
        compiler.fail(node, "The 'format' function must have at least two arguments")
    pattern = values[0].literal
    if pattern is None:
        compiler.refuse("format() with a format that is not a literal")
    found, place, given = [], 0, list(values[1:])
    for specifier in _SPECIFIER.finditer(pattern):
        found.append(text(pattern[place : specifier.start()]))
        place = specifier.end()
        if specifier[0] in ("%%", "%n"):
            found.append(text("%" if specifier[0] == "%%" else "\n"))
        elif not given:
            compiler.fail(node, f"INVALID_FUNCTION_ARGUMENT: There is no value for {specifier[0]}")
        else:
            found.append(_formatted(compiler, node, specifier[0], given.pop(0)))
    if "%" in pattern[place:] or "$" in pattern:
        compiler.refuse(f"format() with {pattern}")
    return Value(f"({' || '.join([*found, text(pattern[place:])])})", VARCHAR, node)


# The types that each of Java's specifiers formats here.
_TAKES = {
    "s": ("varchar", "date", "boolean", "unknown", "decimal", "double", *INTEGERS),
    "d": INTEGERS,
    "x": INTEGERS,
    "X": INTEGERS,
    "f": ("decimal", "double"),
}


def _formatted(compiler: Compiler, node: exp.Expression, specifier: str, value: Value) -> str:
    kind, type_ = specifier[-1], value.type
    if type_.name not in _TAKES.get(kind, ()):
        if kind in "dfxX" and type_.name in ("varchar", "date", "boolean", "decimal", "double", *INTEGERS):
            compiler.fail(node, f"INVALID_FUNCTION_ARGUMENT: {specifier} does not format a {type_}")
        compiler.refuse(f"format() of {type_} with {specifier}")
    shown = f"CAST({value.sql} AS VARCHAR)"
    if type_.name == "decimal":
        shown = decimal_text(value.sql, type_)
    elif type_ == DOUBLE and kind == "s":
        shown = f"athena_java_text({value.sql})"
    # NULL is formatted as a text, with the specifier's width.
    width = re.match(r"%(-?)[0,+]*(\d*)", specifier)
    of_null = f"'%{width[1]}{width[2]}s'" if width else "'%s'"
    missing = f"athena_format({of_null}, 'null')"
    return f"CASE WHEN {value.sql} IS NULL THEN {missing} ELSE athena_format({text(specifier)}, {shown}) END"
