"""Rewriting a raw file without a person: records are removed or fields emptied; all other bytes stay.

Nothing else modifies raw files. Here: what all formats have in common. Not here:
rewriting one format (formats), which records are the person's, and staging the
file afterwards (keeping.forget).
"""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from star_assets.exports.content import open_raw
from star_assets.exports.signatures import LONGEST_MARK, byte_order

Fields = Mapping[str, "str | None"]


@dataclass(frozen=True)
class Erasure:
    """What to erase from a source's raw files.

    Args:
        removes: whether a record with these fields is the person's.
        empties: the columns in which the person's key becomes NULL.
        names: whether a field of such a column has the person's key.
        mentions: finds the person in the text of a record that cannot be parsed.
    """

    removes: Callable[[Fields], bool]
    empties: Sequence[str]
    names: Callable[[str | None], bool]
    mentions: re.Pattern[str]


@dataclass
class Erased:
    """How many records of a file were removed, and of how many a field was emptied."""

    removed: int = 0
    emptied: int = 0

    def __bool__(self) -> bool:
        return bool(self.removed or self.emptied)


def write_like(path: Path, name: str, encoding: str, compressed: bool, pieces: Iterable[str], out: Path) -> None:
    """Write text to `out` in a file's encoding, after its byte order mark if it has one, compressed if it is."""
    with _created(out, compressed, *_begin(path, name, encoding)) as file:
        file.writelines(pieces)


def _begin(path: Path, name: str, encoding: str) -> tuple[bytes, str]:
    """The file's byte order mark, if it has one, and the encoding of what follows it."""
    with open_raw(path, name) as content:
        return byte_order(content.read(LONGEST_MARK), encoding)


@contextmanager
def _created(out: Path, compressed: bool, mark: bytes, encoding: str) -> Iterator[TextIO]:
    """A new text file that writes marked bytes as `as_text` found them."""
    with out.open("wb") as raw:
        binary = gzip.GzipFile(fileobj=raw, mode="wb", filename="") if compressed else raw
        binary.write(mark)
        with io.TextIOWrapper(binary, encoding, errors="surrogateescape", newline="") as file:
            yield file
