"""Writes the sample retailer's exports into a lake of any storage.

Not here: their rows (retailer).
"""

from __future__ import annotations

import shutil
from datetime import date
from functools import partial
from pathlib import Path

from star_assets.lake.storage import Storage, each
from star_assets.samples.formats import MARKER
from star_assets.samples.retailer import write_exports


def export_samples(
    storage: Storage, first: date, days: int, *, orders_per_day: int = 500, since: date | None = None
) -> int:
    """Write the exports of `days` days from `first` on; return the number of rows. Existing exports stay.

    With `since`, only the days from then on are written.
    """
    folder = storage.scratch()
    try:
        rows = write_exports(folder, first, days, orders_per_day=orders_per_day, since=since)
        each(storage, partial(_export, storage, folder), sorted(folder.glob("oltp/*/date=*")))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return rows


def _export(storage: Storage, root: Path, export: Path) -> None:
    """Write one day's export of one source, unless it is there. Its marker is deleted first and written last."""
    folder = export.relative_to(root).as_posix()
    files = {f"{folder}/{file.name}": file for file in export.iterdir()}
    marker = f"{folder}/{MARKER}"
    found = {stored.path: stored.size for stored in storage.walk(folder)}
    if all(found.get(path) == file.stat().st_size for path, file in files.items()) and all(
        storage.read(path)[0] == file.read_bytes() for path, file in files.items()
    ):
        return
    storage.delete([marker])
    for path in sorted(files, key=lambda path: path == marker):
        storage.adopt(files[path], path)
