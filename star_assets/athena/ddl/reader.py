"""A reader of DDL statements, word by word. Its errors say what was expected, what was found, and where.

Not here: the statements (statements, create_table).
"""

from __future__ import annotations

from typing import NoReturn

from sqlglot.tokens import Token, TokenType

from star_assets.athena.compiling.scope import CATALOG
from star_assets.athena.parse import Statement, at_offset

_NAMES = (TokenType.IDENTIFIER, TokenType.VAR)


class Reader:
    """Reads the words of a statement in order. Every error points to the word that is wrong."""

    def __init__(self, statement: Statement, database: str) -> None:
        self.statement, self.database = statement, database
        self.index = 0

    @property
    def next(self) -> Token | None:
        """The next word; None at the end."""
        tokens = self.statement.tokens
        return tokens[self.index] if self.index < len(tokens) else None

    def accept(self, words: str) -> bool:
        """Whether these words come next; if so, read them."""
        wanted = words.upper().split()
        found = [token.text.upper() for token in self.statement.tokens[self.index : self.index + len(wanted)]]
        if found != wanted:
            return False
        self.index += len(wanted)
        return True

    def expect(self, words: str) -> None:
        """Read these words. Raises BadQuery for any others."""
        if not self.accept(words):
            self.fail(f"Expected {words}")

    def token(self, expected: str) -> Token:
        """Read one word. Raises BadQuery at the end of the statement."""
        found = self.next
        if found is None:
            self.fail(f"Expected {expected}")
        self.index += 1
        return found

    def name(self, expected: str = "a name") -> str:
        """Read a name, in quotes or not; in lower case, as the catalog keeps it."""
        found = self.next
        if found is None or not (found.token_type in _NAMES or found.text.replace("_", "").isalnum()):
            self.fail(f"Expected {expected}")
        if found.token_type == TokenType.STRING:
            self.fail(f"Expected {expected}, found a text; write a name in backticks or without quotes")
        self.index += 1
        return str(found.text).lower()

    def table(self) -> tuple[str, str]:
        """Read `name`, `database.name` or `awsdatacatalog.database.name`."""
        parts = [self.name("a table")]
        while self.accept("."):
            parts.append(self.name("a table"))
        if len(parts) == 3 and parts[0] == CATALOG:
            parts = parts[1:]
        if len(parts) > 2:
            self.fail(f"{'.'.join(parts)} is no table: write database.table", back=True)
        return (parts[0], parts[1]) if len(parts) == 2 else (self.database, parts[0])

    def text(self, expected: str) -> str:
        """Read a text in single quotes."""
        found = self.next
        if found is None or found.token_type != TokenType.STRING:
            self.fail(f"Expected {expected} in single quotes")
        self.index += 1
        return str(found.text)

    def end(self) -> None:
        """Raises BadQuery if words are left."""
        if self.next is not None:
            self.fail("Expected the end of the statement")

    def fail(self, problem: str, back: bool = False) -> NoReturn:
        """Raise BadQuery at the next word, or at the one just read."""
        tokens = self.statement.tokens
        position = self.index - 1 if back else self.index
        if position < len(tokens):
            place, found = tokens[position].start, f", found {tokens[position].text!r}" if not back else ""
        else:
            place, found = tokens[-1].end, ", found the end"
        raise at_offset(f"{problem}{found}.", self.statement.sql, place)
