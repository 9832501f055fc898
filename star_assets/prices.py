"""Unit prices of AWS: US dollars, most regions, as published in November 2026.

Estimates are made of these alone, so that a change of prices is a change here.
"""

from __future__ import annotations

from decimal import Decimal

MEGABYTE, TERABYTE = 2**20, 2**40

# Athena: per TB scanned, counted in whole megabytes, at least ten for each query.
ATHENA_PER_TERABYTE = Decimal(5)
ATHENA_LEAST_MEGABYTES = 10


def athena_query(bytes_scanned: int) -> Decimal:
    """What a query costs that ran, to a millionth of a dollar. DDL and reused results cost nothing."""
    megabytes = max(ATHENA_LEAST_MEGABYTES, -(-bytes_scanned // MEGABYTE))
    return round(ATHENA_PER_TERABYTE * megabytes * MEGABYTE / TERABYTE, 6)


# Glue: per DPU and hour, on capacity of its own or on spare capacity; by the second, at least a minute of each DPU.
GLUE_PER_DPU_HOUR, GLUE_FLEX_PER_DPU_HOUR = Decimal("0.44"), Decimal("0.29")


def glue_run(dpu_seconds: float, flex: bool) -> Decimal:
    """What a run of a job costs, to a millionth of a dollar."""
    price = GLUE_FLEX_PER_DPU_HOUR if flex else GLUE_PER_DPU_HOUR
    return round(price * Decimal(dpu_seconds) / 3600, 6)
