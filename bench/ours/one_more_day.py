"""One more day on a small lake and on a large one, day by day in turn.

Both lakes end on the same day and get the same further days, each from a newly
opened warehouse. Their dimensions are equally large: the small one's first export
describes as many customers as the large one has by then, prices never change, and
both calendars begin with the large one's first year. Prints, for each lake and
table, the median seconds of a day.

python -m bench.ours.one_more_day SMALL_DAYS LARGE_DAYS FURTHER_DAYS
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pyarrow.parquet as pq

from bench.exports import SAMPLE, Exports
from bench.ours.lakes import live_files, refresh, warehouse
from star_assets.star import retail

# Sizes of the same dimension may differ by this share: of members that only sales name, the small lake has seen fewer.
ALIKE = 0.01


@dataclass
class GrowingLake:
    """A lake of so many days, with exports of a few more, and with the dimensions of one of `as_of` days."""

    days: int
    further: int
    as_of: int
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        first_day = SAMPLE.first_day - timedelta(days=self.days)
        steady = Exports(first_day, self.days + self.further, SAMPLE.orders_per_day, price_days=2 * self.as_of)
        self.exports = replace(steady, more_customers=steady.new_customers * (self.as_of - self.days))
        self.start = SAMPLE.first_day - timedelta(days=self.as_of)
        self.lake = self.exports.fresh_lake(f"growing-{self.days}")

    def fill(self) -> None:
        """Everything but the further days."""
        refresh(warehouse(self.lake, self.start), retail.tables, self.exports.all_days[: self.days])

    def add(self, number: int) -> None:
        """One further day, table by table."""
        house = warehouse(self.lake, self.start)
        day = self.exports.all_days[self.days + number]
        for table in retail.tables:
            begun = time.perf_counter()
            refresh(house, [table], [day])
            self.seconds[table].append(time.perf_counter() - begun)

    def medians(self) -> dict[str, float]:
        """Seconds of a further day, by table."""
        return {table: statistics.median(times) for table, times in self.seconds.items()}

    def members(self) -> dict[str, int]:
        """How many rows each dimension has."""
        files = live_files(self.lake)
        return {name: sum(pq.read_metadata(file).num_rows for file in files[name]) for name in retail.dimensions}


def must_be_alike(small: GrowingLake, large: GrowingLake) -> None:
    """Raises AssertionError where a dimension is larger on one side: the days would not be comparable."""
    for (name, few), many in zip(small.members().items(), large.members().values(), strict=True):
        assert abs(many - few) <= ALIKE * many, f"{name} has {few} rows on the small lake, {many} on the large one"


def main() -> None:
    small, large, further = (int(argument) for argument in sys.argv[1:])
    lakes = [GrowingLake(small, further, large), GrowingLake(large, further, large)]
    for lake in lakes:
        lake.fill()
    must_be_alike(*lakes)
    for number in range(further):
        for lake in lakes:
            lake.add(number)
    print(json.dumps({"small": lakes[0].medians(), "large": lakes[1].medians()}))


if __name__ == "__main__":
    main()
