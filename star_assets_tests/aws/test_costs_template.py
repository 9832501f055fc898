"""The template `costs`: its role asks for the bill, reads what manifests say, and writes its own folder alone.

Each of many ways to break it is seen.
"""

from __future__ import annotations

from typing import Any

import pytest

from star_assets.aws.policies import ACCOUNT, KEY, NAMES, REGION, example, example_of_costs
from star_assets.aws.template import Template, parsed, text

from . import rules
from .evaluator import Request, allowed, assumable
from .mutants import mutants

ROLE, TAKER = f"arn:aws:iam::{ACCOUNT}:role/shop-costs", f"arn:aws:iam::{ACCOUNT}:role/dagster"
LAKE, GLUE = "arn:aws:s3:::shop-lake", f"arn:aws:glue:{REGION}:{ACCOUNT}"

MUTANTS = list(mutants("costs"))

# Lines of `action | resource | context | answer | why`.
CASES = f"""
ce:GetCostAndUsage | * | | yes | the bill
ce:GetCostForecast | * | | yes | the forecast
ce:CreateCostCategoryDefinition | * | | no | it reads
budgets:ViewBudget | arn:aws:budgets::{ACCOUNT}:budget/shop-costs | | yes | the budget
budgets:ModifyBudget | arn:aws:budgets::{ACCOUNT}:budget/shop-costs | | no | who spends sets no budget
s3:GetObject | {LAKE}/retail/olap/fact_sales/date=2023-07-01/v=1/_manifest.json | | yes | what a version used
s3:GetObject | {LAKE}/retail/staging/orders/_pointers/2023-07.json | | yes | which versions there are
s3:GetObject | {LAKE}/retail/olap/dim_product/_pointers/live.json | | yes | a dimension has a ledger too
s3:GetObject | {LAKE}/retail/olap/fact_sales/date=2023-07-01/v=1/part-00000.parquet | | no | no row of a sale
s3:GetObject | {LAKE}/retail/staging/orders/date=2023-07-01/v=1/part-00000.parquet | | no | nor of an order
s3:GetObject | {LAKE}/retail/oltp/orders/date=2023-07-01/a.csv | | no | nor of an export
s3:PutObject | {LAKE}/retail/olap/fact_sales/_pointers/2023-07.json | | no | the lake is not its own
s3:PutObject | {LAKE}/retail/oltp/orders/date=2023-07-01/a.csv | | no | nor are its exports
s3:PutObject | {LAKE}/finance/costs/oltp/bill_days/date=2026-11-01/a.csv | | no | nor another lake of the bucket
s3:PutObject | {LAKE}/retail/costs/oltp/bill_days/date=2026-11-01/pulled-1.csv.gz | | yes | it exports the answer
s3:DeleteObject | {LAKE}/retail/costs/olap/fact_cost/date=2026-11-01/v=1/part-00000.parquet | | yes | vacuum
s3:ListBucket | {LAKE} | s3:prefix=retail/olap/fact_sales/_pointers/ | yes | ledgers
s3:ListBucket | {LAKE} | s3:prefix=retail/costs/oltp/ | yes | its exports
s3:DeleteObjectVersion | {LAKE}/retail/costs/oltp/a | | no | what it deletes can be brought back
s3:ListBucket | {LAKE} | s3:prefix=retail/oltp/ | no | names of exports
s3:ListBucket | {LAKE} | | no | names of everything
glue:CreateDatabase | {GLUE}:database/shop_costs_olap | | yes | its databases are made at the first run
glue:CreateDatabase | {GLUE}:catalog | | yes | Glue asks for the catalog too
glue:DeleteDatabase | {GLUE}:database/shop_costs_olap | | no | nobody asks for that
glue:UpdateTable | {GLUE}:table/shop_costs_olap/dim_service | | yes | its tables
glue:UpdateTable | {GLUE}:table/shop_costs_oltp/bill_days | | yes | and those of its exports
glue:UpdateTable | {GLUE}:table/shop_olap/dim_store | | no | the lake's are not
glue:UpdateColumnStatisticsForTable | {GLUE}:table/shop_costs_olap/dim_service | | yes | for optimizers
glue:UpdateColumnStatisticsForTable | {GLUE}:table/shop_olap/dim_store | | no | those of the lake's tables are not
glue:DeleteTable | {GLUE}:table/shop_finance/ledger | | no | nor a neighbour's
kms:Decrypt | {KEY} | kms:ViaService=s3.{REGION}.amazonaws.com | yes | it reads objects
kms:GenerateDataKey | {KEY} | kms:ViaService=sns.{REGION}.amazonaws.com | yes | the topic is encrypted
kms:Decrypt | {KEY} | kms:ViaService=ec2.{REGION}.amazonaws.com | no | not a service of the lake
kms:Encrypt | {KEY} | kms:ViaService=s3.{REGION}.amazonaws.com | no | S3 encrypts with keys of its own making
sns:Publish | {NAMES["Topic"]} | | yes | a check failed
sns:Publish | {NAMES["Topic"]}s | | no | another topic
sns:Subscribe | {NAMES["Topic"]} | | no | who hears of alarms is not its affair
iam:PassRole | arn:aws:iam::{ACCOUNT}:role/admin | | no | any role is every right
"""


RULES: tuple[rules.Rule, ...] = (
    rules.allows_name_actions_and_resources,
    rules.conditions_do_not_vanish,
    rules.roles_are_passed_and_trusted_narrowly,
    rules.roles_have_no_policies_of_others,
    rules.nothing_has_a_name_of_its_own,
)


@pytest.fixture(scope="module")
def template() -> Template:
    return example_of_costs()


def given(template: Template, **parameters: str) -> dict[str, Any]:
    """The resources that the template makes for these parameters."""
    whole = {"Email": "data@example.com", **parameters}
    return dict(Template(template.document, {**NAMES, "Budget": "budget", "Monitor": "monitor"}, whole).resources)


def wrong(template: Template) -> list[str]:
    """The cases that the role's policy answers otherwise."""
    (policy,) = template.resources["CostsRole"]["Properties"]["Policies"]
    key = example().resources["Key"]["Properties"]["KeyPolicy"]["Statement"]
    found = []
    for case in CASES.strip().splitlines():
        action, resource, context, answer, why = map(str.strip, case.split("|"))
        pairs = {"kms:CallerAccount": ACCOUNT, **dict(one.split("=", 1) for one in context.split(",") if one)}
        of_key = key if action.startswith("kms:") else []
        passes = allowed(Request(ROLE, action, resource, pairs), policy["PolicyDocument"]["Statement"], of_key, ACCOUNT)
        if passes != (answer == "yes"):
            found.append(f"{action} {resource}: {why}")
    return found


def is_taken_by_whom_it_names(template: Template) -> bool:
    """Without a name, by whom this account lets."""

    def taken(by: str, **named: str) -> bool:
        role = given(template, Bucket="b", **named)["CostsRole"]["Properties"]
        return assumable(by, role["AssumeRolePolicyDocument"]["Statement"], {})

    other = TAKER.replace("dagster", "other")
    foreign = TAKER.replace(ACCOUNT, "999988887777")
    return ([taken(TAKER), taken(foreign), taken("ec2.amazonaws.com")] == [True, False, False]) and [
        taken(TAKER, TakenBy=TAKER),
        taken(other, TakenBy=TAKER),
    ] == [True, False]


def the_budget_is_of_the_project_and_told(template: Template) -> bool:
    budget = template.resources["Budget"]["Properties"]
    told = {
        (one["Notification"]["NotificationType"], one["Notification"]["Threshold"]): one["Subscribers"]
        for one in budget["NotificationsWithSubscribers"]
    }
    mail = {"SubscriptionType": "EMAIL", "Address": "data@example.com"}
    both = [mail, {"SubscriptionType": "SNS", "Address": NAMES["Topic"]}]
    of_project = budget["Budget"]["CostFilters"] == {"TagKeyValue": ["user:project$shop"]}
    return of_project and told == {("ACTUAL", 80): both, ("FORECASTED", 100): both}


def what_is_not_asked_for_is_not_made(template: Template) -> bool:
    """An account has one monitor at most, so that another's is told of, and none made beside it."""
    watching, other = given(template, WatchAnomalies="yes"), "arn:aws:ce::111122223333:anomalymonitor/1"
    beside = given(template, WatchAnomalies="yes", ExistingMonitor=other)
    hears = [{"Type": "EMAIL", "Address": "data@example.com"}]
    return (
        set(given(template)) == {"Budget"}
        and set(watching) == {"Budget", "Monitor", "Unusual"}
        and set(beside) == {"Budget", "Unusual"}
        and beside["Unusual"]["Properties"]["MonitorArnList"] == [other]
        and watching["Unusual"]["Properties"]["Subscribers"] == hears
    )


def findings(template: Template) -> list[str]:
    """What rules and cases find."""
    tags = template.resources["CostsRole"]["Properties"].get("Tags")
    held = {
        "taken": is_taken_by_whom_it_names(template),
        "budget": the_budget_is_of_the_project_and_told(template),
        "defaults": what_is_not_asked_for_is_not_made(template),
        "tags": tags == [{"Key": "project", "Value": "shop"}],
    }
    return [name for name, holds in held.items() if not holds] + rules.broken(template, RULES) + wrong(template)


def test_nothing_is_found_in_the_template(template: Template) -> None:
    """Its role may do its work and nothing else; the budget is told; the rules of the lake hold."""
    assert findings(template) == []


@pytest.mark.parametrize(("what", "content"), MUTANTS, ids=[what for what, _ in MUTANTS])
def test_each_way_to_break_it_is_found(what: str, content: str) -> None:
    """A check that never fires holds nothing."""
    assert content != text("costs")
    template = example_of_costs()
    parameters = {name: template.names[name] for name in template.document["Parameters"]}
    assert findings(Template(parsed(content), template.names, parameters)) != []


def test_the_catalogs_actions_are_those_of_the_pipeline(template: Template) -> None:
    """Both keep tables; one that Athena alone asks for is the pipeline's."""
    (policy,) = template.resources["CostsRole"]["Properties"]["Policies"]
    document = example().resources["PipelinePolicy"]["Properties"]["PolicyDocument"]
    for name, only in (("KeepCatalog", {"glue:GetPartition"}), ("KeepStatistics", set[str]())):
        ours, theirs = (
            next(set(one["Action"]) for one in statements if one.get("Sid") == name)
            for statements in (policy["PolicyDocument"]["Statement"], document["Statement"])
        )
        assert ours | only == theirs
