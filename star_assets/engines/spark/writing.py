"""How Spark's workers write the files that are published: they stream each partition's rows into DuckDB.

So types, row groups and statistics in a file are those of the DuckDB engine. This module
runs in the workers' processes and does not import Spark. Not here: what is written of a
partition's rows (finishing), which rows belong together (relations).
"""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, Protocol

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from star_assets.lake.worker_files import Place

# The view that has the rows of one partition.
ROWS = "rows"

# Rows of a batch that DuckDB is given: some of its vectors of 2,048 rows. DuckDB ends a row group where a vector ends,
# so row groups are cut as if the rows had been its own.
BATCH = 8 * 2048

# The columns of what a worker reports of each partition, in Spark's types and in Arrow's.
REPORT = "value STRING, rows BIGINT, result BINARY"
REPORT_SCHEMA = pa.schema([("value", pa.string()), ("rows", pa.int64()), ("result", pa.binary())])


class Finish(Protocol):
    """Writes the files of one partition, and says what it wrote. It is sent to workers."""

    def __call__(self, connection: duckdb.DuckDBPyConnection, value: str, place: Place) -> Any:
        """Write files for the view ROWS, whose rows can be read once, into the place. `value` names the partition."""
        ...


@dataclass(frozen=True)
class Writing:
    """How a worker writes the partitions of its rows.

    Args:
        by: the column that says which partition a row belongs to; the rows are in its order. None: to one, named "".
        finish: writes one partition.
        place: where its files go.
        memory_limit: the memory that DuckDB may use in each process before it spills.
    """

    by: str | None
    finish: Finish
    place: Place
    memory_limit: str

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Write each partition; yield its name, its number of rows, and the pickled result of `finish`."""
        for value, run in groupby(self._runs(batches), key=itemgetter(0)):
            counted = _Counted(rows for _, rows in run)
            with worker_database(self.memory_limit) as connection:
                connection.register(ROWS, pa.RecordBatchReader.from_batches(counted.schema, counted))
                result = self.finish(connection, value, self.place)
            report = [[value], [counted.rows], [pickle.dumps(result)]]
            yield pa.RecordBatch.from_arrays([*map(pa.array, report)], schema=REPORT_SCHEMA)

    def _runs(self, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
        """The batches, cut where another partition begins, each with the partition's name."""
        for batch in batches:
            if self.by is None:
                yield "", batch
                continue
            runs, begin = pc.run_end_encode(batch.column(self.by)), 0
            for value, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
                yield str(value), batch.slice(begin, end - begin)
                begin = end


class _Counted:
    """Batches of one schema, at least one, which are cut anew; and the number of rows that were read of them."""

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._first = next(batches)
        self._others = batches
        self.schema = self._first.schema
        self.rows = 0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        waiting, rows = list[pa.RecordBatch](), 0
        for batch in chain([self._first], self._others):
            waiting.append(batch)
            rows += batch.num_rows
            if rows >= BATCH:
                found = pa.Table.from_batches(waiting).combine_chunks()
                whole = rows - rows % BATCH
                yield from self._count(found.slice(0, whole))
                waiting, rows = found.slice(whole).to_batches(), rows - whole
        yield from self._count(pa.Table.from_batches(waiting, self.schema).combine_chunks())

    def _count(self, rows: pa.Table) -> Iterator[pa.RecordBatch]:
        for batch in rows.to_batches(max_chunksize=BATCH):
            self.rows += batch.num_rows
            yield batch


@contextmanager
def worker_database(memory_limit: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB for one task: with one thread, as Spark runs a task for each core, and in bounded memory."""
    with tempfile.TemporaryDirectory(prefix="star_assets_spill_") as spill:
        config: dict[str, str | bool | int | float | list[str]] = {
            "threads": 1,
            "memory_limit": memory_limit,
            "temp_directory": spill,
        }
        with duckdb.connect(config=config) as connection:
            yield connection
