"""Checking the Python types of a star's tables and of the objects that they refer to.

Without these checks, a table's name in place of a table would cause an error later, in another
place. Not here: whether the tables fit together (star).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from star_assets.model.errors import BadDeclaration
from star_assets.model.source import Source, SourceColumn
from star_assets.model.tables import Dimension, Fact, Measure, Provisional

AGGREGATES = ("sum", "avg", "min", "max")

# The owners that Dagster accepts: a team, or an e-mail address.
_OWNER = re.compile(r"team:.+|[^@\s]+@[^@\s]+\.[^@\s]+")


def check_kinds(
    sources: Sequence[object],
    dimensions: Sequence[object],
    facts: Sequence[object],
    provisional: Sequence[object],
    owner: str,
) -> None:
    """Raises BadDeclaration for the first object of a wrong type: a table, an owner, a reference or a measure."""
    for function in provisional:
        if not isinstance(function, Provisional):
            problem = f"provisional holds {getattr(function, 'name', repr(function))}, a {type(function).__name__}"
            raise BadDeclaration("Star", problem, "Give functions that @provisional decorates")
    for kind, listed in ((Source, sources), (Dimension, dimensions), (Fact, facts)):
        for table in listed:
            if not isinstance(table, kind):
                found = getattr(table, "name", repr(table))
                problem = f"{found} is no {kind.__name__} but a {type(table).__name__}"
                raise BadDeclaration("Star", problem, "Give the sources, the dimensions and the facts, in this order")
            _check_owner(table.name, owner if table.owner is None else table.owner)
            if isinstance(table, Dimension):
                _check_dimension(table)
            elif isinstance(table, Fact):
                _check_fact(table)


def _check_owner(table: str, owner: object) -> None:
    if not isinstance(owner, str) or not _OWNER.fullmatch(owner):
        raise BadDeclaration(table, f"its owner is {owner!r}", 'Use a team, such as "team:data", or an e-mail address')


def _check_dimension(table: Dimension) -> None:
    for entry in table.inferred_from:
        if not isinstance(entry, SourceColumn):
            problem = f"inferred_from holds {entry!r}"
            raise BadDeclaration(table.name, problem, 'Use a Source, or one of its columns: orders["store"]')


def _check_fact(table: Fact) -> None:
    for column, target in table.references.items():
        if not isinstance(target, Dimension):
            problem = f"{column!r} refers to {target!r}"
            raise BadDeclaration(table.name, problem, "Use the dimension itself, not its name")
    for measure in table.measures:
        if not isinstance(measure, Measure):
            raise BadDeclaration(table.name, f"measures holds {measure!r}", f"Write Measure({measure!r})")
        if measure.aggregate not in AGGREGATES:
            problem = f"the aggregate of {measure.column} is {measure.aggregate!r}"
            raise BadDeclaration(table.name, problem, f"Use one of {', '.join(AGGREGATES)}")
