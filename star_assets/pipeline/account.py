"""The account of a fact's lines: what reconciliation found, day by day and step by step.

Here: a value and its two forms as rows. Not here: how it is found (reconcile).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import pyarrow as pa

RAW, REJECTED, STAGED = "raw", "rejected", "staged"
MOVED_OUT, MOVED_IN = "moved out", "moved in"
FACT, UNEXPLAINED = "fact", "unexplained"

# Of a step: `rows`, and each summed measure. Raw and rejected lines have no measures.
Amounts = Mapping[str, int | Decimal]


@dataclass(frozen=True)
class Account:
    """For each day, the steps from raw to fact, in order, with what each takes away (negative) or adds.

    `raw` − `rejected` = `staged`, of that export day; that and all steps behind it
    add up to `fact`, of that business date, but for what is `unexplained`.
    """

    fact: str
    measures: tuple[str, ...]
    days: Mapping[str, Mapping[str, Amounts]]

    @property
    def differing(self) -> list[str]:
        """The days with something unexplained."""
        return [day for day, steps in self.days.items() if any(steps[UNEXPLAINED].values())]

    def rows(self) -> pa.Table:
        """A row per day and step: `day`, `step`, `rows`, and each measure as a decimal, NULL where a step has none."""
        found = [
            {"day": day, "step": step, **amounts} for day, steps in self.days.items() for step, amounts in steps.items()
        ]
        numbers = [(measure, _number(measure)) for measure in self.measures]
        return pa.Table.from_pylist(found, pa.schema([("day", pa.string()), ("step", pa.string()), *numbers]))

    def by_day(self, measure: str) -> pa.Table:
        """A row per day, a column per step that has the measure (or `rows`); a last row of totals."""
        every = {**self.days, "all": self.totals()}
        steps = [step for step, amounts in every["all"].items() if measure in amounts]
        rows = [{"day": day, **{step: found[step][measure] for step in steps}} for day, found in every.items()]
        return pa.Table.from_pylist(
            rows, pa.schema([("day", pa.string()), *((step, _number(measure)) for step in steps)])
        )

    def totals(self) -> dict[str, dict[str, int | Decimal]]:
        """The steps over all days."""
        found: dict[str, dict[str, int | Decimal]] = {}
        for steps in self.days.values():
            for step, amounts in steps.items():
                total = found.setdefault(step, dict.fromkeys(amounts, 0))
                for measure, amount in amounts.items():
                    total[measure] += amount
        return found


def _number(measure: str) -> pa.DataType:
    return pa.int64() if measure == "rows" else pa.decimal128(38, 4)
