"""The cases on S3 and Glue, as moto serves them: against local disk, and against boto3's bare calls.

Not here: the server (aws), the cases on local disk (cases).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
# Days whose number counts, not their size.
TEN_YEARS, THOUSAND_DAYS = Exports(date(2014, 1, 1), 3650, 3), Exports(date(2021, 1, 1), 1000, 20)
TABLES, PARTITIONS = 10, 3650
REQUESTS_A_DAY, REQUESTS_OF_NOTHING = 2, 40


def backfill(options: Options) -> Iterator[Row]:
    """92 days of 500 orders on S3 and Glue, against the same on local disk, and the requests of a day of a table."""
    QUARTER.ensure()
    with moto() as env:

        def on_aws(_: int) -> Measurement:
            lake, fresh = uploaded(QUARTER, env)
            return python("-m", "bench.ours.backfill", lake, str(QUARTER.first_day), env=fresh)

        def on_disk(_: int) -> Measurement:
            lake = QUARTER.fresh_lake("quarter")
            return python("-m", "bench.ours.backfill", lake, str(QUARTER.first_day))

        aws, disk = alternate(options.times, on_aws, on_disk)
    yield Row.of("Backfill of 92 days × 500 orders: on moto's S3 and Glue; on local disk", aws.seconds, disk.seconds, 3)
    yield Row.of("… in this process's processor time", aws.cpu_seconds, disk.cpu_seconds)
    sent = {table: kinds for table, kinds in aws.report["requests"].items() if not table.startswith("dim_")}
    for kind in ("PUT", "GET"):
        a_day = {table: kinds.get(kind, 0) / QUARTER.days for table, kinds in sent.items()}
        most = max(a_day, key=lambda table: a_day[table])
        case = f"… {kind}s for a day of {most}, which needs the most, of {REQUESTS_A_DAY} allowed"
        yield Row(case, f"{a_day[most]:.2f}", "", a_day[most] / REQUESTS_A_DAY, 1)


def idle(_: Options) -> Iterator[Row]:
    """The requests of a run that finds nothing to do on 1,000 days."""
    THOUSAND_DAYS.ensure()
    with moto() as env:
        lake, fresh = uploaded(THOUSAND_DAYS, env)
        settings = {**fresh, "STAR_LAKE": lake, "STAR_START_DATE": str(THOUSAND_DAYS.first_day)}
        python("-m", "star_assets.cli", "run", env=settings)
        elsewhere = {**settings, "XDG_CACHE_HOME": str(DATA / "cache" / uuid4().hex)}
        runs = [python("-m", "bench.ours.aws_requests", "run", env=each).report for each in (settings, elsewhere)]
    sent, uncached = (sum(report.values()) for report in runs)
    case = f"A run with nothing to do over {THOUSAND_DAYS.days:,} days: requests, of {REQUESTS_OF_NOTHING} allowed"
    yield Row(case, str(sent), "", sent / REQUESTS_OF_NOTHING, 1)
    yield Row("… on a machine that has no local copies yet", str(uncached), "")


def publish(_: Options) -> Iterator[Row]:
    """3,650 days of a source, against the same objects and partitions by boto3 alone."""
    TEN_YEARS.ensure()
    with moto() as env:
        lake, fresh = uploaded(TEN_YEARS, env, "orders")
        aws = python("-m", "bench.ours.publish", lake, TEN_YEARS.folder, env=fresh).report
    disk = python("-m", "bench.ours.publish", TEN_YEARS.fresh_lake("ten-years"), TEN_YEARS.folder).report
    case = f"Publish {TEN_YEARS.days:,} days of orders on moto, less what the same takes on local disk; boto3 alone"
    yield Row.of(case, aws["ours"] - disk["ours"], aws["bare"], 1.5)
    yield Row.of("… with staging, all of it; on local disk", aws["ours"], disk["ours"])


def uploaded(exports: Exports, env: Mapping[str, str], *source: str) -> tuple[str, dict[str, str]]:
    """A lake in a new bucket with exports in it, and the environment of who fills it: no earlier run's copies help."""
    name = bucket(env)
    python("-m", "bench.ours.upload", exports.folder / "oltp", name, *source, env=env)
    own = {"STAR_GLUE_PREFIX": f"g{uuid4().hex[:8]}_", "XDG_CACHE_HOME": str(DATA / "cache" / name)}
    return f"s3://{name}/lake", {**env, **own}


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
