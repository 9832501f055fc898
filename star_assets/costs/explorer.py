"""Asks Cost Explorer and Budgets for the bill of some days, a month's forecast, and its budget.

Each page of an answer costs a cent. AWS writes amounts as texts, some with an exponent
(`1.2E-7`); here they are decimals of twelve places. Not here: when to ask, and the rows
of exports (exporting).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Context, Decimal
from typing import Any

from star_assets.lake.aws import Client, aws_errors, code, refused, warn_denied
from star_assets.model.errors import AwsBusy, AwsDenied, AwsRefused

WHAT, POLICY = "Cost Explorer", "docs/aws/costs.json"

# AWS's error codes for too many requests.
THROTTLED = {"LimitExceededException", "RequestChangedException"}

# Words in the message of a denial that only the account's payer can lift.
OF_THE_PAYER = ("not enabled", "linked account", "management account", "payer")
ASK_THE_PAYER = (
    "The account that pays for this one must open Cost Explorer once, and let linked accounts see it: "
    "Billing, Cost Management preferences, Linked account access"
)

# Record types of the bill that are not usage.
NOT_USAGE = ["Credit", "Refund", "Tax"]

# decimal(38,12)
PLACES, DIGITS = Decimal("1E-12"), Context(prec=38)


@dataclass(frozen=True)
class Line:
    """The cost of one usage type of a service on a day, in US dollars, and the quantity used."""

    service: str
    usage_type: str
    cost: Decimal
    quantity: Decimal
    unit: str


@dataclass
class BillDay:
    """The bill of a day. While it is `estimated`, it may still change."""

    day: date
    estimated: bool = False
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True)
class Outlook:
    """A month's budget, the forecast of its remaining days, and its spending without the tag, in US dollars.

    None stands for unknown.
    """

    budget: Decimal | None
    forecast: Decimal | None
    untagged: Decimal | None


class CostExplorer:
    """A client of Cost Explorer and Budgets for spending with a tag, written name=value; None: for all spending."""

    def __init__(self, tag: str | None) -> None:
        self.name, _, self.value = (tag or "").partition("=")
        self.client = Client("ce")

    def bill(self, first: date, end: date) -> list[BillDay]:
        """The days from `first` to before `end`, each with all its lines. Raises AwsRefused, AwsDenied, AwsBusy."""
        days: dict[date, BillDay] = {}
        groups = [{"Type": "DIMENSION", "Key": key} for key in ("SERVICE", "USAGE_TYPE")]
        metrics = ["UnblendedCost", "UsageQuantity"]
        for result in self._results(first, end, "DAILY", metrics, self._filter(self._tagged()), GroupBy=groups):
            day = date.fromisoformat(result["TimePeriod"]["Start"])
            found = days.setdefault(day, BillDay(day))
            found.estimated = found.estimated or result["Estimated"]
            found.lines += [_line(group) for group in result["Groups"]]
        return list(days.values())

    def outlook(self, today: date, services: list[str]) -> Outlook:
        """The outlook of today's month; its untagged spending is that of these services.

        If this identity may not ask for a part, that part is unknown, which is logged once.
        """
        first, end = today.replace(day=1), _next_month(today)
        return Outlook(self._budget(), self._forecast(today, end), self._untagged(first, end, services))

    def _forecast(self, today: date, end: date) -> Decimal | None:
        asked: dict[str, Any] = {
            "TimePeriod": _period(today, end),
            "Metric": "UNBLENDED_COST",
            "Granularity": "MONTHLY",
        }
        if self.name:
            asked["Filter"] = self._tagged()
        # After a few days, there is not enough to forecast from.
        with _optional("ce:GetCostForecast", "the month has no forecast", "AskForCosts", "DataUnavailableException"):
            return _amount(self.client().get_cost_forecast(**asked)["Total"])
        return None

    def _untagged(self, first: date, end: date, services: list[str]) -> Decimal | None:
        if not self.name or not services:
            return None
        absent = {"Tags": {"Key": self.name, "MatchOptions": ["ABSENT"]}}
        theirs = {"Dimensions": {"Key": "SERVICE", "Values": services}}
        results = self._results(first, end, "MONTHLY", ["UnblendedCost"], self._filter(absent, theirs))
        return sum((_amount(result["Total"]["UnblendedCost"]) for result in results), Decimal(0))

    def _budget(self) -> Decimal | None:
        """The monthly budget of the tag; without a tag, the one of the whole account. None if there is none."""
        with _optional("budgets:ViewBudget", "the month has no budget", "LookAtBudgets", "NotFoundException"):
            account = Client("sts")().get_caller_identity()["Account"]
            pages = Client("budgets")().get_paginator("describe_budgets").paginate(AccountId=account)
            for budget in (budget for page in pages for budget in page.get("Budgets", ())):
                if budget["BudgetType"] == "COST" and budget["TimeUnit"] == "MONTHLY" and self._is_ours(budget):
                    return _amount(budget["BudgetLimit"])
        return None

    def _is_ours(self, budget: Mapping[str, Any]) -> bool:
        wanted = {"TagKeyValue": [f"user:{self.name}${self.value}"]} if self.name else {}
        return bool(budget.get("CostFilters", {}) == wanted)

    def _tagged(self) -> dict[str, Any]:
        return {"Tags": {"Key": self.name, "Values": [self.value]}} if self.name else {}

    def _filter(self, *parts: dict[str, Any]) -> dict[str, Any]:
        usage = {"Not": {"Dimensions": {"Key": "RECORD_TYPE", "Values": NOT_USAGE}}}
        found = [part for part in parts if part]
        return {"And": [*found, usage]} if found else usage

    def _results(
        self, first: date, end: date, granularity: str, metrics: list[str], filter_: dict[str, Any], **more: Any
    ) -> Iterator[Any]:
        """All pages' results, in order."""
        asked = {"TimePeriod": _period(first, end), "Granularity": granularity, "Metrics": metrics, "Filter": filter_}
        token: dict[str, str] = {}
        while True:
            with cost_errors("ce:GetCostAndUsage"):
                page = self.client().get_cost_and_usage(**asked, **more, **token)
            yield from page["ResultsByTime"]
            if "NextPageToken" not in page:
                return
            token = {"NextPageToken": page["NextPageToken"]}


@contextmanager
def cost_errors(action: str, absent: str = "") -> Iterator[None]:
    """Turn AWS's errors into the model's: AwsBusy for too many calls, AwsDenied with the right to grant.

    An error with the code `absent` means that there is no such value, and is ignored.
    """
    from botocore.exceptions import ClientError

    try:
        with aws_errors(WHAT, action):
            yield
    except AwsDenied as error:
        words = str(error).lower()
        grant = ASK_THE_PAYER if any(text in words for text in OF_THE_PAYER) else f"{POLICY} lists what it takes"
        raise AwsDenied(WHAT, error.problem, grant) from error
    except ClientError as error:
        if code(error) == absent:
            return
        if code(error) in THROTTLED:
            raise AwsBusy(WHAT, f"{action} was answered with {code(error)}") from error
        raise refused(error, WHAT, action) from error


@contextmanager
def _optional(action: str, without: str, statement: str, absent: str) -> Iterator[None]:
    """Ignore errors if the action is denied, which is logged once, or if there is no such value."""
    try:
        with cost_errors(action, absent):
            yield
    except AwsDenied:
        warn_denied(action, without, statement, POLICY)


def _line(group: Mapping[str, Any]) -> Line:
    (service, usage_type), metrics = group["Keys"], group["Metrics"]
    quantity = metrics["UsageQuantity"]
    # The bill has N/A if lines of several units are added up.
    unit = "" if quantity["Unit"] == "N/A" else quantity["Unit"]
    return Line(service, usage_type, _amount(metrics["UnblendedCost"]), _rounded(quantity["Amount"]), unit)


def _amount(found: Mapping[str, str]) -> Decimal:
    """An amount in US dollars. Raises AwsRefused for one in another currency."""
    if found["Unit"] != "USD":
        raise AwsRefused(
            WHAT, f"expected US dollars, found {found['Unit']}", "The star of costs knows US dollars alone"
        )
    return _rounded(found["Amount"])


def _rounded(text: str) -> Decimal:
    return Decimal(text).quantize(PLACES, context=DIGITS)


def _period(first: date, end: date) -> dict[str, str]:
    return {"Start": first.isoformat(), "End": end.isoformat()}


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)
