"""The interface of every storage: how a lake's objects are listed, read, written, swapped and removed.

Paths are relative to the lake and use `/`: `olap/fact_sales/_pointers/2023-10.json`.
Not here: what the bytes mean (versions), what Athena sees (catalog).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol, TypeVar

from star_assets.lake.worker_files import SharedFiles, WorkerFiles

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True)
class Stored:
    """One object: its path, size in bytes, ETag, and when it last changed (Unix seconds).

    In a survey, `problem` says why an entry cannot be read; it is "" if the entry can be read.
    """

    path: str
    size: int
    etag: str
    modified: float
    problem: str = ""


class AtOnce(Protocol):
    """What says how many calls are worth making at the same time: more than one if calls wait for a network."""

    at_once: int


class Storage(AtOnce, Protocol):
    """The objects of a lake. Every method raises LakeRefused without rights, LakeFull without room.

    Threads may share a storage.
    """

    def walk(self, prefix: str) -> Iterator[Stored]:
        """Every object below the folder `prefix`, by path; none if there is no such folder.

        Raises LakeRefused if an entry of the folder cannot be read.
        """
        ...

    def survey(self, prefix: str) -> Iterator[Stored]:
        """The objects of `walk`, of a folder that others write to: unreadable entries are listed with their `problem`.

        If the storage has folders, empty ones, and those that cannot be listed, are listed too, with a `/` at the end.
        """
        return self.walk(prefix)

    def names(self, prefix: str) -> list[str]:
        """The names of files and folders directly in the folder `prefix`, sorted; names of folders end with `/`."""
        ...

    def folders(self, prefix: str) -> list[str]:
        """The names of the folders directly in the folder `prefix`, sorted."""
        return sorted(name.rstrip("/") for name in self.names(prefix) if name.endswith("/"))

    def read(self, path: str) -> tuple[bytes, str]:
        """The content and its ETag. Raises FileNotFoundError."""
        ...

    def cached(self, path: str, etag: str = "") -> bytes:
        """The content, from a copy on this machine if there is one.

        `etag` is the object's ETag in a listing; give none for an object that never changes.
        Raises FileNotFoundError, and LostRace if the object has another ETag by now.
        """
        ...

    def write(self, path: str, content: bytes) -> None:
        """Put a small object, whole or not at all."""
        ...

    def swap(self, path: str, content: bytes, expect: str | None) -> str:
        """Put `content` if the object's ETag is still `expect` (None: if there is no object). Returns the new ETag.

        A power loss that spares the swap spares all that was written before it. Raises
        LostRace if the object has another ETag.
        """
        ...

    def scratch(self) -> Path:
        """A new local folder to write files in before `adopt` takes them over."""
        ...

    def sweep(self, older_than: timedelta) -> None:
        """Remove scratch files that nobody touched for `older_than`: their processes have died."""
        ...

    def adopt(self, file: Path, path: str) -> None:
        """Make a local file of `scratch` the object `path`, whole or not at all. The file is gone from scratch."""
        ...

    def local(self, paths: Sequence[str]) -> list[str]:
        """The names of local files with the objects' content; each name ends with the object's path.

        Call this right before reading the files: a remote storage keeps local copies only
        for a while.
        """
        ...

    def delete(self, paths: Iterable[str]) -> None:
        """Remove objects; one that is gone already is no error."""
        ...

    def delete_if(self, path: str, etag: str) -> bool:
        """Remove an object if its ETag is still `etag`. Returns whether it is gone.

        False: somebody has put another object since, and it stays. If the object is gone already, that is no error.
        A power loss that spares the removal spares all that was written before it.
        """
        ...

    def sha256(self, path: str) -> str:
        """The SHA-256, in hex, of an object's stored bytes, not of a local copy. Raises FileNotFoundError."""
        ...

    def uri(self, path: str) -> str:
        """The full name of a path, as the catalog and people see it."""
        ...

    def path(self, uri: str) -> str | None:
        """The inverse of `uri`; None for what lies outside this lake."""
        ...

    def worker_files(self) -> WorkerFiles:
        """How workers on other machines see this machine's files; by default, under the same names."""
        return SharedFiles()

    def page(self, uri: str) -> str | None:
        """The URL of a web page that shows a folder; None if there is no such page."""
        return None


def each(storage: AtOnce, call: Callable[[A], B], items: Iterable[A]) -> list[B]:
    """The results of `call` for every item, in order; up to `storage.at_once` calls run at the same time."""
    wanted = list(items)
    if storage.at_once == 1 or len(wanted) < 2:
        return [call(item) for item in wanted]
    with ThreadPoolExecutor(min(storage.at_once, len(wanted))) as pool:
        return list(pool.map(call, wanted))
