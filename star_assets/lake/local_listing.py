"""What lies in a folder of a local lake: its files, and what is none.

A link to a file of the lake is that file. Not followed are links to folders, and
not read is what a link to another place, a pipe or a device would give.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from star_assets.lake.storage import Stored

# What is neither a file nor a folder, as people call it.
KINDS: dict[Callable[[int], bool], str] = {
    stat.S_ISFIFO: "a named pipe",
    stat.S_ISSOCK: "a socket",
    stat.S_ISBLK: "a device",
    stat.S_ISCHR: "a device",
}


class Listing:
    """Lists folders of the lake at `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def below(self, folder: str) -> list[Stored]:
        """Every object below a folder, by path, with empty folders, and with what cannot be read and why."""
        found: list[Stored] = []
        if self.is_behind_link(folder):
            return [_refused(f"{folder}/", "a link to a folder, which is not followed")]
        self._add(folder, found)
        return found

    def is_behind_link(self, folder: str) -> bool:
        """Whether the way to a folder leads through a link. A top folder of the lake may be one."""
        top, _, rest = folder.partition("/")
        place = os.path.realpath(self.root / top)
        return os.path.realpath(self.root / folder) != (f"{place}/{rest}" if rest else place)

    def _add(self, folder: str, found: list[Stored]) -> None:
        # A generator would take half as long again for thousands of folders.
        try:
            listed = sorted(entries(f"{self.root}/{folder}"), key=_in_path_order)
        except OSError as error:
            found.append(_refused(f"{folder}/", error.strerror or str(error)))
            return
        if not listed and folder and (self.root / folder).is_dir():
            found.append(Stored(f"{folder}/", 0, "", 0.0))
        for entry in listed:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if is_folder(entry) and not (folder and entry.is_symlink()):
                self._add(path, found)
            elif known := self._object(entry, path):
                found.append(known)

    def _object(self, entry: os.DirEntry[str], path: str) -> Stored | None:
        """What is there under a name; None if it is gone meanwhile."""
        try:
            if entry.is_symlink() and (problem := self._problem_of_link(entry, path)):
                return _refused(f"{path}/" if is_folder(entry) else path, problem)
            known = entry.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            return _refused(path, error.strerror or str(error))
        if not stat.S_ISREG(known.st_mode):
            return _refused(path, next((what for is_it, what in KINDS.items() if is_it(known.st_mode)), "no file"))
        return Stored(path, known.st_size, etag_of(known), known.st_mtime)

    def _problem_of_link(self, entry: os.DirEntry[str], path: str) -> str:
        """Why a link is not taken for what it leads to; "" where it is."""
        if is_folder(entry):
            return "a link to a folder, which is not followed"
        try:
            target = os.path.realpath(entry.path, strict=True)
        except FileNotFoundError:
            return "a link to nothing"
        places = (self.root, os.path.realpath(self.root / path.partition("/")[0]))
        if not any(target.startswith(f"{place}/") for place in places):
            return "a link that leads out of the lake"
        return ""


def entries(folder: os.PathLike[str] | str) -> list[os.DirEntry[str]]:
    """What is directly in a folder, but for names that begin with `.`; nothing where there is no folder.

    Raises OSError.
    """
    try:
        with os.scandir(folder) as found:
            return [entry for entry in found if not entry.name.startswith(".")]
    except FileNotFoundError:
        return []
    except NotADirectoryError:
        # The folder may be a file. What is above it should be none.
        if Path(folder).is_file():
            return []
        raise


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder, or a link to one."""
    try:
        return entry.is_dir()
    except OSError:
        # A link that leads to itself, or to where one may not look.
        return False


def etag_of(found: os.stat_result) -> str:
    """What tells a file's content from that of another time."""
    return f"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}"


def _refused(path: str, problem: str) -> Stored:
    return Stored(path, 0, "", 0.0, problem)


def _in_path_order(entry: os.DirEntry[str]) -> str:
    """`a-b/x` comes before `a/x`, as in any listing of whole paths."""
    return f"{entry.name}/" if is_folder(entry) else entry.name
