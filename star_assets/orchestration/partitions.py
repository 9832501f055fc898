"""The partitions: one daily definition, which every asset shares.

A source's day is what was exported on it, a fact's day is a business date, a
dimension's day says which exports it includes. One definition, because a job
can hold only one.
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
    # Dagster's own `end_date` is not kept by all that lists partitions (1.13: the plots of an asset's metadata, which
    # ask for the newest first). So the end is as many days before today as it was when the definitions were loaded.
    days_after_the_end = (datetime.now(settings.zone).date() - settings.last_partition).days
    return dg.DailyPartitionsDefinition(
        settings.start_date.isoformat(), timezone=settings.timezone, end_offset=1 - days_after_the_end
    )
