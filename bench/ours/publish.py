"""Many small days of a source staged and published, and the same objects and partitions written by boto3 alone.

On S3 the bare calls are those that any writer of the same would need: each raw file
is read; a Parquet file and a manifest are put for each day and a ledger for each
month; the day becomes a partition of the raw table and of the staged one. On local
disk there is nothing to compare with: what staging itself takes.

python -m bench.ours.publish LAKE EXPORTS
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bench.ours.lakes import refresh, warehouse

# Of Glue, in one call.
BATCH = 100

COLUMNS = [{"Name": "order_id", "Type": "bigint"}, {"Name": "status", "Type": "string"}]
SERDE = {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"}


def timed_refresh(lake: str, days: list[str]) -> float:
    """Seconds that `orders` takes, from nothing to published."""
    house = warehouse(lake, days[0])
    begun = time.perf_counter()
    refresh(house, ["orders"], days)
    return time.perf_counter() - begun


def timed_bare(bucket: str, raw: list[str], days: list[str], at_once: int) -> float:
    """Seconds that boto3 takes for the same objects and partitions, as many at a time."""
    import boto3

    s3, glue = boto3.client("s3"), boto3.client("glue")
    content, beside = small_file(), b"{" + b" " * 1000 + b"}"

    def put(day: str, file: str) -> None:
        s3.get_object(Bucket=bucket, Key=file)["Body"].read()
        for name, body in (("part-00000.parquet", content), ("_manifest.json", beside)):
            s3.put_object(Bucket=bucket, Key=f"bare/date={day}/{name}", Body=body)

    begun = time.perf_counter()
    glue.create_database(DatabaseInput={"Name": "bare"})
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(put, days, raw))
        list(pool.map(lambda month: s3.put_object(Bucket=bucket, Key=f"bare/{month}.json", Body=beside), months(days)))
    for table in ("raw", "staged"):
        keys = [{"Name": "date", "Type": "string"}]
        glue.create_table(DatabaseName="bare", TableInput={"Name": table, "PartitionKeys": keys, **storage(bucket, "")})
        for first in range(0, len(days), BATCH):
            inputs = [{"Values": [day], **storage(bucket, day)} for day in days[first : first + BATCH]]
            reply = glue.batch_create_partition(DatabaseName="bare", TableName=table, PartitionInputList=inputs)
            assert not reply.get("Errors")
    return time.perf_counter() - begun


def storage(bucket: str, day: str) -> dict[str, object]:
    """Where a table's or a partition's files are, in Glue's words."""
    location = f"s3://{bucket}/bare/date={day}"
    return {"StorageDescriptor": {"Columns": COLUMNS, "Location": location, "SerdeInfo": SERDE}}


def small_file() -> bytes:
    """A Parquet file of a few rows."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"order_id": [1, 2, 3], "status": ["placed", "paid", "shipped"]}), sink)
    return sink.getvalue().to_pybytes()


def months(days: list[str]) -> list[str]:
    """The months of the days."""
    return sorted({day[:7] for day in days})


def main() -> None:
    lake, exports = sys.argv[1], Path(sys.argv[2])
    folders = sorted((exports / "oltp" / "orders").glob("date=*"))
    days = [folder.name.removeprefix("date=") for folder in folders]
    found = {"ours": timed_refresh(lake, days)}
    if lake.startswith("s3://"):
        bucket = lake.split("/")[2]
        raw = [f"lake/oltp/orders/{folder.name}/{next(folder.glob('*.csv')).name}" for folder in folders]
        found["bare"] = timed_bare(bucket, raw, days, warehouse(lake, days[0]).storage.at_once)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
