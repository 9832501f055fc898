"""From text to statements: splitting at `;`, parsing Trino's SQL, and finding the place of an error.

Here: the parser, set up so that functions stay as they were written. Not here:
what a statement means (queries, statements).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokens import Token, TokenType

from star_assets.model.errors import BadQuery, Unfaithful

# Special forms of the grammar; every other function keeps its name and its arguments.
_FORMS = ("CAST", "TRY_CAST", "EXTRACT", "TRIM", "POSITION", "SUBSTRING")


def _literal(parse: Any) -> Any:
    def with_place(parser: Any, token: Token) -> Any:
        return parse(parser, token).update_positions(token)

    return with_place


class Dialect(Trino):
    """Trino's grammar, without the meaning that sqlglot gives to functions and subscripts."""

    INDEX_OFFSET = 0

    class Parser(Trino.Parser):
        """Functions by name; literals that know their place."""

        FUNCTIONS: dict[str, Any] = {}
        FUNCTION_PARSERS = {name: Trino.Parser.FUNCTION_PARSERS[name] for name in _FORMS}
        PRIMARY_PARSERS = {
            **Trino.Parser.PRIMARY_PARSERS,
            TokenType.STRING: _literal(Trino.Parser.PRIMARY_PARSERS[TokenType.STRING]),
            TokenType.NUMBER: _literal(Trino.Parser.PRIMARY_PARSERS[TokenType.NUMBER]),
        }


# What the parser lets pass and Athena does not: token type or text, and what to write.
_FOREIGN = {
    TokenType.DCOLON: ("`::`", "CAST(value AS type)"),
    TokenType.ILIKE: ("ILIKE", "lower(value) LIKE pattern"),
    TokenType.QUALIFY: ("QUALIFY", "a subquery with a WHERE around it"),
    TokenType.DIV: ("DIV", "`/`, which divides integers as integers"),
}

_DIALECT = Dialect()


@dataclass(frozen=True)
class Statement:
    """One statement of a text: its tokens, and the whole text that they point into."""

    tokens: tuple[Token, ...]
    sql: str

    @property
    def text(self) -> str:
        """The statement as it was written."""
        return self.sql[self.tokens[0].start : self.tokens[-1].end + 1]

    def words(self, count: int) -> tuple[str, ...]:
        """Its first words, in upper case."""
        return tuple(token.text.upper() for token in self.tokens[:count])


def split(sql: str) -> list[Statement]:
    """The statements of a text. Raises BadQuery for an open quote, or if there is none."""
    try:
        tokens = _DIALECT.tokenize(sql)
    except TokenError as error:
        raise BadQuery("A quote or a comment is opened and never closed.", sql) from error
    statements: list[Statement] = []
    current: list[Token] = []
    for token in tokens:
        if token.token_type == TokenType.SEMICOLON:
            if current:
                statements.append(Statement(tuple(current), sql))
            current = []
        else:
            current.append(token)
    if current:
        statements.append(Statement(tuple(current), sql))
    if not statements:
        raise BadQuery("There is no statement.", sql)
    return statements


def parse_query(statement: Statement) -> exp.Query:
    """The syntax tree of a SELECT, VALUES, TABLE or WITH statement. Raises BadQuery, Unfaithful."""
    for token in statement.tokens:
        if token.token_type in _FOREIGN:
            found, instead = _FOREIGN[token.token_type]
            raise at_offset(f"{found} is not Athena's SQL. Write {instead}.", statement.sql, token.start)
    try:
        # sqlglot gives errors the place in the text it is given, so it is given all of it.
        (parsed,) = _DIALECT.parser().parse(list(statement.tokens), statement.sql)
    except ParseError as error:
        raise _syntax_error(error, statement) from error
    if isinstance(parsed, exp.Subquery | exp.Values | exp.Select | exp.SetOperation):
        return parsed
    name = statement.tokens[0].text.upper()
    raise Unfaithful(name, "It answers SELECT and the DDL of tables, partitions and views.")


def _syntax_error(error: ParseError, statement: Statement) -> BadQuery:
    found = error.errors[0] if error.errors else {}
    shown = str(found.get("highlight") or "")
    context = found.get("start_context") or ""
    if context is not None and shown:
        offset = (
            len(context) if statement.sql.startswith(context) else statement.sql.rfind(context + shown) + len(context)
        )
        return at_offset(f"Syntax error at {shown!r}: {found['description']}", statement.sql, max(offset, 0))
    return at_offset(f"Syntax error: {found.get('description', error)}", statement.sql, statement.tokens[-1].end)


def place_of(node: exp.Expression) -> int | None:
    """The offset at which a piece of a syntax tree begins in the text; None if it is not known."""
    starts = [part.meta["start"] for part in node.walk() if "start" in part.meta]
    return min(starts, default=None)


def at_offset(problem: str, sql: str, offset: int | None) -> BadQuery:
    """A BadQuery that points to an offset of the text."""
    if offset is None:
        return BadQuery(problem, sql)
    before = sql[:offset]
    return BadQuery(problem, sql, before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)


def closest(name: str, known: Iterable[str]) -> Sequence[str]:
    """The known names, those most like `name` first."""
    return sorted(known, key=lambda other: (-difflib.SequenceMatcher(None, name, other).ratio(), other))
