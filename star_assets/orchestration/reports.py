"""When the assets `dashboard` and `powerbi` are rebuilt: once a table that they show has changed.

A run of Dagster may have published that table, or another process, whose versions the sensor
`athena_partitions` records. Not here: the reports themselves (dashboard, powerbi).
"""

import dagster as dg

# Nothing is requested while a table or the report is being built. After a run that built a table and then the
# report, no other run is requested.
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
