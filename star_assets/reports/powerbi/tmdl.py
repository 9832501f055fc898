"""Writing TMDL, the text format of semantic models: objects with properties and child objects.

The layout is that of Microsoft's writer: a tab for each level, the lines of an expression two
levels below its object, an empty line after each object.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_BARE = re.compile(r"[\w-]+")


@dataclass(frozen=True)
class Node:
    """One object: `kind name`, an expression if it has one, its properties and the objects below it.

    A property is a line, such as `dataType: int64` or `isHidden`.
    """

    kind: str
    name: str = ""
    expression: str = ""
    properties: Sequence[str] = ()
    children: Sequence[Node] = ()
    description: str = ""


def quoted(name: str) -> str:
    """A name, in quotes if it is not a plain word."""
    return name if _BARE.fullmatch(name) else "'" + name.replace("'", "''") + "'"


def text(value: str) -> str:
    """The value of a property, in quotes if it would be misread without them."""
    plain = value and value == value.strip() and not value.startswith(('"', "```"))
    return value if plain else '"' + value.replace('"', '""') + '"'


def render(*nodes: Node) -> str:
    """The text of a file with these objects."""
    return "".join(f"{line}\n" for node in nodes for line in _lines(node, ""))


def _lines(node: Node, indent: str) -> Iterator[str]:
    yield from (f"{indent}/// {line}".rstrip() for line in node.description.splitlines())
    head = f"{indent}{node.kind} {quoted(node.name)}" if node.name else f"{indent}{node.kind}"
    yield from _assigned(head, node.expression, indent)
    for line in node.properties:
        name, equals, expression = line.partition(" =\n")
        yield from _assigned(f"{indent}\t{name}", expression, f"{indent}\t") if equals else [f"{indent}\t{line}"]
    yield ""
    for child in node.children:
        yield from _lines(child, f"{indent}\t")


def _assigned(head: str, expression: str, indent: str) -> Iterator[str]:
    """`head = expression`, on one line if the expression has one line."""
    first, *others = expression.split("\n")
    if not first:
        yield head
    elif not others:
        yield f"{head} = {first}"
    else:
        yield f"{head} ="
        yield from (f"{indent}\t\t{line}".rstrip() for line in [first, *others])
