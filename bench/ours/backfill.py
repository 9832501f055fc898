"""Every table of the star for every day of the exports, without Dagster.

python -m bench.ours.backfill LAKE FIRST_DAY
"""

from __future__ import annotations

import json
import sys
import time

from bench.ours.lakes import refresh, warehouse


def main() -> None:
    house = warehouse(sys.argv[1], sys.argv[2])
    phases = {}
    for table in house.star.tables:
        begun = time.perf_counter()
        refresh(house, [table], house.days())
        phases[table] = round(time.perf_counter() - begun, 2)
    print(json.dumps({"seconds": round(sum(phases.values()), 2), "phases": phases}))


if __name__ == "__main__":
    main()
