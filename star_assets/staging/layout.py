"""How an export looks to Athena, which reads raw files with Hive's SerDes: its columns, or why it cannot.

CSV is read by OpenCSVSerDe, by position, whatever a header says; JSON by OpenX's
JsonSerDe, an object a line. Every value is text. Not here: what keeps
OpenCSVSerDe from a file (serdes), which exports fit into one table (pipeline).
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from star_assets.model.errors import BrokenFile, ColumnMissing, UnknownColumns
from star_assets.model.source import Source
from star_assets.staging.content import as_text, flaw, open_raw
from star_assets.staging.files import RawProfile
from star_assets.staging.json_records import json_values
from star_assets.staging.names import table_names

# A raw file: where it can be read, what people call it, what inspection found.
Inspected = tuple[Path, str, RawProfile]


@dataclass(frozen=True)
class Layout:
    """What one export's files have in common for a SerDe.

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


class _Hindrance(Exception):
    """No SerDe finds the rows that are there."""


def layout_of(source: Source, files: Sequence[Inspected], markers: Iterable[str]) -> Layout:
    """The layout of an export's data files. `markers` lie beside them. Raises BrokenFile, LakeRefused."""
    try:
        for marker in markers:
            if not marker.startswith(("_", ".")):
                raise _Hindrance(f"{marker} is no data, but only a name that begins with _ would hide it")
        formats = {name: "csv" if profile.format == "csv" else "json" for _, name, profile in files if profile.lines}
        if len(set(formats.values())) > 1:
            raise _Hindrance("some files are CSV, others are JSON")
        for _, name, profile in files:
            _require_suffix(name, profile)
        if "json" in formats.values():
            return _json(source, files)
        return _csv(source, files)
    except _Hindrance as hindrance:
        return Layout(problem=str(hindrance))


def unreadable(error: BrokenFile | ColumnMissing | UnknownColumns) -> Layout:
    """The layout of an export that cannot be inspected."""
    if isinstance(error, ColumnMissing):
        file, missing, *_ = error.args
        return Layout(problem=f"{file} lacks {', '.join(missing)}")
    if isinstance(error, UnknownColumns):
        file, unknown, _ = error.args
        return Layout(problem=f"{file} has {', '.join(unknown)}, which its source does not let in")
    file, _, problem, *_ = error.args
    return Layout(problem=f"{file}: {problem}")


def longer(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...] | None:
    """The longer of two lists of columns, if it begins with the other; None if they differ in a position."""
    first, second = sorted((one, other), key=len)
    return second if second[: len(first)] == first else None


def _require_suffix(name: str, profile: RawProfile) -> None:
    """Hadoop's readers tell compression by a file's name."""
    if profile.gzip != name.endswith(".gz"):
        raise _Hindrance(f"{name} is {'' if profile.gzip else 'not '}compressed, and its name says otherwise")


def _csv(source: Source, files: Sequence[Inspected]) -> Layout:
    header: tuple[str, ...] = ()
    for _, name, profile in files:
        if profile.hindrance:
            raise _Hindrance(f"{name}: {profile.hindrance}")
        both = longer(header, profile.header)
        if both is None:
            raise _Hindrance(f"{name} has other columns, or in another order, than the files before it")
        header = both
    columns = tuple(table_names(header, source.declared).values())
    return Layout("csv" if header else None, columns, rows=sum(profile.records for *_, profile in files))


def _json(source: Source, files: Sequence[Inspected]) -> Layout:
    keys: dict[str, None] = {}
    for path, name, profile in files:
        keys.update(dict.fromkeys(_keys(path, name, profile)))
    stripped = {key.strip(): key for key in keys}
    if len(stripped) < len(keys):
        raise _Hindrance("keys differ only in spaces around them")
    columns = {column: stripped[key] for key, column in table_names(list(stripped), source.declared).items()}
    renamed = {column: key for column, key in columns.items() if column != key}
    return Layout("json", tuple(columns), renamed, sum(profile.records for *_, profile in files))


def _keys(path: Path, name: str, profile: RawProfile) -> list[str]:
    """The keys of a file's objects, in lower case, in order of appearance."""
    if profile.format == "json":
        raise _Hindrance(f"{name} is a JSON array, and the SerDe reads an object a line")
    if profile.lines != profile.records:
        raise _Hindrance(f"{name}: a line holds several objects, or none")
    # Objects share a few lists of keys.
    lists: dict[tuple[str, ...], None] = {}
    with open_raw(path, name) as content:
        if content.peek(len(BOM_UTF8)).startswith(BOM_UTF8):  # type: ignore[attr-defined]
            raise _Hindrance(f"{name} begins with a byte order mark")
        for record in json_values(as_text(content, "utf-8"), name, profile):
            if record.problem or flaw(record.raw, "utf-8") or not isinstance(record.value, tuple):
                raise _Hindrance(f"{name}, line {record.line} is no JSON object")
            lists[tuple(key for key, _ in record.value)] = None
    found: dict[str, None] = {}
    for keys in lists:
        lowered = dict.fromkeys(key.lower() for key in keys)
        if len(lowered) < len(keys):
            raise _Hindrance(f"{name}: an object has one key twice")
        found.update(lowered)
    return list(found)
