"""`python -m star_assets_tests.protocol`: explore everything, and print what was found.

With names of scenarios or shortcuts, only those, and the trace of each counterexample. Exits with 1 if the protocol
breaks an invariant, or if a shortcut does not break the one that it should.
"""

from __future__ import annotations

import argparse
import sys
import time

from .scenarios import SCENARIOS
from .shortcuts import SHORTCUTS, explored, is_as_expected


def main(arguments: list[str]) -> int:
    """Explore, print a line for each name, return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m star_assets_tests.protocol", description="Explore the protocol.")
    parser.add_argument("names", nargs="*", choices=[[], *SCENARIOS, *SHORTCUTS], metavar="NAME")
    names = parser.parse_args(arguments).names
    failed = []
    for name in names or [*SCENARIOS, *SHORTCUTS]:
        began = time.process_time()
        found = explored(name)
        seconds = "" if names else f"{time.process_time() - began:6.1f} s"
        result = f"{len(found.trace)} steps until {found.broken}" if found.broken else "holds"
        print(f"{name:28}{found.states:>10,} states{seconds}  {result}", flush=True)
        if names and found.broken:
            print(*found.trace, sep="\n")
        if not is_as_expected(name, found):
            failed.append(name)
    if failed:
        print(f"Not as expected: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
