"""`star-assets aws check` on a stack at moto: what is as the template says fits, each change since is named."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from star_assets import cli
from star_assets.aws import check as check_module
from star_assets.aws.check import Point, check, read
from star_assets.aws.metrics import count_success
from star_assets.lake.aws import session
from star_assets.model.errors import AwsBusy
from star_assets.settings import Settings

from .deployed import REGION, Stack

PUBLIC = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": False}


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """In place of what moto lacks, IAM's simulation and the bill's tags, a mock: what the role may read, the tags."""
    answers: dict[str, Any] = {"may read": ["olap"], "tags": ["project"]}
    ask = check_module._ask

    def answer(service: str, operation: str, what: str, **given: Any) -> dict[str, Any]:
        if service == "iam":
            allowed = any(f"/{place}/" in given["ResourceArns"][0] for place in answers["may read"])
            return {"EvaluationResults": [{"EvalDecision": "allowed" if allowed else "implicitDeny"}]}
        return {"CostAllocationTags": answers["tags"]} if service == "ce" else ask(service, operation, what, **given)

    monkeypatch.setattr(check_module, "_ask", answer)
    return answers


@pytest.fixture
def stack(aws: Callable[..., Settings], answered: dict[str, Any]) -> Stack:
    """A stack of its own, whose pipeline told a success."""
    suffix = uuid.uuid4().hex[:8]
    made = Stack(f"shop-{suffix}", DatabasePrefix=f"s{suffix}_")
    made.put_bucket_policies()
    count_success(made.outputs["StarMetricsNamespace"])
    return made


def points(stack: Stack) -> dict[str, Point]:
    return {point.what: point for point in check(read(stack.name))}


def test_what_is_as_the_template_says_fits(stack: Stack) -> None:
    """Two points of the key, nine of buckets, three databases, two workgroups, and four more."""
    found = points(stack)
    assert {point for point in found.values() if point.verdict != "fits"} == set()
    assert len(found) == 20


def test_the_exit_code_is_0_only_where_all_fits(stack: Stack, answered: dict[str, Any]) -> None:
    """A script may rely on it."""
    done = CliRunner().invoke(cli.main, ["aws", "check", stack.name, "--format", "json"])
    assert done.exit_code == 0, done.output
    assert {point["verdict"] for point in json.loads(done.stdout)} == {"fits"}
    answered["tags"] = []
    done = CliRunner().invoke(cli.main, ["aws", "check", stack.name, "--format", "json"])
    assert done.exit_code == 1
    (point,) = [point for point in json.loads(done.stdout) if point["verdict"] != "fits"]
    assert (point["what"], point["verdict"]) == ("costs: the tag `project` is active", "does not fit")


def change(stack: Stack, what: str) -> None:
    """Somebody changes something by hand."""
    names = stack.names
    s3, kms, lake = boto3.client("s3", REGION), boto3.client("kms", REGION), names["Lake"]
    rule = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 400}}
    aes = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    policy = {"Version": "2012-10-17", "Statement": [{"Sid": "All", "Effect": "Allow", "Principal": "*"}]}
    policy["Statement"][0] |= {"Action": "kms:*", "Resource": "*"}  # type: ignore[index, operator]
    changes: dict[str, Callable[[], Any]] = {
        "rotation": lambda: kms.disable_key_rotation(KeyId=names["Key"]),
        "key": lambda: kms.put_key_policy(KeyId=names["Key"], PolicyName="default", Policy=json.dumps(policy)),
        "public": lambda: s3.put_public_access_block(Bucket=lake, PublicAccessBlockConfiguration=PUBLIC),
        "unblocked": lambda: s3.delete_public_access_block(Bucket=lake),
        "AES256": lambda: s3.put_bucket_encryption(Bucket=lake, ServerSideEncryptionConfiguration=aes),
        "unencrypted": lambda: s3.delete_bucket_encryption(Bucket=lake),
        "versions": lambda: s3.put_bucket_versioning(Bucket=lake, VersioningConfiguration={"Status": "Suspended"}),
        "policy": lambda: s3.delete_bucket_policy(Bucket=lake),
        "rule": lambda: s3.put_bucket_lifecycle_configuration(Bucket=lake, LifecycleConfiguration={"Rules": [rule]}),
        "database": lambda: boto3.client("glue", REGION).delete_database(Name=names["OlapDatabase"]),
        "workgroup": lambda: loosen(names["AnalystWorkgroup"]),
    }
    changes[what]()


def loosen(workgroup: str) -> None:
    """Enforce the workgroup's settings no more; moto lacks UpdateWorkGroup."""
    athena = boto3.client("athena", REGION)
    found = athena.get_work_group(WorkGroup=workgroup)["WorkGroup"]["Configuration"]
    athena.delete_work_group(WorkGroup=workgroup)
    athena.create_work_group(Name=workgroup, Configuration={**found, "EnforceWorkGroupConfiguration": False})


CHANGED = {
    "rotation": ("key: rotated", "aws kms enable-key-rotation"),
    "key": ("key: its policy", "All, GrantToFirehose, KeepLogs, SendAlarms, UseThroughServices"),
    "public": ("bucket LAKE: private", "Block all public access"),
    "unblocked": ("bucket LAKE: private", "Block all public access"),
    "AES256": ("bucket LAKE: encrypted by the key", "with a bucket key"),
    "unencrypted": ("bucket LAKE: encrypted by the key", "with a bucket key"),
    "versions": ("bucket LAKE: versions", "Keep versions"),
    "policy": ("bucket LAKE: its policy", "OnlyOverTls"),
    "rule": ("bucket LAKE: no rule deletes what is live", "live files: old"),
    "database": ("database PREFIXolap", "Deploy the template again"),
    "workgroup": ("workgroup NAME-analysts", "It is not enforced"),
}


@pytest.mark.parametrize("what", CHANGED)
def test_each_change_is_named_with_what_to_do(stack: Stack, what: str) -> None:
    """Of all points, the one that somebody changed by hand."""
    change(stack, what)
    prefix = stack.names["OlapDatabase"].removesuffix("olap")
    point, remedy = CHANGED[what]
    point = point.replace("LAKE", stack.names["Lake"]).replace("PREFIX", prefix).replace("NAME", stack.name)
    found = points(stack)
    assert {what for what, one in found.items() if one.verdict == "does not fit"} == {point}
    assert remedy in found[point].detail


@pytest.mark.parametrize(("readable", "told"), [(["olap", "oltp"], "can read oltp/"), ([], "cannot read olap/")])
def test_a_role_that_may_more_or_less_is_named(
    stack: Stack, answered: dict[str, Any], readable: list[str], told: str
) -> None:
    """Somebody attached another policy to it, or took its own away."""
    answered["may read"] = readable
    found = points(stack)["analysts: what their role may"]
    assert found.verdict == "does not fit"
    assert told in found.detail


def test_silence_of_the_pipeline_is_named(stack: Stack) -> None:
    silent = Stack(f"{stack.name}-2", DatabasePrefix=f"s{uuid.uuid4().hex[:8]}_")
    found = points(silent)["pipeline: a success in time"]
    assert (found.verdict, "for 26 hours" in found.detail) == ("does not fit", True)


def test_who_may_not_look_learns_which_right_it_takes(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A point that was not looked at is no point that fits."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ALWAYS.AccessDeniedException.GetWorkGroup")
    session.cache_clear()
    try:
        found = points(stack)[f"workgroup {stack.name}-analysts"]
    finally:
        session.cache_clear()
    assert found.verdict == "unknown"
    assert "athena:GetWorkGroup was denied" in found.detail


def test_an_answer_that_is_none_of_awss_is_told_in_our_words(
    aws: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proxies, and endpoints that lack a call as moto does here, answer with a page of HTML."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    given = {"PolicySourceArn": "arn:aws:iam::123456789012:role/r", "ActionNames": ["s3:GetObject"]}
    with pytest.raises(AwsBusy, match="iam:SimulatePrincipalPolicy was answered with what is no reply of AWS's"):
        check_module._ask("iam", "simulate_principal_policy", "role/r", **given)


def test_a_stack_of_something_else_is_told(aws: Callable[..., Settings]) -> None:
    body = json.dumps({"Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {}}}})
    name = f"other-{uuid.uuid4().hex[:8]}"
    boto3.client("cloudformation", REGION).create_stack(StackName=name, TemplateBody=body)
    done = CliRunner().invoke(cli.main, ["aws", "check", name])
    assert done.exit_code == 1
    assert "it has no outputs AnalystWorkgroup, Key, Results, StarGluePrefix, StarLake, StarTopic" in done.output
