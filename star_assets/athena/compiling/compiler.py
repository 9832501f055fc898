"""Compiling Athena's expressions into DuckDB's SQL: the walk over a syntax tree, and what all rules use.

Each kind of node has a rule that compiles it; a node without a rule is refused by name.
Here: compiled values, their coercion, errors with a position. Not here: the rules
themselves (rules, arithmetic, functions, aggregates, dates and others).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from sqlglot import exp

from star_assets.athena.compiling.scope import Field, Scope
from star_assets.athena.parse import at_offset, place_of
from star_assets.athena.types import Type, common
from star_assets.model.errors import BadQuery, Unfaithful


@dataclass(frozen=True)
class Value:
    """A compiled expression: DuckDB's SQL, its Athena type, and the syntax tree that it was compiled from."""

    sql: str
    type: Type
    node: exp.Expression

    @property
    def literal(self) -> str | None:
        """The text of a string literal; None for anything else."""
        return self.node.name if isinstance(self.node, exp.Literal) and self.node.is_string else None

    @property
    def integer(self) -> int | None:
        """The value of an integer literal; None for anything else."""
        node, sign = (self.node.this, -1) if isinstance(self.node, exp.Neg) else (self.node, 1)
        if isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit():
            return sign * int(node.name)
        return None


Rule = Callable[["Compiler", exp.Expression], Value]
RULES: dict[type[exp.Expression], tuple[Rule, frozenset[str]]] = {}


def rule(*nodes: type[exp.Expression], parts: Iterable[str] = ()) -> Callable[[Rule], Rule]:
    """Declare that the decorated function compiles these kinds of nodes.

    `parts` are the optional parts of a node that the function reads. A node with any other
    optional part is refused, because ignoring a part would change the meaning of the query.
    """

    def declare(function: Rule) -> Rule:
        for node in nodes:
            always = {part for part, is_needed in node.arg_types.items() if is_needed}
            RULES[node] = (function, frozenset({"expression", "expressions", *always, *parts}))
        return function

    return declare


@dataclass
class Compiler:
    """Compiles the expressions of one query.

    Attributes:
        scope: the columns that names may refer to.
        sql: the text of the statement, for the positions in error messages.
        subquery: compiles a query within this one; returns its SQL and fields.
        notices: remarks for the user, in the order in which they came up.
        outputs: the columns of SELECT by label, which ORDER BY may use.
        parameters: the parameters of the lambdas around an expression, by name.
        windows: the windows of the WINDOW clause, by name.
    """

    scope: Scope
    sql: str
    subquery: Callable[[exp.Query, Scope], tuple[str, Sequence[Field]]]
    notices: list[str]
    outputs: dict[str, Value] = field(default_factory=dict)
    parameters: Mapping[str, Value] = field(default_factory=dict)
    windows: dict[str, exp.Window] = field(default_factory=dict)

    def value(self, node: exp.Expression) -> Value:
        """An expression, compiled. Raises BadQuery, Unfaithful."""
        answer, parts = RULES.get(type(node)) or self.refuse(describe(node))
        for part, found in node.args.items():
            if found and part not in parts:
                self.refuse(f"{describe(node)} with {part}")
        value = answer(self, node)
        if not value.type.is_known:
            self.refuse(f"values of type {value.type}")
        return value

    def values(self, nodes: Sequence[exp.Expression]) -> list[Value]:
        """Several expressions, compiled."""
        return [self.value(node) for node in nodes]

    def condition(self, node: exp.Expression, where: str) -> str:
        """An expression that must be boolean, compiled."""
        value = self.value(node)
        if value.type.name not in ("boolean", "unknown"):
            self.fail(node, f"{where} must be boolean, found {value.type}")
        return value.sql

    def alike(self, values: Sequence[Value], what: str) -> tuple[list[str], Type]:
        """The SQL of values coerced to their common type, and that type. `what` needs them so. Raises BadQuery."""
        type_ = values[0].type
        for value in values[1:]:
            found = common(type_, value.type)
            if not found:
                self.mismatch(value.node, what, values)
            type_ = found
        return [coerced(value, type_) for value in values], type_

    def mismatch(self, node: exp.Expression, what: str, values: Sequence[Value]) -> NoReturn:
        """Raise BadQuery for values whose types do not fit each other or `what`."""
        types = ", ".join(str(value.type) for value in values)
        remedy = ""
        if {"varchar", "date"} <= {value.type.name for value in values}:
            remedy = " Write DATE '2023-07-01' for a date, or CAST one of them"
        elif len({value.type.name for value in values}) > 1:
            remedy = " CAST one of them"
        self.fail(node, f"TYPE_MISMATCH: {what} cannot be applied to {types}.{remedy}".rstrip("."))

    def fail(self, node: exp.Expression, problem: str) -> NoReturn:
        """Raise BadQuery that points to the node."""
        raise self.failure(node, problem)

    def failure(self, node: exp.Expression, problem: str) -> BadQuery:
        """A BadQuery that points to the node."""
        place = place_of(node)
        return at_offset(f"{problem}.", self.sql, place)

    def refuse(self, what: str, instead: str = "Run it on Athena, or write it otherwise.") -> NoReturn:
        """Raise Unfaithful, which names what is refused and what to write instead."""
        raise Unfaithful(what, instead)


def coerced(value: Value, type_: Type) -> str:
    """SQL of a value, cast to a type that Athena coerces it to."""
    if value.type == type_ or (value.type.name == type_.name and type_.name != "decimal" and not type_.parts):
        return value.sql
    return f"CAST({value.sql} AS {type_.duckdb})"


def describe(node: exp.Expression) -> str:
    """The SQL keywords of a kind of node: `AtTimeZone` → `AT TIME ZONE`."""
    name = type(node).__name__
    words = "".join(f" {letter}" if letter.isupper() and index else letter for index, letter in enumerate(name))
    return words.upper()
