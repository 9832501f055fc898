"""The star as a semantic model that other tools read: datasets, relationships and metrics, as Apache Ossie writes them.

Apache Ossie was called Open Semantic Interchange. Its version 0.1.1 is what dbt's
MetricFlow reads; what a tool asks Athena for is that tool's. Personal columns, and the
one that says who sees a member, are left out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from star_assets.model import PARTITION_COLUMN, Dimension, Fact, Measure, Ratio, Star
from star_assets.model.calendars import calendar_of, has_partition_date
from star_assets.model.labels import column_label, measure_label, table_label
from star_assets.model.tables import PARTITION_DATE

Json = dict[str, Any]

VERSION = "0.1.1"

# The data catalog that Athena finds Glue's databases in.
CATALOG = "awsdatacatalog"

_FUNCTIONS = {"sum": "SUM", "avg": "AVG", "min": "MIN", "max": "MAX"}

# What no column tells: how to read few partitions, and the members that are not described.
INSTRUCTIONS = (
    "The column date of a fact is its partition and a text, such as '2023-07-01'. A condition on it, or on the "
    "calendar that it is related to, reads those days alone. Every reference has its member: joins are inner joins. "
    "A member whose key is -1 or '-1' is Unknown."
)


def written(star: Star, name: str, database: str) -> str:
    """The document as JSON. The same star gives the same text."""
    return json.dumps(document(star, name, database), indent=2, ensure_ascii=False) + "\n"


def document(star: Star, name: str, database: str) -> Json:
    """The document of a star: `name` is the model's, `database` the one that holds the tables."""
    tables: list[Fact | Dimension] = [*star.facts.values(), *star.dimensions.values()]
    model = {
        "name": name,
        "ai_context": {"instructions": INSTRUCTIONS},
        "datasets": [_dataset(star, table, database) for table in tables],
        "relationships": [found for fact in star.facts.values() for found in _relationships(star, fact)],
        "metrics": [*_metrics(star)],
    }
    return {"version": VERSION, "semantic_model": [model]}


def _dataset(star: Star, table: Fact | Dimension, database: str) -> Json:
    found: Json = {
        "name": table.name,
        "source": f"{CATALOG}.{database}.{table.name}",
        "primary_key": [table.key],
    }
    if isinstance(table, Dimension) and has_partition_date(star, table):
        found["unique_keys"] = [[PARTITION_DATE]]
    return {
        **found,
        "description": table.description,
        "ai_context": {"synonyms": [table_label(table)]},
        "fields": [*_fields(star, table)],
    }


def _fields(star: Star, table: Fact | Dimension) -> Iterator[Json]:
    columns = _columns(star, table)
    for field in star.fields(table):
        if field.name in columns:
            is_time = field.type.name in ("date", "timestamp")
            yield _field(field.name, field.name, column_label(table, field.name), field.description, is_time)
    if isinstance(table, Fact):
        yield _field(PARTITION_COLUMN, f'"{PARTITION_COLUMN}"', "Partition Date", "The business date, as text.")
        for added in dict.fromkeys(part for ratio in table.ratios for part in _parts(ratio) if len(part) > 1):
            terms = " + ".join(f"COALESCE({column}, 0)" for column in added)
            yield _field(_sum_of(added), terms, " and ".join(column_label(table, column) for column in added))


def _columns(star: Star, table: Fact | Dimension) -> set[str]:
    """The names of the columns that anybody may see."""
    withheld = {*star.personal(table), table.visible_to if isinstance(table, Dimension) else None}
    return {field.name for field in star.fields(table)} - withheld


def _field(name: str, expression: str, label: str, description: str = "", is_time: bool = False) -> Json:
    found = {"name": name, "expression": _expression(expression), "dimension": {"is_time": is_time}, "label": label}
    return {**found, "description": description} if description else found


def _expression(sql: str) -> Json:
    return {"dialects": [{"dialect": "ANSI_SQL", "expression": sql}]}


def _relationships(star: Star, fact: Fact) -> Iterator[Json]:
    """One for each reference; the business date relates by the text of partitions, so that a month reads few."""
    calendar = calendar_of(star, fact)
    known = _columns(star, fact)
    for column, dimension in fact.references.items():
        by_partition = calendar is not None and column == calendar.column
        ends = (PARTITION_COLUMN, PARTITION_DATE) if by_partition else (column, dimension.key)
        if by_partition or (column in known and dimension.key in _columns(star, dimension)):
            yield {
                "name": f"{fact.name}_{column}",
                "from": fact.name,
                "to": dimension.name,
                "from_columns": [ends[0]],
                "to_columns": [ends[1]],
            }


def _metrics(star: Star) -> Iterator[Json]:
    shown = [(fact, one) for fact in star.facts.values() for one in _shown(fact)]
    counts = Counter(one.name for _, one in shown)
    for fact, one in shown:
        found: Json = {
            "name": one.name if counts[one.name] == 1 else f"{fact.name}_{one.name}",
            "expression": _expression(_measured(fact, one)),
            "ai_context": {"synonyms": [measure_label(fact, one)]},
        }
        yield {**found, "description": one.description} if one.description else found


def _shown(fact: Fact) -> list[Measure | Ratio]:
    """The measures and ratios; of several of one name the first, which dashboards mean."""
    return [one for place, one in enumerate(fact.shown) if one.name not in {other.name for other in fact.shown[:place]}]


def _measured(fact: Fact, one: Measure | Ratio) -> str:
    if isinstance(one, Measure):
        return f"{_FUNCTIONS[one.aggregate]}({fact.name}.{one.column})"
    return " / ".join(f"SUM({fact.name}.{_sum_of(part)})" for part in _parts(one))


def _parts(ratio: Ratio) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return ratio.numerator, ratio.denominator


def _sum_of(columns: tuple[str, ...]) -> str:
    """The field that adds up columns of a row; of one column, that column."""
    return "_plus_".join(columns)
