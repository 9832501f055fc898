"""The source format JSON: inspects a file in one pass, and finds what would keep Athena from reading it.

Not here: the records (records), rewriting without a person (erasing).
"""

from __future__ import annotations

import hashlib
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping, Sequence
from gzip import GzipFile
from pathlib import Path
from typing import TYPE_CHECKING

from star_assets.exports.content import Utf8, as_text, chunks, flaw, open_raw, start_of
from star_assets.exports.formats.bounds import RecordBound
from star_assets.exports.formats.counting import JsonArrayCounter, JsonLinesCounter
from star_assets.exports.formats.format import Hindrance, Inspected, Layout, RawProfile
from star_assets.exports.formats.json.records import json_values, read_json
from star_assets.exports.names import table_names
from star_assets.exports.records import Records, column_of
from star_assets.model.source import Source

if TYPE_CHECKING:
    from star_assets.exports.erasing import Erased, Erasure


class JsonFormat:
    """Files of objects, in an array or one after the other."""

    endings = (".json", ".jsonl", ".ndjson")

    def inspect(self, path: Path, name: str, source: Source) -> RawProfile:
        """Inspect a file. Its columns are not known before all of it is read."""
        sha256 = hashlib.sha256()
        with open_raw(path, name, sha256) as content:
            start, encoding = start_of(content, name, "utf-8", "JSON is UTF-8: export the file in that")
            utf8 = Utf8(encoding)
            is_array = start.lstrip().startswith(b"[")
            counter, bound = JsonArrayCounter() if is_array else JsonLinesCounter(), RecordBound(name)
            for chunk, final in chunks(start, content):
                counter.feed(utf8.feed(chunk, final), final)
                bound.pass_on(len(chunk), counter.records)
        return RawProfile(
            sha256=sha256.hexdigest(),
            format="json",
            gzip=isinstance(content, GzipFile),
            header=(),
            records=counter.records,
            lines=counter.line_ends.lines,
            array=is_array,
        )

    def read(self, path: Path, name: str, source: Source, profile: RawProfile) -> Iterator[Records]:
        """Read with the exact reader."""
        return read_json(path, name, source, profile)

    def layout(self, source: Source, files: Sequence[Inspected]) -> Layout:
        """The columns of all files. OpenX's JsonSerDe reads one object per line, by keys."""
        keys: dict[str, None] = {}
        for path, name, profile in files:
            keys.update(dict.fromkeys(_keys(path, name, profile)))
        stripped = {key.strip(): key for key in keys}
        if len(stripped) < len(keys):
            raise Hindrance("keys differ only in spaces around them")
        named = {key: column_of(key, source) for key in stripped}
        if len(set(named.values())) < len(named):
            raise Hindrance("several keys are one column")
        columns = {column: stripped[key] for key, column in zip(stripped, _columns(named, source), strict=True)}
        renamed = {column: key for column, key in columns.items() if column != key}
        return Layout("json", tuple(columns), renamed, sum(profile.records for *_, profile in files))

    def erase(self, path: Path, name: str, source: Source, profile: RawProfile, erasure: Erasure, out: Path) -> Erased:
        """Rewrite the file without the person."""
        from star_assets.exports.formats.json.erasing import erase_json

        return erase_json(path, name, source, profile, erasure, out)


def _columns(named: Mapping[str, str], source: Source) -> Iterable[str]:
    """The names in tables of the columns that keys stand for."""
    return table_names(list(named.values()), source).values()


def _keys(path: Path, name: str, profile: RawProfile) -> list[str]:
    """The keys of a file's objects, in lower case, in order of appearance. Raises Hindrance."""
    if profile.array:
        raise Hindrance(f"{name} is a JSON array, and the SerDe reads an object a line")
    if profile.lines != profile.records:
        raise Hindrance(f"{name}: a line holds several objects, or none")
    # Most objects have one of a few lists of keys, so each list is looked at once.
    lists: dict[tuple[str, ...], None] = {}
    with open_raw(path, name) as content:
        if content.peek(len(BOM_UTF8)).startswith(BOM_UTF8):  # type: ignore[attr-defined]
            raise Hindrance(f"{name} begins with a byte order mark")
        for record in json_values(as_text(content, "utf-8"), name, profile):
            if record.problem or flaw(record.raw, "utf-8") or not isinstance(record.value, tuple):
                raise Hindrance(f"{name}, line {record.line} is no JSON object")
            lists[tuple(key for key, _ in record.value)] = None
    found: dict[str, None] = {}
    for keys in lists:
        lowered = dict.fromkeys(key.lower() for key in keys)
        if len(lowered) < len(keys):
            raise Hindrance(f"{name}: an object has one key twice")
        found.update(lowered)
    return list(found)
