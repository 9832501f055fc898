"""TPC-H's star for every day of its exports, without Dagster.

Prints lines, seconds by kind of table, and what Spark took beside this process.

python -m bench.ours.tpch LAKE
"""

from __future__ import annotations

import json
import sys
import time
from datetime import date

from bench.ours.lakes import refresh
from bench.ours.started import started
from examples.tpch.prepare import DAILY, FIRST_DAY
from examples.tpch.tpch import tpch
from star_assets.pipeline.warehouse import Warehouse
from star_assets.settings import Settings


def main() -> None:
    house = Warehouse(tpch, Settings(lake=sys.argv[1], start_date=date.fromisoformat(FIRST_DAY)))
    days, phases = house.days(), {}
    for phase, tables in (("staging", tpch.sources), ("dimensions", tpch.dimensions), ("facts", tpch.facts)):
        begun = time.perf_counter()
        for table in tables:
            refresh(house, [table], days if table in (*DAILY, *tpch.facts) else [FIRST_DAY])
        phases[phase] = round(time.perf_counter() - begun, 2)
    manifests = [house.live_manifest("fact_lineitem", day) for day in days]
    lines = sum(manifest.rows for manifest in manifests if manifest)
    print(json.dumps({"lines": lines, "phases": phases, "started": started()}))


if __name__ == "__main__":
    main()
