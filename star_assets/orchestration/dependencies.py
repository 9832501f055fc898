"""Which tables are built from which: the edges of Dagster's asset graph.

Not here: the assets (assets), which exports a table needs (raw_zone).
"""

from __future__ import annotations

from collections.abc import Iterable

from star_assets.model import Fact, Source, Star
from star_assets.model.schema import AnyTable


def upstream(star: Star, table: AnyTable) -> list[str]:
    """The tables that a table is built from; of a fact also its dimensions, against which it is audited."""
    if isinstance(table, Source):
        return []
    names = [source.name for source in star.upstream_sources(table)]
    if isinstance(table, Fact):
        names += [dimension.name for dimension in table.references.values()]
    return list(dict.fromkeys(names))


def downstream(star: Star, changed: Iterable[str]) -> list[str]:
    """The changed tables and all tables built from them, directly or not."""
    reached = set(changed)
    for name, table in star.tables.items():
        if reached.intersection(upstream(star, table)):
            reached.add(name)
    return [name for name in star.tables if name in reached]
