"""The Dagster definitions of the star of costs, and its checks of budget, unusual days and estimates.

Failed checks are posted to the webhook and the SNS topic that the settings name. Not here: how
the checks are computed (costs/report).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from star_assets.aws.topics import notify_topic
from star_assets.costs.report import checks, read
from star_assets.costs.star import costs
from star_assets.model.errors import StarError
from star_assets.orchestration.build import build_definitions
from star_assets.orchestration.describe import check_result
from star_assets.orchestration.failures import as_failure
from star_assets.orchestration.keys import asset_key
from star_assets.orchestration.notify import post, quoted
from star_assets.orchestration.resources import ATHENA, WAREHOUSE
from star_assets.pipeline.outcome import CheckResult
from star_assets.settings import Settings

DESCRIPTIONS = {
    "budget": "The month so far, and the forecast of its rest, are within the budget.",
    "unusual_day": "No day of the last two cost twice the median of the fortnight before it.",
    "estimates": "What versions were estimated to cost is near what is billed for the same.",
    "untagged": "Little of the same services is spent without the tag.",
    "answered": "Cost Explorer was asked in the last 48 hours.",
}

# A budget that is exceeded, or costs that nobody asked for; the other checks only warn.
ERRORS = {"budget", "answered"}


def build_costs(settings: Settings) -> dg.Definitions:
    """The definitions of the star of costs of a lake. Its settings must ask for costs."""
    own = settings.for_costs()
    return dg.Definitions.merge(build_definitions(costs, own), dg.Definitions(asset_checks=[build_cost_checks(own)]))


def build_cost_checks(settings: Settings) -> dg.AssetChecksDefinition:
    """The checks of `fact_cost`, evaluated once all that they read is built."""
    deps = [asset_key(settings, name) for name in ("fact_run_cost", "dim_month", "dim_service")]
    fact = asset_key(settings, "fact_cost")
    specs = [
        dg.AssetCheckSpec(name, asset=fact, description=text, additional_deps=deps)
        for name, text in DESCRIPTIONS.items()
    ]

    @dg.multi_asset_check(name="cost_checks", specs=specs, required_resource_keys={WAREHOUSE, ATHENA})
    def evaluate(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        now = datetime.now(UTC)
        try:
            report = read(context.resources.athena, now.date())
            found = checks(report, now.replace(tzinfo=None))
            notify(settings, [check for check in found if not check.passed])
        except StarError as error:
            raise as_failure(error) from None
        context.op_execution_context.log_event(dg.AssetObservation(fact, metadata=report_metadata(report)))
        for check in found:
            yield check_result(
                check, dg.AssetCheckSeverity.ERROR if check.name in ERRORS else dg.AssetCheckSeverity.WARN
            )

    return evaluate


def report_metadata(report: Any) -> dict[str, float]:
    """The month's figures as numbers, which Dagster charts over time."""
    numbers = {
        "month so far": report.so_far,
        "month expected": report.expected,
        "budget": report.budget,
        "untagged": report.untagged,
    }
    return {name: float(number) for name, number in numbers.items() if number is not None}


def notify(settings: Settings, failed: list[CheckResult]) -> None:
    """Send the failed checks to the webhook and to the SNS topic, where the settings name them."""
    text = "\n".join(f"{check.name}: {check.description}" for check in failed)
    title = f"Costs: {', '.join(check.name for check in failed)}"
    if failed and settings.webhook:
        post(settings.webhook, f"{title}\n{quoted(text)}")
    if failed and settings.topic:
        notify_topic(settings.topic, title, text)
