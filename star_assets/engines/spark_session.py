"""A Spark session as the engine uses it: on any master, with settings that make its answers DuckDB's; its errors.

pyspark is imported when a session is opened, and Java is started then.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from star_assets.engines.duckdb_session import told as told_by_duckdb
from star_assets.model.errors import BadSetting, EngineFailed, LakeFull, LakeRefused
from star_assets.model.types import Type
from star_assets.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# What each type is in Spark. A TIMESTAMP would be a moment that is shown in the session's zone.
_SPARK = {
    "int32": "INT",
    "int64": "BIGINT",
    "float64": "DOUBLE",
    "boolean": "BOOLEAN",
    "string": "STRING",
    "date": "DATE",
    "timestamp": "TIMESTAMP_NTZ",
}

# Where Spark starts: what it says goes to its own log, not between the lines of a command's progress.
QUIET = {"spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}

# What decides results. They hold for the engine's session alone, whatever others the process has.
SAME_ANSWERS = {
    "spark.sql.session.timeZone": "UTC",
    # What is written TIMESTAMP has no zone, and neither has one that is read from Parquet.
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
    # An overflow or a cast that fails is an error, not NULL.
    "spark.sql.ansi.enabled": "true",
    # A product of decimals that would need more than 38 digits is an error; Spark's default is to round it.
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    # A file that is gone or broken is an error.
    "spark.sql.files.ignoreMissingFiles": "false",
    "spark.sql.files.ignoreCorruptFiles": "false",
}

# Functions in SQL, and `* EXCEPT`, are not in earlier ones.
OLDEST = 4

NEEDED_FOR_S3 = "S3A among Spark's packages (spark.jars.packages org.apache.hadoop:hadoop-aws:3.4.2), or duckdb"
NEEDED = "duckdb, or Java 17 and `pip install 'star_assets[spark]'`"


def open_session(settings: Settings, options: Mapping[str, str] = MappingProxyType({})) -> SparkSession:
    """A session of its own in this process's Spark, which is started unless somebody did. Raises BadSetting.

    Where Spark runs is told by `STAR_SPARK_MASTER`, or else by Spark's own
    configuration, whose default is all cores of this machine. `options` are those
    of Hadoop's file systems.
    """
    try:
        from pyspark.errors import PySparkRuntimeError
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise BadSetting("STAR_ENGINE", "spark", f"{NEEDED} ({error})") from error
    # Workers run this process's Python unless told otherwise; Spark's default is whatever `python3` is.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("star_assets")
    if settings.spark_master:
        builder = builder.master(settings.spark_master)
    for key, value in QUIET.items():
        builder = builder.config(key, value)
    try:
        session = builder.getOrCreate().newSession()
    except PySparkRuntimeError as error:
        raise BadSetting("STAR_ENGINE", "spark", f"{NEEDED} ({_first_line(error)})") from error
    if int(session.version.partition(".")[0]) < OLDEST:
        raise BadSetting("STAR_ENGINE", "spark", f"Spark {OLDEST}.0 or newer, as in Glue 6.0, not {session.version}")
    for key, value in {**SAME_ANSWERS, **options}.items():
        session.conf.set(key, value)
    for function in functions(settings.timezone):
        session.sql(f"CREATE TEMPORARY FUNCTION {function}")
    return session


def functions(zone: str) -> tuple[str, ...]:
    """The definitions of the engine's primitives, in SQL. See model/functions."""
    milliseconds = "CAST(unix_millis(CAST(moment AS TIMESTAMP_LTZ)) AS STRING)"
    digits = f"substr(sha2(key || '@' || coalesce({milliseconds}, ''), 256), 1, 16)"
    return (
        f"business_date(ts TIMESTAMP_NTZ) RETURNS DATE RETURN {business_date('ts', zone)}",
        f"start_of_day(day DATE) RETURNS TIMESTAMP_NTZ RETURN {to_utc('CAST(day AS TIMESTAMP_NTZ)', zone)}",
        "surrogate_key(key STRING, moment TIMESTAMP_NTZ) RETURNS BIGINT "
        f"RETURN shiftrightunsigned(CAST(conv({digits}, 16, -10) AS BIGINT), 1)",
    )


def business_date(timestamp: str, zone: str) -> str:
    """SQL for the calendar day of a UTC timestamp in a time zone."""
    if zone == "UTC":
        return f"CAST({timestamp} AS DATE)"
    return f"CAST(convert_timezone('UTC', {text(zone)}, {timestamp}) AS DATE)"


def to_utc(timestamp: str, zone: str) -> str:
    """SQL for the UTC timestamp of one that clocks in a time zone show; of the two in an extra hour, the later one.

    Spark takes the earlier one. The later one is what the offset of a day later gives.
    """
    if zone == "UTC":
        return timestamp
    earlier = f"convert_timezone({text(zone)}, 'UTC', {timestamp})"
    later = f"(convert_timezone({text(zone)}, 'UTC', {timestamp} + INTERVAL 1 DAY) - INTERVAL 1 DAY)"
    return f"if(convert_timezone('UTC', {text(zone)}, {later}) = {timestamp}, {later}, {earlier})"


def sql_type(type_: Type) -> str:
    """The Spark type that holds a type of the model."""
    return str(type_).upper() if type_.name == "decimal" else _SPARK[type_.name]


def name(identifier: str) -> str:
    """An identifier, quoted."""
    return "`" + identifier.replace("`", "``") + "`"


def text(value: str) -> str:
    """A string literal."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


@contextmanager
def told(doing: str) -> Iterator[None]:
    """Turn Spark's errors, DuckDB's and the file system's into the model's: `doing` says what failed."""
    from py4j.protocol import Py4JError, Py4JJavaError
    from pyspark.errors import PySparkException

    try:
        with told_by_duckdb(doing):
            yield
    except Py4JJavaError as error:
        raise _as_ours(doing, _innermost(error.java_exception)) from error
    except (PySparkException, Py4JError) as error:
        raise _as_ours(doing, str(error)) from error


def _innermost(exception: Any) -> str:
    """What a Java exception was caused by in the end."""
    while exception.getCause() is not None:
        exception = exception.getCause()
    return str(exception.toString())


def _as_ours(doing: str, problem: str) -> Exception:
    if "No space left on device" in problem:
        return LakeFull(doing, "No space left on device")
    if "Permission denied" in problem:
        return LakeRefused(doing, "Permission denied to one of Spark's workers")
    if "S3AFileSystem" in problem and "ClassNotFound" in problem:
        return BadSetting("STAR_ENGINE", "spark", NEEDED_FOR_S3)
    return EngineFailed("Spark", doing, _first_line(problem))


def _first_line(problem: object) -> str:
    """The line that says what is wrong, as a sentence."""
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    first = lines[0] if lines else "it gave no reason"
    return first if first.endswith(".") else f"{first}."
