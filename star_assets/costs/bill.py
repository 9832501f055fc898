"""Estimates a month's bill from the price list, for numbers of stores: `python -m star_assets.costs.bill 12 200 2000`.

The assumptions about a retailer are constants, to be replaced by your own numbers; the usage
of a day was measured on the retail star (four days of 6,000 lines, on moto).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from decimal import Decimal

from star_assets import prices

# Assumed: lines that a store sells a day; days that are kept; queries of each store's screens, a day each of at most
# 10 MB; queries of analysts a day, each of a quarter's days and this share of the bytes of its rows.
LINES_OF_STORE, DAYS_KEPT = 600, 365
QUERIES_OF_STORE, QUERIES_OF_ANALYSTS, DAYS_ASKED, SHARE_READ = 10, 50, 92, Decimal("0.3")

# Measured: bytes of a line in raw exports (gzip), staged, in olap, and there of the fact; requests of a day's run.
RAW, STAGED, OLAP, FACT = 72, 44, 53, 36
WRITES, READS = 240, 61

# Measured: seconds that a day's run takes on one processor, and for each line; six million take 15 s on two.
SECONDS, SECONDS_OF_LINE = 90, Decimal(30) / 6_000_000

# Tables whose ledgers the sensor lists each minute; alarms of the templates; requests to Cost Explorer a day.
TABLES, ALARMS, COST_REQUESTS = 11, 5, 3

DAYS = Decimal(prices.HOURS_OF_MONTH) / 24


def bill(stores: int) -> dict[str, Decimal]:
    """A month's costs for so many stores, by part, in US dollars, with Dagster on a machine that is always on."""
    lines = stores * LINES_OF_STORE
    stored = Decimal(lines * DAYS_KEPT * (RAW + STAGED + OLAP)) / prices.GIGABYTE
    requests = WRITES * prices.S3_PER_1000_WRITES + READS * prices.S3_PER_1000_READS
    looks = TABLES * 60 * prices.HOURS_OF_MONTH * prices.S3_PER_1000_WRITES
    quarter = int(lines * DAYS_ASKED * FACT * SHARE_READ)
    of_stores = stores * QUERIES_OF_STORE * prices.athena_query(0)
    machine = prices.HOST_PER_HOUR * prices.HOURS_OF_MONTH
    return {
        f"storage of {DAYS_KEPT} days": stored * prices.S3_PER_GIGABYTE_MONTH,
        "requests of a run a day": DAYS * requests / 1000,
        "the sensor's looks": looks / 1000,
        "queries of stores": DAYS * of_stores,
        "queries of analysts": DAYS * QUERIES_OF_ANALYSTS * prices.athena_query(quarter),
        "a key, five alarms": prices.KEY_PER_MONTH + ALARMS * prices.ALARM_PER_MONTH,
        "Cost Explorer": DAYS * COST_REQUESTS * prices.COST_EXPLORER_REQUEST,
        "a machine for Dagster": machine + prices.DISK_GIGABYTES * prices.DISK_PER_GIGABYTE_MONTH,
    }


def without_dagster(stores: int) -> Decimal:
    """The total if a task on Fargate runs once a day in place of Dagster and its sensor."""
    parts = bill(stores)
    seconds = SECONDS + SECONDS_OF_LINE * stores * LINES_OF_STORE
    task = DAYS * seconds * prices.USED["seconds"][1]
    return sum(parts.values()) - parts["a machine for Dagster"] - parts["the sensor's looks"] + task


def table(stores: Iterable[int]) -> str:
    """The bills side by side, as lines of text."""
    bills = {one: bill(one) for one in stores}
    parts = {part: [found[part] for found in bills.values()] for part in next(iter(bills.values()))}
    parts |= {"in all": [sum(found.values(), Decimal(0)) for found in bills.values()]}
    parts |= {"in all, on Fargate once a day": [without_dagster(one) for one in bills]}
    head = f"{f'US dollars a month, prices of {prices.AS_OF}':<42}" + "".join(f"{one:>7,} stores" for one in bills)
    return "\n".join(
        [head, *(f"{part:<42}" + "".join(f"{cost:>14,.2f}" for cost in row) for part, row in parts.items())]
    )


if __name__ == "__main__":
    print(table([int(one) for one in sys.argv[1:]] or [12, 200, 2_000]))
