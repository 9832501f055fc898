"""What Cost Explorer answers becomes plain decimals, or an error that says who has to do what."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import boto3
import pytest

from star_assets.costs.explorer import CostExplorer, Outlook
from star_assets.lake.aws import warn_denied
from star_assets.model.errors import AwsBusy, AwsDenied, AwsRefused
from star_assets.settings import Settings

from .cost_explorer import GLUE, S3, Bill

FIRST, NEXT = date(2026, 11, 1), date(2026, 11, 2)
LINES = [
    (S3, "EUW1-Requests-Tier1", "1.2E-7", "24", "Requests"),
    (S3, "EUW1-TimedStorage-ByteHrs", "0.0230000000", "1.0000000000", "GB-Mo"),
    (GLUE, "EUW1-ETL-DPU-Hour", "0.44", "1", "DPU-Hour"),
    (GLUE, "EUW1-Request", "0E-10", "3.1E+3", "N/A"),
]


def test_an_answer_of_several_pages_is_one_bill(bill: Bill) -> None:
    """A day goes on with the next page; an exponent is no number that staging takes."""
    bill.lines, bill.estimated = {FIRST: LINES, NEXT: LINES[:1]}, {NEXT}
    found = CostExplorer("project=shop").bill(FIRST, NEXT + timedelta(days=1))
    assert [(day.day, day.estimated, len(day.lines)) for day in found] == [(FIRST, False, 4), (NEXT, True, 1)]
    assert [f"{line.cost:f}" for line in found[0].lines] == [
        "0.000000120000",
        "0.023000000000",
        "0.440000000000",
        "0.000000000000",
    ]
    assert (f"{found[0].lines[3].quantity:f}", found[0].lines[3].unit) == ("3100.000000000000", "")
    (_, first), (_, second) = bill.requests
    assert first["Filter"]["And"][0] == {"Tags": {"Key": "project", "Values": ["shop"]}}
    assert second == {**first, "NextPageToken": "3"}


def test_a_bill_of_moto_is_read_over_http(
    aws: Callable[..., Settings], aws_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another server's answer, so that the mock is not the only one that is understood."""
    import json
    import urllib.request

    group = {
        "Keys": [S3, "Requests-Tier1"],
        "Metrics": {
            "UnblendedCost": {"Amount": "5E-6", "Unit": "USD"},
            "UsageQuantity": {"Amount": "1", "Unit": "Requests"},
        },
    }
    result = {"TimePeriod": {"Start": "2026-11-01", "End": "2026-11-02"}, "Groups": [group], "Estimated": True}
    pages = [{"ResultsByTime": [result], "NextPageToken": "2"}, {"ResultsByTime": [{**result, "Groups": []}]}]
    request = urllib.request.Request(
        f"{aws_address}/moto-api/static/ce/cost-and-usage-results",
        json.dumps({"results": pages}).encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request).close()
    (day,) = CostExplorer(None).bill(FIRST, NEXT)
    assert [(line.service, line.cost) for line in day.lines] == [(S3, Decimal("0.000005"))]


@pytest.mark.parametrize(
    ("code", "message", "kind", "remedy"),
    [
        ("LimitExceededException", "You made too many calls in a short period of time.", AwsBusy, "LimitExceeded"),
        ("ThrottlingException", "Rate exceeded", AwsBusy, "ThrottlingException"),
        ("AccessDeniedException", "User is not authorized to perform: ce:GetCostAndUsage", AwsDenied, "costs.json"),
        ("AccessDeniedException", "User not enabled for cost explorer access", AwsDenied, "account that pays"),
        (
            "AccessDeniedException",
            "Linked account doesn't have access to cost explorer",
            AwsDenied,
            "account that pays",
        ),
        ("ValidationException", "Start date is too old", AwsRefused, "too old"),
    ],
)
def test_an_error_says_who_has_to_do_what(
    bill: Bill, code: str, message: str, kind: type[Exception], remedy: str
) -> None:
    """What a payer must grant, no policy of this account grants; what was asked too often, a later try gets."""
    bill.errors = [("GetCostAndUsage", code, message)]
    with pytest.raises(kind, match=remedy):
        CostExplorer("project=shop").bill(FIRST, NEXT)


def test_another_currency_is_refused(bill: Bill) -> None:
    bill.lines, bill.currency = {FIRST: LINES}, "CNY"
    with pytest.raises(AwsRefused, match="expected US dollars, found CNY"):
        CostExplorer(None).bill(FIRST, NEXT)


def test_the_outlook_has_the_budget_of_the_tag(bill: Bill) -> None:
    budgets, account = boto3.client("budgets"), "123456789012"
    for name, limit, filters in (
        ("all", "500", {}),
        ("ours", "40.0", {"TagKeyValue": ["user:project$outlook"]}),
        ("other", "9", {"TagKeyValue": ["user:project$other"]}),
    ):
        budget = {
            "BudgetName": f"{name}-{id(bill)}",
            "BudgetLimit": {"Amount": limit, "Unit": "USD"},
            "CostFilters": filters,
            "TimeUnit": "MONTHLY",
            "BudgetType": "COST",
        }
        budgets.create_budget(AccountId=account, Budget=budget)
    found = CostExplorer("project=outlook").outlook(date(2026, 12, 5), [S3])
    assert found == Outlook(Decimal(40), Decimal("12.5"), Decimal("0.25"))
    forecast, untagged = (asked for _, asked in bill.requests)
    assert forecast["TimePeriod"] == {"Start": "2026-12-05", "End": "2027-01-01"}
    assert untagged["TimePeriod"] == {"Start": "2026-12-01", "End": "2027-01-01"}
    assert untagged["Filter"]["And"][0] == {"Tags": {"Key": "project", "MatchOptions": ["ABSENT"]}}


def test_what_may_not_be_asked_for_is_unknown_and_told_once(bill: Bill, caplog: pytest.LogCaptureFixture) -> None:
    """A forecast is worth no failed bill."""
    warn_denied.cache_clear()
    denied = ("GetCostForecast", "AccessDeniedException", "not authorized")
    bill.errors = [denied, denied]
    with caplog.at_level(logging.WARNING):
        first, second = (CostExplorer("project=nobody").outlook(date(2026, 11, 5), []) for _ in range(2))
    assert first == second == Outlook(None, None, None)
    (told,) = [record.message for record in caplog.records if "GetCostForecast" in record.message]
    assert "AskForCosts of docs/aws/costs.json" in told
    bill.forecast = None
    assert CostExplorer("project=nobody").outlook(date(2026, 11, 5), []).forecast is None
