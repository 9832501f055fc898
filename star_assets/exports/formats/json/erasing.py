"""Rewrites a JSON file without a person, one object per line; all other objects keep their text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from star_assets.exports.content import as_text, open_raw
from star_assets.exports.erasing import Erased, Erasure, write_like
from star_assets.exports.formats.format import RawProfile
from star_assets.exports.formats.json.records import JsonRecord, compact, json_values
from star_assets.exports.records import column_of
from star_assets.model.source import Source


def erase_json(path: Path, name: str, source: Source, profile: RawProfile, erasure: Erasure, out: Path) -> Erased:
    """Write the file without what the erasure covers. Raises BrokenFile, LakeRefused."""
    erased = Erased()
    with open_raw(path, name) as content:
        pieces = _remaining(as_text(content, "utf-8"), name, source, profile, erasure, erased)
        write_like(path, name, "utf-8", profile.gzip, pieces, out)
    return erased


def _remaining(
    text: TextIO, name: str, source: Source, profile: RawProfile, erasure: Erasure, erased: Erased
) -> Iterator[str]:
    """The text of all objects that remain, one per line, with the person's key emptied."""
    between, first = ("\n", "") if not profile.array else (",\n", "[\n")
    written = False
    for record in json_values(text, name, profile):
        kept = _object(record, source, erasure, erased)
        if kept is not None:
            yield (between if written else first) + kept
            written = True
    yield ("" if written else first) + ("\n]\n" if profile.array else "\n" if written else "")


def _object(record: JsonRecord, source: Source, erasure: Erasure, erased: Erased) -> str | None:
    """The text to keep of a value; None if it is removed."""
    raw, value = record.raw, record.value
    if record.problem or not isinstance(value, tuple):
        mentioned = bool(erasure.mentions.search(raw))
        erased.removed += mentioned
        return None if mentioned else raw
    fields = {column_of(key.strip().lower(), source): None if item is None else _as_text(item) for key, item in value}
    if erasure.removes(fields):
        erased.removed += 1
        return None
    if not any(erasure.names(fields.get(column)) for column in erasure.empties):
        return raw
    erased.emptied += 1
    kept = [
        (
            key,
            None
            if column_of(key.strip().lower(), source) in erasure.empties and erasure.names(_as_text(item))
            else item,
        )
        for key, item in value
    ]
    return compact(tuple(kept))


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else compact(value)
