"""The cases through Dagster, against as many assets that do nothing.

Each side has a Dagster home of its own, made by a first run that is not
measured. It is set up as Dagster comes; a range is also measured as this project
sets Dagster up (its dagster.yaml), as whoever clones it has it. The empty assets
record as many materializations and checks as ours; the table says how many each
side recorded. Not here: the cases without Dagster.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

from bench.cases import ours_backfill
from bench.exports import DATA, FULL, SAMPLE, Exports, put_aside
from bench.measure import ROOT, Measurement, Options, alternate, python
from bench.table import Row

EMPTY_ASSETS = ROOT / "bench" / "peers" / "empty_assets.py"
MATERIALIZATION, CHECK = "ASSET_MATERIALIZATION", "ASSET_CHECK_EVALUATION"


def one_day(options: Options) -> Iterator[Row]:
    """All assets, one day as large as the demo's."""
    ours, empty = Side("ours"), Side("empty")
    SAMPLE.fresh_lake("dagster")
    warm_up(ours, empty)
    star, assets = alternate(
        options.times,
        lambda number: ours.star(SAMPLE, SAMPLE.all_days[1 + number]),
        lambda number: empty.assets(SAMPLE.all_days[1 + number]),
    )
    yield Row.of("One sample day through Dagster; as many empty assets", star.seconds, assets.seconds, 2)
    yield recorded(ours, empty)


def whole_range(options: Options) -> Iterator[Row]:
    """6 million lines through Dagster, against the same without Dagster plus the same events."""
    here, ours, empty = Side("here", (ROOT / "dagster.yaml").read_text()), Side("ours"), Side("empty")
    SAMPLE.fresh_lake("dagster")
    warm_up(ours, empty)
    SAMPLE.fresh_lake("dagster")
    here.star(SAMPLE, SAMPLE.all_days[0])

    def through_dagster(side: Side) -> Measurement:
        FULL.fresh_lake("dagster")
        return side.star(FULL, FULL.all_days[0], FULL.all_days[-1])

    as_here, through, core, events = alternate(
        options.times,
        lambda _: through_dagster(here),
        lambda _: through_dagster(ours),
        ours_backfill,
        lambda _: empty.assets(FULL.all_days[0], FULL.all_days[-1]),
    )
    parts = f"without ({core.seconds:.1f} s) + empty assets ({events.seconds:.1f} s)"
    peer = core.seconds + events.seconds
    yield Row.of(f"Backfill through Dagster, as it is set up here; {parts}", as_here.seconds, peer, 1.1)
    yield Row.of("… both as Dagster comes", through.seconds, peer)
    yield recorded(ours, empty)


class Side:
    """A Dagster home of its own, and what is materialized there."""

    def __init__(self, name: str, set_up: str = "telemetry:\n  enabled: false\n") -> None:
        self.home = DATA / "dagster" / name
        put_aside(self.home)
        self.home.mkdir(parents=True)
        (self.home / "dagster.yaml").write_text(set_up.replace(" .dagster/", f" {self.home}/"))
        self.counts: dict[str, str] = {}

    def star(self, exports: Exports, first: str, last: str | None = None) -> Measurement:
        """Our assets for a day, or for a range of days, of the lake `dagster`."""
        lake = {"STAR_LAKE": str(DATA / "lakes" / "dagster"), "STAR_START_DATE": str(exports.first_day)}
        return self._materialize(["-m", "star_assets.definitions"], lake, first, last)

    def assets(self, first: str, last: str | None = None) -> Measurement:
        """The empty assets for a day, or for a range of days."""
        return self._materialize(["-f", str(EMPTY_ASSETS)], self.counts, first, last)

    def recorded(self, event: str) -> int:
        """How many events of a type its history holds."""
        return self._ask("SELECT count(*) FROM event_logs WHERE dagster_event_type = ?", event)

    def materialized(self) -> int:
        """How many assets were ever materialized."""
        return self._ask(
            "SELECT count(DISTINCT asset_key) FROM event_logs WHERE dagster_event_type = ?", MATERIALIZATION
        )

    def _ask(self, question: str, *values: str) -> int:
        with closing(sqlite3.connect(self.home / "history" / "runs" / "index.db")) as index:
            return int(index.execute(question, values).fetchone()[0])

    def _materialize(self, code: list[str], env: dict[str, str], first: str, last: str | None) -> Measurement:
        days = ["--partition-range", f"{first}...{last}"] if last else ["--partition", first]
        command = ["-m", "dagster", "asset", "materialize", *code, "--select", "*", *days]
        return python(*command, env={**env, "DAGSTER_HOME": str(self.home)})


def warm_up(ours: Side, empty: Side) -> None:
    """The first run of each side; tells the empty side how many events a day of ours makes."""
    ours.star(SAMPLE, SAMPLE.all_days[0])
    assets = ours.materialized()
    empty.counts = {"EMPTY_ASSETS": str(assets), "EMPTY_RUN_CHECKS": str(ours.recorded(CHECK) - assets)}
    empty.assets(SAMPLE.all_days[0])


def recorded(ours: Side, empty: Side) -> Row:
    """How many events each side recorded in all its runs."""
    told, expected = (f"{side.recorded(MATERIALIZATION)} + {side.recorded(CHECK)}" for side in (ours, empty))
    return Row("… materializations + checks recorded by all runs", told, expected)
