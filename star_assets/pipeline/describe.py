"""The description of Parquet files for a manifest: rows, size, checksum, schema, column statistics."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from star_assets.lake.versions import DataFile
from star_assets.model.types import Type


def describe(
    files: Sequence[Path], thoroughly: bool = False
) -> tuple[tuple[DataFile, ...], tuple[tuple[str, str], ...], dict[str, dict[str, Any]]]:
    """The files, named part-00000.parquet and so on; their common schema, by column; the statistics of each column.

    Statistics come from the footers: `min` and `max` as text, and `nulls`, the number of NULLs.
    `min` and `max` are missing where a file's writer left them out. With `thoroughly`, every value is
    read for the statistics that Glue stores besides: `distinct`, for text `longest` and `average` (bytes), for
    booleans `trues`.
    """
    found: list[DataFile] = []
    statistics: dict[str, dict[str, Any]] = {}
    schema: dict[str, str] = {}
    for number, file in enumerate(files):
        size = file.stat().st_size
        with file.open("rb") as handle:
            checksum = hashlib.file_digest(handle, "sha256").hexdigest()
            metadata = pq.read_metadata(handle)
        found.append(DataFile(f"part-{number:05}.parquet", metadata.num_rows, size, checksum))
        schema.update({field.name: Type.of_arrow(field.type).athena for field in metadata.schema.to_arrow_schema()})
        _add_statistics(metadata, statistics)
    for column in statistics if thoroughly else ():
        statistics[column] |= _of_values(files, column)
    as_text = {
        column: {key: str(value) if key in ("min", "max") else value for key, value in values.items()}
        for column, values in statistics.items()
    }
    return tuple(found), tuple(schema.items()), as_text


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
