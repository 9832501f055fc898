"""A day streams from the server to the file: what it takes of memory does not grow with its rows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from star_assets_tests.shop import Shop

# A megabyte of rows, to have loaded what copying needs, then as many as are asked for.
COPY = """
import resource, sys
from contextlib import closing
from pathlib import Path
from star_assets.model import Source
from star_assets.exports.pull.database import day_of, open_database
from star_assets.settings import Settings
from star_assets.star import retail

settings = Settings(source_dsn=sys.argv[1])
with closing(open_database(settings)) as database:
    for name in ("few", "many"):
        source = Source(name, key="id", columns={"id": "int64"})
        rows = database.export([source], day_of(retail, settings, "2023-07-02"), Path(sys.argv[2]))
        print(rows[name], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_a_large_day_takes_no_more_memory_than_a_small_one(shop: Shop, tmp_path: Path) -> None:
    """Months of orders, imported on one day, must not end the process that exports them."""
    for name, rows in (("few", 1_000), ("many", 300_000)):
        shop.execute(f"CREATE VIEW shop.{name} AS SELECT id, repeat('x', 1000) FROM generate_series(1, {rows}) id")
        shop.execute(f"GRANT SELECT ON shop.{name} TO star_export")
    done = subprocess.run([sys.executable, "-c", COPY, shop.url, tmp_path], capture_output=True, text=True, check=True)
    (few, before), (many, after) = (map(int, line.split()) for line in done.stdout.splitlines())
    assert (few, many) == (1_000, 300_000)
    # 300 MB went through; Linux counts kilobytes.
    assert after - before < 16_000
