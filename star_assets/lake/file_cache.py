"""Local copies of a remote lake's objects: bounded in bytes, shared by this user's processes.

Here: where copies lie, and when they are removed. Not here: how they are fetched (s3_storage).
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

# A caller may read a copy some time after asking for it. So a copy stays for at least this long after it
# was last asked for, even if the copies exceed their limit meanwhile.
LEASE = timedelta(minutes=30)

# Listing all copies takes time, so copies are removed only each time that this share of the limit was added.
STEP = 0.1


class FileCache:
    """A folder of copies, by name. Once they exceed `limit` bytes, the least recently used are removed.

    Every method raises LakeRefused without rights, LakeFull without room.
    """

    def __init__(self, root: Path, limit: int) -> None:
        self.root, self.limit = root, limit
        # As if the limit had been added already: so the first addition looks at the copies of earlier runs.
        self._added = limit
        self._counting = Lock()

    def find(self, name: str) -> Path | None:
        """The copy of that name; None if there is none. The copy is kept for LEASE from now."""
        file = self.root / name
        with _system_errors(file), suppress(FileNotFoundError):
            os.utime(file)
            return file
        return None

    def add(self, name: str, fill: Callable[[Path], object]) -> Path:
        """A copy that `fill` writes. Others see it once it is complete; if `fill` raises, no copy is made."""
        fresh = self.scratch() / "copy"
        try:
            with _system_errors(fresh):
                fill(fresh)
            return self.take(name, fresh)
        finally:
            shutil.rmtree(fresh.parent, ignore_errors=True)

    def take(self, name: str, file: Path) -> Path:
        """Make a local file the copy of that name."""
        target, size = self.root / name, file.stat().st_size
        with _system_errors(target):
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
        with _system_errors(folder):
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(parents=True)
        return folder

    def sweep(self, older_than: timedelta) -> None:
        """Remove scratch files that nobody touched for `older_than`: their processes have died."""
        limit = time.time() - older_than.total_seconds()
        for folder in list((self.root / SCRATCH).glob("*")):
            with suppress(FileNotFoundError):
                if max(path.stat().st_mtime for path in (folder, *folder.rglob("*"))) < limit:
                    shutil.rmtree(folder)

    def _trim(self) -> None:
        """Remove the least recently used copies, until there is room for what is added before the next trim."""
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
def _system_errors(path: Path) -> Iterator[None]:
    """Raise this machine's errors as LakeFull or LakeRefused; FileNotFoundError is left to the caller."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        kind = LakeFull if error.errno in FULL else LakeRefused
        raise kind(str(path), error.strerror or str(error)) from error


def cache_folder() -> Path:
    """The folder of this user's copies: `star_assets` in XDG_CACHE_HOME, by default `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "star_assets"
