"""Local copies of a remote lake's objects: bounded in bytes, shared by this user's processes.

Here: where they lie, when they go. Not here: how they are fetched (s3_storage).
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from threading import Lock

from star_assets.lake.local_storage import FULL
from star_assets.model.errors import LakeFull, LakeRefused

SCRATCH = "_scratch"

# A copy that was handed out may still be about to be read; it goes no sooner,
# even if the copies take more room than they should for so long.
LEASE = timedelta(minutes=30)

# Looking through all copies takes time, so it is done after this share of the limit was added.
STEP = 0.1


class FileCache:
    """A folder of copies, by name. The least recently used go once they exceed `limit` bytes.

    Every method raises LakeRefused without rights, LakeFull without room.
    """

    def __init__(self, root: Path, limit: int) -> None:
        self.root, self.limit = root, limit
        # What lies there from earlier runs is looked at once, at the first addition.
        self._added = limit
        self._counting = Lock()

    def find(self, name: str) -> Path | None:
        """The copy of that name; None if there is none. It is kept for as long as LEASE."""
        file = self.root / name
        with _told(file), suppress(FileNotFoundError):
            os.utime(file)
            return file
        return None

    def add(self, name: str, fill: Callable[[Path], object]) -> Path:
        """A copy that `fill` writes, seen whole or not at all. What `fill` raises leaves nothing behind."""
        fresh = self.scratch() / "copy"
        try:
            with _told(fresh):
                fill(fresh)
            return self.take(name, fresh)
        finally:
            shutil.rmtree(fresh.parent, ignore_errors=True)

    def take(self, name: str, file: Path) -> Path:
        """Make a local file the copy of that name."""
        target, size = self.root / name, file.stat().st_size
        with _told(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(file, target)
            os.utime(target)
        with self._counting:
            self._added += size
            full = self._added >= self.limit * STEP
            self._added = 0 if full else self._added
        if full:
            self._trim()
        return target

    def forget(self, name: str) -> None:
        """Drop a copy; one that is gone is no error."""
        (self.root / name).unlink(missing_ok=True)

    def scratch(self) -> Path:
        """A new folder on the file system of the copies."""
        folder = self.root / SCRATCH / uuid.uuid4().hex
        with _told(folder):
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(parents=True)
        return folder

    def sweep(self, older_than: timedelta) -> None:
        """Remove what processes that died left in scratch and nobody touched for so long."""
        limit = time.time() - older_than.total_seconds()
        for folder in list((self.root / SCRATCH).glob("*")):
            with suppress(FileNotFoundError):
                if max(path.stat().st_mtime for path in (folder, *folder.rglob("*"))) < limit:
                    shutil.rmtree(folder)

    def _trim(self) -> None:
        """Remove the least recently used copies until the rest leaves room for what comes before the next trim."""
        copies = sorted(self._copies())
        excess = sum(size for _, size, _ in copies) - self.limit * (1 - STEP)
        for used, size, file in copies:
            if excess <= 0 or used > time.time() - LEASE.total_seconds():
                return
            file.unlink(missing_ok=True)
            excess -= size

    def _copies(self) -> Iterator[tuple[float, int, Path]]:
        """When each copy was last used, and its size."""
        for folder, folders, names in os.walk(self.root):
            if Path(folder) == self.root and SCRATCH in folders:
                folders.remove(SCRATCH)
            for name in names:
                with suppress(FileNotFoundError):
                    found = (file := Path(folder, name)).stat()
                    yield found.st_mtime, found.st_size, file


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say what this machine refused as LakeFull or LakeRefused; what is not found is the caller's to judge."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        told = LakeFull if error.errno in FULL else LakeRefused
        raise told(str(path), error.strerror or str(error)) from error


def cache_folder() -> Path:
    """Where this user's copies lie: `star_assets` in XDG_CACHE_HOME, by default `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "star_assets"
