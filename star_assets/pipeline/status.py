"""What is live, table by table, as rows.

One listing of pointers per table and one read of the catalog: the cost does not
grow with versions or files. Not here: what people see of it (cli), mending what
is out of step (lake.publish).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from star_assets.lake.catalog import PartitionEntry, TableEntry
from star_assets.lake.publish import out_of_step
from star_assets.lake.versions import Pointers, parse_time

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
    ]
)


def table_status(warehouse: Warehouse) -> pa.Table:
    """One row per table of the star, sources first, in the schema `STATUS`.

    `partitions`, days, `rows` and `size_bytes` are of what is live; `live_since`
    is when the newest of it became so. `versions` counts the live ones and those
    that a rollback can return to. `catalog` is `in step`, `<n> behind`, `not
    ours` (somebody else's table has the name), or NULL where nothing is live.
    """
    # The catalog first: what the pointers then say beyond it is behind, not about to be served.
    entries = warehouse.entries()
    served = warehouse.catalog.snapshot([(entry.database, entry.name) for entry in entries])
    rows = [_row(warehouse, entry, *served.get((entry.database, entry.name), (None, []))) for entry in entries]
    return pa.Table.from_pylist(rows, STATUS)


def _row(
    warehouse: Warehouse, table: TableEntry, found: TableEntry | None, partitions: list[PartitionEntry]
) -> dict[str, Any]:
    pointers = Pointers(warehouse.storage, table.database, table.name).refresh()
    live = {day: pointer.live for day, pointer in pointers.items() if pointer.live}
    days = [day for day in live if day]
    behind = len(out_of_step(warehouse.storage, table, found, partitions, pointers))
    agreement = f"{behind} behind" if behind else "in step" if live else None
    return {
        "table": f"{table.database}.{table.name}",
        "kind": type(warehouse.star.table(table.name)).__name__.lower(),
        "partitions": len(live),
        "first_day": min(days, default=None),
        "last_day": max(days, default=None),
        "rows": sum(entry.rows for entry in live.values()),
        "size_bytes": sum(entry.size for entry in live.values()),
        "live_since": parse_time(max(entry.since for entry in live.values())) if live else None,
        "versions": len(live) + sum(len(pointer.history) for pointer in pointers.values()),
        "catalog": "not ours" if found and not found.is_ours else agreement,
    }
