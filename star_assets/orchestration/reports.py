"""When the reports, the assets `dashboard` and `powerbi`, are made anew: once a table has changed that they show.

Whoever published it: a run of Dagster's, or another process, whose versions `athena_partitions`
records. Not here: the reports themselves (dashboard, powerbi).
"""

import dagster as dg

# While a table is being built, and so may change again, and while the report is, nothing is requested. A run that
# made the report behind its tables has nothing to be followed by.
WHEN_TABLES_CHANGED = (
    dg.AutomationCondition.any_deps_updated().since_last_handled()
    & ~dg.AutomationCondition.any_deps_in_progress()
    & ~dg.AutomationCondition.in_progress()
).with_label("a table it shows has changed")


def build_reports_sensor() -> dg.SensorDefinition:
    """The sensor that requests the reports."""
    return dg.AutomationConditionSensorDefinition(
        "reports",
        target=dg.AssetSelection.groups("bi"),
        minimum_interval_seconds=60,
        # It starts runs, so whoever owns the lake switches it on.
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Requests the dashboard and the Power BI project once tables that they show have changed.",
    )
