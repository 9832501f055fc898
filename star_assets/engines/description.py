"""The description of Parquet files, made where they are written: rows, size, checksum, schema, column statistics.

Spark's workers run this module too. Not here: what a manifest makes of a description (pipeline.describe).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from star_assets.model.types import Type


@dataclass(frozen=True)
class WrittenFile:
    """The number of rows in a file's footer, the file's size in bytes, and the SHA-256 of its bytes in hex."""

    rows: int
    size: int
    sha256: str


@dataclass(frozen=True)
class Description:
    """The files; their common schema, by column in Athena's types; the statistics of each column."""

    files: tuple[WrittenFile, ...]
    schema: tuple[tuple[str, str], ...]
    statistics: Mapping[str, Mapping[str, Any]]


def describe_files(files: Sequence[Path], thoroughly: bool = False) -> Description:
    """The description of files that belong to one version of a partition.

    Statistics come from the footers: `min` and `max` as text, and `nulls`, the number of NULLs.
    `min` and `max` are missing where a file's writer left them out. With `thoroughly`, every value is
    read for the statistics that Glue stores besides: `distinct`, for text `longest` and `average` (bytes), for
    booleans `trues`.
    """
    found: list[WrittenFile] = []
    statistics: dict[str, dict[str, Any]] = {}
    schema: dict[str, str] = {}
    for file in files:
        with file.open("rb") as handle:
            checksum = hashlib.file_digest(handle, "sha256").hexdigest()
            metadata = pq.read_metadata(handle)
        found.append(WrittenFile(metadata.num_rows, file.stat().st_size, checksum))
        schema.update({field.name: Type.of_arrow(field.type).athena for field in metadata.schema.to_arrow_schema()})
        _add_statistics(metadata, statistics)
    for column in statistics if thoroughly else ():
        statistics[column] |= _of_values(files, column)
    as_text = {
        column: {key: str(value) if key in ("min", "max") else value for key, value in values.items()}
        for column, values in statistics.items()
    }
    return Description(tuple(found), tuple(schema.items()), as_text)


def _add_statistics(metadata: pq.FileMetaData, statistics: dict[str, dict[str, Any]]) -> None:
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for column in map(group.column, range(group.num_columns)):
            known = statistics.setdefault(column.path_in_schema, {"nulls": 0})
            found = column.statistics
            if found is None:
                continue
            known["nulls"] += found.null_count or 0
            if found.has_min_max:
                known["min"] = min(known.get("min", found.min), found.min)
                known["max"] = max(known.get("max", found.max), found.max)


def _of_values(files: Sequence[Path], column: str) -> dict[str, Any]:
    """The statistics that need every value of a column. Only this column is in memory."""
    values = pa.chunked_array(
        [chunk for file in files for chunk in pq.read_table(file, columns=[column], partitioning=None)[column].chunks],
        pq.read_schema(files[0]).field(column).type,
    )
    found: dict[str, Any] = {"distinct": pc.count_distinct(values, mode="only_valid").as_py()}
    if pa.types.is_string(values.type):
        lengths = pc.binary_length(values)
        found |= {"longest": pc.max(lengths).as_py() or 0, "average": pc.mean(lengths).as_py() or 0.0}
    if pa.types.is_boolean(values.type):
        found["trues"] = pc.sum(values).as_py() or 0
    return found
