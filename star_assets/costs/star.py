"""The star of costs: an ordinary star, whose exports are pulled from Cost Explorer and from the manifests of a lake."""

import ibis
from ibis.expr.types import StringColumn, Table

from star_assets.model import (
    BarChart,
    Column,
    Dashboard,
    LineChart,
    Measure,
    Page,
    Source,
    Star,
    business_date,
    dimension,
    fact,
)
from star_assets.star.dimensions import dim_time

bill_days = Source(
    "bill_days",
    key="usage_day",
    event_time="used_at",
    version="asked_at",
    description="The days that an answer of Cost Explorer covers: each export has those of a fortnight.",
    columns={
        "usage_day": Column("date", "The day (UTC)."),
        "used_at": Column("timestamp", "Its first moment (UTC)."),
        "month": Column("string", "Its month, YYYY-MM."),
        "estimated": Column("boolean", "Whether the bill of the day may still change."),
        "asked_at": Column("timestamp", "When Cost Explorer was asked (UTC)."),
    },
)

bill_lines = Source(
    "bill_lines",
    key=("usage_day", "service", "usage_type"),
    part_of=bill_days,
    lines="complete",
    description="What AWS bills for a day. A day's newest answer has all its lines, so what vanished from it is gone.",
    columns={
        "usage_day": Column("date", "The day (UTC)."),
        "service": Column("string", "The service, as the bill names it."),
        "usage_type": Column("string", "What of the service was used, as the bill names it."),
        "cost": Column("decimal(38,12)", "Unblended cost in US dollars; without credits, refunds and taxes."),
        "quantity": Column("decimal(38,12)", "How much was used."),
        "unit": Column("string", "Unit of the quantity; NULL where the bill has none."),
    },
)

services = Source(
    "services",
    key="service",
    version="asked_at",
    description="The services that an answer names.",
    columns={
        "service": Column("string", "The service, as the bill names it."),
        "asked_at": Column("timestamp", "When Cost Explorer was asked (UTC)."),
    },
)

months = Source(
    "months",
    key="month",
    version="asked_at",
    description="What is expected of the month that was under way when Cost Explorer was asked.",
    columns={
        "month": Column("string", "The month, YYYY-MM."),
        "budget": Column("decimal(38,12)", "The month's budget in US dollars; NULL where there is none."),
        "forecast": Column("decimal(38,12)", "What its remaining days are expected to cost; NULL where unknown."),
        "untagged": Column("decimal(38,12)", "What the same services cost in it without the tag; NULL where unknown."),
        "asked_at": Column("timestamp", "When Cost Explorer was asked (UTC)."),
    },
)

versions = Source(
    "versions",
    key="version_id",
    event_time="made_at",
    description="The versions that were published on the day, and what their manifests say that each used.",
    columns={
        "version_id": Column("string", "The version."),
        "made_at": Column("timestamp", "When its building began (UTC)."),
        "month": Column("string", "The month of that, YYYY-MM."),
        "table_name": Column("string", "The table, with its database."),
        "partition": Column("string", "The partition, such as date=2026-11-01; live for a dimension."),
        "rows": Column("int64", "Rows of the version."),
        "seconds": Column("decimal(18,6)", "Seconds that a machine worked for it."),
        "dpu_seconds": Column("decimal(18,6)", "DPU-seconds of Glue."),
        "requests": Column("decimal(18,6)", "Requests to S3 and to Glue's catalog."),
        "machine_usd": Column("decimal(18,9)", "Price of the seconds."),
        "glue_usd": Column("decimal(18,9)", "Price of the DPU-seconds."),
        "requests_usd": Column("decimal(18,9)", "Price of the requests."),
        "prices_of": Column("date", "The day of the prices."),
    },
)


@dimension(key="service", inferred_from=[bill_lines], labels={"service_name": "Service", "service": "Billed As"})
def dim_service(services: Table) -> Table:
    """One row per service of AWS."""
    return services.select(
        service=services.service, service_name=short(services.service), part_of_lake=part(services.service)
    )


@dimension(
    key="month",
    inferred_from=[bill_days["month"], versions["month"]],
    columns={"month": "The month, YYYY-MM."},
)
def dim_month(months: Table) -> Table:
    """One row per month: its budget, and what is expected of it."""
    return months


@fact(
    key="cost_id",
    date="used_at",
    references={"service": dim_service, "month": dim_month, "usage_date": dim_time},
    measures=[
        Measure("cost", "sum", "Unblended cost in US dollars.", label="Cost", format="money"),
        Measure("quantity", "sum", "How much was used, in the usage type's unit.", label="Quantity Used"),
    ],
    labels={"cost": "Line Cost", "quantity": "Line Quantity"},
    sort_by=["service", "usage_type"],
    columns={"cost_id": "Day, service and usage type.", "usage_date": "The day (UTC)."},
)
def fact_cost(bill_days: Table, bill_lines: Table) -> Table:
    """One row per day, service and usage type."""
    lines = bill_days.join(bill_lines, "usage_day")
    return lines.select(
        cost_id=lines.usage_day.cast("string") + " " + lines.service + " " + lines.usage_type,
        service=lines.service,
        usage_type=lines.usage_type,
        month=lines.month,
        cost=lines.cost,
        quantity=lines.quantity,
        unit=lines.unit,
        estimated=lines.estimated,
        asked_at=lines.asked_at,
        used_at=lines.used_at,
        usage_date=lines.usage_day,
    )


@fact(
    key="version_id",
    date="made_at",
    references={"month": dim_month, "run_date": dim_time},
    measures=[
        Measure("estimated_cost", "sum", "All parts together, in US dollars.", label="Estimated Cost", format="money"),
        Measure("machine_usd", "sum", "Of the machine's seconds.", label="Machine", format="money"),
        Measure("glue_usd", "sum", "Of Glue's DPU-seconds.", label="Glue Jobs", format="money"),
        Measure("requests_usd", "sum", "Of requests to S3 and Glue.", label="Requests", format="money"),
        Measure("seconds", "sum", "Seconds that machines worked.", label="Machine Seconds"),
        Measure("dpu_seconds", "sum", "DPU-seconds of Glue.", label="DPU Seconds"),
        Measure("requests", "sum", "Requests to S3 and Glue.", label="Request Count"),
    ],
    labels={
        "estimated_cost": "Version Cost",
        "machine_usd": "Version Machine",
        "glue_usd": "Version Glue Jobs",
        "requests_usd": "Version Requests",
        "seconds": "Version Seconds",
        "dpu_seconds": "Version DPU Seconds",
        "requests": "Version Request Count",
    },
    sort_by=["table_name", "partition"],
    columns={"run_date": "The day on which its building began (UTC)."},
)
def fact_run_cost(versions: Table) -> Table:
    """One row per published version: what it used, and what that costs by the price list."""
    total = versions.machine_usd + versions.glue_usd + versions.requests_usd
    return versions.mutate(estimated_cost=total.cast("decimal(18,9)"), run_date=business_date(versions.made_at))


def short(service: StringColumn) -> StringColumn:
    """A service's name without the words that most names begin with."""
    return service.replace("Amazon ", "").replace("AWS ", "")


def part(service: StringColumn) -> StringColumn:
    """What a lake has a service for."""
    return ibis.cases(
        (service == "Amazon Simple Storage Service", "storage and requests"),
        (service == "AWS Glue", "catalog and jobs"),
        (service == "Amazon Athena", "queries"),
        (service == "AWS Key Management Service", "encryption"),
        (service == "AmazonCloudWatch", "alarms and logs"),
        (service == "AWS Cost Explorer", "this star"),
        else_="machines and all else",
    )


spending = Dashboard(
    "spending",
    "Spending on AWS",
    fact="fact_cost",
    filters=["dim_service.service_name"],
    pages=[
        Page(
            "The bill",
            tiles=["cost"],
            charts=[LineChart("cost"), BarChart("cost", by="dim_service.service_name")],
        )
    ],
)

costs = Star(
    sources=[bill_days, bill_lines, services, months, versions],
    dimensions=[dim_service, dim_month, dim_time],
    facts=[fact_cost, fact_run_cost],
    dashboards=[spending],
    currency="USD",
)
