"""The interface by which Spark's workers read and write files of the machine that drives them.

Here: the interface, and its implementation for a file system that all machines share. Not
here: the implementation for a lake in a bucket (bucket_files).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Place(Protocol):
    """Where workers write files. It is sent to workers."""

    def writing(self, name: str) -> AbstractContextManager[Path]:
        """A file of the worker's to write to, which becomes the place's file of that name once the context ends."""
        ...


class WorkerFiles(Protocol):
    """Translates names of this machine's files into names for workers: paths, or URLs that Spark reads.

    `shared` says whether workers can open those names as files, without Spark.
    """

    shared: bool

    @property
    def options(self) -> Mapping[str, str]:
        """Spark's settings for reading such URLs."""
        ...

    def visible(self, files: Sequence[str]) -> list[str]:
        """The workers' names of local files, which are made visible to workers if need be."""
        ...

    def place(self, folder: Path) -> Place:
        """A place for workers to write files into, which `fetch` brings into this machine's `folder`."""
        ...

    def fetch(self, place: Place, files: Mapping[str, Path]) -> None:
        """Bring files that workers wrote into a place to this machine: by name, the local file that each becomes.

        Raises FileNotFoundError if this machine does not see a file of that name.
        """
        ...

    def require_unchanged(self, files: Sequence[str]) -> None:
        """Raises StarError if a file changed after `visible`: workers may have read the old or the new content."""
        ...

    def clear(self) -> None:
        """Remove the copies that were made for a job that is done."""
        ...


@dataclass(frozen=True)
class SharedPlace:
    """The implementation of Place for a folder that all machines see."""

    folder: str

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """The file itself."""
        Path(self.folder).mkdir(parents=True, exist_ok=True)
        yield Path(self.folder, name)


class SharedFiles:
    """The implementation of WorkerFiles for a file system that all machines have, under the same names."""

    options: Mapping[str, str] = {}
    shared = True

    def visible(self, files: Sequence[str]) -> list[str]:
        """The same names."""
        return list(files)

    def place(self, folder: Path) -> SharedPlace:
        """The folder itself."""
        return SharedPlace(str(folder))

    def fetch(self, place: Place, files: Mapping[str, Path]) -> None:
        """Rename the files. Raises FileNotFoundError."""
        assert isinstance(place, SharedPlace)
        for name, file in files.items():
            Path(place.folder, name).replace(file)

    def require_unchanged(self, files: Sequence[str]) -> None:
        """Does nothing: workers read the files themselves, and the count of rows shows a change."""

    def clear(self) -> None:
        """Does nothing: no copies were made."""
