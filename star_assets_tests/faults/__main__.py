"""`python -m star_assets_tests.faults`: kill processes at random points of random operations, and say what that broke.

Prints the figures, and every problem. Exits with 1 if there is one.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from star_assets_tests.pipeline.conftest import AwsLake, Lake
from star_assets_tests.pipeline.retailers import shop

from .judging import counted
from .killing import is_file_operation, is_request
from .storm import Figures, Storm

LINES = ("complete", "changed")


def main() -> None:
    arguments = parsed()
    started, rng, found = time.monotonic(), Random(arguments.seed), []
    print(f"{arguments.kills} kills, seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="faults-") as folder, places(arguments.aws, Path(folder)) as place:
        for number, lines in enumerate(LINES):
            seen = Path(folder) / f"seen-{lines}"
            seen.mkdir()
            kills = (arguments.kills + number) // len(LINES)
            is_counted = is_request if arguments.aws else is_file_operation
            found.append(Storm(place(lines), lines, is_counted, Random(rng.random()), seen).blow(kills))
    sys.exit(tell(found, time.monotonic() - started))


@contextmanager
def places(on_aws: bool, folder: Path) -> Iterator[Callable[[str], Lake]]:
    """What makes a lake for each way of exporting lines: in the folder, or on an AWS of its own."""
    if not on_aws:
        yield lambda lines: Lake(folder / lines, shop(lines))
        return
    command = [sys.executable, str(Path(__file__).parents[1] / "aws_server.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        os.environ.update(
            AWS_ENDPOINT_URL=server.stdout.readline().strip(),
            AWS_ACCESS_KEY_ID="testing",
            AWS_SECRET_ACCESS_KEY="testing",
            AWS_DEFAULT_REGION="us-east-1",
            XDG_CACHE_HOME=str(folder / "cache"),
        )
        yield aws_lake
        server.stdin.close()


def aws_lake(lines: str) -> Lake:
    """A bucket, and Glue databases of its own, which the environment leads every process to."""
    from star_assets.lake.aws import session

    session().client("s3").create_bucket(Bucket=f"faults-{lines}")
    os.environ["STAR_GLUE_PREFIX"] = f"{lines}_"
    return AwsLake(f"s3://faults-{lines}/lake", shop(lines))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m star_assets_tests.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=500, help="how many processes are killed (500)")
    parser.add_argument("--seed", type=int, default=7, help="what decides operations and moments (7)")
    parser.add_argument("--aws", action="store_true", help="on S3 and Glue, served on this machine; slower")
    return parser.parse_args()


def tell(found: list[Figures], seconds: float) -> int:
    """Print the figures and the problems. Returns the exit code."""
    kills: Counter[tuple[str, str]] = sum((figures.kills for figures in found), Counter())
    ended: Counter[str] = sum((figures.ended for figures in found), Counter())
    for operation in sorted({name for name, _ in kills} | ended.keys()):
        steps = {step: times for (name, step), times in kills.most_common() if name == operation}
        told = ", ".join(f"{step} {times}" for step, times in steps.items())
        print(f"  {operation}: {sum(steps.values())} killed ({told}), {ended[operation]} ended")
    reads, versions = sum(figures.reads for figures in found), sum(figures.versions for figures in found)
    print(f"{kills.total()} kills, {ended.total()} operations that ended, {versions} versions, {reads} reads")
    problems = counted([problem for figures in found for problem in figures.problems])
    print(f"{seconds:.0f} seconds; {len(problems) or 'no'} problem{'' if len(problems) == 1 else 's'}")
    for problem in problems:
        print(f"- {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    main()
