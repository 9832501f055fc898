"""A small reader of TMDL: objects by indentation, for tests that judge what was written.

It knows no star. What it does not understand is an error, not a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_OBJECT = re.compile(
    r"(?P<kind>ref \w+|\w+)(?: (?P<name>'(?:[^']|'')*'|[^\s'=:]+))?(?: =(?P<expression>.*))?", re.DOTALL
)
_PROPERTY = re.compile(r"(?P<name>\w+)(?:: (?P<value>.*))?")
KINDS = {
    "annotation",
    "column",
    "cultureInfo",
    "database",
    "expression",
    "hierarchy",
    "level",
    "measure",
    "model",
    "partition",
    "relationship",
    "role",
    "table",
    "tablePermission",
}


@dataclass
class Object:
    """One object of a model."""

    kind: str
    name: str
    expression: str
    properties: dict[str, str] = field(default_factory=dict)
    children: list[Object] = field(default_factory=list)
    description: str = ""

    def of(self, kind: str) -> dict[str, Object]:
        """The objects of a kind below it, by name. Raises ValueError where two have one name."""
        found: dict[str, Object] = {}
        for child in self.children:
            if child.kind == kind:
                if child.name in found:
                    raise ValueError(f"two of {kind} {child.name} in {self.name}")
                found[child.name] = child
        return found


def read(text: str) -> list[Object]:
    """The objects of a file. Raises ValueError for what is no TMDL."""
    if text.startswith("\ufeff") or "\r" in text:
        raise ValueError("UTF-8 without a mark, and lines that end with LF")
    return [*_objects(text.split("\n"), 0)]


def unquoted(name: str) -> str:
    """A name without its quotes."""
    return name[1:-1].replace("''", "'") if name.startswith("'") else name


def column_reference(text: str) -> tuple[str, str]:
    """`Sales.'Product ID'` → table and column."""
    found = re.fullmatch(r"('(?:[^']|'')*'|[^.']+)\.('(?:[^']|'')*'|[^.']+)", text)
    if not found:
        raise ValueError(f"no reference to a column: {text}")
    return unquoted(found[1]), unquoted(found[2])


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip("\t"))


def _objects(lines: list[str], depth: int) -> Iterator[Object]:
    """The objects whose heads are indented so deep."""
    number, description = 0, []
    while number < len(lines):
        line = lines[number]
        number += 1
        if not line.strip():
            continue
        if _depth(line) != depth:
            raise ValueError(f"not indented as an object: {line!r}")
        if line.strip().startswith("///"):
            description.append(line.strip()[3:].strip())
            continue
        begin = number
        while number < len(lines) and (not lines[number].strip() or _depth(lines[number]) > depth):
            number += 1
        yield _object(line.strip(), lines[begin:number], depth, "\n".join(description))
        description = []


def _object(head: str, body: list[str], depth: int, description: str) -> Object:
    found = _OBJECT.fullmatch(head)
    if not found or (found["kind"] not in KINDS and not found["kind"].startswith("ref ")):
        raise ValueError(f"no object: {head!r}")
    made = Object(
        found["kind"], unquoted(found["name"] or ""), (found["expression"] or "").strip(), {}, [], description
    )
    if found["expression"] == "":
        made.expression, body = _expression(body, depth)
    while body:
        line, *rest = body
        if not line.strip():
            body = rest
        elif _depth(line) == depth + 1 and line.strip() == "source =":
            made.properties["source"], body = _expression(rest, depth + 1)
        elif _depth(line) == depth + 1 and _is_property(line.strip()):
            property_ = _PROPERTY.fullmatch(line.strip())
            assert property_
            value = property_["value"] or "true"
            made.properties[property_["name"]] = value[1:-1].replace('""', '"') if value.startswith('"') else value
            body = rest
        else:
            made.children = [*_objects(body, depth + 1)]
            body = []
    return made


def _is_property(line: str) -> bool:
    """`name: value`, or a bare word that says yes."""
    return bool(_PROPERTY.fullmatch(line)) and (": " in line or (" " not in line and line not in KINDS))


def _expression(body: list[str], depth: int) -> tuple[str, list[str]]:
    """The lines of an expression, two levels below what they belong to, and those after them."""
    number = 0
    while number < len(body) and _depth(body[number]) >= depth + 2 and body[number].strip():
        number += 1
    if not number:
        raise ValueError("an expression without a line")
    return "\n".join(line[depth + 2 :] for line in body[:number]), body[number:]


@dataclass
class Model:
    """A semantic model as its files say."""

    objects: Mapping[str, list[Object]]

    @property
    def tables(self) -> dict[str, Object]:
        """The tables, by name."""
        found = [one for path, objects in self.objects.items() if path.startswith("tables/") for one in objects]
        return {table.name: table for table in found if table.kind == "table"}

    @property
    def relationships(self) -> list[Object]:
        """The relationships."""
        return self.objects["relationships.tmdl"]

    @property
    def roles(self) -> list[Object]:
        """The roles."""
        return [one for path, objects in self.objects.items() if path.startswith("roles/") for one in objects]

    @property
    def measures(self) -> dict[str, tuple[Object, Object]]:
        """Each measure with its table, by name."""
        return {
            name: (table, measure) for table in self.tables.values() for name, measure in table.of("measure").items()
        }


def read_model(files: Mapping[str, str]) -> Model:
    """The model among a project's files."""
    found = {}
    for path, text in files.items():
        if ".SemanticModel/definition/" in path and path.endswith(".tmdl"):
            try:
                found[path.partition("/definition/")[2]] = read(text)
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from error
    return Model(found)
