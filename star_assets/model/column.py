"""A declared column of a source. Not here: the source that has it (source), its type (types)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A declared column: its type, what it means, whether an export may lack it.

    `personal` says that its values tell of a person, such as a name or an
    address: it is withheld from reports, and so is what is computed from it.
    """

    type: str
    description: str = ""
    optional: bool = False
    personal: bool = False
