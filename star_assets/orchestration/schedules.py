"""The Dagster schedules: `daily` for yesterday, `hourly` for today so far, and `housekeeping`.

All are stopped until somebody starts them: they start runs, and a lake whose exports
ended long ago, such as the sample's, needs none. They request only tables whose exports
are whole or can be pulled, and give the reason if there are none.
"""

import time
from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from star_assets.orchestration.dashboard import reports_on
from star_assets.orchestration.housekeeping import housekeeping
from star_assets.orchestration.jobs import all_tables
from star_assets.orchestration.keys import asset_key
from star_assets.orchestration.powerbi_refresh import NAME as REFRESH
from star_assets.orchestration.raw_zone import RawZone
from star_assets.orchestration.resources import WAREHOUSE
from star_assets.settings import Settings

DAILY = "daily"


def build_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """The daily and the hourly schedule and the one of housekeeping, in the business time zone."""
    return [
        dg.ScheduleDefinition(
            name="housekeeping",
            job=housekeeping,
            # After the daily run, which supersedes versions.
            cron_schedule="0 4 * * *",
            execution_timezone=settings.timezone,
            description="Repair and vacuum, every day at 4:00.",
            default_status=dg.DefaultScheduleStatus.STOPPED,
        ),
        # Exports of a day are usually made soon after midnight.
        _schedule(DAILY, "0 2 * * *", 1, "All tables for yesterday, every day at 2:00.", settings),
        # Ten past, so as not to meet exports that are written on the hour.
        _schedule("hourly", "10 * * * *", 0, "All tables for today so far, every hour.", settings),
    ]


def _schedule(name: str, cron: str, days_ago: int, description: str, settings: Settings) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=name,
        cron_schedule=cron,
        execution_timezone=settings.timezone,
        job=all_tables,
        description=description,
        required_resource_keys={WAREHOUSE},
        default_status=dg.DefaultScheduleStatus.STOPPED,
    )
    def request(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        warehouse = context.resources.warehouse
        day = (context.scheduled_execution_time.astimezone(settings.zone) - timedelta(days=days_ago)).date().isoformat()
        if day < settings.start_date.isoformat():
            yield dg.SkipReason(f"{day} is before STAR_START_DATE, {settings.start_date}.")
            return
        if settings.end_date and day > settings.end_date.isoformat():
            yield dg.SkipReason(f"{day} is after STAR_END_DATE, {settings.end_date}.")
            return
        zone = RawZone.listed(warehouse, time.time())
        tables = zone.ready(day)
        if not tables:
            yield dg.SkipReason(f"No source has a whole export of {day} in {warehouse.storage.uri('oltp')} yet.")
            return
        chosen = [*tables, *reports_on(warehouse.star, tables)]
        # Power BI lets a model be refreshed eight times a day.
        if name == DAILY and settings.powerbi_model and warehouse.star.dimensions.keys() & set(tables):
            chosen.append(REFRESH)
        yield dg.RunRequest(partition_key=day, asset_selection=[asset_key(settings, name) for name in chosen])

    return request
