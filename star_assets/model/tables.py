"""Dimensions and facts: the tables of the star, each declared by one function.

The function takes the upstream sources by name and returns the table, as Ibis
expressions: nothing runs until an engine asks. Here: the declarations and the
decorators. Not here: what holds them together (star), what runs them (engines).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from ibis.expr.types import Table

from star_assets.model.errors import BadDeclaration
from star_assets.model.source import NAME, Source, SourceColumn

Transform = Callable[..., Table]

# The one upstream name that is no source: a table with the column `date_key`,
# one row per day of every whole year that the star's facts reach into.
CALENDAR = "calendar"


@dataclass(frozen=True)
class Measure:
    """A numeric column of a fact, how it adds up, and the least it may be."""

    column: str
    aggregate: Literal["sum", "avg", "min", "max"] = "sum"
    description: str = ""
    minimum: int | Decimal | None = None


@dataclass(frozen=True, eq=False)
class Dimension:
    """One row per member, with an Unknown member and inferred ones.

    Args:
        name: the table's name.
        transform: from the sources' current rows to one row per `key`.
        key: the column that facts refer to.
        inferred_from: the source columns whose values are members even where
            no export describes them. A bare source stands for its column `key`.
        columns: descriptions of columns; those passed through inherit theirs.
    """

    name: str
    transform: Transform
    key: str
    inferred_from: tuple[SourceColumn, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    owner: str | None = None

    @property
    def upstream(self) -> tuple[str, ...]:
        """The names of the tables that the transform reads."""
        return tuple(inspect.signature(self.transform).parameters)


@dataclass(frozen=True, eq=False)
class Fact:
    """One row per event, in daily partitions by business date.

    Args:
        name: the table's name.
        transform: from the winning headers, their lines and look-ups to rows.
        key: the column that tells rows apart.
        date: the timestamp column whose business date is the partition.
        references: for each column that points to a dimension, the dimension.
        measures: the numeric columns.
        sort_by: the columns that rows are sorted by in a file, before the key.
        columns: descriptions of columns; those passed through inherit theirs.
    """

    name: str
    transform: Transform
    key: str
    date: str
    references: Mapping[str, Dimension] = field(default_factory=dict)
    measures: tuple[Measure, ...] = ()
    sort_by: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    owner: str | None = None

    @property
    def upstream(self) -> tuple[str, ...]:
        """The names of the tables that the transform reads."""
        return tuple(inspect.signature(self.transform).parameters)

    @property
    def summed(self) -> tuple[str, ...]:
        """The columns of the measures that add up."""
        return tuple(measure.column for measure in self.measures if measure.aggregate == "sum")


def dimension(
    *,
    key: str,
    inferred_from: Sequence[Source | SourceColumn] = (),
    columns: Mapping[str, str] | None = None,
    owner: str | None = None,
) -> Callable[[Transform], Dimension]:
    """Declare the decorated transform as a dimension of its name."""

    def declare(transform: Transform) -> Dimension:
        name, description = _named(transform)
        inferred = tuple(entry[key] if isinstance(entry, Source) else entry for entry in inferred_from)
        return Dimension(name, transform, key, inferred, dict(columns or {}), description, owner)

    return declare


def fact(
    *,
    key: str,
    date: str,
    references: Mapping[str, Dimension],
    measures: Sequence[Measure] = (),
    sort_by: Sequence[str] = (),
    columns: Mapping[str, str] | None = None,
    owner: str | None = None,
) -> Callable[[Transform], Fact]:
    """Declare the decorated transform as a fact of its name."""

    def declare(transform: Transform) -> Fact:
        name, description = _named(transform)
        return Fact(
            name,
            transform,
            key,
            date,
            dict(references),
            tuple(measures),
            tuple(sort_by),
            dict(columns or {}),
            description,
            owner,
        )

    return declare


def _named(transform: Transform) -> tuple[str, str]:
    name: str = transform.__name__
    if not NAME.fullmatch(name):
        raise BadDeclaration(name, "is not a usable table name", "Use lower-case letters, digits and _")
    return name, inspect.getdoc(transform) or ""
