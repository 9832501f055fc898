"""Every table of the star for every day of the exports, without Dagster.

Prints the seconds of each table and, for a lake on S3, the requests.

python -m bench.ours.backfill LAKE FIRST_DAY
"""

from __future__ import annotations

import json
import sys
import time

from bench.ours.aws_requests import Requests
from bench.ours.lakes import refresh, warehouse


def main() -> None:
    lake, first_day = sys.argv[1:]
    requests = Requests() if lake.startswith("s3://") else None
    house = warehouse(lake, first_day)
    phases, sent = {}, {}
    for table in house.star.tables:
        begun, before = time.perf_counter(), requests.counts() if requests else {}
        refresh(house, [table], house.days())
        phases[table] = round(time.perf_counter() - begun, 2)
        if requests:
            sent[table] = requests.counts() - before
    print(json.dumps({"seconds": round(sum(phases.values()), 2), "phases": phases, "requests": sent}))


if __name__ == "__main__":
    main()
