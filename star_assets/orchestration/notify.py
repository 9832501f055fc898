"""Telling people of failed runs, by a webhook.

Slack, Mattermost and Teams take the same body: `{"text": …}`. Not here: e-mail,
which Dagster does itself.
"""

from __future__ import annotations

import json
import urllib.request

import dagster as dg

# Dagster ends a tick after 60 s.
TIMEOUT_SECONDS = 20


def build_notifier(webhook: str) -> dg.SensorDefinition:
    """A sensor that posts to the webhook what failed, which days, and why."""

    @dg.run_failure_sensor(
        name="failures",
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Posts failed runs to the webhook of STAR_WEBHOOK.",
    )
    def sensor(context: dg.RunFailureSensorContext) -> None:
        body = json.dumps({"text": failure_text(context)}).encode()
        request = urllib.request.Request(webhook, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):
            context.log.info(f"Posted the failure of run {context.dagster_run.run_id}.")

    return sensor


def failure_text(context: dg.RunFailureSensorContext) -> str:
    """What failed, for which days, and each failed step's own message."""
    run = context.dagster_run
    tags = run.tags
    first = tags.get("dagster/asset_partition_range_start", tags.get("dagster/partition", ""))
    last = tags.get("dagster/asset_partition_range_end", first)
    days = f" of {first}" + (f" to {last}" if last != first else "") if first else ""
    lines = [f"Run {run.run_id[:8]}{days} failed."]
    for event in context.get_step_failure_events():
        error = event.step_failure_data.user_failure_data
        text = error.description if error and error.description else event.message or ""
        lines.append(f"{event.step_key}: {text.strip()}")
    if len(lines) == 1:
        lines.append(context.failure_event.message or "Its process ended without a word.")
    return "\n".join(lines)
