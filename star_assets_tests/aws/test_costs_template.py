"""The template `costs`: its role asks for the bill, reads what manifests say, and writes its own folder alone."""

from __future__ import annotations

import pytest

from star_assets.aws.policies import ACCOUNT, KEY, NAMES, REGION, example, example_of_costs
from star_assets.aws.template import Template, parsed, text

from . import rules
from .evaluator import Request, allowed, assumable

ROLE = f"arn:aws:iam::{ACCOUNT}:role/shop-costs"
LAKE, GLUE = "arn:aws:s3:::shop-lake", f"arn:aws:glue:{REGION}:{ACCOUNT}"

CASES = f"""
ce:GetCostAndUsage | * | | yes | the bill
ce:GetCostForecast | * | | yes | the forecast
ce:CreateCostCategoryDefinition | * | | no | it reads
budgets:ViewBudget | arn:aws:budgets::{ACCOUNT}:budget/shop-costs | | yes | the budget
budgets:ModifyBudget | arn:aws:budgets::{ACCOUNT}:budget/shop-costs | | no | who spends sets no budget
s3:GetObject | {LAKE}/retail/olap/fact_sales/date=2023-07-01/v=1/_manifest.json | | yes | what a version used
s3:GetObject | {LAKE}/retail/staging/orders/_pointers/2023-07.json | | yes | which versions there are
s3:GetObject | {LAKE}/retail/olap/fact_sales/date=2023-07-01/v=1/part-00000.parquet | | no | no row of a sale
s3:GetObject | {LAKE}/retail/oltp/orders/date=2023-07-01/a.csv | | no | nor of an export
s3:PutObject | {LAKE}/retail/olap/fact_sales/_pointers/2023-07.json | | no | the lake is not its own
s3:PutObject | {LAKE}/retail/costs/oltp/bill_days/date=2026-11-01/pulled-1.csv.gz | | yes | it exports the answer
s3:DeleteObject | {LAKE}/retail/costs/olap/fact_cost/date=2026-11-01/v=1/part-00000.parquet | | yes | vacuum
s3:ListBucket | {LAKE} | s3:prefix=retail/olap/fact_sales/_pointers/ | yes | ledgers
s3:ListBucket | {LAKE} | s3:prefix=retail/costs/oltp/ | yes | its exports
s3:ListBucket | {LAKE} | s3:prefix=retail/oltp/ | no | names of exports
glue:CreateDatabase | {GLUE}:database/shop_costs_olap | | yes | its databases are made at the first run
glue:UpdateTable | {GLUE}:table/shop_costs_olap/dim_service | | yes | its tables
glue:UpdateTable | {GLUE}:table/shop_olap/dim_store | | no | the lake's are not
kms:Decrypt | {KEY} | kms:ViaService=s3.{REGION}.amazonaws.com | yes | it reads objects
kms:GenerateDataKey | {KEY} | kms:ViaService=sns.{REGION}.amazonaws.com | yes | the topic is encrypted
kms:Decrypt | {KEY} | kms:ViaService=ec2.{REGION}.amazonaws.com | no | not a service of the lake
sns:Publish | {NAMES["Topic"]} | | yes | a check failed
sns:Publish | {NAMES["Topic"]}s | | no | another topic
iam:PassRole | arn:aws:iam::{ACCOUNT}:role/admin | | no | any role is every right
"""


@pytest.fixture(scope="module")
def template() -> Template:
    return example_of_costs()


@pytest.mark.parametrize("case", CASES.strip().splitlines(), ids=lambda case: case.rsplit("|", 1)[1].strip())
def test_the_role_may_do_its_work_and_nothing_else(template: Template, case: str) -> None:
    action, resource, context, answer, _ = map(str.strip, case.split("|"))
    (policy,) = template.resources["CostsRole"]["Properties"]["Policies"]
    given = {"kms:CallerAccount": ACCOUNT, **dict(one.split("=", 1) for one in context.split(",") if one)}
    request = Request(ROLE, action, resource, given)
    key = example().resources["Key"]["Properties"]["KeyPolicy"]["Statement"]
    resource_policy = key if action.startswith("kms:") else []
    assert allowed(request, policy["PolicyDocument"]["Statement"], resource_policy, ACCOUNT) == (answer == "yes")


def test_the_role_is_taken_by_whom_it_names(template: Template) -> None:
    """Without a name, by whom this account lets."""
    trust = template.resources["CostsRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert not assumable("ec2.amazonaws.com", trust, {})
    taker = f"arn:aws:iam::{ACCOUNT}:role/dagster"
    named = Template(template.document, template.names, {"Bucket": "b", "TakenBy": taker})
    (statement,) = named.resources["CostsRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"AWS": taker}


def test_who_names_no_bucket_gets_no_role() -> None:
    names = {**NAMES, "Budget": "shop-costs"}
    assert "CostsRole" not in Template(parsed(text("costs")), names, {"Email": "a@example.com"}).resources


def test_the_catalogs_actions_are_those_of_the_pipeline(template: Template) -> None:
    """Both keep tables; the star of costs makes its databases too, as no template of its region could."""
    (policy,) = template.resources["CostsRole"]["Properties"]["Policies"]
    document = example().resources["PipelinePolicy"]["Properties"]["PolicyDocument"]
    ours, theirs = (
        next(set(one["Action"]) for one in statements if one.get("Sid") == "KeepCatalog")
        for statements in (policy["PolicyDocument"]["Statement"], document["Statement"])
    )
    assert ours == theirs | {"glue:CreateDatabase"}


@pytest.mark.parametrize(
    "rule",
    [
        rules.allows_name_actions_and_resources,
        rules.conditions_do_not_vanish,
        rules.roles_are_passed_and_trusted_narrowly,
        rules.roles_have_no_policies_of_others,
        rules.nothing_has_a_name_of_its_own,
    ],
    ids=lambda rule: rule.__name__,
)
def test_the_lakes_rules_hold_here_too(template: Template, rule: rules.Rule) -> None:
    assert list(rule(template)) == []
