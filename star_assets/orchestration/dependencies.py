"""Which tables are built from which: what Dagster's graph is made of.

Not here: the assets themselves (assets), which exports suffice for a table (exports).
"""

from __future__ import annotations

from collections.abc import Iterable

from star_assets.model import Fact, Source, Star
from star_assets.model.schema import AnyTable


def upstream(star: Star, table: AnyTable) -> list[str]:
    """The tables an asset is built from. A fact is audited against its dimensions, so they come first."""
    if isinstance(table, Source):
        return []
    names = [source.name for source in star.upstream_sources(table)]
    if isinstance(table, Fact):
        names += [dimension.name for dimension in table.references.values()]
    return list(dict.fromkeys(names))


def downstream(star: Star, changed: Iterable[str]) -> list[str]:
    """The tables that are changed or built, directly or not, from one that is."""
    reached = set(changed)
    for name, table in star.tables.items():
        if reached.intersection(upstream(star, table)):
            reached.add(name)
    return [name for name in star.tables if name in reached]
