"""The interface by which Spark's workers read and write files of the machine that drives them.

Here: the interface, and its implementation for a file system that all machines share. Not
here: the implementation for a lake in a bucket (bucket_files).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol


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

    def folder(self, folder: Path) -> str:
        """The name of a folder for workers to write to; `fetch` brings its files into the local `folder`.

        The local folder does not exist yet.
        """
        ...

    def fetch(self, folder: Path) -> None:
        """Bring the files that workers wrote for the local `folder` into it."""
        ...

    def require_unchanged(self, files: Sequence[str]) -> None:
        """Raises StarError if a file changed after `seen`: workers may have read the old or the new content."""
        ...

    def clear(self) -> None:
        """Remove the copies that were made for a job that is done."""
        ...


class SharedFiles:
    """The implementation of WorkerFiles for a file system that all machines have, under the same names."""

    options: Mapping[str, str] = {}
    shared = True

    def visible(self, files: Sequence[str]) -> list[str]:
        """The same names."""
        return list(files)

    def folder(self, folder: Path) -> str:
        """The same name."""
        return str(folder)

    def fetch(self, folder: Path) -> None:
        """Does nothing: the files are in the folder already."""

    def require_unchanged(self, files: Sequence[str]) -> None:
        """Does nothing: workers read the files themselves, and the count of rows shows a change."""

    def clear(self) -> None:
        """Does nothing: no copies were made."""
