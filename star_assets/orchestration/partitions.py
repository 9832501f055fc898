"""The daily partitions that every asset shares.

A source's day is an export day, a fact's day is a business date, and a dimension's
day means that the live dimension includes that day's exports. There is one definition,
because a Dagster job can have only one.
"""

from __future__ import annotations

from datetime import datetime

import dagster as dg

from star_assets.settings import Settings


def daily_partitions(settings: Settings) -> dg.DailyPartitionsDefinition:
    """Every day from the start date to today, in the business time zone, or to the end date if that is earlier.

    Today is included (an `end_offset` of 1): an export, and the sales in it, can be
    materialized on the day they are made, and again once the day is over.
    """
    # Dagster 1.13 ignores its own `end_date` in some places (the plots of an asset's metadata, which list the newest
    # partitions first). So the end is given as a number of days before today, as of when the definitions were loaded.
    days_after_the_end = (datetime.now(settings.zone).date() - settings.last_partition).days
    return dg.DailyPartitionsDefinition(
        settings.start_date.isoformat(), timezone=settings.timezone, end_offset=1 - days_after_the_end
    )
