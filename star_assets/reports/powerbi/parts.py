"""Splitting a TMDL file into the objects of one level, each with its lines.

Here: splitting and comparing, as far as merging needs it. Not here: writing TMDL (tmdl), merging (keeping).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from star_assets.reports.powerbi.identity import is_generated

# `measure 'Total Revenue'`, `ref table Sales`, `relationship 0767871d-…`.
_HEAD = re.compile(r"(?P<kind>ref \w+|\w+)\s+(?P<name>'(?:[^']|'')*'|[^\s=]+)")
_PROPERTY = re.compile(r"\w+(:.*)?$")
_TAG = re.compile(r"^\t*lineageTag: (\S+)$|^\tannotation PBI_Id = (\S+)$", re.MULTILINE)

# Lines that Power BI adds, which are no difference between two objects.
_NOTES = ("annotation ", "changedProperty ")


@dataclass
class Part:
    """One object: its lines, descriptions above it and empty lines after it included."""

    head: str
    lines: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """`measure`, `ref table`, …"""
        found = _HEAD.match(self.head)
        return found["kind"] if found else self.head

    @property
    def key(self) -> str:
        """Kind and name, which are unique in a file."""
        found = _HEAD.match(self.head)
        return f"{found['kind']} {found['name']}" if found else self.head

    @property
    def generated(self) -> bool:
        """Whether it was generated, by its identity."""
        return is_generated(identity_of("\n".join(self.lines)) or self.key.rpartition(" ")[2])

    @property
    def content(self) -> list[str]:
        """Its lines, without Power BI's annotations and empty ones."""
        return [line for line in self.lines if line.strip() and not line.lstrip().startswith(_NOTES)]


def parts(text: str, depth: int = 0) -> list[Part]:
    """The objects of a level. The lines before the first one, such as a table's head, are a part too."""
    found = [Part("")]
    described: list[str] = []
    for line in text.splitlines():
        body = line[depth:] if line.startswith("\t" * depth) else ""
        if not body or body.startswith(("\t", " ")) or (depth and _PROPERTY.fullmatch(body)):
            found[-1].lines += [*described, line]
            described = []
        elif body.startswith("///"):
            described.append(line)
        else:
            found.append(Part(body, [*described, line]))
            described = []
    found[-1].lines += described
    return [part for part in found if part.lines]


def identity_of(text: str) -> str:
    """The first UUID in a text, such as a table's lineage tag; "" if there is none."""
    found = _TAG.search(text)
    return (found[1] or found[2]) if found else ""
