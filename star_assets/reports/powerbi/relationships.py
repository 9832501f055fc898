"""The relationships of the semantic model: one for each reference of a fact, if the model has both columns.

The business date is related by the partition column, as text, so that a filter on days reads only
those partitions. Of several references to one dimension one is active: the business date, or else
the first one that is declared.
"""

from __future__ import annotations

from dataclasses import dataclass

from star_assets.model import PARTITION_COLUMN, Fact, Star
from star_assets.model.calendars import calendar_of
from star_assets.model.labels import table_label
from star_assets.model.tables import PARTITION_DATE
from star_assets.reports.powerbi import dax
from star_assets.reports.powerbi.columns import model_columns
from star_assets.reports.powerbi.identity import identity
from star_assets.reports.powerbi.tmdl import Node, quoted


@dataclass(frozen=True)
class Relationship:
    """A many-to-one relationship from a fact's column to a dimension's, by their labels.

    `column` is the name of the fact's column in the star.
    """

    identity: str
    column: str
    from_table: str
    from_column: str
    to_table: str
    to_column: str
    active: bool

    @property
    def from_dax(self) -> str:
        """The fact's column in DAX."""
        return dax.column(self.from_table, self.from_column)

    @property
    def to_dax(self) -> str:
        """The dimension's column in DAX."""
        return dax.column(self.to_table, self.to_column)


def relationships(star: Star, fact: Fact) -> list[Relationship]:
    """The relationships of a fact, without those whose column is personal and so not in the model."""
    calendar = calendar_of(star, fact)
    by_partition = calendar.column if calendar else None
    columns, found, related = model_columns(star, fact), [], set()
    for column in sorted(fact.references, key=lambda name: name != by_partition):
        dimension = fact.references[column]
        ends = (PARTITION_COLUMN, PARTITION_DATE) if column == by_partition else (column, dimension.key)
        members = model_columns(star, dimension)
        if ends[0] not in columns or ends[1] not in members:
            continue
        found.append(
            Relationship(
                identity(fact.name, column, dimension.name),
                column,
                table_label(fact),
                columns[ends[0]].label,
                table_label(dimension),
                members[ends[1]].label,
                active=dimension.name not in related,
            )
        )
        related.add(dimension.name)
    return found


def inactive_references(star: Star, fact: Fact) -> list[Relationship]:
    """The inactive relationships of a fact, which only measures use."""
    return [one for one in relationships(star, fact) if not one.active]


def relationship_nodes(star: Star) -> list[Node]:
    """The relationships of all facts. They allow inner joins, because an audit proves that every row has its member."""
    return [
        Node(
            "relationship",
            one.identity,
            properties=[
                *([] if one.active else ["isActive: false"]),
                "relyOnReferentialIntegrity",
                f"fromColumn: {quoted(one.from_table)}.{quoted(one.from_column)}",
                f"toColumn: {quoted(one.to_table)}.{quoted(one.to_column)}",
            ],
        )
        for fact in star.facts.values()
        for one in relationships(star, fact)
    ]
