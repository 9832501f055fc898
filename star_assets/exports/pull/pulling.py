"""Pulls a day into the raw zone: once, from one snapshot, all sources or none.

The files of all sources are written to scratch, then moved to the raw zone, then each gets its
marker. Files change only while no marker of the same pull exists, so one marker proves that all
files of its pull are there. If a process is killed, the next pull adds the missing markers if
there is one, and pulls the day again otherwise. Exports of others are never changed.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from star_assets.exports.finding import RAW, Export, list_exports, marker_of_pulled, read_export
from star_assets.exports.pull.database import Database, Day, day_of, open_database
from star_assets.lake.storage import Storage, each
from star_assets.lake.versions import new_version_id
from star_assets.model.days import ExportDay
from star_assets.model.errors import StarError
from star_assets.model.source import Source
from star_assets.model.star import Star
from star_assets.settings import Settings


@dataclass(frozen=True)
class Pulled:
    """The outcome of pulling a day: the rows of each source that was exported, or the error that prevented it.

    If a day was to be pulled again, `left` names the sources whose exports were left as they
    are, because they were not pulled, or were retired.
    """

    day: str
    rows: Mapping[str, int] = field(default_factory=dict)
    left: tuple[str, ...] = ()
    error: StarError | None = None


def lacking(storage: Storage, source: Source, days: Iterable[str]) -> list[ExportDay]:
    """Those of the days on which the source has no export, or an incomplete one of a pull that was killed."""
    if not source.is_pulled:
        return []
    exports = list_exports(storage, source).exports
    return [day for day in map(ExportDay, days) if day not in exports or is_lacking(source, exports[day])]


def pull(star: Star, settings: Settings, storage: Storage, days: Sequence[str], again: bool) -> Iterator[Pulled]:
    """Export the sources that lack an export on these days; with `again`, also those that were pulled.

    Yields a Pulled for each day as soon as it is done. Raises no StarError.
    """
    sources = [source for source in star.sources.values() if source.is_pulled]
    for number, day in enumerate(days):
        try:
            database = open_database(settings)
        except StarError as error:
            # Each of the other days would wait for a connection for as long.
            yield from (Pulled(other, error=error) for other in days[number:])
            return
        with closing(database):
            try:
                pulled = _pull_day(database, storage, sources, day_of(star, settings, day), again)
            except StarError as error:
                pulled = Pulled(day, error=error)
        yield pulled


def _pull_day(database: Database, storage: Storage, sources: Sequence[Source], day: Day, again: bool) -> Pulled:
    with database.claimed(f"{storage.uri('')} {day.name}"):
        exports = dict(
            zip(sources, each(storage, lambda s: read_export(storage, s, ExportDay(day.name)), sources), strict=True)
        )
        if not again:
            _complete(storage, exports)
            exports = {source: export for source, export in exports.items() if is_lacking(source, export)}
        found = {source: export for source, export in exports.items() if export.pulls or is_lacking(source, export)}
        rows = _replace(database, storage, found, day) if found else {}
        return Pulled(day.name, rows, tuple(source.name for source in exports if source not in found))


def is_lacking(source: Source, export: Export) -> bool:
    """Whether the source has no export: no complete pull, and no file or marker of anybody else."""
    if export.pulls:
        return not _is_marked(source, export)
    return not (export.files or export.markers or export.retired or export.broken)


def _is_marked(source: Source, export: Export) -> bool:
    return marker_of_pulled(source).name in export.markers


def _complete(storage: Storage, exports: dict[Source, Export]) -> None:
    """Write the markers that a killed process did not write, and take their sources out of `exports`."""
    whole = {pull for source, export in exports.items() if _is_marked(source, export) for pull in export.pulls}
    for source, export in list(exports.items()):
        if export.pulls and not _is_marked(source, export) and export.pulls <= whole:
            storage.write(_marker(source, export.day), b"")
            del exports[source]


def _replace(database: Database, storage: Storage, found: Mapping[Source, Export], day: Day) -> Mapping[str, int]:
    """Replace the exports of these sources by a new pull. Returns the rows of each source."""
    scratch = storage.scratch()
    try:
        rows = database.export(list(found), day, scratch)
        name = f"pulled-{new_version_id()}.csv.gz"
        storage.delete([_marker(source, day.name) for source, export in found.items() if _is_marked(source, export)])

        def adopt(source: Source) -> None:
            storage.adopt(scratch / f"{source.name}.csv.gz", f"{_folder(source, day.name)}/{name}")

        each(storage, adopt, found)
        storage.delete([file.path for export in found.values() for file in export.files])
        each(storage, lambda source: storage.write(_marker(source, day.name), b""), found)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return rows


def _folder(source: Source, day: str) -> str:
    return f"{RAW}/{source.name}/date={day}"


def _marker(source: Source, day: str) -> str:
    return f"{_folder(source, day)}/{marker_of_pulled(source).name}"
