"""Parsing: splitting a text at `;`, parsing Trino's SQL with sqlglot, and finding the position of an error.

The parser is set up to keep calls of functions as they were written. Not here: compiling queries
(queries), running DDL (statements).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.hive import Hive
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokens import Token, TokenType

from star_assets.model.errors import BadQuery, Unfaithful

# Functions with a syntax of their own. The parser leaves all other calls as they are.
_FORMS = ("CAST", "TRY_CAST", "EXTRACT", "TRIM", "POSITION", "SUBSTRING")


def _literal(parse: Any) -> Any:
    def with_place(parser: Any, token: Token) -> Any:
        return parse(parser, token).update_positions(token)

    return with_place


class Dialect(Trino):  # type: ignore[misc]
    """Trino's grammar, without the meaning that sqlglot gives to functions and subscripts."""

    INDEX_OFFSET = 0

    class Parser(Trino.Parser):  # type: ignore[misc]
        """Keeps calls by their names, and notes the position of literals."""

        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar = {name: Trino.Parser.FUNCTION_PARSERS[name] for name in _FORMS}
        PRIMARY_PARSERS: ClassVar = {
            **Trino.Parser.PRIMARY_PARSERS,
            TokenType.STRING: _literal(Trino.Parser.PRIMARY_PARSERS[TokenType.STRING]),
            TokenType.NUMBER: _literal(Trino.Parser.PRIMARY_PARSERS[TokenType.NUMBER]),
        }


class Words(Hive):  # type: ignore[misc]
    """A tokenizer for DDL: Hive's quotes and comments, and one token for each word."""

    class Tokenizer(Hive.Tokenizer):  # type: ignore[misc]
        """Without keywords of several words, and without commands whose token is the rest of the statement."""

        KEYWORDS: ClassVar = {text: kind for text, kind in Hive.Tokenizer.KEYWORDS.items() if not text[0].isalpha()}
        COMMANDS: ClassVar[set[TokenType]] = set()


# Syntax that the parser accepts and Athena does not: type of token → what it is called, and what to write instead.
_FOREIGN = {
    TokenType.DCOLON: ("`::`", "CAST(value AS type)"),
    TokenType.ILIKE: ("ILIKE", "lower(value) LIKE pattern"),
    TokenType.QUALIFY: ("QUALIFY", "a subquery with a WHERE around it"),
    TokenType.DIV: ("DIV", "`/`, which divides integers as integers"),
}

# The first words of queries, and of other statements that Athena runs.
_QUERY_WORDS = ("SELECT", "WITH", "VALUES", "TABLE")
_OTHER_WORDS = (
    *("INSERT", "DELETE", "UPDATE", "MERGE", "UNLOAD", "EXPLAIN", "PREPARE", "EXECUTE", "DEALLOCATE"),
    *("OPTIMIZE", "VACUUM", "ANALYZE", "CALL", "USE", "SET"),
)

_DIALECT, _HIVE_DIALECT = Dialect(), Words()


@dataclass(frozen=True)
class Statement:
    """One statement: its tokens, and the whole text, into which their offsets point."""

    tokens: tuple[Token, ...]
    sql: str

    @property
    def text(self) -> str:
        """The statement as it was written."""
        return self.sql[self.tokens[0].start : self.tokens[-1].end + 1]

    def words(self, count: int) -> tuple[str, ...]:
        """Its first words, in upper case."""
        return tuple(token.text.upper() for token in self.tokens[:count])


# The first words of DDL. All but CREATE VIEW are Hive's SQL, in which a backslash escapes.
DDL_WORDS = ("CREATE", "DROP", "ALTER", "MSCK", "SHOW", "DESCRIBE", "DESC")
_BEGINNING = re.compile(r"(?:\s|;|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)
_HIVE = re.compile(rf"(?!CREATE\s+(OR\s+REPLACE\s+)?VIEW\b)({'|'.join(DDL_WORDS)})\b", re.IGNORECASE)


def split(sql: str) -> list[Statement]:
    """The statements of a text. Raises BadQuery for an open quote, or if there is none."""
    statements: list[Statement] = []
    offset = _BEGINNING.match(sql).end()  # type: ignore[union-attr]
    while offset < len(sql):
        tokens = _tokens(sql, offset)
        end = next((i for i, token in enumerate(tokens) if token.token_type == TokenType.SEMICOLON), len(tokens))
        statements.append(Statement(tuple(tokens[:end]), sql))
        after = tokens[end].end + 1 if end < len(tokens) else len(sql)
        offset = _BEGINNING.match(sql, after).end()  # type: ignore[union-attr]
    if not statements:
        raise BadQuery("There is no statement.", sql)
    return statements


def _tokens(sql: str, offset: int) -> list[Token]:
    """The tokens of the text from an offset on, in the dialect of the statement that begins there."""
    dialect = _HIVE_DIALECT if _HIVE.match(sql, offset) else _DIALECT
    try:
        # Blanks replace the text before, so that offsets stay those of the whole text.
        return list(dialect.tokenize(" " * offset + sql[offset:]))
    except TokenError as error:
        raise at_offset("A quote or a comment is opened here, or later, and never closed.", sql, offset) from error


def rest_of(statement: Statement, index: int) -> Statement:
    """The query that begins at a token of a statement, such as a view's. Raises BadQuery if there is none."""
    if index >= len(statement.tokens):
        raise at_offset("Expected a query.", statement.sql, statement.tokens[-1].end)
    return Statement(statement.tokens[index:], statement.sql)


def parse_query(statement: Statement) -> exp.Query:
    """The syntax tree of a SELECT, VALUES, TABLE or WITH statement. Raises BadQuery, Unfaithful."""
    first = statement.tokens[0]
    if first.text.upper() not in (*_QUERY_WORDS, "("):
        if first.text.upper() in _OTHER_WORDS:
            raise Unfaithful(first.text.upper(), "It answers SELECT and the DDL of tables, partitions and views.")
        raise at_offset(f"Expected a statement, found {first.text!r}.", statement.sql, first.start)
    for token in statement.tokens:
        if token.token_type in _FOREIGN:
            found, instead = _FOREIGN[token.token_type]
            raise at_offset(f"{found} is not Athena's SQL. Write {instead}.", statement.sql, token.start)
        if statement.sql[token.start] == "`":
            raise at_offset(
                "In queries, write names in double quotes; backticks are for DDL.", statement.sql, token.start
            )
    try:
        # sqlglot's errors have positions in the text that it gets, so it gets all of it.
        (parsed,) = _DIALECT.parser().parse(list(statement.tokens), statement.sql)
    except ParseError as error:
        raise _syntax_error(error, statement) from error
    if isinstance(parsed, exp.Subquery | exp.Values | exp.Select | exp.SetOperation):
        return parsed
    name = statement.tokens[0].text.upper()
    raise Unfaithful(name, "It answers SELECT and the DDL of tables, partitions and views.")


def _syntax_error(error: ParseError, statement: Statement) -> BadQuery:
    found = error.errors[0] if error.errors else {}
    shown, context = str(found.get("highlight") or ""), str(found.get("start_context") or "")
    offset = statement.sql.find(context + shown) + len(context) if shown else statement.tokens[-1].end
    description = str(found.get("description") or error)
    if description.startswith("Required keyword"):
        description = "something is missing after it"
    description = re.sub(r" but got .*", "", description, flags=re.DOTALL)
    return at_offset(f"Syntax error at {shown!r}: {description}.", statement.sql, max(offset, 0))


def place_of(node: exp.Expression) -> int | None:
    """The offset in the text at which a node begins; None if it is not known."""
    starts = [part.meta["start"] for part in node.walk() if "start" in part.meta]
    return min(starts, default=None)


def at_offset(problem: str, sql: str, offset: int | None) -> BadQuery:
    """A BadQuery that points to an offset of the text."""
    if offset is None:
        return BadQuery(problem, sql)
    before = sql[:offset]
    return BadQuery(problem, sql, before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)


def closest(name: str, known: Iterable[str]) -> Sequence[str]:
    """The known names, the most similar to `name` first."""
    return sorted(known, key=lambda other: (-difflib.SequenceMatcher(None, name, other).ratio(), other))
