"""The periods that charts by something else than a filter are added up in.

Each product of each store on each day would be too much for a page. So such charts know
months, and weeks of the last quarter; and they are cut where a page's fixed period begins
or ends, so that fixed periods are exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

# A quarter's, counted back from the last published date: periods of 7, 28 and 91 days are exact.
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
