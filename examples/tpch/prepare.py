"""TPC-H of a scale factor as daily exports: orders and their lines by the day they were ordered.

Run from the repository: `python -m examples.tpch.prepare SCALE`. It writes to
STAR_LAKE. The rows are those of `tpchgen-cli`, which a package brings; it writes
what TPC's own dbgen writes. Not here: what the columns mean (tpch).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import duckdb

# The days of the first and of the last order: TPC-H's are the same at any scale.
FIRST_DAY, LAST_DAY = "1992-01-01", "1998-08-02"

# What orders refer to is there before them: it is exported on the first day.
MASTER_DATA = ("customer", "supplier", "part", "nation", "region")

# What the package tpchgen-cli brings.
GENERATOR = Path(sysconfig.get_path("scripts")) / "tpchgen-cli"

# Orders and lines are generated and laid out in parts of this scale, a file of
# each part for each day: memory does not grow with the scale.
SCALE_OF_A_PART = 1.0

# For each source that is exported daily, its rows with the order's day. The lines of a
# part are not all of its own orders; those of all parts are read for the few keys at its ends.
DAILY = {
    "orders": "SELECT *, o_orderdate AS date FROM '{parts}/{number}/orders.parquet'",
    "lineitem": "WITH lines AS (FROM '{parts}/{number}/lineitem.parquet') "
    "SELECT lines.*, o_orderdate AS date FROM lines JOIN '{parts}/*/orders.parquet' ON o_orderkey = l_orderkey "
    "WHERE o_orderkey BETWEEN (SELECT min(l_orderkey) FROM lines) AND (SELECT max(l_orderkey) FROM lines)",
}


def prepare(scale: float, lake: Path) -> None:
    """Write the exports, all or none. Raises FileExistsError where the lake has some."""
    exports = lake / "oltp"
    if exports.exists():
        raise FileExistsError(f"{exports} holds exports already. Set STAR_LAKE to a folder of its own.")
    lake.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=lake, prefix=".preparing-") as scratch:
        unfinished = Path(scratch) / "oltp"
        master_data = Path(scratch) / "master_data"
        generate("csv", scale, master_data, *MASTER_DATA)
        for source in MASTER_DATA:
            first_day = unfinished / source / f"date={FIRST_DAY}"
            first_day.mkdir(parents=True)
            (master_data / f"{source}.csv").rename(first_day / f"{source}.csv")
        parts, generated = max(1, round(scale / SCALE_OF_A_PART)), Path(scratch) / "parts"
        for source in DAILY:
            for number in range(1, parts + 1):
                generate("parquet", scale, generated / str(number), source, parts=parts, part=number)
                write_days(source, generated, unfinished / source, number)
        unfinished.rename(exports)


def generate(kind: str, scale: float, folder: Path, *tables: str, parts: int = 1, part: int = 1) -> None:
    """Let the generator write `<folder>/<table>.<kind>`, or a part of each table. Raises FileNotFoundError."""
    if not GENERATOR.exists():
        raise FileNotFoundError(f"{GENERATOR}: no such program. Install the package tpchgen-cli.")
    which = [] if parts == 1 else ["--parts", str(parts), "--part", str(part)]
    command = [GENERATOR, kind, "--scale-factor", str(scale), "--tables", ",".join(tables), *which]
    subprocess.run([*command, "--output-dir", folder, "--quiet"], check=True)
    for found in folder.glob(f"*/*.{kind}"):
        found.rename(folder / f"{found.parent.name}.{kind}")


def write_days(source: str, parts: Path, exports: Path, number: int) -> None:
    """Spread the rows of a part over the days, as a file for each."""
    exports.mkdir(parents=True, exist_ok=True)
    rows = DAILY[source].format(parts=parts, number=number)
    with duckdb.connect(config={"memory_limit": "2GB", "preserve_insertion_order": False}) as connection:
        # A year at a time: writing all 2,406 days at once takes four times the memory.
        for year in range(int(FIRST_DAY[:4]), int(LAST_DAY[:4]) + 1):
            connection.execute(
                f"COPY (FROM ({rows}) WHERE year(date) = {year}) TO '{exports}' (FORMAT csv, HEADER, "
                f"PARTITION_BY (date), FILENAME_PATTERN '{source}-{number}-{{i}}', OVERWRITE_OR_IGNORE)"
            )


def main() -> None:
    """Read the scale factor and STAR_LAKE, and say where the exports are."""
    parser = argparse.ArgumentParser(description="Write TPC-H's tables as daily exports to STAR_LAKE.")
    parser.add_argument("scale", type=float, help="the scale factor: 1 makes 6 million order lines")
    lake = Path(os.environ.get("STAR_LAKE", "./lake"))
    try:
        prepare(parser.parse_args().scale, lake)
    except (FileExistsError, FileNotFoundError) as error:
        sys.exit(str(error))
    print(f"Exports from {FIRST_DAY} to {LAST_DAY} are in {lake / 'oltp'}.")


if __name__ == "__main__":
    main()
