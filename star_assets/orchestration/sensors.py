"""The Dagster sensors: new exports, new events, tables that are out of date, Athena's partitions.

Here: their declarations, cursors and skip reasons. Not here: finding new or changed
exports (arrivals), what is out of date (due), updating the catalog (catalog_sync),
versions that were published outside Dagster (published_elsewhere).
"""

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

from star_assets.exports.finding import RAW
from star_assets.exports.strays import not_understood
from star_assets.lake.drift import Drift
from star_assets.model import Star
from star_assets.orchestration.arrivals import Arrivals, Request, find_arrivals
from star_assets.orchestration.catalog_sync import CatalogSync, Tick
from star_assets.orchestration.due import UNDER_WAY, find_due, under_way
from star_assets.orchestration.jobs import all_tables
from star_assets.orchestration.keys import asset_key
from star_assets.orchestration.published_elsewhere import Reporter
from star_assets.orchestration.resources import WAREHOUSE
from star_assets.settings import Settings

# Dagster ends a tick after 60 s. What is not done by then is left to the next tick.
TICK_SECONDS = 30.0
REPORT_SECONDS = 10.0
INTERVAL_SECONDS = 60

# A run of events starts a process, so there is at most one in so many seconds, and never two at once.
EVENTS_SECONDS = 300
OF_EVENTS = {"star_assets/queue": "events"}


def build_sensors(star: Star, settings: Settings) -> list[dg.SensorDefinition]:
    """The sensors for new exports, for new events, for what is out of date, and for Athena's partitions."""
    streams = [new_events] if any(source.is_stream for source in star.sources.values()) else []
    return [new_exports, *streams, out_of_date, _athena_partitions(star, settings)]


@dg.sensor(
    job=all_tables,
    minimum_interval_seconds=INTERVAL_SECONDS,
    # It starts runs, so whoever owns the lake switches it on.
    default_status=dg.DefaultSensorStatus.STOPPED,
    required_resource_keys={WAREHOUSE},
    description="Requests the days whose exports have come whole, or have changed, since they were staged, "
    "and those that are over and have not been pulled.",
)
def new_exports(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """The cursor is a digest of each month's listing, so a lost one only makes the next tick longer."""
    warehouse = context.resources.warehouse
    found, cursor = _arrived(context, streams=False)
    if found.requests:
        if found.strays:
            context.log.warning(not_understood(warehouse.storage.uri(RAW), found.strays))
        return dg.SensorResult(run_requests=_run_requests(warehouse.settings, found.requests), cursor=cursor)
    return dg.SensorResult(skip_reason=_nothing_new(warehouse.storage.uri(RAW), found), cursor=cursor)


@dg.sensor(
    job=all_tables,
    minimum_interval_seconds=EVENTS_SECONDS,
    default_status=dg.DefaultSensorStatus.STOPPED,
    required_resource_keys={WAREHOUSE},
    description="Requests the days of which events have arrived since they were staged, one run at a time. "
    "Exports go first.",
)
def new_events(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """The cursor is like that of `new_exports`. While a run of events is under way, no other is requested."""
    warehouse = context.resources.warehouse
    if context.instance.get_runs(dg.RunsFilter(tags=OF_EVENTS, statuses=UNDER_WAY), limit=1):
        reason = "A run of events is under way; the next tick requests what has arrived meanwhile."
        return dg.SensorResult(skip_reason=reason, cursor=context.cursor)
    found, cursor = _arrived(context, streams=True)
    if found.requests:
        tags = {**OF_EVENTS, "dagster/priority": "-1"}
        return dg.SensorResult(run_requests=_run_requests(warehouse.settings, found.requests, tags), cursor=cursor)
    return dg.SensorResult(skip_reason="No event has arrived since the last look.", cursor=cursor)


def _arrived(context: dg.SensorEvaluationContext, streams: bool) -> tuple[Arrivals, str]:
    """The arrivals since the last tick, of streams or of other sources, and the cursor for the next tick."""
    warehouse = context.resources.warehouse
    known = json.loads(context.cursor) if context.cursor else {}
    busy = under_way(warehouse, context.instance)
    found = find_arrivals(warehouse, known, busy, time.time(), time.monotonic() + TICK_SECONDS, streams)
    return found, json.dumps(found.digests, sort_keys=True)


@dg.sensor(
    job=all_tables,
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.STOPPED,
    required_resource_keys={WAREHOUSE},
    description="Requests the dimensions and the business dates that are not what the staged exports say.",
)
def out_of_date(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """The cursor holds what was requested and is still out of date; without it, Dagster drops the repeated request."""
    warehouse = context.resources.warehouse
    tried = json.loads(context.cursor) if context.cursor else {}
    found = find_due(warehouse, context.instance, tried, time.monotonic() + TICK_SECONDS)
    cursor = json.dumps(found.tried, sort_keys=True)
    if found.requests:
        for reason in found.reasons:
            context.log.info(reason)
        return dg.SensorResult(run_requests=_run_requests(warehouse.settings, found.requests), cursor=cursor)
    nothing = "Every dimension and business date is what the staged exports say."
    return dg.SensorResult(skip_reason=" ".join(found.reasons) or nothing, cursor=cursor)


def _run_requests(
    settings: Settings, requests: Iterable[Request], tags: Mapping[str, str] | None = None
) -> list[dg.RunRequest]:
    return [_run_request(one, [asset_key(settings, table) for table in one.tables], tags) for one in requests]


def _run_request(request: Request, tables: list[dg.AssetKey], tags: Mapping[str, str] | None) -> dg.RunRequest:
    if len(request.days) == 1:
        return dg.RunRequest(
            run_key=request.key, tags=dict(tags or {}), partition_key=request.days[0], asset_selection=tables
        )
    ranged = {
        **(tags or {}),
        "dagster/asset_partition_range_start": request.days[0],
        "dagster/asset_partition_range_end": request.days[-1],
    }
    return dg.RunRequest(run_key=request.key, tags=ranged, asset_selection=tables)


def _nothing_new(folder: str, found: Arrivals) -> str:
    parts = [f"{found.exports} exports up to {found.newest} in {folder}: none is new or changed."]
    if not found.exports:
        parts = [f"{folder} holds no exports. Is STAR_LAKE right?"]
    if found.waiting:
        parts.append(f"Not whole yet: {_some(found.waiting)}.")
    if found.unfinished:
        parts.append(f"{TICK_SECONDS:g} s were not enough to compare all exports; the next tick goes on.")
    if found.strays:
        parts.append(not_understood(folder, found.strays))
    return " ".join(parts)


def _athena_partitions(star: Star, settings: Settings) -> dg.SensorDefinition:
    sync, reporter = CatalogSync(), Reporter(star, settings)

    @dg.sensor(
        name="athena_partitions",
        minimum_interval_seconds=INTERVAL_SECONDS,
        # It starts no runs and only updates the catalog, so it is on.
        default_status=dg.DefaultSensorStatus.RUNNING,
        required_resource_keys={WAREHOUSE},
        description="Registers published partitions and raw exports that the catalog lacks, mends drift, "
        "and records what was published outside Dagster.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        """The cursor: until when versions are compared with Dagster's records, and where the full pass continues."""
        warehouse, cursor = context.resources.warehouse, _read(context.cursor)
        tick = sync.tick(warehouse, cursor.get("at", ""), time.monotonic() + TICK_SECONDS)
        deadline = time.monotonic() + REPORT_SECONDS
        found = reporter.unreported(context.instance, sync.live, cursor.get("until", 0.0), deadline)
        for drift in tick.drifts:
            context.log.info(_sentence(drift))
        for problem in tick.problems:
            context.log.warning(problem)
        after = json.dumps({"until": found.until, "at": tick.at})
        if found.events:
            return dg.SensorResult(asset_events=found.events, cursor=after)
        return dg.SensorResult(skip_reason=f"{_summed_up(tick)} {found.reason}".strip(), cursor=after)

    return sensor


def _read(cursor: str | None) -> dict[str, Any]:
    """The cursor of `athena_partitions`. An empty one only makes the next tick longer."""
    found = json.loads(cursor) if cursor and cursor.startswith("{") else {}
    return dict(found)


def _summed_up(tick: Tick) -> str:
    mended = [_sentence(drift) for drift in tick.drifts]
    parts = [f"Mended: {_some(mended)}."] if mended else []
    parts += [f"{problem} The next tick tries again." for problem in tick.problems]
    if tick.at:
        parts.append(f"The pass over everything goes on at {tick.at} with the next tick.")
    return " ".join(parts) or "The catalog serves what is live; nothing to mend."


def _sentence(drift: Drift) -> str:
    return f"{drift.table} {drift.partition or ''}".strip() + f": {drift.what}"


def _some(names: Iterable[str], shown: int = 5) -> str:
    listed = list(names)
    more = f" and {len(listed) - shown} more" if len(listed) > shown else ""
    return ", ".join(listed[:shown]) + more
