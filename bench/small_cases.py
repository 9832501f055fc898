"""The second work: the years of a small retailer, whose every day corrects old ones.

1,000 days of 500 orders are loaded in one go; then come five days, one by one, each
with 500 new orders and 30 corrections to orders of 30 old dates, which nobody names;
then there is nothing to do. The same on a lake of 10 days tells what the years cost.
Each run is a whole process, and the tools take turns. After each step every tool's
star must be what a recompute over the raw files gives (small_truth). Not here: how
the peers are set up (the first lines of peers/small/), the exports (exports).
"""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from bench.environments import environment
from bench.exports import DATA, SOURCES, Exports, put_aside
from bench.measure import ROOT, Measurement, Options, measure, python
from bench.table import Row

PEERS = ROOT / "bench" / "peers" / "small"

FURTHER_DAYS = 5
YEARS = Exports(date(2021, 1, 1), 1000 + FURTHER_DAYS, 500, corrected_days=FURTHER_DAYS)
# Ends on the same day.
FEW = replace(YEARS, first_day=date(2023, 9, 18), days=10 + FURTHER_DAYS)

MEMORY = 500e6


@dataclass(frozen=True)
class Tool:
    """One tool on any retailer: how it is run, and where in its folder the star then is."""

    name: str
    run: Callable[[Retailer, Path], Measurement]
    star: str = "."


class Retailer:
    """A retailer whose exports come day by day, and each tool's folder over them."""

    def __init__(self, name: str, exports: Exports) -> None:
        exports.ensure()
        self.exports, self.folder, self.came = exports, DATA / "small" / name, 0
        self.taken: dict[tuple[str, str], list[Measurement]] = defaultdict(list)
        put_aside(self.folder)

    @property
    def oltp(self) -> Path:
        """The exports that have come."""
        return self.folder / "oltp"

    def export(self, days: int) -> None:
        """So many more days come."""
        for day in self.exports.all_days[self.came : self.came + days]:
            for source in SOURCES:
                partition = f"{source}/date={day}"
                shutil.copytree(self.exports.folder / "oltp" / partition, self.oltp / partition, copy_function=os.link)
        self.came += days

    def empty(self, tool: Tool) -> None:
        """Nothing is loaded by a tool."""
        put_aside(self.folder / tool.name)
        (self.folder / tool.name).mkdir(parents=True)

    def measure(self, step: str, tool: Tool) -> None:
        """Run a tool on what has come."""
        self.taken[step, tool.name].append(tool.run(self, self.folder / tool.name))

    def must_be_true(self, tools: Sequence[Tool]) -> None:
        """Raises RuntimeError that tells what differs between a tool's star and a recompute."""
        stars = [f"{tool.name}={self.folder / tool.name / tool.star}" for tool in tools]
        python("-m", "bench.small_truth", self.oltp, *stars)

    def median(self, step: str, tool: Tool) -> Measurement:
        """The median of a step's runs, by wall time."""
        runs = sorted(self.taken[step, tool.name], key=lambda measured: measured.seconds)
        return runs[len(runs) // 2]

    def peak(self, tool: Tool) -> float:
        """The most memory that any run of a tool took, in bytes."""
        return max(one.peak_bytes for (_, name), runs in self.taken.items() if name == tool.name for one in runs)


def run_ours(retailer: Retailer, lake: Path) -> Measurement:
    """`star-assets run`, as a user has it."""
    if not (lake / "oltp").exists():
        (lake / "oltp").symlink_to(retailer.oltp)
    settings = {"STAR_LAKE": str(lake), "STAR_START_DATE": str(retailer.exports.first_day)}
    return python("-m", "star_assets.cli", "run", env=settings)


def run_dbt(retailer: Retailer, folder: Path) -> Measurement:
    """`dbt run` of the project in peers/small/dbt."""
    programs, project = environment("dbt", PEERS / "requirements-dbt.txt"), PEERS / "dbt"
    places = ("--project-dir", project, "--profiles-dir", project)
    written = ("--target-path", folder / "target", "--log-path", folder / "logs")
    settings = {"SMALL_OLTP": str(retailer.oltp), "SMALL_DATABASE": str(folder / "small.duckdb")}
    return measure(programs / "dbt", "run", *places, *written, env=settings)


def run_polars(retailer: Retailer, folder: Path) -> Measurement:
    """peers/small/polars_dates.py."""
    programs = environment("polars", PEERS / "requirements-polars.txt")
    return measure(programs / "python", PEERS / "polars_dates.py", retailer.oltp, folder)


def run_by_hand(retailer: Retailer, folder: Path) -> Measurement:
    """peers/small/duckdb_merge.py."""
    programs = environment("duckdb", PEERS / "requirements-duckdb.txt")
    return measure(programs / "python", PEERS / "duckdb_merge.py", retailer.oltp, folder / "small.duckdb")


OURS = Tool("ours", run_ours)
DBT = Tool("dbt", run_dbt, "small.duckdb")
POLARS = Tool("polars", run_polars)
BY_HAND = Tool("by_hand", run_by_hand, "small.duckdb")
TOOLS = (OURS, POLARS, DBT, BY_HAND)
TITLES = {POLARS: "Polars, a file per date", DBT: "dbt-duckdb", BY_HAND: "DuckDB merge by hand"}


def small_years(options: Options) -> Iterator[Row]:
    """Load, five days, nothing to do: ours against each peer, and 1,000 days against 10."""
    few, years = both = Retailer("few", FEW), Retailer("years", YEARS)
    for retailer in both:
        retailer.export(retailer.exports.days - FURTHER_DAYS)
    for _ in range(options.times):
        for tool in TOOLS:
            for retailer in both:
                retailer.empty(tool)
                retailer.measure("load", tool)
    compare(*both)
    for _ in range(FURTHER_DAYS):
        for retailer in both:
            retailer.export(1)
        take_turns("day", both)
        compare(*both)
    for _ in range(options.times):
        take_turns("nothing", both)
    compare(*both)
    yield from rows(few, years)


def take_turns(step: str, retailers: Sequence[Retailer]) -> None:
    """Each tool on each retailer, one after the other."""
    for tool in TOOLS:
        for retailer in retailers:
            retailer.measure(step, tool)


def compare(*retailers: Retailer) -> None:
    """Every tool's star of every retailer against the truth."""
    for retailer in retailers:
        retailer.must_be_true(TOOLS)


def rows(few: Retailer, years: Retailer) -> Iterator[Row]:
    """The table's rows, with this project's targets."""
    yield from against_peers(years, "load", "Load a small retailer's 1,000 days × 500 orders", {POLARS: 0.8})
    yield from against_peers(years, "day", "… one more day, which corrects 30 old dates", {DBT: 0.5})
    yield from against_peers(years, "nothing", "… nothing to do", {DBT: 0.3})
    large, small = years.median("nothing", OURS), few.median("nothing", OURS)
    yield Row.of("… nothing to do: after 1,000 days; after 10", large.seconds, small.seconds, 1.2)
    large, small = years.median("day", OURS), few.median("day", OURS)
    yield Row.of("… one more day: after 1,000 days; after 10", large.seconds, small.seconds)
    for peer, title in TITLES.items():
        for step, words in (("day", "one more day"), ("nothing", "nothing to do")):
            case = f"… {words} after 10 days; {title}"
            yield Row.of(case, few.median(step, OURS).seconds, few.median(step, peer).seconds)
    peaks = ", ".join(f"{years.peak(peer) / 1e6:.0f} MB ({title})" for peer, title in TITLES.items())
    ours = years.peak(OURS)
    yield Row("… peak memory of all these runs, of 500 MB allowed", f"{ours / 1e6:.0f} MB", peaks, ours / MEMORY, 1)


def against_peers(retailer: Retailer, step: str, case: str, bounds: dict[Tool, float]) -> Iterator[Row]:
    """A step's seconds, and its processor time, against each peer."""
    ours = retailer.median(step, OURS)
    for peer, title in TITLES.items():
        theirs = retailer.median(step, peer)
        yield Row.of(f"{case}; {title}", ours.seconds, theirs.seconds, bounds.get(peer))
        yield Row.of("… in processor time", ours.cpu_seconds, theirs.cpu_seconds)
