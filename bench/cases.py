"""The cases without Dagster: what is run against what, and the ratio to keep.

Both sides of a ratio come from one run, in turns. Not here: the scripts that
are run (ours, peers), how a process is measured (measure).
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.exports import DATA, FULL, put_aside
from bench.measure import ROOT, Measurement, Options, alternate, measure, python
from bench.table import Row, seconds

LAKE = DATA / "lakes" / "backfill"
SMALL, LARGE, FURTHER_DAYS = 10, 1000, 7
QUERIES = 31
KEYS = (200_000, 5_000_000, 20_000_000)

# What `peers/spark_same_truth.py` sets.
SPARK_DEFAULTS = """\
spark.master local[*]
spark.driver.memory 4g
spark.ui.enabled false
spark.sql.shuffle.partitions 8
"""


def backfill(options: Options) -> Iterator[Row]:
    """6 million lines to the published star, against scripts that write the same and less."""
    ours, same, naive = alternate(options.times, ours_backfill, peer("same_truth"), peer("naive"))
    must_agree("same_truth")
    yield Row.of("Backfill of 6 M lines; DuckDB script, same truth", ours.seconds, same.seconds, 1.3)
    yield Row.of("… in processor time", ours.cpu_seconds, same.cpu_seconds)
    yield Row.of("… naive DuckDB script, wrong figures", ours.seconds, naive.seconds)
    peaks = [measured.peak_bytes / 1e9 for measured in (ours, same)]
    yield Row("… peak memory, of 2 GB allowed", f"{peaks[0]:.2f} GB", f"{peaks[1]:.2f} GB", peaks[0] / 2, 1)


def pandas_loop(_: Options) -> Iterator[Row]:
    """The same against a pandas loop over the days."""
    ours, theirs = alternate(1, ours_backfill, peer("pandas_loop"))
    yield Row.of("Backfill of 6 M lines; pandas loop, in floats", ours.seconds, theirs.seconds, 1)


def spark(options: Options) -> Iterator[Row]:
    """The same against PySpark; a row says so where it cannot run."""
    case = "Backfill of 6 M lines; PySpark local[*], same truth"
    missing = spark_lacks(options.spark_python)
    if missing:
        print(f"PySpark is not measured: {missing}", file=sys.stderr)
        yield Row(case, "", f"SKIPPED: {missing}")
        return
    ours, theirs = alternate(1, ours_backfill, peer("spark_same_truth", options.spark_python))
    must_agree("spark_same_truth")
    yield Row.of(case, ours.seconds, theirs.seconds, 1 / 5)


def spark_engine(options: Options) -> Iterator[Row]:
    """The same star by the Spark engine, against PySpark, with the same settings of Spark."""
    if missing := spark_lacks(options.spark_python):
        print(f"The Spark engine is not measured: {missing}", file=sys.stderr)
        return
    ours, theirs = alternate(1, ours_on_spark, peer("spark_same_truth", options.spark_python))
    must_agree("spark_same_truth")
    yield Row.of("Backfill of 6 M lines on Spark; PySpark local[*]", ours.seconds, theirs.seconds, 1.3)
    yield Row("… processor time of the process that drives Spark", seconds(ours.cpu_seconds), "")


def spark_lacks(interpreter: str) -> str | None:
    """What PySpark would need; None if it can run."""
    if not shutil.which("java"):
        return "no java on the PATH"
    try:
        measure(interpreter, "-c", "import pyspark")
    except (OSError, RuntimeError):
        return f"{interpreter} has no pyspark; install the extra [spark] or give --spark-python"
    return None


def one_more_day(_: Options) -> Iterator[Row]:
    """The day after 1,000 days against the day after 10, with as many rows."""
    report = python("-m", "bench.ours.one_more_day", str(SMALL), str(LARGE), str(FURTHER_DAYS)).report
    large, small = report["large"], report["small"]
    after_large, after_small = (sum(lake.values()) for lake in (large, small))
    case = f"One more day, all tables, dimensions equally large: after {LARGE:,} days; after {SMALL}"
    yield Row.of(case, after_large, after_small, 1.1)
    for table in large:
        yield Row.of(f"… {table}", large[table], small[table])


def key_index(_: Options) -> Iterator[Row]:
    """What the key index costs at 5 and 20 million keys, against 0.2 million; 5,000 keys a day."""
    small, *larger = ((keys, python("-m", "bench.ours.key_index", str(keys), "5000", "5").report) for keys in KEYS)
    for keys, report in larger:
        for what, taken in report.items():
            case = f"Key index of {keys / 1e6:g} M keys; of {small[0] / 1e6:g} M: {what}"
            yield Row.of(case, taken, small[1][what])


def query(_: Options) -> Iterator[Row]:
    """The reference query on the lake of the backfill."""
    if not LAKE.exists():
        ours_backfill(0)
    report = python("-m", "bench.ours.query", LAKE, str(QUERIES)).report
    yield Row.of("The reference query, embedded Athena; plain DuckDB", report["ours"], report["plain"], 1.3)


def ours_backfill(_: int) -> Measurement:
    """Every day into an empty lake."""
    FULL.fresh_lake(LAKE.name)
    return python("-m", "bench.ours.backfill", LAKE, str(FULL.first_day))


def ours_on_spark(_: int) -> Measurement:
    """Every day into an empty lake, by a Spark that is set up as the peer's is."""
    FULL.fresh_lake(LAKE.name)
    conf = DATA / "spark"
    conf.mkdir(exist_ok=True)
    (conf / "spark-defaults.conf").write_text(SPARK_DEFAULTS)
    env = {"STAR_ENGINE": "spark", "SPARK_CONF_DIR": str(conf)}
    return python("-m", "bench.ours.backfill", LAKE, str(FULL.first_day), env=env)


def peer(name: str, interpreter: str = sys.executable) -> Callable[[int], Measurement]:
    """A peer's script, into an empty folder."""

    def run(_: int) -> Measurement:
        put_aside(written_by(name))
        return measure(interpreter, ROOT / "bench" / "peers" / f"{name}.py", FULL.folder, written_by(name))

    return run


def written_by(name: str) -> Path:
    """The folder that a peer writes."""
    return DATA / "peers" / name


def must_agree(name: str) -> None:
    """Raises RuntimeError that tells what differs between our star and a peer's."""
    python("-m", "bench.compare", LAKE, written_by(name))
