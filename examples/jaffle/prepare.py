"""One dump becomes one export: its files are copied to where a lake expects a day's exports.

Run from the repository: `python -m examples.jaffle.prepare`. It reads
JAFFLE_DATA (the dump's folder) and STAR_LAKE.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from star_assets.samples.formats import write_export

# The dump's day is that of its last order. Its orders spread over the year before.
FIRST_DAY, DUMP_DAY = "2018-09-01", "2019-08-31"

FILES = {
    "orders": "raw_orders.csv.gz",
    "items": "raw_items.csv.gz",
    "customers": "raw_customers.csv",
    "products": "raw_products.csv",
    "stores": "raw_stores.csv",
}

BESIDE_THE_REPOSITORY = Path(__file__).parents[3] / "shared" / "data" / "jaffle"


def dump_folder() -> Path:
    """Where the dump is: JAFFLE_DATA, or beside the repository."""
    return Path(os.environ.get("JAFFLE_DATA", BESIDE_THE_REPOSITORY))


def prepare(dump: Path, lake: Path) -> None:
    """Copy the dump's files into the lake as the exports of one day. Run again, it changes nothing."""
    for source, name in FILES.items():
        write_export(lake / "oltp" / source / f"date={DUMP_DAY}", {name: (dump / name).read_bytes()})


if __name__ == "__main__":
    lake = Path(os.environ.get("STAR_LAKE", "./lake"))
    try:
        prepare(dump_folder(), lake)
    except FileNotFoundError as error:
        sys.exit(f"{error.filename}: no such file. Set JAFFLE_DATA to the folder that holds the dump.")
    print(f"{len(FILES)} exports of {DUMP_DAY} in {lake / 'oltp'}.")
