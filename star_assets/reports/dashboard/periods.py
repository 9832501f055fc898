"""The periods of breakdowns, which are charts by a column that is no filter.

The sums of each product, store and day would make a page too large. So breakdowns have sums of months,
and of weeks in the last quarter. These periods are split where a page's fixed period begins or ends,
so that fixed periods are exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

# The weeks of a quarter, counted back from the last published date: so 7, 28 and 91 days are exact.
WEEKS = 13


def periods(days: Sequence[str], cuts: Iterable[tuple[date, date]] = ()) -> list[tuple[str, str]]:
    """The first and the last date of each period, in order; without a gap from the first of `days` to the last.

    Args:
        days: the published business dates, in order.
        cuts: the first and the last date of each period that has to be exact.
    """
    if not days:
        return []
    first, last = date.fromisoformat(days[0]), date.fromisoformat(days[-1])
    begins = {first, *(last + timedelta(days=1 - 7 * weeks) for weeks in range(1, WEEKS + 1))}
    weekly = last + timedelta(days=1 - 7 * WEEKS)
    months = (date(year, month, 1) for year in range(first.year, last.year + 1) for month in range(1, 13))
    begins |= {month for month in months if month < weekly}
    for begin, end in cuts:
        begins |= {begin, end + timedelta(days=1)}
    starts = sorted(day for day in begins if first <= day <= last)
    ends = [*(day - timedelta(days=1) for day in starts[1:]), last]
    return [(begin.isoformat(), end.isoformat()) for begin, end in zip(starts, ends, strict=True)]
