"""How workers on other machines see the files of the one that drives them.

Here: the interface, and the file system that all of them share. Not here: a lake
in a bucket (bucket_files).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol


class WorkerFiles(Protocol):
    """Files of this machine, by the names that workers know them by: a path, or a URL that Spark reads.

    `shared` is whether workers can open the names themselves, without Spark.
    """

    shared: bool

    @property
    def options(self) -> Mapping[str, str]:
        """What Spark must be told to read such URLs."""
        ...

    def seen(self, files: Sequence[str]) -> list[str]:
        """What workers call local files, which are made visible to them if need be."""
        ...

    def folder(self, folder: Path) -> str:
        """Where workers write what is to be found in a local folder, which does not exist yet."""
        ...

    def fetch(self, folder: Path) -> None:
        """Bring what workers wrote for a folder into it."""
        ...

    def require_unchanged(self, files: Sequence[str]) -> None:
        """Raises StarError for a file that changed since it was seen: workers may have read either."""
        ...

    def clear(self) -> None:
        """Remove what was made visible for a job that is done."""
        ...


class SharedFiles:
    """A file system that all workers have, under the same names."""

    options: Mapping[str, str] = {}
    shared = True

    def seen(self, files: Sequence[str]) -> list[str]:
        """As they are called here."""
        return list(files)

    def folder(self, folder: Path) -> str:
        """As it is called here."""
        return str(folder)

    def fetch(self, folder: Path) -> None:
        """It is here already."""

    def require_unchanged(self, files: Sequence[str]) -> None:
        """What is read is what is here; the count of its rows tells."""

    def clear(self) -> None:
        """Nothing was made for them."""
