"""Listing a folder of a local lake: its files, its empty folders, and entries that cannot be read, with the reason.

A link to a file inside the lake counts as that file. Links to folders are not followed.
Links that lead out of the lake, pipes and devices are not read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from star_assets.lake.storage import Stored

# Tests for kinds of entries that are neither file nor folder → the kinds' names for people.
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
        """Every object below a folder, by path; also empty folders, and unreadable entries with their `problem`."""
        found: list[Stored] = []
        if self.is_behind_link(folder):
            return [_refused(f"{folder}/", "a link to a folder, which is not followed")]
        self._add(folder, found)
        return found

    def is_behind_link(self, folder: str) -> bool:
        """Whether the path of a folder contains a link below the lake's top folders, which may be links."""
        top, _, rest = folder.partition("/")
        place = os.path.realpath(self.root / top)
        return os.path.realpath(self.root / folder) != (f"{place}/{rest}" if rest else place)

    def _add(self, folder: str, found: list[Stored]) -> None:
        # No generator: with thousands of folders, generators take half as long again.
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
        """The object of a directory entry; None if the entry was removed meanwhile."""
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
        """Why a link does not count as the file that it leads to; "" if it does."""
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
    """The entries directly in a folder, without names that begin with `.`; none if there is no such folder.

    Raises OSError.
    """
    try:
        with os.scandir(folder) as found:
            return [entry for entry in found if not entry.name.startswith(".")]
    except FileNotFoundError:
        return []
    except NotADirectoryError:
        # A file in place of the folder has no entries. A file in place of one of its parents is an error.
        if Path(folder).is_file():
            return []
        raise


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder, or a link to one."""
    try:
        return entry.is_dir()
    except OSError:
        # The link leads to itself, or to a place that this user may not read.
        return False


def etag_of(found: os.stat_result) -> str:
    """A file's ETag: its time (ns), size and inode, which differ after each write."""
    return f"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}"


def _refused(path: str, problem: str) -> Stored:
    return Stored(path, 0, "", 0.0, problem)


def _in_path_order(entry: os.DirEntry[str]) -> str:
    """The sort key of an entry, by which `a-b/x` comes before `a/x`, as in a sorted list of whole paths."""
    return f"{entry.name}/" if is_folder(entry) else entry.name
