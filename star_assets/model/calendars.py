"""Finding the calendar of a fact: the dimension with a row for each day, which the business date refers to.

A calendar is a dimension whose key is a date and that has a text column
`partition_date`, equal to the partition column of the facts: a join through it
needs no cast, so that a month of the calendar reads that month's partitions alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis.expr.operations as ops

from star_assets.model.errors import BadDeclaration
from star_assets.model.functions import business_date
from star_assets.model.lineage import origin
from star_assets.model.schema import StarSchema
from star_assets.model.tables import PARTITION_DATE, Dimension, Fact


@dataclass(frozen=True)
class Calendar:
    """The calendar of a fact: the fact's column with the business date, and the dimension that it refers to."""

    column: str
    dimension: Dimension


def calendar_of(star: StarSchema, fact: Fact) -> Calendar | None:
    """The calendar that a fact's business date refers to; None if no reference equals that date."""
    for column, dimension in fact.references.items():
        if has_partition_date(star, dimension) and is_business_date(star, fact, column):
            return Calendar(column, dimension)
    return None


def has_partition_date(star: StarSchema, dimension: Dimension) -> bool:
    """Whether a dimension is a calendar: it has the column `partition_date`."""
    return PARTITION_DATE in star.transformed(dimension).columns


def check_calendar(star: StarSchema, dimension: Dimension) -> None:
    """Raise BadDeclaration for a calendar whose columns have other types than the columns of facts."""
    types = {field.name: str(field.type) for field in star.fields(dimension)}
    if types.get(PARTITION_DATE, "string") != "string" or (PARTITION_DATE in types and types[dimension.key] != "date"):
        raise BadDeclaration(
            dimension.name,
            f"{PARTITION_DATE!r} is {types[PARTITION_DATE]}, and its key is {types[dimension.key]}",
            "A calendar has a key of type date, and that date as a string in this column",
        )


def is_business_date(star: StarSchema, fact: Fact, column: str) -> bool:
    """Whether a column of a fact is the business date of the timestamp that decides its partition."""
    rows = star.transformed(fact).op()
    found = origin(rows, column)
    if not isinstance(found, _BUSINESS_DATE):
        return False
    (moment,) = found.args
    return isinstance(moment, ops.Field) and origin(moment.rel, moment.name) == origin(rows, fact.date)


_BUSINESS_DATE = type(business_date(ops.Literal(None, "timestamp(3)").to_expr()).op())
