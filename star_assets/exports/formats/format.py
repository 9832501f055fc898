"""The interface of a source format (SourceFormat), and the values that it returns.

A format is found by the ending of a file's name. It inspects a file in one pass,
reads its records as text, gives its layout for Athena, and rewrites it without a
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
    """The result of inspecting one file.

    Args:
        sha256: of the file's own bytes, in hex.
        format: the name of the format that inspected it.
        gzip: whether the bytes are compressed.
        header: the columns of a format with a header, in the file's order, stripped and in lower case.
        records: the rows, counted independently of any parser.
        lines: the physical lines, including the header's.
        plain: whether every reader of RFC 4180 in UTF-8 finds the same rows.
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


# A raw file: its local path, its name for messages, its inspection's result.
Inspected = tuple[Path, str, RawProfile]


@dataclass(frozen=True)
class Layout:
    """What one export's files have in common for Athena, which reads raw files with Hive's SerDes.

    Args:
        format: of all files; None if all are empty.
        columns: the columns' names in tables, for CSV in the files' order.
        keys: for columns whose JSON key differs from their name, that key.
        rows: the records in all files.
        problem: why no SerDe reads the same rows; None if one does.
    """

    format: Literal["csv", "json"] | None = None
    columns: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    rows: int = 0
    problem: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The layout as JSON values."""
        return {**vars(self), "columns": list(self.columns), "keys": dict(self.keys)}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Layout:
        """The inverse of `to_json`."""
        return cls(**{**found, "columns": tuple(found["columns"])})


class Hindrance(Exception):
    """No SerDe reads the same rows; the argument says why."""


class SourceFormat(Protocol):
    """Reads and writes raw files of one format. Messages call a file `name`; all methods raise LakeRefused.

    `endings` are the endings of files' names, in lower case and without `.gz`.
    """

    endings: tuple[str, ...]

    def inspect(self, path: Path, name: str, source: Source) -> RawProfile:
        """Read the file once, in bounded memory; a file without any bytes has no records.

        Raises BrokenFile if the file is not of this format, ColumnMissing and
        UnknownColumns if the source does not allow its header.
        """
        ...

    def read(self, path: Path, name: str, source: Source, profile: RawProfile) -> Iterator[Records]:
        """The file's records in batches of text rows and rejects. Raises BrokenFile, ColumnMissing."""
        ...

    def layout(self, source: Source, files: Sequence[Inspected]) -> Layout:
        """The layout of these files, all of this format, for Athena. Raises Hindrance, BrokenFile."""
        ...

    def erase(self, path: Path, name: str, source: Source, profile: RawProfile, erasure: Erasure, out: Path) -> Erased:
        """Write the file to `out` without what the erasure covers; all else stays. Raises BrokenFile, CannotForget."""
        ...
