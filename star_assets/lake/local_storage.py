"""The storage of a lake in a local folder.

Here: every change is a rename. So a reader sees an object whole or not at all, and a
killed process leaves no files except in `_scratch`. The lake's top folders may be links to
other places. Below them, links to folders are not followed, so that no file outside the
lake is read or deleted. Not here: what the bytes mean (versions), listing a folder
(local_listing).
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from star_assets.lake.local_listing import Listing, entries, etag_of, is_folder
from star_assets.lake.storage import Storage, Stored
from star_assets.model.errors import LakeFull, LakeRefused, LostRace
from star_assets.settings import Settings

# No space, no quota, or a file larger than this process may write.
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

SCRATCH = "_scratch"

# Linux's call that flushes one file system; Python's os.sync flushes all of them.
_SYNCFS = getattr(ctypes.CDLL(None), "syncfs", None)

# Where `delete_if` moves a file, as <ETag>/<path>, to compare it; the `.` hides it from listings and sweeps.
ASIDE = f"{SCRATCH}/.aside"

# Emptied folders are removed, so a folder may vanish between making it and renaming
# a file into it. If that happens this often in a row, something else is wrong.
PLACE_ATTEMPTS = 10


class LocalStorage(Storage):
    """A folder on a local, POSIX file system. Makes the folder at the first write.

    A swap first flushes to disk all that was written to the file system before it.
    Journaling file systems keep renames in order. So a power loss may undo the last
    publishes, each as a whole, but leaves no ledger that names missing files.
    """

    # A call takes less time than starting it in another thread.
    at_once = 1

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def walk(self, prefix: str) -> Iterator[Stored]:
        """Every object below the folder `prefix`, by path; a name that begins with `.` is no object."""
        found = list(self.survey(prefix))
        for stored in found:
            if stored.problem:
                raise LakeRefused(self.uri(stored.path), stored.problem)
        return (stored for stored in found if not stored.path.endswith("/"))

    def survey(self, prefix: str) -> Iterator[Stored]:
        """The objects of `walk`, and also empty folders, and unreadable entries with their `problem`."""
        return iter(Listing(self.root).below(prefix))

    def names(self, prefix: str) -> list[str]:
        """The names directly in the folder `prefix`, sorted; those of folders end with `/`."""
        try:
            found = entries(self.root / prefix)
        except OSError as error:
            raise _refusal(self.root / prefix, error) from error
        return sorted(f"{entry.name}/" if is_folder(entry) else entry.name for entry in found)

    def read(self, path: str) -> tuple[bytes, str]:
        """The content and its ETag. Raises FileNotFoundError."""
        target = self.root / path
        with _system_errors(target, FileNotFoundError), target.open("rb") as file:
            return file.read(), etag_of(os.fstat(file.fileno()))

    def cached(self, path: str, etag: str = "") -> bytes:
        """The content as it is now; it may be newer than the content with this `etag`. Raises FileNotFoundError."""
        return self.read(path)[0]

    def write(self, path: str, content: bytes) -> None:
        """Put a small object, whole or not at all."""
        target = self.root / path
        with _system_errors(target), self._spooled(content) as fresh:
            _place(fresh, target)

    def swap(self, path: str, content: bytes, expect: str | None) -> str:
        """Put `content` if the object's ETag is still `expect`. Returns the new ETag. Raises LostRace."""
        target = self.root / path
        with _system_errors(target), self._spooled(content) as fresh:
            # One flush of the file system costs less than flushing even two files one by one.
            _flush_all(fresh)
            return self._swapped(fresh, path, expect)

    def _swapped(self, fresh: Path, path: str, expect: str | None) -> str:
        target = self.root / path
        with _locked(target.parent):
            found = _stat(target)
            if expect != (found and etag_of(found)):
                raise LostRace(path)
            # Older kernels set a file's time from a clock with steps of milliseconds, and
            # inodes are reused. With the exact time, each state of a ledger has its own ETag.
            moment = time.time_ns()
            os.utime(fresh, ns=(moment, moment))
            etag = etag_of(fresh.stat())
            fresh.replace(target)
            return etag

    def scratch(self) -> Path:
        """A new folder on the lake's file system, so that `adopt` is a rename."""
        folder = self.root / SCRATCH / uuid.uuid4().hex
        with _system_errors(folder):
            folder.mkdir(parents=True)
        return folder

    def sweep(self, older_than: timedelta) -> None:
        """Remove scratch files that nobody touched for `older_than`: their processes have died."""
        limit = time.time() - older_than.total_seconds()
        aside = self.root / ASIDE
        if aside.is_dir():
            with _system_errors(aside), _locked(aside):
                self._settle()
        with _system_errors(self.root / SCRATCH):
            left = entries(self.root / SCRATCH)
        for entry in left:
            with _system_errors(entry), suppress(FileNotFoundError):
                if max(_changes(Path(entry.path))) >= limit:
                    continue
                if entry.is_dir():
                    shutil.rmtree(entry.path)
                else:
                    Path(entry.path).unlink()

    def adopt(self, file: Path, path: str) -> None:
        """Make a local file of `scratch` the object `path`, whole or not at all."""
        target = self.root / path
        with _system_errors(target):
            _place(file, target)

    def local(self, paths: Sequence[str]) -> list[str]:
        """The objects' own file names."""
        return [self.uri(path) for path in paths]

    def delete(self, paths: Iterable[str]) -> None:
        """Remove objects, and the folders that are empty then. Raises LakeRefused for an object behind a link."""
        emptied: set[Path] = set()
        for path in paths:
            target = self.root / path
            if target.parent not in emptied:
                self._require_own(path)
            with _system_errors(target):
                target.unlink(missing_ok=True)
            emptied.add(target.parent)
        for folder in emptied:
            self._remove_emptied(folder)

    def delete_if(self, path: str, etag: str) -> bool:
        """Remove an object if its ETag is still `etag`, and folders that become empty. Returns whether it is gone.

        No system call compares a file and removes it at once. So the file is first moved where
        nobody else finds it, then compared, and put back if somebody had just replaced it.
        """
        target, aside = self.root / path, self.root / ASIDE
        self._require_own(path)
        with _system_errors(target), _locked(aside):
            self._settle()
            found = _stat(target)
            if found and etag_of(found) != etag:
                return False
            if found:
                # The marker that allowed this removal must be on disk before the file is gone.
                _flush_all(target)
                taken = aside / etag / path
                taken.parent.mkdir(parents=True, exist_ok=True)
                with suppress(FileNotFoundError):
                    target.rename(taken)
            is_gone = self._settle()
        self._remove_emptied(target.parent)
        return is_gone

    def sha256(self, path: str) -> str:
        """The SHA-256 of the file's bytes. Raises FileNotFoundError."""
        target = self.root / path
        with _system_errors(target, FileNotFoundError), target.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def uri(self, path: str) -> str:
        """The absolute path."""
        return f"{self.root}/{path}" if path else str(self.root)

    def path(self, uri: str) -> str | None:
        """The inverse of `uri`; None for what lies outside this lake."""
        if not uri.startswith("/"):
            return None
        inside = f"{self.root}".rstrip("/") + "/"
        # A folder of the lake may be a link to another place. Resolving links looks at each folder, so it comes last.
        for spelled in (os.path.normpath, os.path.realpath):
            if f"{(file := spelled(uri))}/".startswith(inside):
                return file[len(inside) :]
        return None

    def _require_own(self, path: str) -> None:
        """Raises LakeRefused if an object's folder is behind a link, because its files may belong to somebody else."""
        if Listing(self.root).is_behind_link(path.rpartition("/")[0]):
            remedy = "Delete it where it lies, or remove the link"
            raise LakeRefused(self.uri(path), "it lies behind a link, and nothing is deleted through one", remedy)

    def _settle(self) -> bool:
        """Delete the files that were set aside, if they have the ETag that was to be deleted; put others back.

        Returns whether all were deleted. Files that a killed process set aside are settled by the next call.
        """
        aside, is_gone = self.root / ASIDE, True
        for expected in [entry for entry in aside.iterdir() if entry.is_dir()]:
            for file in [found for found in expected.rglob("*") if found.is_symlink() or found.is_file()]:
                place = self.root / file.relative_to(expected)
                found = _stat(place.parent / file.readlink() if file.is_symlink() else file)
                if found is None or etag_of(found) != expected.name:
                    is_gone = False
                    place.parent.mkdir(parents=True, exist_ok=True)
                    # If another file is there by now, it replaces this one: keep it.
                    with suppress(FileExistsError):
                        os.link(file, place, follow_symlinks=False)
                file.unlink()
            shutil.rmtree(expected)
        return is_gone

    def _remove_emptied(self, folder: Path) -> None:
        """Remove a folder if it is empty, then its parent if that is empty, and so on."""
        with suppress(OSError):
            while folder != self.root:
                folder.rmdir()
                folder = folder.parent

    @contextmanager
    def _spooled(self, content: bytes) -> Iterator[Path]:
        """A new scratch file with this content, which no other process knows."""
        fresh = self.root / SCRATCH / uuid.uuid4().hex
        fresh.parent.mkdir(parents=True, exist_ok=True)
        try:
            fresh.write_bytes(content)
            yield fresh
        finally:
            fresh.unlink(missing_ok=True)


def open_folder(settings: Settings) -> LocalStorage:
    """The storage at `STAR_LAKE=folder`."""
    return LocalStorage(Path(settings.lake).absolute())


@contextmanager
def _system_errors(path: os.PathLike[str], *expected: type[OSError]) -> Iterator[None]:
    """Raise the system's errors as LakeFull or LakeRefused, except those of `expected` types."""
    try:
        yield
    except expected:
        raise
    except OSError as error:
        raise _refusal(path, error) from error


def _refusal(path: str | os.PathLike[str], error: OSError) -> LakeFull | LakeRefused:
    problem = error.strerror or str(error)
    return (LakeFull if error.errno in FULL else LakeRefused)(os.fspath(path), problem)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock the folder against other swaps. The system releases the lock if the process dies."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _place(file: Path, target: Path) -> None:
    for _ in range(PLACE_ATTEMPTS):
        with suppress(FileNotFoundError):
            file.replace(target)
            return
        with suppress(FileNotFoundError):
            target.parent.mkdir(parents=True, exist_ok=True)
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(target))


def _flush_all(file: Path) -> None:
    """Flush to disk everything that was written to the file's file system."""
    with file.open("rb") as handle:
        if _SYNCFS is None:
            os.sync()
        elif _SYNCFS(handle.fileno()):
            raise OSError(errno.EIO, "the file system could not be flushed", str(file))


def _stat(file: Path) -> os.stat_result | None:
    """A file's status; None if the file is gone."""
    with _system_errors(file), suppress(FileNotFoundError):
        return file.stat()
    return None


def _changes(path: Path) -> Iterator[float]:
    """When a file, or anything in a folder, last changed (Unix seconds)."""
    yield path.stat().st_mtime
    if path.is_dir():
        for file in path.rglob("*"):
            yield file.stat().st_mtime
