"""What was published without Dagster's knowledge, as events that tell it.

`star-assets run`, a rollback or another machine publish too; Dagster should show
what is live, whoever made it. Not here: keeping the catalog in step (lake.publish).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import dagster as dg
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from star_assets.lake.versions import PointerEntry, Pointers, now
from star_assets.model import Dimension, Star
from star_assets.model.star import AnyTable
from star_assets.orchestration.describe import database

RUNNING = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]

Event = dg.AssetMaterialization | dg.AssetObservation


@dataclass(frozen=True)
class Unreported:
    """The events to tell, the time up to which they are complete, and why that may be none."""

    events: list[Event]
    until: str
    reason: str = ""


def unreported(
    star: Star, instance: DagsterInstance, pointers: Mapping[tuple[str, str], Pointers], since: str
) -> Unreported:
    """What became live after `since` and is not the version that Dagster recorded last.

    A run tells Dagster of its versions some time after it has published them, so
    nothing is compared while one is under way, and nothing that became live
    after that was found out.
    """
    until = now()
    if instance.get_runs_count(RunsFilter(statuses=RUNNING)):
        return Unreported([], since, "Runs are under way; what they publish is theirs to record.")
    events: list[Event] = []
    for table in star.tables.values():
        live = pointers[database(table), table.name].refresh()
        fresh = {day: p.live for day, p in live.items() if p.live and since < p.live.since <= until}
        recorded = _recorded(instance, table.name, [day for day in fresh if day]) if fresh else {}
        events += [_event(table, day, entry) for day, entry in fresh.items() if recorded.get(day) != entry.version]
    return Unreported(events, until)


def _recorded(instance: DagsterInstance, table: str, days: list[str]) -> Mapping[str | None, str]:
    """The version that Dagster recorded last, for each day and (None) for the table."""
    versions: dict[str | None, str] = {}
    for record in _records(instance, table, days):
        found = record.asset_materialization
        version = found.metadata.get("version") if found else None
        if found and version:
            versions.setdefault(found.partition, str(version.value))
            versions.setdefault(None, str(version.value))
    return versions


def _records(instance: DagsterInstance, table: str, days: list[str]) -> Iterator[dg.EventLogRecord]:
    """A table's materializations of some days (none: the newest one), newest first."""
    chosen = dg.AssetRecordsFilter(dg.AssetKey(table), asset_partitions=days or None)
    cursor: str | None = None
    while True:
        page = instance.fetch_materializations(chosen, limit=1000 if days else 1, cursor=cursor)
        yield from page.records
        cursor = page.cursor
        if not days or not page.has_more:
            return


def _event(table: AnyTable, day: str | None, entry: PointerEntry) -> Event:
    """A day is a materialization. A dimension does not say which days it includes, so it is an observation."""
    metadata: dict[str, str | int] = {
        "version": entry.version,
        "live since": entry.since,
        "bytes": entry.size,
        "published by": "not Dagster",
    }
    if isinstance(table, Dimension):
        return dg.AssetObservation(table.name, metadata={"dagster/row_count": entry.rows, **metadata})
    return dg.AssetMaterialization(
        table.name, partition=day, metadata={"dagster/partition_row_count": entry.rows, **metadata}
    )
