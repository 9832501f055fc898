"""A stream's day, whose hours are exports of their own: which hours it has, their outcomes as one, what they feed.

Dagster's partition of a stream, and the day that a person names, is a calendar day.
Not here: staging an hour (stage).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from star_assets.exports.finding import read_exports
from star_assets.lake.versions import Manifest, Partition
from star_assets.model.days import ExportDay, day_of, hour_of
from star_assets.model.source import Source
from star_assets.pipeline.context import Context
from star_assets.pipeline.outcome import Outcome

# The hour of a day of which nothing has arrived: it is staged without rows.
FIRST_HOUR = "00"


def hours_of(context: Context, stream: Source, day: str) -> list[ExportDay]:
    """The exports to stage for a day: the hours that lie in the raw zone, and those that are staged, in order.

    A day whose folder cannot be read, or was retired as a whole, is one export: the day itself.
    """
    raw = read_exports(context.storage, stream, day).exports
    if ExportDay(day) in raw:
        return list(raw)
    staged = set(staged_hours(context, stream, day)) - {day}
    return sorted({*raw, *staged}) or [hour_of(day, FIRST_HOUR)]


def staged_hours(context: Context, stream: Source, day: str) -> list[ExportDay]:
    """The hours of a day that are staged, in order; the day itself where it was staged as one export."""
    live = context.look("staging", stream.name).ledger(day).days
    return sorted(ExportDay(key) for key, found in live.items() if found.live and day_of(key) == day)


def is_fed_in_batches(context: Context, table: str) -> bool:
    """Whether batches of a stream make versions of a table, or of a book, which is named `table/_book`.

    A book may be of several sources, so every book of a star with a stream counts.
    """
    name, _, book = table.partition("/")
    found = context.star.table(name)
    if book:
        sources = tuple(context.star.sources.values())
    else:
        sources = (found,) if isinstance(found, Source) else context.star.upstream_sources(found)
    return any(source.is_stream for source in sources)


def by_day(outcomes: Iterable[Outcome], days: Mapping[ExportDay, str]) -> Iterator[Outcome]:
    """An outcome for each day, once those of all its hours are known. `days` has the day of each hour."""
    found: dict[str, list[Outcome]] = {}
    hours = Counter(days.values())
    for outcome in outcomes:
        day = days[ExportDay(outcome.day)]
        found.setdefault(day, []).append(outcome)
        if len(found[day]) == hours[day]:
            yield _of_day(day, sorted(found.pop(day), key=lambda one: one.day))


def _of_day(day: str, hours: Sequence[Outcome]) -> Outcome:
    """The outcome of a day: failed with the first hour's error, published if any hour was."""
    failed = next((hour for hour in hours if hour.error), None)
    first = failed or next((hour for hour in hours if hour.status == "published"), hours[0])
    partition = Partition(first.partition.database, first.partition.table, day)
    manifests = [hour.manifest for hour in hours if hour.manifest]
    return replace(
        first,
        day=day,
        partition=partition,
        manifest=None if failed else together(manifests),
        location=None if failed else (first.location or "").rpartition("/hour=")[0],
        checks=tuple(check for hour in hours for check in hour.checks),
        seconds=sum(hour.seconds for hour in hours),
        note=" ".join(dict.fromkeys(hour.note for hour in hours if hour.note)),
    )


def together(manifests: Sequence[Manifest]) -> Manifest:
    """What the manifests of a day's hours say of the day; its version is that of the hour that was staged last."""
    newest = max(manifests, key=lambda one: one.version)
    inputs = {"files": [file for one in manifests for file in one.inputs.get("files", ())]}
    columns = dict(column for one in manifests for column in one.schema)
    return replace(
        newest,
        files=tuple(file for one in manifests for file in one.files),
        schema=tuple(columns.items()),
        inputs={**newest.inputs, **inputs},
        statistics={column: _widest([one.statistics.get(column, {}) for one in manifests]) for column in columns},
        facts={name: _added_up([one.facts[name] for one in manifests if name in one.facts]) for name in newest.facts},
    )


def _widest(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The statistics of a column over all hours; `min` and `max` of the hours that have them, in the order of texts."""
    widest: dict[str, Any] = {"nulls": sum(one.get("nulls", 0) for one in found)}
    for name, pick in (("min", min), ("max", max)):
        if known := [one[name] for one in found if name in one]:
            widest[name] = pick(known)
    return widest


def _added_up(values: Sequence[Any]) -> Any:
    """Numbers are added up and lists joined; of anything else, which hours have in common, the last one counts."""
    kinds = {type(value) for value in values}
    if kinds <= {int, float}:
        return sum(values)
    if kinds == {list}:
        return [item for value in values for item in value]
    if kinds == {dict} and all(isinstance(item, bool) for value in values for item in value.values()):
        return {name: all(value.get(name, True) for value in values) for value in values for name in value}
    if kinds == {dict} and all(isinstance(item, int | float) for value in values for item in value.values()):
        names = dict.fromkeys(name for value in values for name in value)
        return {name: sum(value.get(name, 0) for value in values) for name in names}
    return values[-1]
