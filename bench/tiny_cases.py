"""The third work: five years of five orders a day, and one such year, in which days cost more than rows.

Each step is a whole process: a first run, a run with nothing to do, the status, a query.
Here too: how many files a lake then has of a day. Not here: larger days (small_cases).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

from bench.exports import Exports
from bench.measure import Measurement, Options, python
from bench.table import Row, seconds

FIVE_YEARS = Exports(date(2019, 1, 1), 1826, 5)
ONE_YEAR = replace(FIVE_YEARS, days=365)

# A quarter of a year, by day.
QUERY = (
    "SELECT date, sum(revenue) AS revenue FROM fact_sales "
    "WHERE date BETWEEN '2019-10-01' AND '2019-12-31' GROUP BY date ORDER BY date"
)

# The command of each step, and the seconds that it may take of five years.
STEPS = {
    "a first run": (("run",), 60),
    "nothing to do": (("run",), 3),
    "status": (("status",), 2),
    "a query": (("query", QUERY), 1),
}

# The files that five years may have of a day, and how many times as long as one year they may take.
MOST_FILES, MOST_TIMES = 12, 6


def tiny_days(options: Options) -> Iterator[Row]:
    """Five years against their bounds, and against one year."""
    years = [(exports, exports.fresh_lake(name)) for name, exports in (("one", ONE_YEAR), ("five", FIVE_YEARS))]
    for step, (words, most) in STEPS.items():
        times = 1 if step == "a first run" else options.times
        one, five = (median([star_assets(*each, *words) for _ in range(times)]) for each in years)
        case = f"Five years of 5 orders a day: {step}, of {most} s allowed"
        yield Row(case, seconds(five.seconds), "", five.seconds / most, 1)
        yield Row.of("… one such year", five.seconds, one.seconds, MOST_TIMES)
    files = written_files(years[-1][1]) / FIVE_YEARS.days
    yield Row(f"… files of a day, of {MOST_FILES} allowed", f"{files:.1f}", "", files / MOST_FILES, 1)


def star_assets(exports: Exports, lake: Path, *words: str) -> Measurement:
    """A command, as a user has it."""
    settings = {"STAR_LAKE": str(lake), "STAR_START_DATE": str(exports.first_day)}
    return python("-m", "star_assets.cli", *words, env=settings)


def median(runs: list[Measurement]) -> Measurement:
    """The run of median wall time."""
    return sorted(runs, key=lambda run: run.seconds)[len(runs) // 2]


def written_files(lake: Path) -> int:
    """The files in a lake. Its raw exports are behind a link, which is not followed."""
    return sum(len(files) for _, _, files in os.walk(lake))
