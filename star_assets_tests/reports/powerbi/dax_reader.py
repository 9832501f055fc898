"""A small reader of DAX: as much of it as generated measures use. What it does not know is an error.

`parse` gives nested tuples: ("call", name, arguments), ("column", table, name),
("measure", name), ("number", value), ("binary", operator, left, right),
("name", variable), ("variables", [(name, value), …], result).
"""

from __future__ import annotations

import re
from typing import Any

Ast = tuple[Any, ...]

_TOKEN = re.compile(
    r"\s*(?:(?P<column>'(?:[^']|'')+'\[(?:[^\]]|\]\])+\])|(?P<table>'(?:[^']|'')+')|(?P<measure>\[(?:[^\]]|\]\])+\])"
    r"|(?P<number>\d+)|(?P<word>\w+)|(?P<operator>[-+=<>(),]))"
)


def parse(text: str) -> Ast:
    """The expression of a measure. Raises ValueError for what is not understood."""
    tokens: list[tuple[str, str]] = []
    position = 0
    while position < len(text.rstrip()):
        found = _TOKEN.match(text, position)
        if not found:
            raise ValueError(f"no DAX that is known: {text[position:]!r}")
        kind = found.lastgroup or ""
        tokens.append((kind, found[kind]))
        position = found.end()
    reader = _Reader([*tokens, ("end", "")])
    result = reader.expression()
    reader.take("end")
    return result


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens

    def take(self, kind: str, text: str | None = None) -> str:
        found = self.tokens.pop(0)
        if found[0] != kind or text not in (None, found[1]):
            raise ValueError(f"expected {text or kind}, found {found[1]!r}")
        return found[1]

    def next_is(self, *texts: str) -> bool:
        return self.tokens[0][1] in texts

    def expression(self) -> Ast:
        variables = []
        while self.next_is("VAR"):
            self.take("word")
            name = self.take("word")
            self.take("operator", "=")
            variables.append((name, self.comparison()))
        if variables:
            self.take("word", "RETURN")
            return ("variables", variables, self.comparison())
        return self.comparison()

    def comparison(self) -> Ast:
        left = self.sum()
        if self.next_is("=", ">", "<"):
            return ("binary", self.take("operator"), left, self.sum())
        return left

    def sum(self) -> Ast:
        left = self.term()
        while self.next_is("+", "-"):
            left = ("binary", self.take("operator"), left, self.term())
        return left

    def term(self) -> Ast:
        kind, text = self.tokens[0]
        self.tokens.pop(0)
        if kind == "column":
            table, _, name = text.partition("'[")
            return ("column", table[1:].replace("''", "'"), name[:-1].replace("]]", "]"))
        if kind == "table":
            return ("table", text[1:-1].replace("''", "'"))
        if kind == "measure":
            return ("measure", text[1:-1].replace("]]", "]"))
        if kind == "number":
            return ("number", int(text))
        if kind == "word" and self.next_is("("):
            return ("call", text, self.arguments())
        if kind == "word":
            return ("name", text)
        raise ValueError(f"unexpected {text!r}")

    def arguments(self) -> list[Ast]:
        self.take("operator", "(")
        found: list[Ast] = []
        while not self.next_is(")"):
            found.append(self.comparison())
            if not self.next_is(")"):
                self.take("operator", ",")
        self.take("operator", ")")
        return found
