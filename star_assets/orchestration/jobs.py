"""The jobs: what schedules and sensors start."""

from __future__ import annotations

import dagster as dg

# Nobody watches a scheduled run, so what is transient (an export still being
# written, another run on the same day) is tried again. Failures that are
# permanent forbid it. Runs started by hand tell at once instead.
RETRY = dg.RetryPolicy(max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL)

all_tables = dg.define_asset_job(
    "all_tables",
    selection=dg.AssetSelection.all(),
    description="Stage exports and publish every table, for a day or a range of days.",
    op_retry_policy=RETRY,
)
