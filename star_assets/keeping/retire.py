"""`retire` deletes raw files of old export days; their staged versions take the raw files' place.

A retired day keeps a marker in its folder, which tells it from a day without an
export. From then on its staged version is the only copy: the day cannot be staged
again, and after a change of the source's declaration it stays as the earlier
declaration staged it, which a run reports.

Only files that were listed and compared are deleted, each by `Storage.delete_if`, so
a correction that arrives meanwhile stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial

from star_assets.exports.finding import (
    RETIRED,
    Export,
    Fingerprint,
    RawFile,
    export_days,
    is_same,
    raw_folder,
    read_export,
    read_exports,
    retirement,
)
from star_assets.lake.ledger import Entry, read_day
from star_assets.lake.storage import Storage, each
from star_assets.lake.versions import Manifest, Partition, read_manifest
from star_assets.model.days import ExportDay, day_of
from star_assets.model.source import Source
from star_assets.pipeline.context import Context
from star_assets.pipeline.stage import REJECTS_FILE, StageStep


@dataclass(frozen=True)
class OldDay:
    """An export that can be retired: its files as they were listed, and the staged version that replaces them.

    `is_begun` is True if an earlier retirement was killed midway: then the files are those that it did not delete.
    """

    source: Source
    day: ExportDay
    files: tuple[Fingerprint, ...]
    version: str
    is_begun: bool

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True)
class Retirable:
    """The old days that can be retired, and for each other old day a text with the reason why it must stay."""

    days: tuple[OldDay, ...]
    kept: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many days these are, the hours of one counted together."""
        return _count(self.days)

    @property
    def size(self) -> int:
        """Bytes of all files that would be deleted."""
        return sum(old.size for old in self.days)


@dataclass(frozen=True)
class Retired:
    """How many days were retired, the bytes of their files, and for each old day that had to stay the reason."""

    days: int
    bytes: int
    kept: tuple[str, ...]


def retire(context: Context, retention: timedelta, today: date) -> Retired:
    """Delete raw files of export days older than the retention, if the live staged version was made from them."""
    found = retirable(context, retention, today)
    done = delete_listed(context, found)
    return replace(done, kept=found.kept + done.kept)


def retirable(context: Context, retention: timedelta, today: date) -> Retirable:
    """The export days older than the retention that have raw files, divided into those that can be retired and others.

    Deletes nothing. Reads each staged file that is to replace raw files, to compare its checksum.
    """
    first_kept = (today - retention).isoformat()
    days, kept = list[OldDay](), list[str]()
    for source in context.star.sources.values():
        days_of_source = [day for day in export_days(context.storage, source) if day < first_kept]
        listed = each(context.storage, partial(read_exports, context.storage, source), days_of_source)
        old = [export for found in listed for export in found.exports.values()]
        look = partial(_look, context, StageStep(context, source), context.staged(source))
        for export, looked in zip(old, each(context.storage, look, old), strict=True):
            if isinstance(looked, OldDay):
                days.append(looked)
            elif looked:
                kept.append(f"{source.name} {export.day}: {looked}")
    return Retirable(tuple(days), tuple(kept))


def delete_listed(context: Context, found: Retirable) -> Retired:
    """Delete exactly the listed files, day by day; a day whose files have changed since is kept.

    Each day's marker is written before its first file is deleted, so that the next run finishes what a killed
    one began.
    """
    reasons = each(context.storage, partial(_delete, context), found.days)
    done = [old for old, reason in zip(found.days, reasons, strict=True) if reason is None]
    kept = [f"{old.source.name} {old.day}: {reason}" for old, reason in zip(found.days, reasons, strict=True) if reason]
    return Retired(_count(done), sum(old.size for old in done), tuple(kept))


def _count(old: Sequence[OldDay]) -> int:
    return len({(one.source.name, day_of(one.day)) for one in old})


def _look(context: Context, step: StageStep, live: Mapping[ExportDay, Entry], export: Export) -> OldDay | str | None:
    """The export if it can be retired; otherwise why its raw files must stay; None if it has no raw files."""
    storage, source, day = context.storage, step.source, export.day
    if export.broken:
        return str(export.broken[0])
    present = _present(export)
    if not present:
        return None
    if day not in live:
        return "it is not staged"
    partition = Partition("staging", source.name, day)
    try:
        manifest = read_manifest(storage, partition, live[day].version)
    except FileNotFoundError:
        return "its staged version has no manifest"
    known = {file["path"]: Fingerprint(**file) for file in manifest.inputs["files"]}
    whole = export.retired or len(present) == len(known)
    if not whole or not all(file.path in known and is_same(storage, file, known[file.path]) for file in present):
        return "its files have changed since they were staged"
    if not export.retired and step.identity(manifest.inputs["files"]) != live[day].identity:
        return "an earlier declaration staged it; run it again first"
    if damage := _damage(storage, partition, manifest):
        return damage
    files = tuple(replace(known[file.path], etag=file.etag, modified=file.modified) for file in present)
    return OldDay(source, day, files, manifest.version, export.retired)


def _damage(storage: Storage, partition: Partition, manifest: Manifest) -> str | None:
    """The first difference between the staged files and their manifest; None if they agree."""
    checksums: dict[str, str | None] = {file.name: file.sha256 for file in manifest.files}
    if manifest.facts.get("rejected"):
        # The rejects' file becomes the only copy of these rows; a manifest has no checksum of it.
        checksums[REJECTS_FILE] = None
    for name, checksum in checksums.items():
        path = f"{partition.version_folder(manifest.version)}/{name}"
        try:
            found = storage.sha256(path)
        except FileNotFoundError:
            return f"{storage.uri(path)}, which would be the only copy, is gone; restore it first"
        if checksum not in (None, found):
            return f"{storage.uri(path)}, which would be the only copy, has another checksum; restore it first"
    return None


def _delete(context: Context, old: OldDay) -> str | None:
    """Delete a day's files. Returns the reason if it deleted none or not all of them; None if it deleted all."""
    storage, source = context.storage, old.source
    present = _present(read_export(storage, source, old.day))
    if [(file.path, file.etag) for file in present] != [(file.path, file.etag) for file in old.files]:
        return "its files have changed since they were looked at"
    live = read_day(storage, Partition("staging", source.name, old.day)).live
    if live is None or live.version != old.version:
        return "another version of it has been published since it was looked at"
    marker = f"{raw_folder(source.name, old.day)}/{RETIRED}"
    if not old.is_begun:
        storage.write(marker, retirement(old.files))
    for number, file in enumerate(old.files):
        if not storage.delete_if(file.path, file.etag):
            if number == 0 and not old.is_begun:
                storage.delete([marker])
            return _replaced(file, number)
    return None


def _replaced(file: Fingerprint, deleted: int) -> str:
    kept = f"{file.path} was replaced while it was being retired, and stays"
    others = "1 other file was" if deleted == 1 else f"{deleted} other files were"
    return f"{kept}; {others} deleted before, so export the whole day again" if deleted else kept


def _present(export: Export) -> tuple[RawFile, ...]:
    return export.left if export.retired else export.files
