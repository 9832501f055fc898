"""What the checks of costs say, of numbers that a test gives."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from star_assets.costs.report import Report, budget, checks, estimates, unusual_day

NOW = datetime(2026, 11, 20, 6)
DAYS = {f"2026-11-{day:02}": Decimal(3) for day in range(1, 20)}
QUIET = Report(
    "2026-11", DAYS, {}, {}, Decimal(100), Decimal(30), Decimal(1), NOW - timedelta(hours=5), Decimal(2), Decimal("1.5")
)


def test_quiet_costs_pass_all() -> None:
    assert [check.name for check in checks(QUIET, NOW) if not check.passed] == []


@pytest.mark.parametrize(
    ("changed", "name", "told"),
    [
        (
            {"forecast": Decimal(44)},
            "budget",
            "expected at most $100.00, found $57.00 so far, $101.00 with the forecast",
        ),
        ({"days": {**DAYS, "2026-11-19": Decimal(7)}}, "unusual_day", "2026-11-19 cost $7.00; the median of the 14"),
        ({"days": {**DAYS, "2026-11-18": Decimal(7)}}, "unusual_day", "2026-11-18 cost $7.00; the median of the 14"),
        ({"counted": Decimal(4)}, "estimates", "estimated $1.50, billed $4.00 for the same, -62 %"),
        ({"estimated": Decimal(9)}, "estimates", "estimated $9.00, billed $2.00 for the same, +350 %"),
        ({"untagged": Decimal(5)}, "untagged", "$5.00 of the same services lack the tag; expected at most $2.85"),
        ({"asked_at": NOW - timedelta(hours=49)}, "answered", "the last answer is 49 hours old; expected at most 48"),
        ({"asked_at": None}, "answered", "Cost Explorer was never asked"),
    ],
)
def test_what_is_wrong_is_told_by_one_check(changed: dict[str, object], name: str, told: str) -> None:
    (failed,) = [check for check in checks(replace(QUIET, **changed), NOW) if not check.passed]  # type: ignore[arg-type]
    assert failed.name == name
    assert told in failed.description


def test_cents_are_no_alarm() -> None:
    """A lake of cents doubles on any day that somebody tries something."""
    cents = {day: Decimal("0.05") for day in DAYS}
    assert unusual_day(replace(QUIET, days={**cents, "2026-11-19": Decimal("0.90")})).passed
    assert estimates(replace(QUIET, counted=Decimal(0), estimated=Decimal("0.90"))).passed


def test_without_a_budget_or_a_week_nothing_is_compared() -> None:
    assert budget(replace(QUIET, budget=None, forecast=Decimal(10**6))).passed
    assert unusual_day(replace(QUIET, days={"2026-11-18": Decimal(1), "2026-11-19": Decimal(900)})).passed
