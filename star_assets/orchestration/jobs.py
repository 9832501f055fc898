"""The Dagster job `all_tables`, which schedules and sensors start, and its retry policy."""

from __future__ import annotations

import dagster as dg

# Nobody watches a scheduled run, so transient errors (an export still being
# written, another run on the same day) are retried. Permanent failures forbid
# retries. Runs started by hand fail at once.
RETRY = dg.RetryPolicy(max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL)

all_tables = dg.define_asset_job(
    "all_tables",
    selection=dg.AssetSelection.all(),
    description="Stage exports and publish every table, for a day or a range of days.",
    op_retry_policy=RETRY,
)
