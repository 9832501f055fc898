"""The declarations of dimensions, histories and facts: the decorators @dimension, @fact and @provisional.

A decorated function takes the upstream sources by name and returns the table, as Ibis
expressions, which an engine runs later. Not here: checking declarations against each
other (star), running them (engines).
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from ibis.expr.types import Table

from star_assets.model.errors import BadDeclaration
from star_assets.model.source import NAME, Source, SourceColumn

Transform = Callable[..., Table]

# The one upstream name that is no source: a table with the column `date_key`,
# one row per day of every whole year that the star's facts reach into.
CALENDAR = "calendar"

# The years that a calendar may have: 73,000 days, among them the birthdays of everybody alive. 1900-01-01 is
# the Unknown member's key.
CALENDAR_YEARS = (1901, 2100)

# The text column of a calendar that equals the partition column of facts (see calendars).
PARTITION_DATE = "partition_date"

# How reports show a number. `integer`: 1,234; `decimal`: 1,234.50; `money`: like decimal,
# with the star's currency if it declares one; `percent`: 0.125 as 12.5 %.
Format = Literal["integer", "decimal", "money", "percent"]

IS_PROVISIONAL = "is_provisional"
IS_PROVISIONAL_DESCRIPTION = "Whether the row comes from a till, and no export has its receipt yet."

# What the key of a provisional row begins with, so that it never equals that of a final one.
KEY_PREFIX = "provisional:"

_TIME = re.compile(r"([1-9][0-9]{0,3})(h|d)")


@dataclass(frozen=True)
class Measure:
    """A numeric column of a fact, how it adds up, and its least allowed value.

    Reports use its `label` (by default one such as "Total Revenue") and its `format` (by
    default the one that suits its type).
    """

    column: str
    aggregate: Literal["sum", "avg", "min", "max"] = "sum"
    description: str = ""
    minimum: int | Decimal | None = None
    label: str = ""
    format: Format | None = None

    @property
    def name(self) -> str:
        """The name by which dashboards use the measure: its column's."""
        return self.column


@dataclass(frozen=True)
class Ratio:
    """The sum of some columns of a fact divided by the sum of others, such as an average price.

    Both sums are over all rows that are shown, so a ratio is never an average of averages.
    It has no value if the sum of `per` is zero. Each column is a measure of the fact that
    adds up.
    """

    name: str
    of: str | tuple[str, ...]
    per: str | tuple[str, ...]
    description: str = ""
    label: str = ""
    format: Format = "decimal"

    @property
    def numerator(self) -> tuple[str, ...]:
        """The columns of `of`, as a tuple even if there is only one."""
        return (self.of,) if isinstance(self.of, str) else self.of

    @property
    def denominator(self) -> tuple[str, ...]:
        """The columns of `per`, as a tuple even if there is only one."""
        return (self.per,) if isinstance(self.per, str) else self.per


@dataclass(frozen=True, eq=False)
class Dimension:
    """One row per member, with an Unknown member and inferred ones.

    Args:
        name: the table's name.
        transform: the function from the sources' current rows to one row per `key`.
        key: the column that facts refer to.
        inferred_from: the source columns whose values become members even if no
            export describes them. A source alone stands for its column `key`.
        history: the columns whose changes are kept in a second table, the history.
        columns: descriptions of columns. A column that the transform returns
            unchanged inherits its source column's.
        calendar_years: the first and the last year that `calendar` may have. A day of
            another year that facts use becomes an inferred member.
        label, labels: the table's and its columns' labels in reports, in place of
            those that follow from their names (model/labels).
        hierarchies: by name, columns from the coarsest to the finest.
        visible_to: the column with the e-mail address of the person who sees a
            member, and the facts that refer to it, in reports; its case is ignored.
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
    """The history of a dimension: a slowly changing dimension of type 2.

    Grain: one row per member and interval in which its tracked columns had the same
    values; the other columns have today's values. Its key is a surrogate key that facts
    have too.
    """

    of: Dimension = field(kw_only=True)

    @classmethod
    def of_dimension(cls, of: Dimension) -> History:
        """The history of a dimension that declares one."""
        columns = {
            surrogate(of.key): f"The surrogate key of one interval of the member {of.key}.",
            VALID_FROM: "When the interval begins (UTC); 1900-01-01 for a member's first interval.",
            VALID_TO: "When the interval ends, exclusively (UTC); 9999-12-31 for the current interval.",
            IS_CURRENT: "Whether this is the member's current interval.",
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
    """The name of the surrogate key's column for a member's key column: product_id → product_sk."""
    return column.removesuffix("_id") + "_sk"


@dataclass(frozen=True, eq=False)
class Fact:
    """One row per event, in daily partitions by business date.

    Args:
        name: the table's name.
        transform: the function from winning headers, their lines and look-ups to rows.
        key: the column that identifies a row.
        date: the timestamp column whose business date is the partition.
        references: the dimension that each referring column points to.
        measures: the numeric columns.
        sort_by: the columns that rows are sorted by in a file, before the key.
        excluded: a word for the rows that the transform leaves out.
        columns: descriptions of columns. A column that the transform returns
            unchanged inherits its source column's.
        ratios: pairs of sums that reports show divided.
        label, labels: the table's and its columns' labels in reports, in place of
            those that follow from their names (model/labels).
        provisional: the second function, which gives rows from a stream until exports come; a Star sets it.
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
    provisional: Provisional | None = None

    @property
    def upstream(self) -> tuple[str, ...]:
        """The names of the tables that the transform reads."""
        return tuple(inspect.signature(self.transform).parameters)

    @property
    def row_order(self) -> tuple[str, ...]:
        """The columns that rows of a file are sorted by, in ascending order: `sort_by`, then the key."""
        return tuple(dict.fromkeys((*self.sort_by, self.key)))

    @property
    def shown(self) -> tuple[Measure | Ratio, ...]:
        """The measures and ratios, which reports show."""
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
    """Declare the decorated transform as a dimension, named after it; with `history`, a second table is added."""

    def declare(transform: Transform) -> Dimension:
        name, description = _name_and_description(transform)
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
    """Declare the decorated transform as a fact, named after it."""

    def declare(transform: Transform) -> Fact:
        name, description = _name_and_description(transform)
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


def _name_and_description(transform: Transform) -> tuple[str, str]:
    name: str = transform.__name__
    if not NAME.fullmatch(name):
        raise BadDeclaration(name, "is not a usable table name", "Use lower-case letters, digits and _")
    return name, inspect.getdoc(transform) or ""


@dataclass(frozen=True, eq=False)
class Provisional:
    """The second function of a fact: one row per event of a stream, until an export has the event's receipt.

    Args:
        name: the function's.
        transform: the function from the stream's events, and look-ups, to the fact's columns.
        fact: the fact that has the rows.
        until: the fact's driving source. Any live staged row of a receipt, be it a cancellation or
            a tombstone, supersedes all events of that receipt.
        receipt: the stream's columns with the key of `until`, in the order of that key.
        closes_after: how long a receipt may stay provisional before a check names it.
    """

    name: str
    transform: Transform
    fact: Fact
    until: Source
    receipt: tuple[str, ...]
    closes_after: timedelta
    description: str = ""

    @property
    def upstream(self) -> tuple[str, ...]:
        """The names of the sources that the transform reads: a stream, and look-ups."""
        return tuple(inspect.signature(self.transform).parameters)


def provisional(
    fact: Fact, *, until: Source, receipt: str | Sequence[str], closes_after: str
) -> Callable[[Transform], Provisional]:
    """Declare the decorated function as the one that gives a fact's provisional rows.

    `closes_after` is a number of hours or days, as `"36h"` or `"2d"`. Raises BadDeclaration.
    """
    columns = (receipt,) if isinstance(receipt, str) else tuple(receipt)

    def declare(transform: Transform) -> Provisional:
        name: str = transform.__name__
        time = _TIME.fullmatch(closes_after) if isinstance(closes_after, str) else None
        if time is None:
            raise BadDeclaration(name, f"closes_after is {closes_after!r}", 'Use hours or days, as "36h" or "2d"')
        after = timedelta(hours=int(time[1])) if time[2] == "h" else timedelta(days=int(time[1]))
        return Provisional(name, transform, fact, until, columns, after, inspect.getdoc(transform) or "")

    return declare
