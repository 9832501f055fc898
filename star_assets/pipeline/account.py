"""The account of a fact's lines: what reconciliation found, day by day and step by step.

Here: a value and its two forms as rows. Not here: how it is found (reconcile).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, localcontext
from typing import Any

import pyarrow as pa

from star_assets.model.types import Type

RAW, REJECTED, STAGED = "raw", "rejected", "staged"
MOVED_OUT, MOVED_IN = "moved out", "moved in"
# In place of a day: the sums over all of them.
ALL = "all"

FACT, UNEXPLAINED = "fact", "unexplained"

# A float only where the measure's column is one. Typed as what adds up with itself.
Number = Any

# Of a step: `rows`, and each summed measure. Raw and rejected lines have no measures.
Amounts = Mapping[str, Number]

# Two sums of the same floats differ by their order; what is less than this share of what was added is nothing.
FLOAT_NOISE = 1e-9

# Whoever adds up amounts does it with this: Python's default rounds decimals to 28 digits.
EXACT = Context(prec=80)


def difference(found: Number, parts: Sequence[Number]) -> Number:
    """What is found beyond the sum of the parts; of floats, nothing where it may come of their order."""
    left = found - sum(parts)
    largest = max(abs(float(number)) for number in (found, *parts))
    return 0.0 if isinstance(left, float) and abs(left) <= FLOAT_NOISE * largest else left


@dataclass(frozen=True)
class Account:
    """For each day, the steps from raw to fact, in order, with what each takes away (negative) or adds.

    `measures` are `rows` and the summed measures, each with its column's type.

    `raw` − `rejected` = `staged`, of that export day; that and all steps behind it
    add up to `fact`, of that business date, but for what is `unexplained`.
    """

    fact: str
    measures: Mapping[str, Type]
    days: Mapping[str, Mapping[str, Amounts]]

    @property
    def differing(self) -> list[str]:
        """The days with something unexplained."""
        return [day for day, steps in self.days.items() if any(steps[UNEXPLAINED].values())]

    def rows(self) -> pa.Table:
        """A row per day and step, the last ones for all days: `day`, `step`, `rows`, and each measure.

        A measure is NULL where a step has none, else a decimal of its column's scale, or a float where that is one.
        """
        every = {**self.days, ALL: self.totals()}
        found = [
            {"day": day, "step": step, **amounts} for day, steps in every.items() for step, amounts in steps.items()
        ]
        numbers = [(measure, _arrow(type_)) for measure, type_ in self.measures.items()]
        return pa.Table.from_pylist(found, pa.schema([("day", pa.string()), ("step", pa.string()), *numbers]))

    def by_day(self, measure: str) -> pa.Table:
        """A row per day, a column per step that has the measure (or `rows`); a last row of totals."""
        every = {**self.days, ALL: self.totals()}
        steps = [step for step, amounts in every[ALL].items() if measure in amounts]
        rows = [{"day": day, **{step: found[step][measure] for step in steps}} for day, found in every.items()]
        return pa.Table.from_pylist(
            rows, pa.schema([("day", pa.string()), *((step, _arrow(self.measures[measure])) for step in steps)])
        )

    def totals(self) -> dict[str, dict[str, Number]]:
        """The steps over all days."""
        found: dict[str, dict[str, Number]] = {}
        with localcontext(EXACT):
            for steps in self.days.values():
                for step, amounts in steps.items():
                    known = found.setdefault(step, dict.fromkeys(amounts, 0))
                    for measure, amount in amounts.items():
                        known[measure] += amount
        return found


def _arrow(type_: Type) -> pa.DataType:
    """What holds a column's sums: more digits than its values have, and as many of them behind the point."""
    whole = {"int32": pa.int64(), "int64": pa.int64(), "float64": pa.float64()}
    return whole.get(type_.name) or pa.decimal128(38, type_.scale or 0)
