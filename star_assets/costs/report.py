"""The report of a month's costs, by service and by table, with its forecast; and the checks of costs.

All of it is read by SQL from the star's tables, without calls to Cost Explorer, which cost money. Not here:
showing it in the terminal (cli) and in Dagster (orchestration).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

from star_assets.athena.client import Athena
from star_assets.pipeline.outcome import CheckResult

# Days over which a day's median and the sum of estimates are taken.
FORTNIGHT = 14

# A day is unusual if it cost more than TIMES the median, and over LEAST_USD more: cents vary.
TIMES, LEAST_USD = 2, Decimal(1)

# Spending without the tag is tolerated up to this share.
MOST_UNTAGGED = Decimal("0.05")

OLDEST_ANSWER = timedelta(hours=48)

# The bill of a day goes on growing for so many days.
LATE_DAYS = 2

# The usage types that versions count too: requests to S3 and Glue, and DPU hours.
COUNTED = "usage_type LIKE '%Requests%' OR usage_type LIKE '%DPU%'"

NONE = Decimal(0)


@dataclass(frozen=True)
class Report:
    """The costs of a month, in US dollars, as of the last answer.

    Attributes:
        month: YYYY-MM.
        days: what each day of the last fortnights and of the month cost, oldest first; no day without a bill.
        services: the month so far, by service, the largest first.
        tables: what versions of each table cost in the month, by estimate, the largest first.
        budget, forecast, untagged: as the table `dim_month` has them.
        asked_at: when Cost Explorer was asked last (UTC); None where it never was.
        counted: the bill of the usage types that versions count too, over the same days as `estimated`.
        estimated: the estimated cost of these days' versions, without their machine.
    """

    month: str
    days: Mapping[str, Decimal]
    services: Mapping[str, Decimal]
    tables: Mapping[str, Decimal]
    budget: Decimal | None
    forecast: Decimal | None
    untagged: Decimal | None
    asked_at: datetime | None
    counted: Decimal
    estimated: Decimal

    @property
    def so_far(self) -> Decimal:
        """The costs of the month until now."""
        return sum((cost for day, cost in self.days.items() if day.startswith(self.month)), NONE)

    @property
    def expected(self) -> Decimal:
        """The costs of the whole month: the bill so far, and the forecast of the rest if there is one."""
        return self.so_far + (self.forecast or NONE)


def read(athena: Athena, today: date) -> Report:
    """The report of today's month. Raises BadQuery if the star has not been built yet."""
    month, first = f"{today:%Y-%m}", today - timedelta(days=2 * FORTNIGHT + LATE_DAYS)
    since = min(f"{month}-01", first.isoformat())
    compared = (
        f"date >= '{today - timedelta(days=FORTNIGHT + LATE_DAYS)}' AND date < '{today - timedelta(days=LATE_DAYS)}'"
    )

    def pairs(sql: str) -> dict[str, Decimal]:
        return {row["name"]: row["cost"] or NONE for row in athena.query(sql).table.to_pylist()}

    def one(sql: str) -> dict[str, Any]:
        return next(iter(athena.query(sql).table.to_pylist()), {})

    of_month = one(f"SELECT budget, forecast, untagged FROM dim_month WHERE month = '{month}'")
    return Report(
        month,
        pairs(
            f"SELECT date AS name, SUM(cost) AS cost FROM fact_cost WHERE date >= '{since}' GROUP BY date ORDER BY 1"
        ),
        pairs(
            "SELECT s.service_name AS name, SUM(f.cost) AS cost FROM fact_cost f "
            f"JOIN dim_service s ON f.service = s.service WHERE f.date >= '{month}-01' GROUP BY 1 ORDER BY 2 DESC, 1"
        ),
        pairs(
            "SELECT table_name AS name, SUM(estimated_cost) AS cost FROM fact_run_cost "
            f"WHERE date >= '{month}-01' GROUP BY 1 ORDER BY 2 DESC, 1"
        ),
        of_month.get("budget"),
        of_month.get("forecast"),
        of_month.get("untagged"),
        one("SELECT MAX(asked_at) AS asked_at FROM dim_month").get("asked_at"),
        one(f"SELECT SUM(cost) AS cost FROM fact_cost WHERE {compared} AND ({COUNTED})")["cost"] or NONE,
        one(f"SELECT SUM(glue_usd + requests_usd) AS cost FROM fact_run_cost WHERE {compared}")["cost"] or NONE,
    )


def checks(report: Report, now: datetime) -> list[CheckResult]:
    """The results of all checks of costs."""
    return [budget(report), unusual_day(report), estimates(report), untagged(report), answered(report, now)]


def budget(report: Report) -> CheckResult:
    """Fails if the month so far and the forecast of its rest exceed the budget."""
    if report.budget is None:
        return CheckResult("budget", True, "no budget is known; the template `costs` makes one")
    text = f"{report.month}: expected at most {usd(report.budget)}, found {usd(report.so_far)}"
    text += f" so far, {usd(report.expected)} with the forecast" if report.forecast is not None else " so far"
    found = {"expected": float(report.budget), "actual": float(report.expected)}
    return CheckResult("budget", report.expected <= report.budget, text, found)


def unusual_day(report: Report) -> CheckResult:
    """Fails if one of the two newest days cost over twice the median of the fortnight before it."""
    days = list(report.days)
    for day in days[-LATE_DAYS:]:
        before = [report.days[other] for other in days if other < day][-FORTNIGHT:]
        if len(before) < FORTNIGHT // 2:
            continue
        usual, found = Decimal(median(before)), report.days[day]
        if found > TIMES * usual and found - usual > LEAST_USD:
            text = f"{day} cost {usd(found)}; the median of the {len(before)} days before is {usd(usual)}"
            return CheckResult("unusual_day", False, text, {"expected": float(TIMES * usual), "actual": float(found)})
    return CheckResult("unusual_day", True, f"no day of the last {LATE_DAYS} is above {TIMES} × the median before it")


def estimates(report: Report) -> CheckResult:
    """Fails if the versions' estimated cost is far from the bill for requests and DPU hours."""
    found, billed = report.estimated, report.counted
    apart = abs(found - billed)
    near = apart <= LEAST_USD or (billed > 0 and 1 / Decimal(TIMES) <= found / billed <= TIMES)
    by = f", {(found / billed - 1) * 100:+.0f} %" if billed else ""
    text = f"the last {FORTNIGHT} whole days: estimated {usd(found)}, billed {usd(billed)} for the same{by}"
    return CheckResult("estimates", near, text, {"expected": float(billed), "actual": float(found)})


def untagged(report: Report) -> CheckResult:
    """Fails if much of the same services is spent without the tag."""
    if report.untagged is None:
        return CheckResult("untagged", True, "no tag is asked for, or what lacks it is unknown")
    most = max(LEAST_USD, MOST_UNTAGGED * report.so_far)
    text = f"{report.month}: {usd(report.untagged)} of the same services lack the tag; expected at most {usd(most)}"
    found = {"expected": float(most), "actual": float(report.untagged)}
    return CheckResult("untagged", report.untagged <= most, text, found)


def answered(report: Report, now: datetime) -> CheckResult:
    """Fails if Cost Explorer was not asked in the last two days."""
    if report.asked_at is None:
        return CheckResult("answered", False, "Cost Explorer was never asked")
    hours = (now - report.asked_at) / timedelta(hours=1)
    most = OLDEST_ANSWER / timedelta(hours=1)
    text = f"the last answer is {hours:.0f} hours old; expected at most {most:.0f}"
    return CheckResult("answered", hours <= most, text, {"expected": most, "actual": hours})


def usd(amount: Decimal) -> str:
    """An amount for people: with cents, or with four decimals below a dollar."""
    return f"${amount:,.2f}" if abs(amount) >= 1 else f"${amount:.4f}"
