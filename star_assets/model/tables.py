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

# Every day that anybody alive was born on: 73,000. The Unknown member is 1900-01-01.
CALENDAR_YEARS = (1901, 2100)

# The text column of a calendar that equals the partition column of facts (see calendars).
PARTITION_DATE = "partition_date"

# How people read a number. `integer`: 1,234; `decimal`: 1,234.50; `money`: the same
# with the star's currency, where it declares one; `percent`: 0.125 as 12.5 %.
Format = Literal["integer", "decimal", "money", "percent"]


@dataclass(frozen=True)
class Measure:
    """A numeric column of a fact, how it adds up, and the least it may be.

    Reports call it by its `label` ("Total Revenue" unless declared), and show
    it in its `format` (by its type unless declared).
    """

    column: str
    aggregate: Literal["sum", "avg", "min", "max"] = "sum"
    description: str = ""
    minimum: int | Decimal | None = None
    label: str = ""
    format: Format | None = None

    @property
    def name(self) -> str:
        """What a dashboard calls it: its column."""
        return self.column


@dataclass(frozen=True)
class Ratio:
    """The sum of some columns of a fact over the sum of others, such as an average price.

    Summed over all the rows that are shown, then divided: never an average of
    averages. It has no value where the sum of `per` is zero. Each column is one
    of the fact's measures that add up.
    """

    name: str
    of: str | tuple[str, ...]
    per: str | tuple[str, ...]
    description: str = ""
    label: str = ""
    format: Format = "decimal"

    @property
    def numerator(self) -> tuple[str, ...]:
        """The columns of `of`, also where there is one."""
        return (self.of,) if isinstance(self.of, str) else self.of

    @property
    def denominator(self) -> tuple[str, ...]:
        """The columns of `per`, also where there is one."""
        return (self.per,) if isinstance(self.per, str) else self.per


@dataclass(frozen=True, eq=False)
class Dimension:
    """One row per member, with an Unknown member and inferred ones.

    Args:
        name: the table's name.
        transform: from the sources' current rows to one row per `key`.
        key: the column that facts refer to.
        inferred_from: the source columns whose values are members even where
            no export describes them. A bare source stands for its column `key`.
        history: the columns whose changes are kept, in a table of its own.
        columns: descriptions of columns; those passed through inherit theirs.
        calendar_years: the first and last year that a `calendar` has at most. A
            day beyond that sales are dated by is an inferred member.
        label, labels: what reports call the table, and columns of it, where
            that is not what follows from their names (model/labels).
        hierarchies: by name, columns from the coarsest to the finest.
        visible_to: the column with the e-mail address of who sees a member and
            the facts that refer to it, in reports; without regard to case.
    """

    name: str
    transform: Transform
    key: str
    inferred_from: tuple[SourceColumn, ...] = ()
    history: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    owner: str | None = None
    label: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    hierarchies: Mapping[str, Sequence[str]] = field(default_factory=dict)
    visible_to: str | None = None
    calendar_years: tuple[int, int] = CALENDAR_YEARS

    def __post_init__(self) -> None:
        first, last = self.calendar_years
        if not CALENDAR_YEARS[0] <= first <= last <= 9999:
            problem = f"calendar_years are {first} to {last}"
            raise BadDeclaration(self.name, problem, f"Write the first and the last year, from {CALENDAR_YEARS[0]} on")

    @property
    def upstream(self) -> tuple[str, ...]:
        """The names of the tables that the transform reads."""
        return tuple(inspect.signature(self.transform).parameters)


@dataclass(frozen=True, eq=False)
class History(Dimension):
    """What a dimension's members were when (a slowly changing dimension of type 2).

    Grain: one row per member and interval in which its tracked columns had one
    value; the others have today's. Its key is a surrogate that facts carry.
    """

    of: Dimension = field(kw_only=True)

    @classmethod
    def of_dimension(cls, of: Dimension) -> History:
        """The history of a dimension that declares one."""
        columns = {
            surrogate(of.key): f"The member as it was in an interval; {of.key} is the member.",
            VALID_FROM: "From when on it was so (UTC); 1900-01-01 for the first interval.",
            VALID_TO: "Until when, exclusively (UTC); 9999-12-31 for the interval that still lasts.",
            IS_CURRENT: "Whether the interval still lasts.",
        }
        return cls(
            f"{of.name}_history",
            of.transform,
            surrogate(of.key),
            of.inferred_from,
            columns={**of.columns, **columns},
            description=f"One row per member of {of.name} and interval: {', '.join(of.history)} as they were then.",
            owner=of.owner,
            labels=of.labels,
            of=of,
        )


VALID_FROM, VALID_TO, IS_CURRENT = "valid_from", "valid_to", "is_current"


def surrogate(column: str) -> str:
    """The column that holds the surrogate key beside one that holds a member's own: product_id → product_sk."""
    return column.removesuffix("_id") + "_sk"


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
        excluded: in a word, what the rows are that the transform leaves out.
        columns: descriptions of columns; those passed through inherit theirs.
        ratios: what reports show as one sum over another.
        label, labels: what reports call the table, and columns of it, where
            that is not what follows from their names (model/labels).
    """

    name: str
    transform: Transform
    key: str
    date: str
    references: Mapping[str, Dimension] = field(default_factory=dict)
    measures: tuple[Measure, ...] = ()
    sort_by: tuple[str, ...] = ()
    excluded: str = "excluded"
    columns: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    owner: str | None = None
    ratios: tuple[Ratio, ...] = ()
    label: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def upstream(self) -> tuple[str, ...]:
        """The names of the tables that the transform reads."""
        return tuple(inspect.signature(self.transform).parameters)

    @property
    def shown(self) -> tuple[Measure | Ratio, ...]:
        """What reports show of it: its measures, and what is computed from them."""
        return (*self.measures, *self.ratios)

    @property
    def summed(self) -> tuple[str, ...]:
        """The columns of the measures that add up."""
        return tuple(measure.column for measure in self.measures if measure.aggregate == "sum")


def dimension(
    *,
    key: str,
    inferred_from: Sequence[Source | SourceColumn] = (),
    history: Sequence[str] = (),
    columns: Mapping[str, str] | None = None,
    owner: str | None = None,
    label: str = "",
    labels: Mapping[str, str] | None = None,
    hierarchies: Mapping[str, Sequence[str]] | None = None,
    visible_to: str | None = None,
    calendar_years: tuple[int, int] = CALENDAR_YEARS,
) -> Callable[[Transform], Dimension]:
    """Declare the decorated transform as a dimension of its name; with `history`, as two tables."""

    def declare(transform: Transform) -> Dimension:
        name, description = _named(transform)
        inferred = tuple(entry[key] if isinstance(entry, Source) else entry for entry in inferred_from)
        return Dimension(
            name,
            transform,
            key,
            inferred,
            tuple(history),
            dict(columns or {}),
            description,
            owner,
            label,
            dict(labels or {}),
            dict(hierarchies or {}),
            visible_to,
            calendar_years,
        )

    return declare


def fact(
    *,
    key: str,
    date: str,
    references: Mapping[str, Dimension],
    measures: Sequence[Measure] = (),
    sort_by: Sequence[str] = (),
    excluded: str = "excluded",
    columns: Mapping[str, str] | None = None,
    owner: str | None = None,
    ratios: Sequence[Ratio] = (),
    label: str = "",
    labels: Mapping[str, str] | None = None,
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
            excluded,
            dict(columns or {}),
            description,
            owner,
            tuple(ratios),
            label,
            dict(labels or {}),
        )

    return declare


def _named(transform: Transform) -> tuple[str, str]:
    name: str = transform.__name__
    if not NAME.fullmatch(name):
        raise BadDeclaration(name, "is not a usable table name", "Use lower-case letters, digits and _")
    return name, inspect.getdoc(transform) or ""
