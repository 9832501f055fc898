"""Finds exports in the raw zone: their files, whether they are whole, and their fingerprints.

Not here: files that belong to no export (strays), the content of files (formats).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from star_assets.exports.content import sha256_of
from star_assets.exports.strays import NO_LAST_DAY, Stray, sort_names, strays_among_sources
from star_assets.lake.catalog import OLTP
from star_assets.lake.storage import Storage, Stored
from star_assets.model.days import ExportDay, folder_of, hour_of
from star_assets.model.errors import BrokenFile, HalfExport, LakeRefused
from star_assets.model.source import FileCount, Marker, Source

RAW = OLTP

# A marker in a day's folder: the day is retired, so its files were, or are being, deleted, and its
# staged version is the only copy. It lists the files' fingerprints.
RETIRED = "_retired"

# The marker of a pulled export, if its source declares none.
PULLED = "_pulled"

# The name of a pulled file. All files of one pull have its id and are from one snapshot.
PULLED_FILE = re.compile(r"pulled-(\w+-\w+)\.csv\.gz")


# The folder of an hour in a stream's day, and what messages say was expected.
HOUR = re.compile(r"hour=([01][0-9]|2[0-3])(?:/|$)")
HOUR_EXPECTED = "a folder hour=HH, from 00 to 23"


@dataclass(frozen=True)
class RawFile:
    """A data file of an export: its path in the lake, its bytes, when it last changed (Unix seconds), its ETag."""

    path: str
    size: int
    modified: float
    etag: str = ""


@dataclass(frozen=True)
class Export:
    """What a source exported on a day, or a stream in an hour: its data files by path, and the markers beside them.

    `exists` is False if there is no folder. `retired` is True if `retire` deleted the
    files: their staged version stays. `left` are files that a killed retirement did not
    delete yet; they are no export any more. `broken` are paths among the files that
    cannot be read: no file of such an export is staged.
    """

    source: str
    day: ExportDay
    files: tuple[RawFile, ...]
    markers: frozenset[str]
    exists: bool
    retired: bool = False
    left: tuple[RawFile, ...] = ()
    broken: tuple[Stray, ...] = ()

    @property
    def folder(self) -> str:
        """Its folder in the raw zone."""
        return raw_folder(self.source, self.day)

    @property
    def pulls(self) -> frozenset[str]:
        """The ids of the pulls that wrote its files; none if any file was not pulled."""
        found = [PULLED_FILE.fullmatch(file.path.rpartition("/")[2]) for file in self.files]
        return frozenset(match[1] for match in found if match) if all(found) else frozenset()

    @property
    def listed(self) -> list[tuple[str, str]]:
        """Its paths, each with its ETag or problem: what distinguishes it from another export in a listing."""
        return [(file.path, file.etag) for file in self.files] + [(stray.path, stray.found) for stray in self.broken]


@dataclass(frozen=True)
class RawListing:
    """The listing of a source's folder, or of a day's: its exports, in order, and the strays."""

    exports: Mapping[ExportDay, Export]
    strays: tuple[Stray, ...]


@dataclass(frozen=True)
class Fingerprint:
    """A data file and the SHA-256 of its bytes, as of when it was hashed."""

    path: str
    size: int
    modified: float
    sha256: str
    etag: str = ""


def export_days(storage: Storage, source: Source, last: str = NO_LAST_DAY) -> list[ExportDay]:
    """The days up to the `last` that have a folder in the raw zone, in order."""
    return days_and_strays(storage, source, last)[0]


def days_and_strays(storage: Storage, source: Source, last: str) -> tuple[list[ExportDay], list[Stray]]:
    """The days up to the `last`, and the strays in the source's folder. The days' folders are not listed."""
    folder = f"{RAW}/{source.name}"
    return sort_names(folder, storage.names(folder), last)


def strays_beside_sources(storage: Storage, sources: Collection[str]) -> list[Stray]:
    """The files and folders directly in the raw zone that are no source's folder."""
    return strays_among_sources(RAW, storage.names(RAW), sources)


def days_between(first: str, last: str) -> list[str]:
    """Every day from the first to the last, both included; none if the last is earlier."""
    if last < first:
        return []
    begin = date.fromisoformat(first)
    return [str(begin + timedelta(days=number)) for number in range((date.fromisoformat(last) - begin).days + 1)]


def raw_folder(source: str, export: str) -> str:
    """The folder of a source's export in the raw zone."""
    return f"{RAW}/{source}/{folder_of(export)}"


def read_export(storage: Storage, source: Source, day: ExportDay) -> Export:
    """An export as it is now. Names that begin with `_` or `.` are no data."""
    return _export(storage, source, day, _survey(storage, source, day))


def read_exports(storage: Storage, source: Source, day: str) -> RawListing:
    """What lies in a calendar day's folder: its export, or the exports of its hours, of a stream."""
    return _exports(storage, source, ExportDay(day), _survey(storage, source, day))


def _survey(storage: Storage, source: Source, day: str) -> list[Stored]:
    folder = raw_folder(source.name, day)
    found, (above, _, name) = list(storage.survey(folder)), folder.rpartition("/")
    return [Stored(folder, 0, "", 0.0)] if not found and name in storage.names(above) else found


def list_exports(storage: Storage, source: Source, last: str = NO_LAST_DAY) -> RawListing:
    """The exports of every day up to the `last` that has a folder in the raw zone, by one listing.

    Raises LakeRefused if the source's folder cannot be listed.
    """
    folder, found = f"{RAW}/{source.name}", dict[str, list[Stored]]()
    for stored in storage.survey(folder):
        name, slash, _ = stored.path.removeprefix(f"{folder}/").partition("/")
        if name:
            found.setdefault(f"{name}{slash}", []).append(stored)
        elif stored.problem:
            raise LakeRefused(storage.uri(folder), stored.problem)
    days, strays = sort_names(folder, found, last)
    exports = dict[ExportDay, Export]()
    for day in days:
        of_day = _exports(storage, source, day, [*found.get(f"date={day}/", ()), *found.get(f"date={day}", ())])
        exports |= of_day.exports
        strays += of_day.strays
    return RawListing(exports, tuple(strays))


def _exports(storage: Storage, source: Source, day: ExportDay, found: Sequence[Stored]) -> RawListing:
    """The exports that the listed paths of a calendar day make; of a day that cannot be listed one, which is broken."""
    folder = raw_folder(source.name, day)
    if not source.is_stream or any(_is_of_whole_day(stored, folder) for stored in found):
        return RawListing({day: _export(storage, source, day, found)}, ())
    hours, strays = dict[ExportDay, list[Stored]](), dict[str, Stray]()
    for stored in found:
        name = stored.path.removeprefix(folder).strip("/")
        if match := HOUR.match(name):
            hours.setdefault(hour_of(day, match[1]), []).append(stored)
        elif name and not name.startswith(("_", ".")):
            top, slash, _ = name.partition("/")
            is_folder = slash or stored.path.endswith("/")
            path = f"{folder}/{top}{'/' if is_folder else ''}"
            strays[path] = Stray(path, stored.problem or ("a folder" if is_folder else "a file"), HOUR_EXPECTED)
    exports = {hour: _export(storage, source, hour, of_hour) for hour, of_hour in sorted(hours.items())}
    return RawListing(exports, tuple(strays.values()))


def _is_of_whole_day(stored: Stored, folder: str) -> bool:
    """Whether a stream's day has no hours: its folder is a file, cannot be read, or was retired as one export."""
    broken = stored.path.rstrip("/") == folder and (stored.problem or not stored.path.endswith("/"))
    return bool(broken) or stored.path == f"{folder}/{RETIRED}"


def _export(storage: Storage, source: Source, day: ExportDay, found: Sequence[Stored]) -> Export:
    """The export that these listed paths make. An empty folder's path ends with `/`."""
    folder = raw_folder(source.name, day)
    marker = source.whole.name if isinstance(source.whole, Marker) else None
    files, markers, broken = list[RawFile](), set[str](), list[Stray]()
    for stored in found:
        name = stored.path.removeprefix(folder).strip("/")
        if any(part.startswith(("_", ".")) for part in name.split("/")[:-1]) or name.startswith("."):
            continue
        if stored.problem or stored.path == folder:
            expected = "a file" if name and not stored.path.endswith("/") else "a folder"
            broken.append(Stray(stored.path, stored.problem or "a file", expected))
        elif name == marker or (name.startswith("_") and "/" not in name):
            markers.add(name)
        elif not stored.path.endswith("/") and not name.rpartition("/")[2].startswith(("_", ".")):
            files.append(RawFile(stored.path, stored.size, stored.modified, stored.etag))
    retired = RETIRED in markers and (not files or _all_listed(storage, f"{folder}/{RETIRED}", files))
    kept, left = ((), tuple(files)) if retired else (tuple(files), ())
    return Export(source.name, day, kept, frozenset(markers), bool(found), retired, left, tuple(broken))


def retirement(files: Sequence[Fingerprint]) -> bytes:
    """The content of the marker RETIRED: the files' fingerprints, which tell them from new files of the same name."""
    return json.dumps([vars(file) for file in files]).encode()


def _all_listed(storage: Storage, marker: str, files: Sequence[RawFile]) -> bool:
    """Whether the marker lists all the files. Any other file is a new export of the day."""
    listed = json.loads(storage.read(marker)[0])
    # Earlier markers list paths and sizes alone.
    sizes = {entry[0]: entry[1] for entry in listed if isinstance(entry, list)}
    known = {entry["path"]: Fingerprint(**entry) for entry in listed if isinstance(entry, dict)}
    return all(
        is_same(storage, file, known[file.path]) if file.path in known else sizes.get(file.path) == file.size
        for file in files
    )


def is_same(storage: Storage, file: RawFile, known: Fingerprint) -> bool:
    """Whether a file has the known content. It is read only if its ETag differs and its size does not.

    Raises BrokenFile for a file that is gone, LakeRefused for one that cannot be read.
    """
    if file.etag == known.etag or file.size != known.size:
        return file.etag == known.etag
    # The file was touched or copied, or is a correction of the same size: only the checksum decides.
    (local,) = storage.local([file.path])
    return sha256_of(Path(local), file.path) == known.sha256


def marker_of_pulled(source: Source) -> Marker:
    """The marker of a whole pulled export: the source's own, or else PULLED."""
    return source.whole if isinstance(source.whole, Marker) else Marker(PULLED)


def require_readable(export: Export) -> None:
    """Raises BrokenFile if a path among the files cannot be read."""
    for stray in export.broken:
        problem = f"expected {stray.expected}, found {stray.found}"
        raise BrokenFile(stray.path, None, problem, f"Put {stray.expected} there that this user may read, or remove it")


def require_whole(export: Export, source: Source, now: float) -> None:
    """Raises HalfExport unless the export is whole by its source's rule, BrokenFile if part of it cannot be read.

    `now` is in Unix seconds.
    """
    require_readable(export)
    if not export.exists or export.retired or source.is_stream:
        # A stream is never whole: the files that have come are staged, and more may come at any time.
        return
    count, whole = len(export.files), marker_of_pulled(source) if export.pulls else source.whole
    if isinstance(whole, Marker):
        if whole.name not in export.markers:
            raise HalfExport(source.name, export.day, f"a file {whole.name}", f"{_files(count)} without it")
    elif isinstance(whole, FileCount):
        if count < whole.files:
            raise HalfExport(source.name, export.day, _files(whole.files), _files(count))
    elif export.files:
        newest = max(export.files, key=lambda file: file.modified)
        age = max(now - newest.modified, 0.0)
        if age < whole.seconds:
            found = f"{newest.path} changed {age:.0f} s ago"
            raise HalfExport(source.name, export.day, f"no change for {whole.seconds:g} s", found)


def is_whole(export: Export, source: Source, now: float) -> bool:
    """Whether no more files of the export are expected, by its source's rule."""
    try:
        require_whole(export, source, now)
    except HalfExport:
        return False
    except BrokenFile:
        return True
    return True


def fingerprint(storage: Storage, export: Export, known: Mapping[str, Fingerprint]) -> tuple[Fingerprint, ...]:
    """The fingerprint of each file, by path. A file is read only if its ETag differs from the `known` one.

    Raises BrokenFile for a file that is gone, LakeRefused for one that cannot be read.
    """
    found = []
    for file in export.files:
        before = known.get(file.path)
        if before and before.etag == file.etag:
            found.append(before)
        else:
            (local,) = storage.local([file.path])
            sha256 = sha256_of(Path(local), file.path)
            found.append(Fingerprint(file.path, file.size, file.modified, sha256, file.etag))
    return tuple(found)


def _files(count: int) -> str:
    return "1 data file" if count == 1 else f"{count} data files"
