"""The search for one member of a dimension in all files of the lake.

It reads raw files, old versions, books and temporary folders, without relying on
ledgers or manifests. Not here: erasing the traces (forget).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from star_assets.exports.finding import RAW, export_days, read_exports, require_readable
from star_assets.exports.formats.opening import inspect_file, read_records
from star_assets.exports.records import Records
from star_assets.lake.storage import Storage
from star_assets.model.members import UNDESCRIBED
from star_assets.model.source import Source


@dataclass(frozen=True)
class Traces:
    """How a member is recognized.

    Args:
        columns: for each table, the columns that hold members' keys.
        key: the member's key, in its column's type.
        names: whether the text of a raw field is that key.
        texts: texts of columns that only this member's rows have, such as its name.
        described_in: the tables that may contain such a text.
        mentions: finds the member in a record that cannot be parsed.
    """

    columns: Mapping[str, Collection[str]]
    key: object
    names: Callable[[str | None], bool]
    texts: Collection[str]
    described_in: Collection[str]
    mentions: re.Pattern[str]


def texts_of_key(files: Iterable[str], column: str, key: object, texts: Sequence[str]) -> set[str]:
    """The values in some text columns that occur only in rows of one key."""
    own: set[tuple[str, str]] = set()
    others: set[tuple[str, str]] = set()
    for file in files:
        rows = pq.read_table(file)
        is_own = _equals(rows[column], key)
        for name in texts:
            if name in rows.column_names:
                own |= {(name, value) for value in rows[name].filter(is_own).unique().to_pylist() if value}
                others |= {
                    (name, value) for value in rows[name].filter(pc.invert(is_own)).unique().to_pylist() if value
                }
    # A single character identifies nobody.
    return {value for _, value in own - others if len(value) > 1 and value != UNDESCRIBED}


def without_member(rows: pa.Table, own: str | None, referring: Sequence[str], traces: Traces) -> pa.Table:
    """Staged rows, or rejects, without the member's own rows, and with NULL for its key in referring columns."""
    if "raw" in rows.column_names and own not in rows.column_names:
        return rows.filter(pa.array([not traces.mentions.search(raw) for raw in rows["raw"].to_pylist()], pa.bool_()))
    if own:
        rows = rows.filter(pc.invert(_equals(rows[own], traces.key)))
    for column in referring:
        emptied = pc.if_else(_equals(rows[column], traces.key), pa.scalar(None, rows[column].type), rows[column])
        rows = rows.set_column(rows.column_names.index(column), rows.schema.field(column), emptied)
    return rows


def search(storage: Storage, sources: Iterable[Source], tables: Iterable[str], traces: Traces) -> dict[str, int]:
    """The number of records with a trace, by place; places without a trace are left out.

    Args:
        sources: the sources whose raw files are searched.
        tables: folders like `olap/dim_customer`, whose Parquet and JSON files are searched at any depth.
    """
    found: Counter[str] = Counter()
    for source in sources:
        found[f"{RAW}/{source.name}"] = sum(_in_exports(storage, source, traces))
    for folder in tables:
        table = folder.split("/")[1]
        columns = traces.columns.get(table, ())
        texts = traces.texts if table in traces.described_in else ()
        for stored in storage.walk(folder):
            (local,) = storage.local([stored.path])
            place = _place(folder, stored.path)
            if stored.path.endswith(".parquet"):
                found[place] += _in_parquet(local, columns, texts, traces)
            elif stored.path.endswith(".json"):
                content = Path(local).read_text()
                found[place] += any(text in content for text in texts)
    return {place: count for place, count in found.items() if count}


def _place(folder: str, path: str) -> str:
    """The place of a file for people: its table, with the hidden folder or file below it if there is one."""
    first, last = path.removeprefix(f"{folder}/").split("/")[0], path.rpartition("/")[2]
    if last.startswith("_"):
        return f"{folder}: {last.removeprefix('_').partition('.')[0]}"
    return f"{folder}/{first}" if first.startswith("_") else folder


def _in_exports(storage: Storage, source: Source, traces: Traces) -> Iterable[int]:
    for day in export_days(storage, source):
        for export in read_exports(storage, source, day).exports.values():
            require_readable(export)
            for file in export.files:
                (local,) = storage.local([file.path])
                profile = inspect_file(Path(local), file.path, source)
                for records in read_records(Path(local), file.path, source, profile):
                    yield _in_records(records, traces.columns.get(source.name, ()), traces)


def _in_records(records: Records, columns: Collection[str], traces: Traces) -> int:
    present = [column for column in columns if column in records.table.column_names]
    rows = zip(*(records.table[column].to_pylist() for column in present), strict=True)
    named = sum(any(map(traces.names, values)) for values in rows)
    return named + sum(bool(traces.mentions.search(reject.raw)) for reject in records.rejects)


def _in_parquet(file: str, columns: Collection[str], texts: Collection[str], traces: Traces) -> int:
    rows = pq.read_table(file)
    hits = pa.array([False] * len(rows), pa.bool_())
    for name, type_ in zip(rows.column_names, rows.schema.types, strict=True):
        if name in columns:
            hits = pc.or_(hits, _equals(rows[name], traces.key).combine_chunks())
        if pa.types.is_string(type_):
            known = pc.is_in(rows[name], pa.array(sorted(texts), pa.string()))
            if name == "raw":
                known = pa.array(
                    [bool(traces.mentions.search(text or "")) for text in rows[name].to_pylist()], pa.bool_()
                )
            hits = pc.or_(hits, known.combine_chunks() if isinstance(known, pa.ChunkedArray) else known)
    return int(pc.sum(hits).as_py() or 0)


def _equals(values: pa.ChunkedArray, key: object) -> pa.ChunkedArray:
    return pc.fill_null(pc.equal(values, pa.scalar(key).cast(values.type)), False)
