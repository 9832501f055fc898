"""Dagster events for versions that were published outside Dagster.

`star-assets run`, a rollback and other machines publish too. The Athena partition
sensor reports these versions as materializations and observations, so that
Dagster's UI shows the live versions. Not here: updating the catalog (catalog_sync).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import dagster as dg
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from star_assets.lake.aws import in_batches
from star_assets.lake.ledger import Entry
from star_assets.lake.versions import parse_time
from star_assets.model import Dimension, Source, Star
from star_assets.model.days import day_of
from star_assets.model.schema import AnyTable
from star_assets.orchestration.describe import database
from star_assets.orchestration.keys import asset_key
from star_assets.settings import Settings

RUNNING = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]

# Versions that became live so long before the last tick are compared once more: clocks differ.
SLACK_SECONDS = 900.0

# Dagster stores each event on its own, which takes some 20 ms. The next tick reports the rest.
MOST_EVENTS, AT_A_TIME = 500, 100

Event = dg.AssetMaterialization | dg.AssetObservation


@dataclass(frozen=True)
class Unreported:
    """Events to report, the Unix time up to which they are complete, and the reason if there are none."""

    events: list[Event]
    until: float
    reason: str = ""


class Reporter:
    """Finds live versions that Dagster has not recorded, from tick to tick of one process."""

    def __init__(self, star: Star, settings: Settings) -> None:
        self.star = star
        self.settings = settings
        # For each table and day, the version that was compared last.
        self._compared: dict[tuple[str, str | None], str] = {}

    def unreported(
        self,
        instance: DagsterInstance,
        live: Mapping[tuple[str, str], Mapping[str | None, Entry] | None],
        since: float,
        deadline: float,
    ) -> Unreported:
        """Events for versions that became live after `since` and are not the ones that Dagster recorded last.

        A run records its versions in Dagster some time after it has published them,
        so nothing is compared while a run is under way. After the deadline, by
        `time.monotonic()`, the rest is left to the next tick.
        """
        if instance.get_runs_count(RunsFilter(statuses=RUNNING)):
            return Unreported([], since, "Runs are under way, and record what they publish themselves.")
        events, until, complete = list[Event](), time.time(), True
        for table in self.star.tables.values():
            found = live.get((database(table), table.name))
            if found and isinstance(table, Source) and table.is_stream:
                found = _by_day(found)
            complete = complete and found is not None
            fresh = [
                (day, entry)
                for day, entry in sorted((found or {}).items(), key=str)
                if self._compared.get((table.name, day)) != entry.version
                and parse_time(entry.at).timestamp() > since - SLACK_SECONDS
            ]
            key = asset_key(self.settings, table.name)
            for batch in in_batches(fresh, AT_A_TIME):
                if time.monotonic() > deadline or len(events) >= MOST_EVENTS:
                    complete = False
                    break
                recorded = _recorded(instance, key, [day for day, _ in batch if day])
                events += [
                    _event(key, table, day, entry) for day, entry in batch if (day, entry.version) not in recorded
                ]
                self._compared.update({(table.name, day): entry.version for day, entry in batch})
        return Unreported(events, until if complete else since)


def _by_day(hours: Mapping[str | None, Entry]) -> dict[str | None, Entry]:
    """For each day of a stream, the entry of the hour that was staged last, with the rows and bytes of all."""
    found: dict[str | None, Entry] = {}
    for hour, entry in hours.items():
        day = day_of(hour or "")
        before = found.get(day, replace(entry, rows=0, size=0))
        newest = max(before, entry, key=lambda one: one.version)
        found[day] = replace(newest, rows=before.rows + entry.rows, size=before.size + entry.size)
    return found


def _recorded(instance: DagsterInstance, key: dg.AssetKey, days: list[str]) -> set[tuple[str | None, str]]:
    """The (day, version) pairs that Dagster recorded last: of each of the days, or of the asset if there are none."""
    records = list(_records(instance, key, days))
    if not days:
        records += instance.fetch_observations(key, limit=1).records
    last: dict[tuple[str | None, str], str] = {}
    for record in records:
        found = record.asset_materialization or record.asset_observation
        version = found.metadata.get("version") if found else None
        if found and version:
            last.setdefault((found.partition if days else None, type(found).__name__), str(version.value))
    return {(day, version) for (day, _), version in last.items()}


def _records(instance: DagsterInstance, key: dg.AssetKey, days: list[str]) -> Iterator[dg.EventLogRecord]:
    """An asset's materializations of some days, newest first; without days, only the newest one."""
    chosen = dg.AssetRecordsFilter(key, asset_partitions=days or None)
    cursor: str | None = None
    while True:
        page = instance.fetch_materializations(chosen, limit=1000 if days else 1, cursor=cursor)
        yield from page.records
        cursor = page.cursor
        if not days or not page.has_more:
            return


def _event(key: dg.AssetKey, table: AnyTable, day: str | None, entry: Entry) -> Event:
    """A day's materialization; a dimension's observation, because its ledger does not name the included days."""
    metadata: dict[str, str | int] = {
        "version": entry.version,
        "live since": entry.at,
        "bytes": entry.size,
        "published by": "not Dagster",
    }
    if isinstance(table, Dimension):
        return dg.AssetObservation(key, metadata={"dagster/row_count": entry.rows, **metadata})
    return dg.AssetMaterialization(key, partition=day, metadata={"dagster/partition_row_count": entry.rows, **metadata})
