"""DuckDB as engines and books use it: one database in bounded memory, a session for each call, SQL helpers."""

from __future__ import annotations

import itertools
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import duckdb

from star_assets.model.errors import EngineFailed, LakeFull, LakeRefused
from star_assets.model.types import Type
from star_assets.settings import Settings

# What the system says where there is no room: on the disk, in a quota, in a file of this process.
FULL = ("No space left on device", "Disk quota exceeded", "File too large")

# What each type is in DuckDB, and so in Parquet. Timestamps are milliseconds,
# the finest that Athena reads.
_DUCKDB = {
    "int32": "INTEGER",
    "int64": "BIGINT",
    "float64": "DOUBLE",
    "boolean": "BOOLEAN",
    "string": "VARCHAR",
    "date": "DATE",
    "timestamp": "TIMESTAMP_MS",
}


# What files are labelled with: an export day, a business date, a version.
K = TypeVar("K", bound=str)


class Database:
    """DuckDB in this process's memory, for all threads. It takes up to the memory limit, then spills to disk.

    Threads never meet: each call has a session, whose tables and views are in a
    schema of its own.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._spill = tempfile.TemporaryDirectory(prefix="star_assets_spill_")
        self._opening = threading.Lock()
        self._numbers = itertools.count()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own, for one thread."""
        with self._opening:
            return self._connection.cursor()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session that is over, with all its tables, when the context is left."""
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
    """A connection whose tables and views nobody else sees."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, schema: str) -> None:
        self.connection = connection
        self._schema = schema

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Another connection that sees the session's tables, for a thread of it."""
        with self.connection.cursor() as cursor:
            cursor.execute(f"SET schema = {text(self._schema)}")
            yield cursor


def connect(settings: Settings, spill: str) -> duckdb.DuckDBPyConnection:
    """An in-memory database that spills to the folder `spill` above the memory limit."""
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
        # Of a TIMESTAMP_MS that is the same in all rows, epoch_ms fails.
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


def sql_type(type_: Type) -> str:
    """The DuckDB type that holds a type of the model."""
    return str(type_).upper() if type_.name == "decimal" else _DUCKDB[type_.name]


def name(identifier: str) -> str:
    """An identifier, quoted."""
    return '"' + identifier.replace('"', '""') + '"'


def text(value: str) -> str:
    """A string literal."""
    return "'" + value.replace("'", "''") + "'"


def text_list(values: Sequence[str]) -> str:
    """A list of string literals."""
    return "[" + ", ".join(text(value) for value in values) + "]"


# A file of fewer bytes costs more to open in a statement of its own than to read.
SMALL = 256 * 1024


def are_small(files: Sequence[str | Path], several: int) -> bool:
    """Whether the files have, on average over so many days or dates, few enough bytes to be read together."""
    return sum(Path(file).stat().st_size for file in files) <= SMALL * several


# The column that tells which file a row was read from. No column of an export
# has this name: those that are carried along begin with a letter.
FILE = "_file"


def parquet(files: Sequence[str], evolving: bool = True) -> str:
    """SQL that reads Parquet files by column name, with `FILE`; columns that some lack are NULL there.

    Where all files are known to have the same columns, `evolving=False` saves
    opening those that statistics rule out.
    """
    return (
        f"read_parquet({text_list(files)}, union_by_name={str(evolving).lower()}, "
        f"hive_partitioning=false, filename={text(FILE)})"
    )


def labelled(files: Mapping[K, Sequence[str]], label: str, file: str = FILE) -> str:
    """SQL for a table of two columns, `file` and `label`, from the files of each label. There must be a file."""
    rows = (f"({text(path)}, {text(value)})" for value, paths in files.items() for path in paths)
    return f"(VALUES {', '.join(rows)}) AS labelled({file}, {label})"


def parquet_format(settings: Settings, *options: str) -> str:
    """How a COPY writes Parquet: the format, its compression, and other options."""
    compression = [f"COMPRESSION {settings.compression}"]
    if settings.compression == "zstd":
        # The default, 3, takes a quarter longer to write a file of sales, to save 3 % of its bytes.
        compression += ["COMPRESSION_LEVEL 1"]
    return f"({', '.join(['FORMAT parquet', *compression, *options])})"


@contextmanager
def told(doing: str) -> Iterator[None]:
    """Turn DuckDB's errors, and the file system's, into the model's: `doing` says what failed."""
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
