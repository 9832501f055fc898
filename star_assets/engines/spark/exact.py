"""The exact reader on Spark's workers: it turns raw files into Parquet files of texts and of rejects.

This module runs in the workers' processes and does not import Spark. Not here: turning
the texts into typed rows (staging).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from star_assets.engines.engine import RawInput
from star_assets.engines.typed_sql import Header
from star_assets.exports.formats.format import SourceFormat
from star_assets.exports.records import LINE, RAW
from star_assets.model.days import ExportDay
from star_assets.model.errors import StarError
from star_assets.model.source import Source

# The columns with the number of the raw file that a row came from, and the row's export day.
NUMBER, DAY = "_number", "_day"

REJECTED = pa.schema([(NUMBER, pa.int32()), (LINE, pa.int64()), ("reason", pa.string()), (RAW, pa.string())])


@dataclass(frozen=True)
class RawFile:
    """A raw file of some day's export, with a unique number.

    It includes the format, because a worker may have the package without its entry points.
    """

    number: int
    day: ExportDay
    raw: RawInput
    format: SourceFormat


@dataclass(frozen=True)
class ReadTask:
    """The raw files that one worker reads, and the folder that it writes to."""

    number: int
    source: Source
    files: tuple[RawFile, ...]
    folder: str


@dataclass
class Texts:
    """The result of a ReadTask.

    `files` are the Parquet files of texts by header, whose columns are named by position.
    `headers` are the headers of each raw file, in order. `rejects` is the Parquet file of
    rejects, if there are any. `error` is the error that ended the reading, if any.
    """

    files: dict[Header, str] = field(default_factory=dict)
    headers: dict[int, list[Header]] = field(default_factory=dict)
    rejects: str | None = None
    error: StarError | None = None


def read_tasks(tasks: Iterable[ReadTask]) -> Iterator[Texts]:
    """Read the files of each task with the exact reader, and yield the tasks' results."""
    for task in tasks:
        writers: dict[Header, pq.ParquetWriter] = {}
        texts = Texts()
        try:
            _read(task, texts, writers)
        except StarError as error:
            texts.error = error
        finally:
            for writer in writers.values():
                writer.close()
        yield texts


def _read(task: ReadTask, texts: Texts, writers: dict[Header, pq.ParquetWriter]) -> None:
    rejects: list[tuple[int, int, str, str]] = []
    for file in task.files:
        headers = texts.headers.setdefault(file.number, [])
        for records in file.format.read(file.raw.path, file.raw.name, task.source, file.raw.profile):
            rejects += [(file.number, found.line, found.reason, found.raw) for found in records.rejects]
            header = tuple(column for column in records.table.column_names if column not in (LINE, RAW))
            if header not in headers:
                headers.append(header)
            if header not in writers:
                texts.files[header] = f"{task.folder}/texts-{task.number}-{len(writers)}.parquet"
                writers[header] = pq.ParquetWriter(texts.files[header], _schema(header), compression="snappy")
            writers[header].write_table(_marked(records.table, header, file))
    if rejects:
        texts.rejects = f"{task.folder}/rejects-{task.number}.parquet"
        _write_rejects(rejects, texts.rejects)


def _schema(header: Header) -> pa.Schema:
    columns = [(place(number), pa.string()) for number in range(len(header))]
    return pa.schema([*columns, (LINE, pa.int64()), (RAW, pa.string()), (NUMBER, pa.int32()), (DAY, pa.string())])


def _marked(records: pa.Table, header: Header, file: RawFile) -> pa.Table:
    rows = records.num_rows
    columns = [records[column] for column in (*header, LINE, RAW)]
    marks = [pa.repeat(pa.scalar(file.number, pa.int32()), rows), pa.repeat(pa.scalar(file.day), rows)]
    return pa.Table.from_arrays([*columns, *marks], schema=_schema(header))


def _write_rejects(rejects: Sequence[tuple[int, int, str, str]], file: str) -> None:
    columns = [pa.array(values, f.type) for values, f in zip(zip(*rejects, strict=True), REJECTED, strict=True)]
    pq.write_table(pa.Table.from_arrays(columns, schema=REJECTED), Path(file))


def place(number: int) -> str:
    """The name of the column at a position; the names in a header may be any text."""
    return f"c{number}"
