"""`table_status`: one row per table with its live partitions, sizes, and out-of-date days.

It lists each table's ledgers and reads the catalog once, so its cost does not grow
with versions or files. Not here: showing it (cli), repairing the catalog (lake.drift).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from star_assets.exports.finding import RAW, strays_beside_sources
from star_assets.lake.catalog import PartitionEntry, TableEntry
from star_assets.lake.drift import live_entries, out_of_step
from star_assets.lake.versions import parse_time
from star_assets.model.days import day_of
from star_assets.pipeline.out_of_date import OutOfDate

if TYPE_CHECKING:
    from star_assets.pipeline.warehouse import Warehouse

STATUS = pa.schema(
    [
        ("table", pa.string()),
        ("kind", pa.string()),
        ("partitions", pa.int64()),
        ("first_day", pa.string()),
        ("last_day", pa.string()),
        ("rows", pa.int64()),
        ("size_bytes", pa.int64()),
        ("live_since", pa.timestamp("ms", "UTC")),
        ("versions", pa.int64()),
        ("catalog", pa.string()),
        ("out_of_date", pa.int64()),
        ("withdrawn", pa.int64()),
        ("missing", pa.int64()),
        ("not_understood", pa.list_(pa.string())),
    ]
)


def table_status(warehouse: Warehouse, found: Mapping[str, OutOfDate]) -> pa.Table:
    """One row per table of the star, sources first, in the schema `STATUS`.

    `partitions`, days, `rows` and `size_bytes` are of what is live; `live_since`
    is when the newest of it became so. `versions` counts the live ones and those
    that a rollback can return to. `catalog` is `in step`, `<n> behind`, `not
    ours` (somebody else's table has the name), or NULL where nothing is live.
    `out_of_date` counts the days that a run would refresh, `withdrawn` the
    staged exports that the raw zone holds no more; both as `found` says.
    `missing` counts the days of which an export was to come, and none has.
    `not_understood` are the paths in a source's folder of the raw zone that are no
    export's; where there are such beside the sources' folders, a last row has them.
    """
    # The catalog is read before the ledgers, so that a partition published meanwhile counts as behind, never as lost.
    entries = warehouse.entries()
    served = warehouse.catalog.snapshot([(entry.database, entry.name) for entry in entries])
    rows = [
        {
            **_row(warehouse, entry, *served.get((entry.database, entry.name), (None, []))),
            "out_of_date": len(found[entry.name].days),
            "withdrawn": len(found[entry.name].withdrawn),
            "missing": len(found[entry.name].missing),
            "not_understood": [stray.path for stray in found[entry.name].strays],
        }
        for entry in entries
    ]
    if beside := [stray.path for stray in strays_beside_sources(warehouse.storage, warehouse.star.sources)]:
        rows.append({"table": RAW, "kind": "raw zone", "not_understood": beside})
    return pa.Table.from_pylist(rows, STATUS)


def _row(
    warehouse: Warehouse, table: TableEntry, found: TableEntry | None, partitions: list[PartitionEntry]
) -> dict[str, Any]:
    snapshot = warehouse.look(table.database, table.name)
    live = live_entries(snapshot)
    days = [day_of(day) for day in live if day]
    behind = len(out_of_step(warehouse.storage, table, found, partitions, live))
    agreement = f"{behind} behind" if behind else "in step" if live else None
    return {
        "table": f"{table.database}.{table.name}",
        "kind": type(warehouse.star.table(table.name)).__name__.lower(),
        "partitions": len(live),
        "first_day": min(days, default=None),
        "last_day": max(days, default=None),
        "rows": sum(entry.rows for entry in live.values()),
        "size_bytes": sum(entry.size for entry in live.values()),
        "live_since": parse_time(max(entry.at for entry in live.values())) if live else None,
        "versions": len(live) + sum(len(day.past) for day in snapshot.days.values()),
        "catalog": "not ours" if found and not found.is_ours else agreement,
    }
