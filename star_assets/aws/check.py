"""Checks whether the resources of a stack of the template `lake` still agree with the template.

Nothing is changed. Each point fits, does not fit (with what to do), or is unknown,
because the caller lacks a right or AWS could not be reached. Not here: showing the points
(cli), a stack's outputs (stack).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Literal

from star_assets.aws.metrics import METRIC
from star_assets.aws.stack import describe, outputs
from star_assets.aws.template import Template, parsed, text
from star_assets.lake.aws import Client, aws_errors, code, refused
from star_assets.model.errors import AwsRefused, StarError

Verdict = Literal["fits", "does not fit", "unknown"]

DEPLOY = "Deploy the template again"

# The error codes of S3, KMS and Glue for something that was never set.
_UNSET = {
    "EntityNotFoundException",
    "NoSuchBucketPolicy",
    "NoSuchLifecycleConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "ServerSideEncryptionConfigurationNotFoundError",
}


@dataclass(frozen=True)
class Point:
    """A point that was checked, its verdict, and a remedy or the reason why it is unknown."""

    what: str
    verdict: Verdict
    detail: str = ""


@dataclass(frozen=True)
class Stack:
    """A stack's outputs and parameters, and the template resolved with its names."""

    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    template: Template

    @property
    def lake(self) -> str:
        """The lake's bucket."""
        return self.outputs["StarLake"].removeprefix("s3://").partition("/")[0]

    def policy(self, logical: str, member: str) -> Any:
        """A policy of the template, with this stack's names."""
        return self.template.resolved(self.template.document["Resources"][logical]["Properties"][member])

    def made(self, parameter: str) -> bool:
        """Whether the stack created a resource, for which a parameter could have named an existing one."""
        return not self.parameters.get(parameter)


def read(name: str) -> Stack:
    """The stack of that name. Raises AwsRefused."""
    found = describe(name)
    known = outputs(found)
    if lacking := {"StarLake", "StarGluePrefix", "StarTopic", "Results", "Key", "AnalystWorkgroup"} - known.keys():
        absent = ", ".join(sorted(lacking))
        raise AwsRefused(f"Stack {name}", f"it has no outputs {absent}", "Name a stack of the template `lake`")
    parameters = {one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", ())}
    _, partition, _, region, account, _ = known["Key"].split(":", 5)
    lake = known["StarLake"].removeprefix("s3://").partition("/")[0]
    names = {
        "AWS::Partition": partition,
        "AWS::Region": region,
        "AWS::AccountId": account,
        "AWS::StackName": name,
        "Key.Arn": known["Key"],
        "Lake.Arn": f"arn:{partition}:s3:::{lake}",
        "Results.Arn": f"arn:{partition}:s3:::{known['Results']}",
    }
    return Stack(known, parameters, Template(parsed(text("lake")), names, parameters))


def check(stack: Stack) -> Iterator[Point]:
    """Every point of a stack, in the order of the template."""
    for what, problem_of in _checks(stack):
        try:
            problem = problem_of()
        except StarError as error:
            yield Point(what, "unknown", str(error))
        else:
            yield Point(what, "does not fit", problem) if problem else Point(what, "fits")


# Checks one point. Returns what to do, or "" if the point fits.
Check = Callable[[], str]


def _checks(stack: Stack) -> Iterator[tuple[str, Check]]:
    key = stack.outputs["Key"]
    if stack.made("ExistingKey"):
        yield "key: rotated", partial(_rotated, key)
        yield "key: its policy", partial(_key_policy, stack)
    for name, bucket in (("Lake", stack.lake), ("Results", stack.outputs["Results"])):
        yield from _of_bucket(stack, name, bucket)
    for database in ("oltp", "staging", "olap"):
        name = f"{stack.outputs['StarGluePrefix']}{database}"
        yield f"database {name}", partial(_database, name)
    yield "catalog: encrypted as asked", partial(_catalog, stack)
    for output in ("StarAthenaWorkgroup", "AnalystWorkgroup"):
        workgroup = stack.outputs[output]
        yield f"workgroup {workgroup}", partial(_workgroup, stack, workgroup)
    yield "analysts: what their role may", partial(_analysts, stack)
    if "Stream" in stack.outputs:
        yield "stream: active and encrypted", partial(_stream, stack)
    yield "costs: the tag `project` is active", _tag
    yield "pipeline: a success in time", partial(_success, stack)


def _of_bucket(stack: Stack, logical: str, bucket: str) -> Iterator[tuple[str, Check]]:
    yield f"bucket {bucket}: private", partial(_private, bucket)
    yield f"bucket {bucket}: encrypted by the key", partial(_encrypted, bucket, stack.outputs["Key"])
    yield f"bucket {bucket}: versions", partial(_versions, bucket)
    yield f"bucket {bucket}: its policy", partial(_bucket_policy, stack, logical, bucket)
    if logical == "Lake":
        yield f"bucket {bucket}: no rule deletes what is live", partial(_no_expiry, bucket)


def _ask(service: str, operation: str, what: str, **given: Any) -> dict[str, Any]:
    """The reply to one call; empty if the setting was never made. Raises AwsRefused, AwsBusy."""
    from botocore.exceptions import ClientError

    action = f"{service}:{operation.title().replace('_', '')}"
    try:
        with aws_errors(what, action):
            reply: dict[str, Any] = getattr(Client(service)(), operation)(**given)
            return reply
    except ClientError as error:
        if code(error) in _UNSET:
            return {}
        raise refused(error, what, action) from error


def _rotated(key: str) -> str:
    reply = _ask("kms", "get_key_rotation_status", key, KeyId=key)
    return "" if reply.get("KeyRotationEnabled") else f"Enable its rotation: aws kms enable-key-rotation --key-id {key}"


def _key_policy(stack: Stack) -> str:
    key = stack.outputs["Key"]
    found = json.loads(_ask("kms", "get_key_policy", key, KeyId=key, PolicyName="default")["Policy"])
    return _differs(found, stack.policy("Key", "KeyPolicy"))


def _private(bucket: str) -> str:
    found = _ask("s3", "get_public_access_block", bucket, Bucket=bucket).get("PublicAccessBlockConfiguration", {})
    return (
        "" if len(found) == 4 and all(found.values()) else "Block all public access: aws s3api put-public-access-block"
    )


def _encrypted(bucket: str, key: str) -> str:
    found = _ask("s3", "get_bucket_encryption", bucket, Bucket=bucket).get("ServerSideEncryptionConfiguration", {})
    for rule in found.get("Rules", ()):
        default = rule.get("ApplyServerSideEncryptionByDefault", {})
        if default.get("KMSMasterKeyID") == key and rule.get("BucketKeyEnabled"):
            return ""
    return f"Encrypt it by {key}, with a bucket key: aws s3api put-bucket-encryption"


def _versions(bucket: str) -> str:
    found = _ask("s3", "get_bucket_versioning", bucket, Bucket=bucket).get("Status")
    return "" if found == "Enabled" else "Keep versions: aws s3api put-bucket-versioning"


def _bucket_policy(stack: Stack, logical: str, bucket: str) -> str:
    reply = _ask("s3", "get_bucket_policy", bucket, Bucket=bucket)
    return _differs(json.loads(reply.get("Policy", "{}")), stack.policy(f"{logical}Policy", "PolicyDocument"))


def _no_expiry(bucket: str) -> str:
    rules = _ask("s3", "get_bucket_lifecycle_configuration", bucket, Bucket=bucket).get("Rules", ())
    live = {"Transitions", "Transition"}
    deleting = [
        rule.get("ID", "without a name")
        for rule in rules
        if rule["Status"] == "Enabled" and (live & rule.keys() or {"Days", "Date"} & rule.get("Expiration", {}).keys())
    ]
    return f"Remove the rules that delete or move live files: {', '.join(deleting)}" if deleting else ""


def _database(name: str) -> str:
    return "" if _ask("glue", "get_database", name, Name=name).get("Database") else DEPLOY


def _catalog(stack: Stack) -> str:
    reply = _ask("glue", "get_data_catalog_encryption_settings", "The catalog")
    mode = reply.get("DataCatalogEncryptionSettings", {}).get("EncryptionAtRest", {}).get("CatalogEncryptionMode")
    asked = stack.parameters.get("EncryptCatalog") == "yes"
    if asked and mode != "SSE-KMS-WITH-SERVICE-ROLE":
        return f"The catalog's encryption was changed to {mode or 'none'}. {DEPLOY}, once its owners agree"
    return ""


def _workgroup(stack: Stack, name: str) -> str:
    found = _ask("athena", "get_work_group", f"Workgroup {name}", WorkGroup=name)["WorkGroup"]["Configuration"]
    place = found.get("ResultConfiguration", {})
    wrong = []
    if not found.get("EnforceWorkGroupConfiguration"):
        wrong.append("it is not enforced")
    if not found.get("BytesScannedCutoffPerQuery"):
        wrong.append("a query has no limit")
    if not place.get("OutputLocation", "").startswith(f"s3://{stack.outputs['Results']}/"):
        wrong.append("results are kept elsewhere")
    if place.get("EncryptionConfiguration", {}).get("KmsKey") != stack.outputs["Key"]:
        wrong.append("results are not encrypted by the key")
    return f"{', '.join(wrong).capitalize()}. {DEPLOY}" if wrong else ""


def _analysts(stack: Stack) -> str:
    """Asks IAM's simulator, which evaluates only identity policies; other policies have checks of their own."""
    role = stack.outputs["AnalystRole"]
    folder = f"{stack.template.names['Lake.Arn']}/{stack.outputs['StarLake'].removeprefix('s3://').partition('/')[2]}"
    wrong = []
    for place, expected in (("olap", True), ("staging", False), ("oltp", False), ("reports", False)):
        given = {"PolicySourceArn": role, "ActionNames": ["s3:GetObject"], "ResourceArns": [f"{folder}/{place}/x"]}
        reply = _ask("iam", "simulate_principal_policy", role, **given)
        if (reply["EvaluationResults"][0]["EvalDecision"] == "allowed") != expected:
            wrong.append(f"{'cannot' if expected else 'can'} read {place}/")
    return f"Who assumes it {' and '.join(wrong)}: look for policies that were attached since" if wrong else ""


def _stream(stack: Stack) -> str:
    name = stack.outputs["Stream"]
    reply = _ask("firehose", "describe_delivery_stream", f"Stream {name}", DeliveryStreamName=name)
    found = reply["DeliveryStreamDescription"]
    encryption = found.get("DeliveryStreamEncryptionConfiguration", {})
    wrong = [] if found["DeliveryStreamStatus"] == "ACTIVE" else [f"it is {found['DeliveryStreamStatus']}"]
    wrong += [] if encryption.get("KeyARN") == stack.outputs["Key"] else ["it is not encrypted by the key"]
    return f"{', '.join(wrong).capitalize()}. {DEPLOY}" if wrong else ""


def _tag() -> str:
    given = {"Status": "Active", "TagKeys": ["project"]}
    reply = _ask("ce", "list_cost_allocation_tags", "The tag `project`", **given)
    return (
        "" if reply.get("CostAllocationTags") else "Activate it: Billing console, Cost allocation tags; it takes a day"
    )


def _success(stack: Stack) -> str:
    hours = int(stack.parameters.get("AlarmAfterHours") or 26)
    namespace, now = stack.outputs["StarMetricsNamespace"], datetime.now(UTC)
    given = {"Namespace": namespace, "MetricName": METRIC, "Statistics": ["Sum"], "Period": 3600}
    since, until = now - timedelta(hours=hours), now + timedelta(minutes=1)
    reply = _ask("cloudwatch", "get_metric_statistics", namespace, **given, StartTime=since, EndTime=until)
    late = f"No run has succeeded for {hours} hours: look at the runs, and whether STAR_METRICS_NAMESPACE is set"
    return "" if reply.get("Datapoints") else late


def _differs(found: Any, expected: Any) -> str:
    """The statements of a policy that differ from the template's, with what to do; "" if none does."""
    lists = [{_canonical(one) for one in document.get("Statement", ())} for document in (found, expected)]
    names = sorted({json.loads(one).get("Sid", "without a name") for one in lists[0] ^ lists[1]})
    return f"Its statements differ from the template's: {', '.join(names)}. {DEPLOY}" if names else ""


def _canonical(value: Any) -> str:
    """A statement as a text that depends on its meaning only: AWS reorders lists, and unwraps lists of one item."""

    def plain(one: Any) -> Any:
        if isinstance(one, dict):
            return {key: plain(inner) for key, inner in one.items()}
        if isinstance(one, list):
            return plain(one[0]) if len(one) == 1 else sorted(map(str, one))
        return str(one)

    return json.dumps(plain(value), sort_keys=True)
