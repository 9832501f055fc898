"""The partitions: one daily definition, which every asset shares.

A source's day is what was exported on it, a fact's day is a business date, a
dimension's day says which exports it includes. One definition, because a job
can hold only one.
"""

from __future__ import annotations

import dagster as dg

from star_assets.settings import Settings


def daily_partitions(settings: Settings) -> dg.DailyPartitionsDefinition:
    """Every day from the start date to today, in the business time zone.

    Today is included (`end_offset=1`): an export, and the sales in it, can be
    materialized on the day they are made, and again once the day is over.
    """
    return dg.DailyPartitionsDefinition(settings.start_date.isoformat(), timezone=settings.timezone, end_offset=1)
