"""`Account`: the result of reconciling a fact, by day and by step.

Not here: computing it (reconcile).
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
# Stands in place of a day for the sums over all days.
ALL = "all"

FACT, UNEXPLAINED = "fact", "unexplained"

# int or Decimal; float only if the measure's column is a float. No type of Python's covers these sums.
Number = Any

# The amounts of one step: `rows`, and each summed measure. Raw and rejected lines have `rows` alone.
Amounts = Mapping[str, Number]

# The sum of floats depends on their order. A difference below this share of the largest amount counts as 0.
FLOAT_NOISE = 1e-9

# The decimal context for all sums here: Python's default rounds to 28 digits.
EXACT = Context(prec=80)


def difference(found: Number, parts: Sequence[Number]) -> Number:
    """`found` less the sum of the parts; 0.0 for a difference of floats that their order may explain."""
    left = found - sum(parts)
    largest = max(abs(float(number)) for number in (found, *parts))
    return 0.0 if isinstance(left, float) and abs(left) <= FLOAT_NOISE * largest else left


@dataclass(frozen=True)
class Account:
    """For each day, the ordered steps from raw lines to the fact, with the amounts that each adds or takes (negative).

    `measures` are `rows` and the summed measures, each with its column's type.

    For an export day, `raw` + `rejected` (negative) = `staged`. `staged` and all later steps add up to
    `fact`, the live rows of that business date, except for `unexplained`.
    """

    fact: str
    measures: Mapping[str, Type]
    days: Mapping[str, Mapping[str, Amounts]]

    @property
    def differing(self) -> list[str]:
        """The days with something unexplained."""
        return [day for day, steps in self.days.items() if any(steps[UNEXPLAINED].values())]

    def rows(self) -> pa.Table:
        """A row per day and step, followed by the sums over all days: `day`, `step`, `rows`, and each measure.

        A measure has its column's scale and up to 38 digits, or is a float if the column is; NULL if the step has none.
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
    """The type of a column's sums: wider than the column, with the same scale."""
    whole = {"int32": pa.int64(), "int64": pa.int64(), "float64": pa.float64()}
    return whole.get(type_.name) or pa.decimal128(38, type_.scale or 0)
