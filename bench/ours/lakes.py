"""The star in a lake: opening it, refreshing tables, finding what was published.

Not here: the raw exports (exports), what is measured (the scripts beside this).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from star_assets.pipeline.warehouse import Warehouse
from star_assets.settings import Settings
from star_assets.star import retail


def warehouse(lake: Path | str, first_day: date | str) -> Warehouse:
    """The retail star in a lake, as a new process would open it."""
    return Warehouse(retail, Settings(lake=str(lake), start_date=date.fromisoformat(str(first_day))))


def refresh(house: Warehouse, tables: Iterable[str], days: Sequence[str]) -> None:
    """Refresh tables one after the other. Raises whatever a day failed with."""
    for table in tables:
        for outcome in house.refresh(table, days):
            if outcome.error:
                raise outcome.error


def live_files(lake: Path) -> dict[str, list[str]]:
    """The Parquet files that the catalog serves, for each table of the star."""
    catalog = Warehouse(retail, Settings(lake=str(lake))).catalog
    entries = {table.name: table for table in catalog.tables("olap")}
    folders = {name: [entries[name].location] for name in retail.dimensions}
    folders |= {name: [each.location for each in catalog.partitions("olap", name)] for name in retail.facts}
    return {
        name: [str(file) for folder in locations for file in sorted(Path(str(folder)).glob("*.parquet"))]
        for name, locations in folders.items()
    }
