"""A lake in a local folder.

Here: every change is a rename, so a reader sees an object whole or not at all,
and a killed process leaves nothing but files in `_scratch`. Not here: what the
bytes mean (versions).
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from star_assets.lake.storage import Storage, Stored
from star_assets.model.errors import LakeFull, LakeRefused, LostRace
from star_assets.settings import Settings

# No space, no quota, or a file larger than this process may write.
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

SCRATCH = "_scratch"

# Emptied folders are removed, so one may vanish between making it and renaming
# a file into it. Losing that race several times in a row is no race any more.
PLACE_ATTEMPTS = 10


class LocalStorage(Storage):
    """A folder on a local, POSIX file system. Makes the folder at the first write.

    Contents are flushed to disk before they get their name. Journaling file
    systems keep renames in order, so a power loss may take back the last
    publishes, each of them whole, but leaves no pointer to missing files.
    """

    # A call takes less time than handing it to a thread.
    at_once = 1

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def walk(self, prefix: str) -> Iterator[Stored]:
        """Every object below the folder `prefix`, by path; a name that begins with `.` is no object."""
        for entry in sorted(self._entries(prefix), key=_in_path_order):
            path = f"{prefix}/{entry.name}" if prefix else entry.name
            if entry.is_dir():
                yield from self.walk(path)
            elif found := _stat(entry):
                yield Stored(path, found.st_size, _etag(found), found.st_mtime)

    def folders(self, prefix: str) -> list[str]:
        """The names of the folders directly in the folder `prefix`, sorted."""
        return sorted(entry.name for entry in self._entries(prefix) if entry.is_dir())

    def read(self, path: str) -> tuple[bytes, str]:
        """The content and its ETag. Raises FileNotFoundError."""
        target = self.root / path
        with _told(target, FileNotFoundError), target.open("rb") as file:
            return file.read(), _etag(os.fstat(file.fileno()))

    def write(self, path: str, content: bytes) -> None:
        """Put a small object, whole or not at all."""
        target = self.root / path
        with _told(target), self._spooled(content) as fresh:
            _place(fresh, target)

    def swap(self, path: str, content: bytes, expect: str | None) -> str:
        """Put `content` if the object's ETag is still `expect`. Returns the new ETag. Raises LostRace."""
        target = self.root / path
        with _told(target), self._spooled(content) as fresh, _locked(target.parent):
            found = _stat(target)
            if expect != (found and _etag(found)):
                raise LostRace(path)
            # Older kernels stamp files with a clock that stands still for milliseconds,
            # and inodes are used again. The exact time keeps a pointer's ETags apart.
            moment = time.time_ns()
            os.utime(fresh, ns=(moment, moment))
            etag = _etag(fresh.stat())
            fresh.replace(target)
            return etag

    def scratch(self) -> Path:
        """A new folder on the lake's file system, so that `adopt` is a rename."""
        folder = self.root / SCRATCH / uuid.uuid4().hex
        with _told(folder):
            folder.mkdir(parents=True)
        return folder

    def sweep(self, older_than: timedelta) -> None:
        """Remove what processes that died left in scratch and nobody touched for so long."""
        limit = time.time() - older_than.total_seconds()
        for entry in self._entries(SCRATCH):
            with _told(entry), suppress(FileNotFoundError):
                if max(_changes(Path(entry.path))) >= limit:
                    continue
                if entry.is_dir():
                    shutil.rmtree(entry.path)
                else:
                    Path(entry.path).unlink()

    def adopt(self, file: Path, path: str) -> None:
        """Make a local file of `scratch` the object `path`, whole or not at all."""
        target = self.root / path
        with _told(target):
            _flush(file)
            _place(file, target)

    def local(self, paths: Sequence[str]) -> list[str]:
        """The objects' own file names."""
        return [self.uri(path) for path in paths]

    def delete(self, paths: Iterable[str]) -> None:
        """Remove objects, and the folders that this empties."""
        emptied: set[Path] = set()
        for path in paths:
            target = self.root / path
            with _told(target):
                target.unlink(missing_ok=True)
            emptied.add(target.parent)
        for folder in emptied:
            with suppress(OSError):
                while folder != self.root:
                    folder.rmdir()
                    folder = folder.parent

    def uri(self, path: str) -> str:
        """The absolute path."""
        return f"{self.root}/{path}" if path else str(self.root)

    def path(self, uri: str) -> str | None:
        """The inverse of `uri`; None for what lies outside this lake."""
        if not uri.startswith("/"):
            return None
        inside = f"{self.root}".rstrip("/") + "/"
        # Resolved only if need be, since that looks at each folder: one of the lake may be a link to another place.
        for spelled in (os.path.normpath, os.path.realpath):
            if f"{(file := spelled(uri))}/".startswith(inside):
                return file[len(inside) :]
        return None

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        target = self.root / folder
        with _told(target), suppress(FileNotFoundError), os.scandir(target) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
        return []

    @contextmanager
    def _spooled(self, content: bytes) -> Iterator[Path]:
        """A file with the content, safely on disk, that nobody else knows of."""
        fresh = self.root / SCRATCH / uuid.uuid4().hex
        fresh.parent.mkdir(parents=True, exist_ok=True)
        try:
            with fresh.open("xb") as file:
                file.write(content)
            _flush(fresh)
            yield fresh
        finally:
            fresh.unlink(missing_ok=True)


def open_folder(settings: Settings) -> LocalStorage:
    """The storage at `STAR_LAKE=folder`."""
    return LocalStorage(Path(settings.lake).absolute())


@contextmanager
def _told(path: os.PathLike[str], *expected: type[OSError]) -> Iterator[None]:
    """Say what the system refused as LakeFull or LakeRefused, but for the `expected`."""
    try:
        yield
    except expected:
        raise
    except OSError as error:
        raise _refusal(path, error) from error


def _refusal(path: os.PathLike[str], error: OSError) -> LakeFull | LakeRefused:
    problem = error.strerror or str(error)
    return (LakeFull if error.errno in FULL else LakeRefused)(os.fspath(path), problem)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder against other swaps. The system lets go when the process dies."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _place(file: Path, target: Path) -> None:
    for _ in range(PLACE_ATTEMPTS):
        with suppress(FileNotFoundError):
            target.parent.mkdir(parents=True, exist_ok=True)
            file.replace(target)
            return
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(target))


def _flush(file: Path) -> None:
    with file.open("rb") as handle:
        os.fsync(handle.fileno())


def _stat(file: Path | os.DirEntry[str]) -> os.stat_result | None:
    """What the system knows of a file; None if it is gone."""
    # Context managers would take as long as all else of a listing, which may be of thousands of files.
    try:
        return file.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _refusal(file, error) from error


def _etag(found: os.stat_result) -> str:
    return f"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}"


def _changes(path: Path) -> Iterator[float]:
    """When a file, or anything in a folder, last changed (Unix seconds)."""
    yield path.stat().st_mtime
    if path.is_dir():
        for file in path.rglob("*"):
            yield file.stat().st_mtime


def _in_path_order(entry: os.DirEntry[str]) -> str:
    """`a-b/x` comes before `a/x`, as in any listing of whole paths."""
    return f"{entry.name}/" if entry.is_dir() else entry.name
