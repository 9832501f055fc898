"""Cost Explorer's answers, as plain decimals: the bill of some days, what is expected of a month, its budget.

Each page of an answer costs a cent. Amounts are texts, some with an exponent
(`1.2E-7`); here they are decimals of twelve places. Not here: when to ask, and where
answers go (exporting).
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

# The names under which AWS's error says that it was asked too often.
THROTTLED = {"LimitExceededException", "RequestChangedException"}

# What a denial says where the rights sit with whoever pays for the account.
OF_THE_PAYER = ("not enabled", "linked account", "management account", "payer")
ASK_THE_PAYER = (
    "The account that pays for this one must open Cost Explorer once, and let linked accounts see it: "
    "Billing, Cost Management preferences, Linked account access"
)

# What is no usage: what is given back, and taxes.
NOT_USAGE = ["Credit", "Refund", "Tax"]

# decimal(38,12)
PLACES, DIGITS = Decimal("1E-12"), Context(prec=38)


@dataclass(frozen=True)
class Line:
    """What one usage type of a service cost on a day, in US dollars, and how much was used."""

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
    """What is expected of a month, in US dollars: its budget, its remaining days, what lacks the tag. None: unknown."""

    budget: Decimal | None
    forecast: Decimal | None
    untagged: Decimal | None


class CostExplorer:
    """Cost Explorer and Budgets, asked for the spending that carries a tag, given as name=value; None: all spending."""

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
        """What is expected of today's month; of spending without the tag, what these services cost in it.

        What this identity may not ask for is unknown, and told once.
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
        """The monthly budget of the tag; without a tag, the one of the whole account. None where there is none."""
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
    """Turn AWS's errors into the model's: AwsBusy for too many calls, AwsDenied with what the payer is to grant.

    Nothing is raised for an error with the code `absent`, which says that there is nothing to tell.
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
    """Go on where the action is denied, which is told once, or where there is nothing to tell."""
    try:
        with cost_errors(action, absent):
            yield
    except AwsDenied:
        warn_denied(action, without, statement, POLICY)


def _line(group: Mapping[str, Any]) -> Line:
    (service, usage_type), metrics = group["Keys"], group["Metrics"]
    quantity = metrics["UsageQuantity"]
    # The bill writes N/A where lines of several units are added up.
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
