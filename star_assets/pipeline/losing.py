"""In which order the dates of a fact are published where receipts move: first the date that loses one.

A receipt that was provisional on one date and has an order of another date would be
seen on both, were the order's date published first. So the date of its events goes
first, though nobody asked for it; between the two the receipt is on none. Not here:
what a date is built from (fact_inputs).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from graphlib import CycleError, TopologicalSorter

from star_assets.model.days import BusinessDate
from star_assets.model.errors import NotStaged
from star_assets.model.tables import Fact
from star_assets.pipeline.context import Context
from star_assets.pipeline.fact_inputs import FactLook, look_at_fact
from star_assets.pipeline.key_index import KeyIndex, moved_receipts


def losing_first(context: Context, fact: Fact, days: Sequence[str]) -> list[list[str]]:
    """The days to publish together, one group after the other, with the dates that lose receipts to them first.

    Dates that lose receipts to each other are in one group.
    """
    stream = context.star.stream(fact)
    if (
        stream is None
        or fact.provisional is None
        or not any(entry.rows for entry in context.staged(stream.source).values())
    ):
        return [list(days)]
    look = look_at_fact(context, fact, keep=True)
    column = context.star.driving_column(fact)
    headers = KeyIndex(context, column, look.staged[column.source.name], keep=True)
    events = KeyIndex(context, stream, look.staged[stream.source.name], keep=True)
    losers: dict[str, set[str]] = defaultdict(set)
    for loser, gainer in moved_receipts(headers, events, fact.provisional.receipt):
        losers[gainer].add(loser)
    before: dict[str, Collection[str]] = {}
    asked = list(days)
    while asked:
        day = asked.pop()
        if day not in before:
            before[day] = [loser for loser in losers[day] if loser != day and _loses(look, loser)]
            asked += before[day]
    if not any(before.values()):
        return [list(days)]
    return _in_order(before)


def _loses(look: FactLook, date: str) -> bool:
    """Whether a date is live, and of other inputs than it should be."""
    live, wanted = look.dates.day(date).live, look.inputs_of(BusinessDate(date))
    return live is not None and not isinstance(wanted, NotStaged) and live.identity != wanted.identity


def _in_order(before: dict[str, Collection[str]]) -> list[list[str]]:
    sorter, groups = TopologicalSorter(before), list[list[str]]()
    try:
        sorter.prepare()
    except CycleError:
        return [sorted(before)]
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        groups.append(ready)
        sorter.done(*ready)
    return groups
