"""The rows of the source `versions`: what building each version used, by its manifest, and its estimated cost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime
from typing import Any

from star_assets.lake.ledger import Ledgers
from star_assets.lake.storage import Storage
from star_assets.lake.versions import LIVE, Manifest, Partition, read_manifest, version_time
from star_assets.pipeline.publishing import USED
from star_assets.prices import AS_OF, used

DATABASES = ("staging", "olap")


def published(lake: Storage, day: str) -> Iterator[dict[str, Any]]:
    """A row of `versions` for each version whose building began on a day (UTC), and that is not vacuumed yet.

    Ledgers name the versions, and ids say when they were made, so that only manifests of the day are read.
    """
    wanted = date.fromisoformat(day)
    for database in DATABASES:
        for table in (name for name in lake.folders(database) if not name.startswith("_")):
            for key, found in Ledgers(lake, database, table).look().days.items():
                partition = Partition(database, table, None if key == LIVE else key)
                for version in found.versions:
                    moment = version_time(version)
                    if moment and moment.date() == wanted:
                        # Vacuum may have removed the version meanwhile.
                        with suppress(FileNotFoundError):
                            yield _row(read_manifest(lake, partition, version), partition, moment)


def _row(manifest: Manifest, partition: Partition, moment: datetime) -> dict[str, Any]:
    return {
        "version_id": manifest.version,
        "made_at": f"{moment:%Y-%m-%d %H:%M:%S}",
        "month": f"{moment:%Y-%m}",
        "table_name": f"{partition.database}.{partition.table}",
        "partition": partition.name,
        "rows": manifest.rows,
        **_amounts(manifest.facts.get(USED, {})),
    }


def _amounts(amounts: dict[str, float]) -> dict[str, Any]:
    """The columns of amounts and their prices."""
    parts = {f"{part}_usd": f"{cost:f}" for part, cost in used(amounts).items()}
    requests = sum(amounts.get(name, 0) for name in ("reads", "writes", "catalog_calls"))
    dpu_seconds = amounts.get("dpu_seconds", 0) + amounts.get("flex_dpu_seconds", 0)
    return {
        "seconds": f"{amounts.get('seconds', 0):.6f}",
        "dpu_seconds": f"{dpu_seconds:.6f}",
        "requests": f"{requests:.6f}",
        **parts,
        "prices_of": AS_OF,
    }
