"""Rejected rows of every source: file, line, reason and raw text.

A staged version keeps its rejects beside its rows. An export with too many rejects
is refused: its version is kept and never becomes live. Of refused versions the
newest is read, as long as the export has not changed since. Not here: which rows
are rejected (exports).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from star_assets.exports.finding import read_export
from star_assets.lake.versions import FOLDER, Manifest, Partition, found_day, read_manifest, table_folder
from star_assets.model.days import ExportDay, day_of
from star_assets.model.source import Source
from star_assets.pipeline.context import Context
from star_assets.pipeline.stage import REJECTS_FILE, WITHIN_BOUNDS, same_files

REJECTED = pa.schema(
    [
        ("source", pa.string()),
        ("day", pa.string()),
        ("file", pa.string()),
        ("line", pa.int64()),
        ("reason", pa.string()),
        ("raw", pa.string()),
        ("staged", pa.bool_()),
    ]
)

_FILE = re.compile(rf"{FOLDER}/v=(?P<version>[^/]+)/{re.escape(REJECTS_FILE)}")


def rejected_rows(context: Context, sources: Sequence[Source], wanted: Callable[[str], bool]) -> pa.Table:
    """The rejected rows of the wanted days, in the schema `REJECTED`: by source, day, file, line.

    `line` is the record's first in its file, `raw` its text. `staged` is False
    where the day was refused because of them: what was staged of it before, if
    anything, is live. One listing a source; only files with rejects are read.
    """
    tables = [
        _of_version(context, source, day, version, staged)
        for source in sources
        for day, version, staged in _versions(context, source, wanted)
    ]
    return pa.concat_tables([REJECTED.empty_table(), *tables])


def _versions(context: Context, source: Source, wanted: Callable[[str], bool]) -> Iterator[tuple[str, str, bool]]:
    """(day, version, whether it is live) of the versions whose rejects are reported, by day."""
    folder = table_folder("staging", source.name)
    kept: dict[ExportDay, list[str]] = {}
    for stored in context.storage.walk(folder):
        found = _FILE.fullmatch(stored.path.removeprefix(f"{folder}/"))
        if found and wanted(found["day"]):
            kept.setdefault(ExportDay(found_day(found) or ""), []).append(found["version"])
    snapshot = context.look("staging", source.name)
    for day, versions in sorted(kept.items()):
        known = snapshot.day(day)
        live = known.live.version if known.live else ""
        if live in versions:
            yield day, live, True
        newer = [version for version in versions if version > live and version not in known.versions]
        if newer and _is_refused(context, source, day, max(newer)):
            yield day, max(newer), False


def _is_refused(context: Context, source: Source, day: ExportDay, version: str) -> bool:
    """Whether the version had too many rejects, and the export is still the one it was made of."""
    try:
        manifest: Manifest = read_manifest(context.storage, Partition("staging", source.name, day), version)
    except FileNotFoundError:
        return False  # killed before it was whole
    refused = manifest.facts["checks"].get(WITHIN_BOUNDS) is False
    return refused and same_files(read_export(context.storage, source, day), manifest.inputs["files"])


def _of_version(context: Context, source: Source, day: str, version: str, staged: bool) -> pa.Table:
    folder = Partition("staging", source.name, day).version_folder(version)
    (file,) = context.storage.local([f"{folder}/{REJECTS_FILE}"])
    rows = pq.read_table(file).sort_by([("file", "ascending"), ("line", "ascending")])
    beside = {"source": source.name, "day": day_of(day), "staged": staged}
    columns = [
        pa.repeat(pa.scalar(beside[field.name], field.type), rows.num_rows)
        if field.name in beside
        else rows[field.name]
        for field in REJECTED
    ]
    return pa.Table.from_arrays(columns, schema=REJECTED)
