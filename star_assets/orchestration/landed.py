"""Dagster events for versions that were published outside Dagster.

`star-assets run`, a rollback and other machines publish too. The Athena partition
sensor reports these versions as materializations and observations, so that
Dagster's UI shows what is live. Not here: updating the catalog (in_step).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import dagster as dg
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from star_assets.lake.aws import in_batches
from star_assets.lake.ledger import Entry
from star_assets.lake.versions import parse_time
from star_assets.model import Dimension, Star
from star_assets.model.schema import AnyTable
from star_assets.orchestration.describe import database
from star_assets.orchestration.keys import asset_key
from star_assets.settings import Settings

RUNNING = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]

# What became live so long before the last look is looked at once more: clocks differ.
SLACK_SECONDS = 900.0

# Dagster stores each event on its own, which takes some 20 ms. The rest is left to the next look.
MOST_EVENTS, AT_A_TIME = 500, 100

Event = dg.AssetMaterialization | dg.AssetObservation


@dataclass(frozen=True)
class Unreported:
    """The events to tell, the time (Unix seconds) up to which they are complete, and why that may be none."""

    events: list[Event]
    until: float
    reason: str = ""


class Reporter:
    """Compares what is live with what Dagster recorded, from tick to tick of one process."""

    def __init__(self, star: Star, settings: Settings) -> None:
        self.star = star
        self.settings = settings
        # The version of each day that was compared last.
        self._compared: dict[tuple[str, str | None], str] = {}

    def unreported(
        self,
        instance: DagsterInstance,
        live: Mapping[tuple[str, str], Mapping[str | None, Entry] | None],
        since: float,
        deadline: float,
    ) -> Unreported:
        """What became live after `since` and is not the version that Dagster recorded last.

        A run tells Dagster of its versions some time after it has published them,
        so nothing is compared while one is under way. After the deadline, by
        `time.monotonic()`, the rest is left to the next look.
        """
        if instance.get_runs_count(RunsFilter(statuses=RUNNING)):
            return Unreported([], since, "Runs are under way; what they publish is theirs to record.")
        events, until, complete = list[Event](), time.time(), True
        for table in self.star.tables.values():
            found = live.get((database(table), table.name))
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


def _recorded(instance: DagsterInstance, key: dg.AssetKey, days: list[str]) -> set[tuple[str | None, str]]:
    """(day, version) of what Dagster recorded last of each of the days; with no days, of the asset."""
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
    """An asset's materializations of some days (none: the newest one), newest first."""
    chosen = dg.AssetRecordsFilter(key, asset_partitions=days or None)
    cursor: str | None = None
    while True:
        page = instance.fetch_materializations(chosen, limit=1000 if days else 1, cursor=cursor)
        yield from page.records
        cursor = page.cursor
        if not days or not page.has_more:
            return


def _event(key: dg.AssetKey, table: AnyTable, day: str | None, entry: Entry) -> Event:
    """A day is a materialization. A dimension does not say which days it includes, so it is an observation."""
    metadata: dict[str, str | int] = {
        "version": entry.version,
        "live since": entry.at,
        "bytes": entry.size,
        "published by": "not Dagster",
    }
    if isinstance(table, Dimension):
        return dg.AssetObservation(key, metadata={"dagster/row_count": entry.rows, **metadata})
    return dg.AssetMaterialization(key, partition=day, metadata={"dagster/partition_row_count": entry.rows, **metadata})
