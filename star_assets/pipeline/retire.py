"""Retiring raw exports: what was staged long ago stands for the files it was staged from.

A retired day keeps a marker in its folder, so it is not taken for a day without
an export. Its staged version is from then on the checkpoint that every table is
rebuilt from. What can no longer be done is staging it anew: after a change of
the source's declaration it stays as it was staged, and a run says so.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta

from star_assets.lake.versions import Partition, read_manifest, read_pointer
from star_assets.model.source import Source
from star_assets.pipeline.context import Context
from star_assets.pipeline.stage import StageStep, same_files
from star_assets.staging.exports import RAW, RETIRED, Export, export_days, read_export


@dataclass(frozen=True)
class Retired:
    """How many days' raw files were deleted, their bytes, and which old days had to stay, with the reason."""

    days: int
    bytes: int
    kept: tuple[str, ...]


def retire(context: Context, retention: timedelta, today: date) -> Retired:
    """Delete raw files of export days older than the retention, where what is staged holds exactly them."""
    storage, first_kept = context.storage, (today - retention).isoformat()
    days, size, kept = 0, 0, []
    for source in context.star.sources.values():
        for day in (day for day in export_days(storage, source) if day < first_kept):
            folder = f"{RAW}/{source.name}/date={day}"
            export = read_export(storage, source, day)
            if not export.retired and not export.files:
                continue
            if not export.retired and (reason := _needed(context, source, export)):
                kept.append(f"{source.name} {day}: {reason}")
                continue
            if not export.retired:
                listed = [(file.path, file.size) for file in export.files]
                storage.write(f"{folder}/{RETIRED}", json.dumps(listed).encode())
                days, size = days + 1, size + sum(file.size for file in export.files)
            # A run that was killed here is finished by the next one.
            markers = {f"{folder}/{marker}" for marker in export.markers} | {f"{folder}/{RETIRED}"}
            storage.delete(found.path for found in storage.walk(folder) if found.path not in markers)
    return Retired(days, size, tuple(kept))


def _needed(context: Context, source: Source, export: Export) -> str | None:
    """Why a day's raw files must stay; None if what is staged can stand for them."""
    partition = Partition("staging", source.name, export.day)
    pointer, _ = read_pointer(context.storage, partition)
    if pointer.live is None:
        return "it is not staged"
    files = read_manifest(context.storage, partition, pointer.live.version).inputs["files"]
    if not same_files(export, files):
        return "its files have changed since they were staged"
    if StageStep(context, source).identity(files) != pointer.live.identity:
        return "an earlier declaration staged it; run it again first"
    return None
