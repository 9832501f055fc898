"""The cases on S3 and Glue, as moto serves them: against local disk, and against boto3's bare calls.

Not here: the server (aws), the cases on local disk (cases).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from uuid import uuid4

from bench.aws import bucket, moto
from bench.exports import DATA, Exports
from bench.measure import Measurement, Options, alternate, python
from bench.table import Row

# 92 days as large as those of the demo: moto answers some hundred calls a second.
QUARTER = Exports(date(2023, 7, 1), 92, 500)
# A year, of which the reference query asks for a quarter.
YEAR = Exports(date(2023, 1, 1), 365, 2000)
TABLES, PARTITIONS = 10, 3650


def backfill(options: Options) -> Iterator[Row]:
    """92 days of 500 orders on S3 and Glue, against the same on local disk."""
    QUARTER.ensure()
    with moto() as env:

        def on_aws(_: int) -> Measurement:
            name = bucket(env)
            python("-m", "bench.ours.upload", QUARTER.folder / "oltp", name, env=env)
            # No local copy of an earlier run may help.
            fresh = {**env, "STAR_GLUE_PREFIX": f"g{uuid4().hex[:8]}_", "XDG_CACHE_HOME": str(DATA / "cache" / name)}
            return python("-m", "bench.ours.backfill", f"s3://{name}/lake", str(QUARTER.first_day), env=fresh)

        def on_disk(_: int) -> Measurement:
            lake = QUARTER.fresh_lake("quarter")
            return python("-m", "bench.ours.backfill", lake, str(QUARTER.first_day))

        aws, disk = alternate(options.times, on_aws, on_disk)
    yield Row.of("Backfill of 92 days × 500 orders: on moto's S3 and Glue; on local disk", aws.seconds, disk.seconds)
    yield Row.of("… in this process's processor time", aws.cpu_seconds, disk.cpu_seconds)


def publish(_: Options) -> Iterator[Row]:
    """3,650 partitions in one table, against the same objects and partitions by boto3 alone."""
    with moto() as env:
        report = python("-m", "bench.ours.publish", bucket(env), str(PARTITIONS), env=env).report
    case = f"Publish {PARTITIONS:,} partitions on moto; the same objects and partitions by boto3, no pointer read"
    yield Row.of(case, report["ours"], report["bare"])


def sensor(_: Options) -> Iterator[Row]:
    """The Athena partition sensor over ten tables of ten years, against bare paged listings."""
    with moto() as env:
        report = python("-m", "bench.ours.sensor", bucket(env), str(TABLES), str(PARTITIONS), env=env).report
    size = f"{TABLES} tables × {PARTITIONS:,} partitions"
    yield Row.of(f"Sensor, a full pass over {size}; bare listings of both", report["pass"], report["both"], 1.5)
    yield Row.of("… an idle tick; bare listings of the pointers", report["tick"], report["pointers"])
    yield Row("… calls of a tick, all for pages of pointers", str(report["calls"]), str(report["bare_calls"]))


def scanned(_: Options) -> Iterator[Row]:
    """Bytes that the reference query needs of a year's star, and of the raw exports as unpartitioned Parquet."""
    lake = YEAR.fresh_lake("year")
    python("-m", "bench.ours.backfill", lake, str(YEAR.first_day))
    report = python("-m", "bench.ours.scanned", lake, YEAR.folder / "oltp", DATA / "raw-parquet").report
    ours, raw = report["ours"], report["raw"]
    case = "Bytes of the reference query on a year: this star; unpartitioned Snappy Parquet of the raw CSV"
    yield Row(case, megabytes(ours), megabytes(raw), ours / raw)
    whole = sum(Path(file).stat().st_size for file in (DATA / "raw-parquet").glob("*.parquet"))
    yield Row("… whole files of that Parquet", megabytes(ours), megabytes(whole), ours / whole)


def megabytes(size: float) -> str:
    """A size, for people."""
    return f"{size / 1e6:.2f} MB"
