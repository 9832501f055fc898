"""SQL that converts values in a declared format, such as dates or numbers with a currency, into the grammar's form.

The result is matched against the grammar like any other text, so types, casts and
rejects are the same for all columns, on every engine. Not here: what can be declared
(model/column), the grammar (exports/grammar).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from star_assets.model.column import Column
from star_assets.model.date_format import MONTHS, literal, pattern, pieces
from star_assets.model.types import Type

# Between a number and its currency, or its thousands: a space may be one that does not break lines.
SPACES = (" ", "\u00a0", "\u202f")


@dataclass(frozen=True)
class Dialect:
    """Functions that write the parts of SQL that differ between engines. Arguments are SQL, except names and literals.

    Attributes:
        name: a quoted identifier.
        literal: a string literal.
        matches: whether a whole text matches a regular expression.
        type: the type that holds a type of the model.
    """

    name: Callable[[str], str]
    literal: Callable[[str], str]
    matches: Callable[[str, str], str]
    type: Callable[[Type], str]


def in_grammar(column: Column, raw: str, sql: Dialect) -> str:
    """SQL for a value's text in the grammar's form; NULL or unchanged if the text is not in the declared format."""
    if column.format is not None:
        return _date(column.format, raw, sql)
    if column.decimal != "." or column.thousands or column.currency:
        raw = _number(column, raw, sql)
    if column.lenient:
        point = sql.literal(".")
        raw = f"CASE WHEN {sql.matches(raw, '[+-]?[0-9]+[.]0*')} THEN split_part({raw}, {point}, 1) ELSE {raw} END"
    return raw


def expected(column: Column) -> str | None:
    """The expected form of a value, for messages; None if the column declares no format."""
    if column.format is not None:
        return f"a {column.type} written as {column.format}"
    number = f"{column.currency}1{column.thousands}234"
    if Type.parse(column.type).name in ("float64", "decimal"):
        number += f"{column.decimal}5"
    return f"a number written as {number}" if column.is_written_otherwise and not column.lenient else None


def _date(format_: str, raw: str, sql: Dialect) -> str:
    expression = pattern(format_)
    directives = [piece for piece in pieces(format_) if len(piece) == 2 and piece.startswith("%")]
    part = {
        directive: f"regexp_extract({raw}, {sql.literal(f'^{expression}$')}, {number})"
        for number, directive in enumerate(directives, start=1)
    }
    composed = [_year(part, sql), _month(part, sql), _padded(part["%d"], sql)]
    found = f" || {sql.literal('-')} || ".join(composed)
    if "%H" in part or "%I" in part:
        found += f" || {sql.literal(' ')} || {_hour(part, sql)} || {sql.literal(':')}"
        found += f" || {part.get('%M', sql.literal('00'))}"
        for directive, before in (("%S", ":"), ("%f", "."), ("%z", "")):
            if directive in part:
                found += f" || {sql.literal(before)} || {part[directive]}"
    return f"CASE WHEN {sql.matches(raw, expression)} THEN {found} END"


def _year(part: dict[str, str], sql: Dialect) -> str:
    if "%Y" in part:
        return part["%Y"]
    # As POSIX has it: 69 to 99 are of the last century.
    year, old = part["%y"], sql.literal("69")
    return f"CASE WHEN {year} >= {old} THEN {sql.literal('19')} ELSE {sql.literal('20')} END || {year}"


def _month(part: dict[str, str], sql: Dialect) -> str:
    if "%m" in part:
        return _padded(part["%m"], sql)
    name = f"lower(substr({part.get('%b') or part['%B']}, 1, 3))"
    cases = [f"WHEN {sql.literal(month)} THEN {sql.literal(f'{number:02}')}" for number, month in enumerate(MONTHS, 1)]
    return f"CASE {name} {' '.join(cases)} END"


def _hour(part: dict[str, str], sql: Dialect) -> str:
    if "%H" in part:
        return _padded(part["%H"], sql)
    number, text = sql.type(Type("int32")), sql.type(Type("string"))
    noon = f"CASE WHEN lower({part['%p']}) = {sql.literal('pm')} THEN 12 ELSE 0 END"
    return _padded(f"CAST(TRY_CAST({part['%I']} AS {number}) % 12 + {noon} AS {text})", sql)


def _padded(digits: str, sql: Dialect) -> str:
    return f"lpad({digits}, 2, {sql.literal('0')})"


def _number(column: Column, raw: str, sql: Dialect) -> str:
    space = f"[{''.join(SPACES)}]?"
    sign, before, behind = "[+-]?", "", ""
    if column.currency:
        currency = literal(column.currency)
        before, behind = f"(?:{currency}{space})?[+-]?", f"(?:{space}{currency})?"
    whole = "[0-9]*"
    marks = SPACES if column.thousands in SPACES else (column.thousands,) if column.thousands else ()
    if marks:
        either = "|".join(map(literal, marks))
        whole = f"(?:[0-9]{{1,3}}(?:(?:{either})[0-9]{{3}})+|[0-9]*)"
    decimals = f"(?:{literal(column.decimal)}[0-9]*)?"
    bare = raw
    for removed in dict.fromkeys((column.currency, *marks, *(SPACES if column.currency else ()))):
        bare = f"replace({bare}, {sql.literal(removed)}, {sql.literal('')})" if removed else bare
    if column.decimal != ".":
        bare = f"replace({bare}, {sql.literal(column.decimal)}, {sql.literal('.')})"
    return f"CASE WHEN {sql.matches(raw, sign + before + whole + decimals + behind)} THEN {bare} END"
