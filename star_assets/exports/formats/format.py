"""The interface of a source format, and the values that it gives.

A format is told by the endings of files' names. It inspects a file in one pass,
reads its records as text, says how Athena would read it, and writes it without a
person. Not here: finding a format (opening), types of values (engines).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from star_assets.model.source import Source

if TYPE_CHECKING:
    from star_assets.exports.erasing import Erased, Erasure
    from star_assets.exports.records import Records


@dataclass(frozen=True)
class RawProfile:
    """What inspection found of one file.

    Args:
        sha256: of the file's own bytes, in hex.
        format: the name of the format that inspected it.
        gzip: whether the bytes are compressed.
        header: the columns of a file that names them first, in its order, stripped and in lower case.
        records: the rows, counted independently of any parser.
        lines: the physical lines, the header's among them.
        plain: whether any reader of RFC 4180 in UTF-8 finds the same rows in it.
        array: whether the records are the elements of one JSON array.
        hindrance: why Hive's OpenCSVSerDe finds other rows in a CSV file; None if it finds the same.
    """

    sha256: str
    format: str
    gzip: bool
    header: tuple[str, ...]
    records: int
    lines: int
    plain: bool = False
    array: bool = False
    hindrance: str | None = None


# A raw file: where it can be read, what people call it, what inspection found.
Inspected = tuple[Path, str, RawProfile]


@dataclass(frozen=True)
class Layout:
    """What one export's files have in common for Athena, which reads raw files with Hive's SerDes.

    Args:
        format: of all files; None where no file holds anything.
        columns: the names that a table gives them, for CSV in the files' order.
        keys: those of `columns` that JSON calls otherwise, with what it calls them.
        rows: the records in all files.
        problem: why no SerDe finds the rows that are there; None if one does.
    """

    format: Literal["csv", "json"] | None = None
    columns: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    rows: int = 0
    problem: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {**vars(self), "columns": list(self.columns), "keys": dict(self.keys)}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Layout:
        """The inverse of `to_json`."""
        return cls(**{**found, "columns": tuple(found["columns"])})


class Hindrance(Exception):
    """No SerDe finds the rows that are there; the argument says why."""


class SourceFormat(Protocol):
    """The raw files of one kind. `name` is always what people call a file; LakeRefused where it cannot be read.

    `endings` are those of files' names, in lower case and without `.gz`.
    """

    endings: tuple[str, ...]

    def inspect(self, path: Path, name: str, source: Source) -> RawProfile:
        """Read the file once, in bounded memory; a file without any bytes has no records.

        Raises BrokenFile for what is no file of this format, ColumnMissing and
        UnknownColumns where a header is not one that the source lets in.
        """
        ...

    def read(self, path: Path, name: str, source: Source, profile: RawProfile) -> Iterator[Records]:
        """The file's records in batches of text rows and rejects. Raises BrokenFile, ColumnMissing."""
        ...

    def layout(self, source: Source, files: Sequence[Inspected]) -> Layout:
        """How Athena would read these files, all of this format. Raises Hindrance, BrokenFile."""
        ...

    def erase(self, path: Path, name: str, source: Source, profile: RawProfile, erasure: Erasure, out: Path) -> Erased:
        """Write the file to `out` without what is to be erased, all else as it was. Raises BrokenFile, CannotForget."""
        ...
