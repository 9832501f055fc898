"""`python -m star_assets_tests.tills`: a day of tills while everything is killed; says what that broke.

Prints the figures, and every problem. Exits with 1 if there is one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from .soak import Soak, told


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m star_assets_tests.tills", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20, help="how long tills ring (20)")
    parser.add_argument("--kills", type=int, default=20, help="how often each kind of process is killed (20)")
    parser.add_argument("--seed", type=int, default=7, help="what decides events and victims (7)")
    given = parser.parse_args()
    started = time.monotonic()
    print(f"Tills ring for {given.minutes:g} minutes, {given.kills} kills of each kind, seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        figures = Soak(Path(folder), given.minutes * 60, given.kills, given.seed).soak()
    print(*told(figures), f"{time.monotonic() - started:.0f} seconds", sep="\n")
    return 1 if figures.problems else 0


if __name__ == "__main__":
    sys.exit(main())
