"""The DuckDB database of a process, in bounded memory; a session for each call; helpers that write SQL."""

from __future__ import annotations

import itertools
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import duckdb

from star_assets.model.errors import EngineFailed, LakeFull, LakeRefused

if TYPE_CHECKING:
    # Spark's workers import this module, and may lack what settings need.
    from star_assets.settings import Settings

# The system's messages for a full disk, an exhausted quota, and a file larger than this process may write.
FULL = ("No space left on device", "Disk quota exceeded", "File too large")

# The label of some files: an export day, a business date, or a version.
K = TypeVar("K", bound=str)


class Database:
    """An in-memory DuckDB database for all threads. Above the memory limit, it spills to disk.

    Each call opens a session with its own schema, so that threads do not see each other's
    tables and views.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._spill = tempfile.TemporaryDirectory(prefix="star_assets_spill_")
        self._opening = threading.Lock()
        self._numbers = itertools.count()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A new connection, for one thread."""
        with self._opening:
            return self._connection.cursor()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A new session. Leaving the context ends it and drops its tables."""
        schema = f"session_{next(self._numbers)}"
        with self.cursor() as connection:
            connection.execute(f"CREATE SCHEMA {schema}")
            try:
                connection.execute(f"SET schema = {text(schema)}")
                yield Session(connection, schema)
            finally:
                connection.execute(f"DROP SCHEMA {schema} CASCADE")

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        return connect(self.settings, self._spill.name)


class Session:
    """A connection with its own schema, whose tables and views no other session sees."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, schema: str) -> None:
        self.connection = connection
        self._schema = schema

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Another connection that sees the session's tables, for another thread."""
        with self.connection.cursor() as cursor:
            cursor.execute(f"SET schema = {text(self._schema)}")
            yield cursor


def connect(settings: Settings, spill: str) -> duckdb.DuckDBPyConnection:
    """An in-memory database that spills to the folder `spill` when it reaches the memory limit."""
    connection = duckdb.connect(
        config={
            "memory_limit": settings.memory_limit,
            "threads": settings.threads,
            "temp_directory": spill,
        }
    )
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    # A statement over the key index reads each of its files twice.
    connection.execute("SET GLOBAL parquet_metadata_cache = true")
    connection.execute(f"CREATE MACRO business_date(ts) AS {business_date('ts', settings.timezone)}")
    connection.execute(f"CREATE MACRO start_of_day(day) AS {start_of_day('day', settings.timezone)}")
    connection.execute(
        # epoch_ms fails on a TIMESTAMP_MS that is the same in all rows, hence the cast.
        "CREATE MACRO surrogate_key(key, moment) AS CAST(CAST('0x' || substr(sha256(key || '@' || "
        "coalesce(CAST(epoch_ms(CAST(moment AS TIMESTAMP)) AS VARCHAR), '')), 1, 16) AS UBIGINT) >> 1 AS BIGINT)"
    )
    return connection


def business_date(timestamp: str, zone: str) -> str:
    """SQL for the calendar day of a UTC timestamp in a time zone."""
    if zone == "UTC":
        return f"CAST({timestamp} AS DATE)"
    return f"CAST(timezone({text(zone)}, timezone('UTC', CAST({timestamp} AS TIMESTAMP))) AS DATE)"


def start_of_day(day: str, zone: str) -> str:
    """SQL for the UTC timestamp at which a calendar day begins in a time zone."""
    if zone == "UTC":
        return f"CAST({day} AS TIMESTAMP_MS)"
    return f"CAST(timezone('UTC', timezone({text(zone)}, CAST({day} AS TIMESTAMP))) AS TIMESTAMP_MS)"


def name(identifier: str) -> str:
    """SQL for a quoted identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def text(value: str) -> str:
    """SQL for a string literal."""
    return "'" + value.replace("'", "''") + "'"


def text_list(values: Sequence[str]) -> str:
    """SQL for a list of string literals."""
    return "[" + ", ".join(text(value) for value in values) + "]"


# Bytes. For a smaller file, starting a separate statement takes longer than reading it.
SMALL = 256 * 1024


def are_small(files: Sequence[str | Path], several: int) -> bool:
    """Whether the files of `several` days or dates are small on average, so that one statement should read them all."""
    return sum(Path(file).stat().st_size for file in files) <= SMALL * several


# The column with the file that a row was read from. No column of an export has this name,
# because the names of staged columns begin with a letter.
FILE = "_file"


def parquet(files: Sequence[str], evolving: bool = True) -> str:
    """SQL that reads Parquet files by column name, plus the column FILE. A column that a file lacks is NULL.

    If all files are known to have the same columns, pass `evolving=False`: then DuckDB need
    not open the files that their statistics rule out.
    """
    return (
        f"read_parquet({text_list(files)}, union_by_name={str(evolving).lower()}, "
        f"hive_partitioning=false, filename={text(FILE)})"
    )


def labelled(files: Mapping[K, Sequence[str]], label: str, file: str = FILE) -> str:
    """SQL for a table of two columns, `file` and `label`, with a row for each file. There must be at least one file."""
    rows = (f"({text(path)}, {text(value)})" for value, paths in files.items() for path in paths)
    return f"(VALUES {', '.join(rows)}) AS labelled({file}, {label})"


def parquet_format(settings: Settings, *options: str) -> str:
    """SQL for the options of a COPY that writes Parquet: the format, its compression, and others."""
    compression = [f"COMPRESSION {settings.compression}"]
    if settings.compression == "zstd":
        # With zstd's default level, 3, writing a file of sales takes a quarter longer and saves 3 % of its bytes.
        compression += ["COMPRESSION_LEVEL 1"]
    return f"({', '.join(['FORMAT parquet', *compression, *options])})"


@contextmanager
def duckdb_errors(doing: str) -> Iterator[None]:
    """Turn errors of DuckDB and the file system into the model's; `doing` says in them what failed."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        problem = "it ran out of memory; raise STAR_MEMORY_LIMIT or free disk space for its spill."
        raise EngineFailed("DuckDB", doing, problem) from error
    except (duckdb.Error, OSError) as error:
        first = str(error).splitlines()[0]
        for problem in FULL:
            if problem in first:
                raise LakeFull(doing, problem) from error
        if "Permission denied" in first or "Read-only file system" in first:
            raise LakeRefused(doing, first) from error
        raise EngineFailed("DuckDB", doing, first if first.endswith(".") else f"{first}.") from error
