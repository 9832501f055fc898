"""Decides which runs to request for dimensions and business dates that are out of date.

Not requested are days that a run is building, days that were requested before with the
same inputs, days that somebody rolled back, and tables whose upstream tables are not built yet.
Not here: what is out of date (pipeline.out_of_date), requesting runs (sensors).
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from star_assets.exports.finding import days_between
from star_assets.model import Dimension, Fact
from star_assets.model.errors import StarError
from star_assets.orchestration.arrivals import Request
from star_assets.orchestration.keys import asset_key
from star_assets.pipeline.identity import digest

if TYPE_CHECKING:
    from star_assets.pipeline.warehouse import Warehouse

UNDER_WAY = [
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]

# Dagster makes a run of each request before the tick ends. The rest is left to the next.
MOST_REQUESTS = 50

# For each table and day that was requested and is still out of date, the key of its inputs then.
Tried = dict[str, dict[str, str]]


@dataclass
class Due:
    """The runs to request, and the reasons for not requesting others. `tried` goes into the next call."""

    requests: list[Request] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    tried: Tried = field(default_factory=dict)


def find_due(
    warehouse: Warehouse, instance: DagsterInstance, tried: Mapping[str, Mapping[str, str]], deadline: float
) -> Due:
    """Find what is out of date, and decide what to request.

    Dimensions come first: a fact is audited against them, so it waits for those
    that are requested or being built.

    Args:
        tried: the `tried` of the last call.
        deadline: `time.monotonic()` at which to leave the rest to the next call.
    """
    star, found, busy = warehouse.star, Due(), under_way(warehouse, instance)
    if not all(warehouse.catch_up(table, deadline) for table in (*star.dimensions, *star.facts)):
        reason = "The books are being brought up to date; the next tick goes on."
        return Due(reasons=[reason], tried={table: dict(days) for table, days in tried.items()})
    newest: dict[str, list[str]] = defaultdict(list)
    for dimension in star.dimensions.values():
        for day in _wanted(warehouse, dimension, busy[dimension.name], tried, deadline, found):
            newest[day].append(dimension.name)
    found.requests = [_request((day,), tables, found.tried) for day, tables in newest.items()]
    coming = {name for tables in newest.values() for name in tables}
    coming |= {name for name in star.dimensions if busy[name]}
    for fact in star.facts.values():
        first = sorted(coming.intersection(target.name for target in fact.references.values()))
        if first:
            found.reasons.append(f"{fact.name} waits for {', '.join(first)}.")
            found.tried[fact.name] = dict(tried.get(fact.name, {}))
            continue
        for days in _ranges(_wanted(warehouse, fact, busy[fact.name], tried, deadline, found)):
            if len(found.requests) < MOST_REQUESTS:
                found.requests.append(_request(days, [fact.name], found.tried))
            else:
                for day in days:
                    del found.tried[fact.name][day]
    return found


def under_way(warehouse: Warehouse, instance: DagsterInstance) -> dict[str, set[str]]:
    """For each table, the days that a running or queued run builds."""
    busy: dict[str, set[str]] = defaultdict(set)
    today = warehouse.settings.last_partition.isoformat()
    for run in instance.get_runs(RunsFilter(statuses=UNDER_WAY)):
        first = run.tags.get("dagster/partition") or run.tags.get("dagster/asset_partition_range_start", "")
        last = run.tags.get("dagster/partition") or run.tags.get("dagster/asset_partition_range_end", today)
        selected = None if run.asset_selection is None else {key.to_user_string() for key in run.asset_selection}
        for table in warehouse.star.tables:
            key = asset_key(warehouse.settings, table).to_user_string()
            if first and (selected is None or key in selected):
                busy[table].update(days_between(first, last))
    return busy


def _wanted(
    warehouse: Warehouse,
    table: Dimension | Fact,
    busy: Collection[str],
    tried: Mapping[str, Mapping[str, str]],
    deadline: float,
    found: Due,
) -> list[str]:
    """The days of a table to request now. Adds to `found` what was tried, and the reasons for the other days."""
    before = tried.get(table.name, {})
    try:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{table.name} is left to the next tick.")
        out = warehouse.out_of_date(table.name)
        against = _audited_against(warehouse, table)
    except (StarError, TimeoutError) as error:
        found.reasons.append(str(error))
        found.tried[table.name] = dict(before)
        return []
    kept = found.tried.setdefault(table.name, {})
    today, passed_over = warehouse.settings.last_partition.isoformat(), defaultdict[str, list[str]](list)
    for day, identity in out.days.items():
        key = digest(inputs=identity, against=against)
        known = before.get(day) == key or (isinstance(table, Dimension) and key in before.values())
        if busy if isinstance(table, Dimension) else day in busy:
            passed_over["being built"].append(day)
            kept.update({day: before[day]} if day in before else {})
        elif day in out.rolled_back:
            passed_over["rolled back"].append(day)
        elif day > today:
            passed_over["not a partition before that day has come"].append(day)
        else:
            kept[day] = key
            passed_over["requested before with the same inputs" if known else ""].append(day)
    wanted = passed_over.pop("", [])
    passed_over["waiting for exports"] += out.waiting
    found.reasons += [f"{table.name} {_some(days)}: {why}." for why, days in passed_over.items() if days]
    return wanted


def _audited_against(warehouse: Warehouse, table: Dimension | Fact) -> list[str]:
    """Digests of a fact's live dimensions: an audit that failed against some may pass against others."""
    if isinstance(table, Dimension):
        return []
    names = dict.fromkeys(target.name for target in table.references.values())
    found = [warehouse.look("olap", name).day(None).live for name in names]
    return [digest(**vars(live.identity)) for live in found if live]


def _request(days: Sequence[str], tables: Sequence[str], tried: Tried) -> Request:
    key = digest(keys=[[table, day, tried[table][day]] for table in tables for day in days])
    return Request(tuple(days), tuple(tables), key)


def _ranges(days: Sequence[str]) -> Iterator[list[str]]:
    """The days as ranges of consecutive days."""

    def begin(position_and_day: tuple[int, str]) -> date:
        position, day = position_and_day
        return date.fromisoformat(day) - timedelta(days=position)

    for _, group in groupby(enumerate(sorted(days)), begin):
        yield [day for _, day in group]


def _some(days: Sequence[str], shown: int = 3) -> str:
    return ", ".join(days[:shown]) + (f" and {len(days) - shown} more" if len(days) > shown else "")
