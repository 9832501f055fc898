"""Sensors that post failed runs to a webhook and count successful runs in CloudWatch.

Slack, Mattermost and Teams take the same body: `{"text": …}`. Not here: e-mail,
which Dagster does itself.

A failure's message quotes values of an export, and chats turn text into links, mentions
and pictures. So the message stands in a code block, and characters that would end the
block, or that Slack interprets within it, are replaced by look-alikes.
"""

from __future__ import annotations

import json
import urllib.request

import dagster as dg

from star_assets.aws.metrics import count_success
from star_assets.orchestration.housekeeping import housekeeping
from star_assets.visible import visible

# Dagster ends a tick after 60 s.
TIMEOUT_SECONDS = 20

# Slack makes links and mentions of <…>, also in a code block.
LOOK_ALIKES = str.maketrans({"`": "ˋ", "<": "‹", ">": "›"})


def build_notifier(webhook: str) -> dg.SensorDefinition:
    """A sensor that posts each failed run to the webhook: its days, steps and messages."""

    @dg.run_failure_sensor(
        name="failures",
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Posts failed runs to the webhook of STAR_WEBHOOK.",
    )
    def sensor(context: dg.RunFailureSensorContext) -> None:
        post(webhook, failure_text(context))
        context.log.info(f"Posted the failure of run {context.dagster_run.run_id}.")

    return sensor


def post(webhook: str, text: str) -> None:
    """Post a text to a webhook."""
    body = json.dumps({"text": text, "unfurl_links": False, "unfurl_media": False}).encode()
    request = urllib.request.Request(webhook, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):
        pass


def build_success_counter(namespace: str) -> dg.SensorDefinition:
    """A sensor that counts each successful run of tables in a CloudWatch namespace."""

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        name="successes",
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Counts each successful run in CloudWatch, in the namespace of STAR_METRICS_NAMESPACE.",
    )
    def sensor(context: dg.RunStatusSensorContext) -> None:
        if context.dagster_run.job_name != housekeeping.name:
            count_success(namespace)

    return sensor


def failure_text(context: dg.RunFailureSensorContext) -> str:
    """The message for a failed run: its id and days, and each failed step's own message."""
    run = context.dagster_run
    tags = run.tags
    first = tags.get("dagster/asset_partition_range_start", tags.get("dagster/partition", ""))
    last = tags.get("dagster/asset_partition_range_end", first)
    days = f" of {first}" + (f" to {last}" if last != first else "") if first else ""
    lines = [f"Run {run.run_id[:8]}{days} failed."]
    for event in context.get_step_failure_events():
        error = event.step_failure_data.user_failure_data
        text = error.description if error and error.description else event.message or ""
        lines.append(f"{event.step_key}:\n{quoted(text)}")
    if len(lines) == 1:
        lines.append(quoted(context.failure_event.message or "Its process ended without an error message."))
    return "\n".join(lines)


def quoted(text: str) -> str:
    """A text as a code block in which no chat finds markup."""
    return f"```\n{visible(text.strip()).translate(LOOK_ALIKES)}\n```"
