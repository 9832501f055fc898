"""Exports into a bucket's `lake/oltp/`: of all sources, or of one.

python -m bench.ours.upload FOLDER BUCKET [SOURCE]
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3

AT_ONCE = 8


def main() -> None:
    folder, bucket = Path(sys.argv[1]), sys.argv[2]
    chosen = folder.joinpath(*sys.argv[3:])
    s3 = boto3.client("s3")

    def put(file: Path) -> None:
        s3.put_object(Bucket=bucket, Key=f"lake/oltp/{file.relative_to(folder)}", Body=file.read_bytes())

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(put, (file for file in chosen.rglob("*") if file.is_file())))


if __name__ == "__main__":
    main()
