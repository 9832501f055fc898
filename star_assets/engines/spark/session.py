"""Opening the engine's Spark session, with settings that make its results equal DuckDB's; translating its errors.

pyspark is imported, and Java started, only when a session is opened.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from star_assets.engines.duckdb.session import duckdb_errors
from star_assets.model.errors import BadSetting, EngineFailed, LakeFull, LakeRefused
from star_assets.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Settings if this process starts Spark: its messages do not appear amid the progress of a command.
QUIET = {"spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}

# Settings that decide results. They apply to the engine's session, not to other sessions of the process.
SAME_ANSWERS = {
    "spark.sql.session.timeZone": "UTC",
    # TIMESTAMP in SQL means a timestamp without zone, and so do timestamps that are read from Parquet.
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
    # Days before 1582 are in the Gregorian calendar too. From Spark 4 on, that is the default.
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    # An overflow or a cast that fails is an error, not NULL.
    "spark.sql.ansi.enabled": "true",
    # A product of decimals that would need more than 38 digits is an error; Spark's default is to round it.
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    # A missing or corrupt file is an error.
    "spark.sql.files.ignoreMissingFiles": "false",
    "spark.sql.files.ignoreCorruptFiles": "false",
}

# Glue 5.1's version of Spark. Earlier versions lack types and functions that the engine uses.
OLDEST = (3, 5)

NEEDED_FOR_S3 = "S3A among Spark's packages (spark.jars.packages org.apache.hadoop:hadoop-aws:3.4.2), or duckdb"
NEEDED = "duckdb, or Java 17 and `pip install 'star_assets[spark]'`"

# What Python and Spark say of a package that a worker cannot import.
LACKING = re.compile(r"(?:No module named '|PACKAGE_NOT_INSTALLED\] )([A-Za-z0-9_]+)")
NEEDED_BY_WORKERS = (
    "its workers have no Python package {}. `star-assets pack packages.tar.gz >> $SPARK_CONF_DIR/spark-defaults.conf` "
    "gives it to them."
)


def open_session(settings: Settings, options: Mapping[str, str] = MappingProxyType({})) -> SparkSession:
    """A new session in this process's Spark, which is started if it does not run yet. Raises BadSetting.

    `STAR_SPARK_MASTER` says where Spark runs, or else Spark's own configuration, whose
    default is all cores of this machine. `options` are settings of Hadoop's file systems.
    """
    try:
        from pyspark.errors import PySparkRuntimeError
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise BadSetting("STAR_ENGINE", "spark", f"{NEEDED} ({error})") from error
    # Unless PYSPARK_PYTHON is set, workers run this process's Python; Spark's default is `python3` on the path.
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
    if tuple(map(int, session.version.split(".")[:2])) < OLDEST:
        needed = ".".join(map(str, OLDEST))
        raise BadSetting("STAR_ENGINE", "spark", f"Spark {needed} or newer, as in Glue 5.1, not {session.version}")
    for key, value in {**SAME_ANSWERS, **options}.items():
        session.conf.set(key, value)
    return session


@contextmanager
def spark_errors(doing: str) -> Iterator[None]:
    """Turn errors of Spark, DuckDB and the file system into the model's; `doing` says in them what failed."""
    from py4j.protocol import Py4JError, Py4JJavaError
    from pyspark.errors import PySparkException

    try:
        with duckdb_errors(doing):
            yield
    except Py4JJavaError as error:
        raise _as_ours(doing, _innermost(error.java_exception)) from error
    except (PySparkException, Py4JError) as error:
        raise _as_ours(doing, str(error)) from error


def _innermost(exception: Any) -> str:
    """The text of the exception that a Java exception's chain of causes ends with."""
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
    if lacking := LACKING.search(problem):
        return EngineFailed("Spark", doing, NEEDED_BY_WORKERS.format(lacking[1].lower()))
    return EngineFailed("Spark", doing, _first_line(problem))


def _first_line(problem: object) -> str:
    """The first line of a message, as a sentence; it says what is wrong."""
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    first = lines[0] if lines else "it gave no reason"
    return first if first.endswith(".") else f"{first}."
