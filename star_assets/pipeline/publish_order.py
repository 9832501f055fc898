"""The order in which dates of a fact are published if receipts move between them: the date that loses one first.

A receipt's events may be on one date, where it is provisional, and its exported order on
another. If the order's date were published first, readers would see the receipt twice. So
the date of the events is published first, even if it was not requested; between the two,
readers see the receipt on neither. Not here: the inputs of a date (fact_inputs).
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


def in_publish_order(context: Context, fact: Fact, days: Sequence[str]) -> list[list[str]]:
    """The days in groups to publish one after another, preceded by the dates that lose receipts to them.

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
    """Whether a date is live and out of date."""
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
