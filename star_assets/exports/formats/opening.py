"""Finds the format of a raw file by the ending of its name, among the entry points `star_assets.formats`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from star_assets.exports.erasing import Erased, Erasure
from star_assets.exports.formats.format import RawProfile, SourceFormat
from star_assets.model.source import Source
from star_assets.packages import provided

if TYPE_CHECKING:
    from star_assets.exports.records import Records

# The group of the entry points that provide formats; each is called without arguments.
GROUP = "star_assets.formats"

# The formats of files whose names have no known ending: of exports, and of streams, since Firehose adds none.
DEFAULT, OF_STREAM = "csv", "json"


@cache
def format_named(name: str) -> SourceFormat:
    """The format of that name."""
    return cast(SourceFormat, provided(GROUP)[name].load()())


@cache
def endings() -> dict[str, str]:
    """The name of the format that each ending belongs to."""
    return {ending: name for name in provided(GROUP).names for ending in format_named(name).endings}


def format_of(file: str, source: Source) -> str:
    """The name of the format that a source's file of this name has."""
    name, default = file.lower().removesuffix(".gz"), OF_STREAM if source.is_stream else DEFAULT
    return next((found for ending, found in endings().items() if name.endswith(ending)), default)


def inspect_file(path: Path, name: str, source: Source) -> RawProfile:
    """Read the file once, in bounded memory. Messages call it `name`.

    Raises BrokenFile, ColumnMissing, UnknownColumns, LakeRefused.
    """
    return format_named(format_of(name, source)).inspect(path, name, source)


def read_records(path: Path, name: str, source: Source, profile: RawProfile) -> Iterator[Records]:
    """The file's records in batches of text rows and rejects. Raises BrokenFile, ColumnMissing, LakeRefused."""
    return format_named(profile.format).read(path, name, source, profile)


def erase(path: Path, name: str, source: Source, profile: RawProfile, erasure: Erasure, out: Path) -> Erased:
    """Write the file to `out` without what the erasure covers. Raises BrokenFile, CannotForget, LakeRefused."""
    return format_named(profile.format).erase(path, name, source, profile, erasure, out)
