"""Unit prices of AWS, in US dollars, as published for most regions in November 2026.

Every estimate of costs uses these prices alone, so a change of AWS's prices is a change in this file.
"""

from __future__ import annotations

from decimal import Decimal

MEGABYTE, TERABYTE = 2**20, 2**40

# Athena: per TB scanned. The bytes of a query are rounded up to whole megabytes, and are at least ten.
ATHENA_PER_TERABYTE = Decimal(5)
ATHENA_LEAST_MEGABYTES = 10


def athena_query(bytes_scanned: int) -> Decimal:
    """The cost of a query that scanned data, to a millionth of a dollar. DDL and reused results cost nothing."""
    megabytes = max(ATHENA_LEAST_MEGABYTES, -(-bytes_scanned // MEGABYTE))
    return round(ATHENA_PER_TERABYTE * megabytes * MEGABYTE / TERABYTE, 6)


# Glue: per DPU and hour, on standard and on spare (flex) capacity; billed by the second, at least a minute per DPU.
GLUE_PER_DPU_HOUR, GLUE_FLEX_PER_DPU_HOUR = Decimal("0.44"), Decimal("0.29")


def glue_run(dpu_seconds: float, flex: bool) -> Decimal:
    """The cost of a run of a Glue job, to a millionth of a dollar."""
    price = GLUE_FLEX_PER_DPU_HOUR if flex else GLUE_PER_DPU_HOUR
    return round(price * Decimal(dpu_seconds) / 3600, 6)
