"""Unit prices of AWS, in US dollars, as published for us-east-1, and most regions, on the day of AS_OF.

Every estimate of costs uses these prices alone, so a change of AWS's prices is a change in this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

AS_OF = "2026-11-01"

GIGABYTE, TERABYTE = 2**30, 2**40
MEGABYTE = 2**20
HOUR, HOURS_OF_MONTH = 3600, 730

# Athena: per TB scanned. The bytes of a query are rounded up to whole megabytes, and are at least ten.
ATHENA_PER_TERABYTE = Decimal(5)
ATHENA_LEAST_MEGABYTES = 10


def athena_query(bytes_scanned: int) -> Decimal:
    """The cost of a query that scanned data, to a millionth of a dollar. DDL and reused results cost nothing."""
    billed = max(ATHENA_LEAST_MEGABYTES, -(-bytes_scanned // MEGABYTE)) * MEGABYTE
    return round(ATHENA_PER_TERABYTE * billed / TERABYTE, 6)


# Glue: per DPU and hour, on standard and on spare (flex) capacity; billed by the second, at least a minute per DPU.
GLUE_PER_DPU_HOUR, GLUE_FLEX_PER_DPU_HOUR = Decimal("0.44"), Decimal("0.29")

# DPUs of a worker, by its type.
DPUS = {"G.1X": 1, "G.2X": 2, "G.4X": 4, "G.8X": 8, "R.1X": 1, "R.2X": 2}


def glue_run(dpu_seconds: float, flex: bool) -> Decimal:
    """The cost of a run of a Glue job, to a millionth of a dollar."""
    price = GLUE_FLEX_PER_DPU_HOUR if flex else GLUE_PER_DPU_HOUR
    return round(price * Decimal(dpu_seconds) / HOUR, 6)


# S3 Standard: per GB and month, and per 1,000 requests. Glue's catalog: per million requests, after a free million.
S3_PER_GIGABYTE_MONTH = Decimal("0.023")
S3_PER_1000_WRITES, S3_PER_1000_READS = Decimal("0.005"), Decimal("0.0004")
CATALOG_PER_MILLION_CALLS, CATALOG_FREE_CALLS = Decimal(1), 1_000_000

# Fargate: per processor, and per GB of memory, and hour. The template `schedule` starts a task of so many of both.
FARGATE_PER_CPU_HOUR, FARGATE_PER_GIGABYTE_HOUR = Decimal("0.04048"), Decimal("0.004445")
TASK_CPUS, TASK_GIGABYTES = 1, 4

# A key of KMS and an alarm of CloudWatch: per month. A request to Cost Explorer, each page one.
KEY_PER_MONTH, ALARM_PER_MONTH = Decimal(1), Decimal("0.10")
COST_EXPLORER_REQUEST = Decimal("0.01")

# A machine for Dagster: t3.medium, with 30 GB of gp3.
HOST_PER_HOUR, DISK_PER_GIGABYTE_MONTH, DISK_GIGABYTES = Decimal("0.0416"), Decimal("0.08"), 30

# For each amount that versions report (usage): its part of the bill, and its unit price.
USED: Mapping[str, tuple[str, Decimal]] = {
    "seconds": (
        "machine",
        (TASK_CPUS * FARGATE_PER_CPU_HOUR + TASK_GIGABYTES * FARGATE_PER_GIGABYTE_HOUR) / HOUR,
    ),
    "dpu_seconds": ("glue", GLUE_PER_DPU_HOUR / HOUR),
    "flex_dpu_seconds": ("glue", GLUE_FLEX_PER_DPU_HOUR / HOUR),
    "reads": ("requests", S3_PER_1000_READS / 1000),
    "writes": ("requests", S3_PER_1000_WRITES / 1000),
    "catalog_calls": ("requests", CATALOG_PER_MILLION_CALLS / 1_000_000),
}
PARTS = ("machine", "glue", "requests")


def used(amounts: Mapping[str, float]) -> dict[str, Decimal]:
    """The cost of amounts, to a billionth of a dollar, by PARTS. Unknown amounts cost nothing."""
    found = dict.fromkeys(PARTS, Decimal(0))
    for name, amount in amounts.items():
        if name in USED:
            part, price = USED[name]
            found[part] += price * Decimal(str(amount))
    return {part: round(amount, 9) for part, amount in found.items()}
