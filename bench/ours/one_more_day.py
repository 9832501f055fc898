"""One more day on a small lake and on a large one, day by day in turn.

Both lakes end on the same day and get the same further days, each from a newly
opened warehouse. Prints, for each lake and table, the median seconds of a day.

python -m bench.ours.one_more_day SMALL_DAYS LARGE_DAYS FURTHER_DAYS
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta

from bench.exports import SAMPLE, Exports
from bench.ours.lakes import refresh, warehouse
from star_assets.star import retail


@dataclass
class GrowingLake:
    """A lake of so many days, with exports of a few more."""

    days: int
    further: int
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        first_day = SAMPLE.first_day - timedelta(days=self.days)
        self.exports = Exports(first_day, self.days + self.further, SAMPLE.orders_per_day)
        self.lake = self.exports.fresh_lake(f"growing-{self.days}")

    def fill(self) -> None:
        """Everything but the further days."""
        refresh(warehouse(self.lake, self.exports.first_day), retail.tables, self.exports.all_days[: self.days])

    def add(self, number: int) -> None:
        """One further day, table by table."""
        house = warehouse(self.lake, self.exports.first_day)
        day = self.exports.all_days[self.days + number]
        for table in retail.tables:
            begun = time.perf_counter()
            refresh(house, [table], [day])
            self.seconds[table].append(time.perf_counter() - begun)

    def medians(self) -> dict[str, float]:
        """Seconds of a further day, by table."""
        return {table: statistics.median(times) for table, times in self.seconds.items()}


def main() -> None:
    small, large, further = (int(argument) for argument in sys.argv[1:])
    lakes = [GrowingLake(small, further), GrowingLake(large, further)]
    for lake in lakes:
        lake.fill()
    for number in range(further):
        for lake in lakes:
            lake.add(number)
    print(json.dumps({"small": lakes[0].medians(), "large": lakes[1].medians()}))


if __name__ == "__main__":
    main()
