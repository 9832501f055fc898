"""Spark for tests: whether it is here, and settings that suit a few rows."""

from __future__ import annotations

import importlib.util
import shutil
import warnings
from pathlib import Path

import pytest

LACKING = (
    "pyspark is not installed: pip install 'star_assets[spark]'"
    if importlib.util.find_spec("pyspark") is None
    else None
    if shutil.which("java")
    else "there is no Java, which Spark needs"
)

if LACKING:
    warnings.warn(f"Spark is not tested: {LACKING}", stacklevel=1)

# All tests that start Spark run in one process: a session takes seconds to start, and half a gigabyte.
needs_spark = [pytest.mark.skipif(LACKING is not None, reason=str(LACKING)), pytest.mark.xdist_group("spark")]

# What `make s3a` fetches.
S3A = Path(__file__).parents[1] / ".s3a" / "jars"

# Two tasks are enough to take rows apart and bring them together again.
DEFAULTS = {
    "spark.master": "local[2]",
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.driver.memory": "1g",
    # A process of a minute gains nothing from compiling well: this halves its processor time.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}

# Nor does a query of a few rows gain from being compiled; clusters and jobs are tested with the usual settings.
INTERPRETED = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}


def write_defaults(folder: Path, s3a: Path = S3A, **others: str) -> None:
    """Make a folder one that SPARK_CONF_DIR can name, for a Spark that has S3A from another folder."""
    jars = {"spark.jars": ",".join(map(str, sorted(s3a.glob("*.jar"))))} if s3a.exists() else {}
    lines = [f"{key} {value}" for key, value in {**DEFAULTS, **jars, **others}.items()]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spark-defaults.conf").write_text("\n".join(lines) + "\n")
