"""Builds the Dagster definitions of any Star, without opening a lake, an engine or a connection."""

from __future__ import annotations

import warnings

import dagster as dg

from star_assets.engines.opening import require_known
from star_assets.model import Star
from star_assets.orchestration.assets import build_assets
from star_assets.orchestration.checks import build_checks
from star_assets.orchestration.dashboard import build_dashboard
from star_assets.orchestration.housekeeping import housekeeping
from star_assets.orchestration.jobs import all_tables
from star_assets.orchestration.notify import build_notifier, build_success_counter
from star_assets.orchestration.powerbi import build_powerbi
from star_assets.orchestration.powerbi_refresh import build_powerbi_refresh
from star_assets.orchestration.reports import build_reports_sensor
from star_assets.orchestration.resources import build_resources
from star_assets.orchestration.schedules import build_schedules
from star_assets.orchestration.sensors import build_sensors
from star_assets.settings import Settings


def build_definitions(star: Star, settings: Settings, warehouse: object | None = None) -> dg.Definitions:
    """The definitions of a star; `warehouse` replaces the one that its settings describe.

    Steps run one after the other in one process: the engine uses every core
    itself, and a process for each step would cost more than most steps.
    """
    require_known(star, settings)
    with warnings.catch_warnings():
        # Single-run backfills and partitioned checks are beta in Dagster. The tests cover
        # what is used of them, and users cannot act on the warning.
        warnings.simplefilter("ignore", dg.BetaWarning)
        warnings.simplefilter("ignore", dg.PreviewWarning)
        powerbi, fits_live_tables = build_powerbi(star, settings)
        return dg.Definitions(
            assets=[
                *build_assets(star, settings),
                powerbi,
                *build_powerbi_refresh(star, settings),
                *build_dashboard(star, settings),
            ],
            asset_checks=[*build_checks(star, settings), fits_live_tables],
            jobs=[all_tables, housekeeping],
            schedules=build_schedules(settings),
            sensors=[*build_sensors(star, settings), build_reports_sensor(), *_run_status_sensors(settings)],
            resources=build_resources(star, settings, warehouse),
            executor=dg.in_process_executor,
        )


def _run_status_sensors(settings: Settings) -> list[dg.SensorDefinition]:
    """The sensors that report failed runs to a webhook and count successes in CloudWatch, if the settings name them."""
    failures = [build_notifier(settings.webhook)] if settings.webhook else []
    successes = [build_success_counter(settings.metrics_namespace)] if settings.metrics_namespace else []
    return [*failures, *successes]
