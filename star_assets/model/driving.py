"""The driving column of a fact: the source column whose business date is the fact's partition."""

from __future__ import annotations

from collections.abc import Mapping

from ibis.expr.types import Table

from star_assets.model.errors import BadDeclaration
from star_assets.model.lineage import Origin, passed_through
from star_assets.model.source import Source, SourceColumn
from star_assets.model.tables import Fact

REMEDY = "Pass one timestamp column of the driving source through"


def driving_column(
    fact: Fact, rows: Table, lineage: Mapping[str, frozenset[Origin]], sources: Mapping[str, Source]
) -> SourceColumn:
    """The source column that the fact's date passes through unchanged; `rows` is what the fact's function returns.

    The key index has the dates of this column: rows whose date was computed
    from it would fall on days that are never built. Raises BadDeclaration.
    """
    origins = lineage.get(fact.date, frozenset())
    candidates = [(source, column) for source, column in origins if source in sources]
    if len(candidates) != 1:
        raise BadDeclaration(
            fact.name, f"its date {fact.date!r} comes from {len(candidates)} source columns, expected one", REMEDY
        )
    source, column = candidates[0]
    if passed_through(rows, fact.date) is None:
        declared = sources[source].staged[column].type
        raise BadDeclaration(
            fact.name,
            f"its date {fact.date!r} is computed from {source}.{column}, which is declared as {declared}",
            f"{REMEDY} as it is; text, or a date, becomes one where its source declares it as timestamp",
        )
    return sources[source][column]
