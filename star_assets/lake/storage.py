"""How bytes are kept: the interface that every storage fulfils.

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

    In a survey, `problem` says why nothing can be read there; "" where it can.
    """

    path: str
    size: int
    etag: str
    modified: float
    problem: str = ""


class Storage(Protocol):
    """A lake's bytes. Every method raises LakeRefused without rights, LakeFull without room.

    Threads may share one. `at_once` is how many calls are worth making at the same
    time: more than one where each waits for a network.
    """

    at_once: int

    def walk(self, prefix: str) -> Iterator[Stored]:
        """Every object below the folder `prefix`, by path. Nothing where there is no such folder.

        Raises LakeRefused if something there cannot be read.
        """
        ...

    def survey(self, prefix: str) -> Iterator[Stored]:
        """The same of a folder that others fill: what cannot be read is told with its `problem`, and stops nothing.

        An empty folder, or one that cannot be listed, is told by its path and a `/`, where a storage has such.
        """
        return self.walk(prefix)

    def names(self, prefix: str) -> list[str]:
        """The names directly in the folder `prefix`, sorted; those of folders end with `/`."""
        ...

    def folders(self, prefix: str) -> list[str]:
        """The names of the folders directly in the folder `prefix`, sorted."""
        return sorted(name.rstrip("/") for name in self.names(prefix) if name.endswith("/"))

    def read(self, path: str) -> tuple[bytes, str]:
        """The content and its ETag. Raises FileNotFoundError."""
        ...

    def cached(self, path: str, etag: str = "") -> bytes:
        """The content, read only if it is not at hand on this machine.

        `etag` is that of a listing; without one the object never changes. Raises
        FileNotFoundError, and LostRace where it has another ETag by now.
        """
        ...

    def write(self, path: str, content: bytes) -> None:
        """Put a small object, whole or not at all."""
        ...

    def swap(self, path: str, content: bytes, expect: str | None) -> str:
        """Put `content` if the object's ETag is still `expect` (None: if there is none).

        What was written before is as lasting as the swap. Returns the new ETag.
        Raises LostRace if somebody else was first.
        """
        ...

    def scratch(self) -> Path:
        """A new local folder to write files in before `adopt` takes them over."""
        ...

    def sweep(self, older_than: timedelta) -> None:
        """Remove what processes that died left in scratch and nobody touched for so long."""
        ...

    def adopt(self, file: Path, path: str) -> None:
        """Make a local file of `scratch` the object `path`, whole or not at all. The file is gone from scratch."""
        ...

    def local(self, paths: Sequence[str]) -> list[str]:
        """Local file names, which end with the objects' paths, under which their content can be read.

        Ask for them right before they are read: a storage elsewhere keeps its
        local copies only for a while.
        """
        ...

    def delete(self, paths: Iterable[str]) -> None:
        """Remove objects; one that is gone already is no error."""
        ...

    def delete_if(self, path: str, etag: str) -> bool:
        """Remove an object if its ETag is still `etag`. Returns whether it is gone.

        False: another object is there, put by somebody since, and stays. One that is gone already is no error.
        What was written before is as lasting as the removal.
        """
        ...

    def sha256(self, path: str) -> str:
        """The SHA-256, in hex, of an object's bytes as they are stored, past any copy. Raises FileNotFoundError."""
        ...

    def uri(self, path: str) -> str:
        """The full name of a path, as the catalog and people see it."""
        ...

    def path(self, uri: str) -> str | None:
        """The inverse of `uri`; None for what lies outside this lake."""
        ...

    def worker_files(self) -> WorkerFiles:
        """How workers on other machines see the files of this one; unless said otherwise, under the same names."""
        return SharedFiles()

    def page(self, uri: str) -> str | None:
        """The web page that shows a folder; None where there is none."""
        return None


def each(storage: Storage, call: Callable[[A], B], items: Iterable[A]) -> list[B]:
    """`call` of every item, in order; as many at the same time as the storage takes."""
    wanted = list(items)
    if storage.at_once == 1 or len(wanted) < 2:
        return [call(item) for item in wanted]
    with ThreadPoolExecutor(min(storage.at_once, len(wanted))) as pool:
        return list(pool.map(call, wanted))
