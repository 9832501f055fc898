"""The asset `dashboard`, which publishes the HTML pages of the star's dashboards below `reports/`.

It is unpartitioned, and downstream of the facts and of the dimensions that these facts
reference. Not here: the content of a page (reports/dashboard).
"""

from collections.abc import Collection
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import dagster as dg

from star_assets.model import Star
from star_assets.model.errors import StarError
from star_assets.orchestration.describe import DAYS_SHOWN, bars
from star_assets.orchestration.failures import as_failure
from star_assets.orchestration.keys import asset_key
from star_assets.orchestration.reports import WHEN_TABLES_CHANGED
from star_assets.orchestration.resources import ATHENA, WAREHOUSE
from star_assets.settings import Settings

if TYPE_CHECKING:
    from star_assets.reports.dashboard.answers import Answers
    from star_assets.reports.dashboard.publishing import Published

NAME = "dashboard"


def build_dashboard(star: Star, settings: Settings) -> list[dg.AssetsDefinition]:
    """The asset; none where the star declares no dashboard."""
    if not star.dashboards:
        return []
    facts = {dashboard.fact: star.facts[dashboard.fact] for dashboard in star.dashboards}
    referred = {table.name for fact in facts.values() for table in fact.references.values()}

    @dg.asset(
        key=asset_key(settings, NAME),
        description="One self-contained HTML file for each dashboard and viewer.",
        owners=[star.default_owner],
        group_name="bi",
        kinds={"html"},
        deps=[asset_key(settings, name) for name in (*facts, *sorted(referred))],
        automation_condition=WHEN_TABLES_CHANGED,
        # Dagster requires this policy of every asset in a run over a range of days.
        backfill_policy=dg.BackfillPolicy.single_run(),
        required_resource_keys={WAREHOUSE, ATHENA},
    )
    def step(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        # Imported here, because only a run needs it.
        from star_assets.reports.dashboard.publishing import publish

        warehouse, athena = context.resources.warehouse, context.resources.athena
        try:
            published = {found.title: publish(warehouse, athena, found) for found in star.dashboards}
        except StarError as error:
            raise as_failure(error) from None
        return dg.MaterializeResult(metadata=published_metadata(published))

    return [step]


def reports_on(star: Star, tables: Collection[str]) -> list[str]:
    """The names of the dashboard assets to rebuild if these tables change: none, unless a dashboard's fact is one."""
    return [NAME] if any(dashboard.fact in tables for dashboard in star.dashboards) else []


def published_metadata(published: "dict[str, Published]") -> dict[str, Any]:
    """The number and size of the pages, and each dashboard's folder and last day."""
    metadata: dict[str, Any] = {
        "pages": sum(len(found.sizes) for found in published.values()),
        "pages removed": sum(found.removed for found in published.values()),
        "bytes": sum(sum(found.sizes) for found in published.values()),
    }
    for title, found in published.items():
        metadata[f"{title}: folder"] = dg.MetadataValue.path(found.folder)
        if found.answers.days:
            metadata[f"{title}: until"] = found.answers.days[-1]
            metadata[f"{title}: last days"] = dg.MetadataValue.md(last_days(found.answers))
    return metadata


def last_days(answers: "Answers") -> str:
    """Bars of the dashboard's first measure over the last published dates, as a line of Markdown."""
    days = answers.days[-DAYS_SHOWN:]
    totals = dict.fromkeys(days, Decimal(0))
    for row in answers.daily:
        if row.time in totals and row.sums and row.sums[0] is not None:
            totals[str(row.time)] += Decimal(row.sums[0])
    return bars(totals)
