"""What calls of AWS take of IAM: the rights that each asks for, and the grants of a policy that none of them took.

botocore tells the calls that this process makes; commands of the AWS CLI are read as such calls. What AWS
itself calls in a caller's name (Athena, Firehose, crawlers, Fargate), or Spark does, is neither.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.client import BaseClient

from star_assets.aws.policies import ACCOUNT, REGION, STACK

from .evaluator import Request, Statement, applies, listed

# Operations that go by another action's name.
ACTIONS = {
    "budgets:DescribeBudgets": "budgets:ViewBudget",
    "ecr:GetLoginPassword": "ecr:GetAuthorizationToken",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:UploadPart": "s3:PutObject",
    "s3:CompleteMultipartUpload": "s3:PutObject",
}

# What S3 and SNS ask of the key for the caller of such an action.
OF_THE_KEY = {
    "s3:GetObject": ("kms:Decrypt",),
    "s3:PutObject": ("kms:GenerateDataKey",),
    "sns:Publish": ("kms:GenerateDataKey", "kms:Decrypt"),
}

# What Glue asks for beside the action of the operation's name, by the reference of its API.
BESIDE = {
    "glue:UpdateColumnStatisticsForPartition": "glue:UpdatePartition",
    "glue:UpdateColumnStatisticsForTable": "glue:UpdateTable",
}

# Operations that AWS knows no resource for, beside a namespace of metrics.
WITHOUT_RESOURCE = {
    "ce:GetCostAndUsage",
    "ce:GetCostForecast",
    "ec2:DescribeInstances",
    "ecr:GetLoginPassword",
    "glue:CreateCrawler",
}

# The tag of the machine that a command is about, whose stack is that of the examples.
OF_THE_MACHINE = {"aws:ResourceTag/project": STACK}


@dataclass(frozen=True)
class Right:
    """What a call takes: an action on a resource, with the context that conditions look at."""

    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()


class Calls:
    """The rights that this process's calls take, by the role in whose name it works; those in nobody's are not kept."""

    def __init__(self) -> None:
        self._rights: dict[str, set[Right]] = defaultdict(set)
        self._workgroups: dict[str, str] = {}
        self._who = ""

    @contextmanager
    def working(self, who: str) -> Iterator[None]:
        """Work in the name of a role, until the context ends."""
        before, self._who = self._who, who
        try:
            yield
        finally:
            self._who = before

    def rights(self, who: str) -> set[Right]:
        """What the calls of a role took."""
        return self._rights[who]

    def note(self, service: str, operation: str, given: Mapping[str, Any]) -> None:
        """Keep the rights that a call takes."""
        if not self._who:
            return
        # Of a query that was begun, AWS knows the workgroup by itself.
        known = self._workgroups.get(given.get("QueryExecutionId", ""))
        asked = {"WorkGroup": known, **given} if known else given
        self._rights[self._who].update(needed(service, operation, asked))

    def note_command(self, line: str) -> None:
        """Keep the rights that a command of the AWS CLI takes, such as `aws ec2 attach-volume --volume-id vol-1`."""
        _, service, command, *_ = line.split()
        given = {_camel(name): value for name, value in re.findall(r"--(\S+) ([^-\s]\S*)", line)}
        self.note(service, _camel(command), given)

    def begun(self, given: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """Keep the workgroup of a query."""
        self._workgroups[answer["QueryExecutionId"]] = given["WorkGroup"]


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("-"))


def record(calls: Calls, make: Callable[..., Any]) -> Callable[..., Any]:
    """botocore's method of a call, which notes it first."""

    def noted(client: BaseClient, operation: str, given: dict[str, Any]) -> Any:
        calls.note(client.meta.service_model.service_name, operation, given)
        answer = make(client, operation, given)
        if operation == "StartQueryExecution":
            calls.begun(given, answer)
        return answer

    return noted


def needed(service: str, operation: str, given: Mapping[str, Any]) -> Iterator[Right]:
    """The rights that a call takes, with those that AWS asks for beside them."""
    action = ACTIONS.get(f"{service}:{operation}", f"{service}:{operation}")
    context = {"s3:prefix": given["Prefix"]} if given.get("Prefix") else {}
    context |= {"cloudwatch:namespace": given["Namespace"]} if "Namespace" in given else {}
    context |= OF_THE_MACHINE if operation in ("AttachVolume", "StartSession") else {}
    for resource in _resources(service, operation, given):
        yield Right(action, resource, tuple(context.items()))
        if action in BESIDE:
            yield Right(BESIDE[action], resource)
    for of_key in OF_THE_KEY.get(action, ()):
        yield Right(of_key, "key", (("kms:ViaService", service),))
    if operation == "DeleteObject" and "IfMatch" in given:
        # To compare an ETag is to read.
        yield Right("s3:GetObject", f"arn:aws:s3:::{given['Bucket']}/{given['Key']}")
    if operation in ("CreateCrawler", "UpdateCrawler"):
        yield Right("iam:PassRole", given["Role"], (("iam:PassedToService", "glue.amazonaws.com"),))


def _resources(service: str, operation: str, given: Mapping[str, Any]) -> Iterator[str]:
    here = f"arn:aws:{service}:{REGION}:{ACCOUNT}"
    if f"{service}:{operation}" in WITHOUT_RESOURCE or service == "cloudwatch":
        yield "*"
    elif service == "sts":
        # Who one is may be asked by everybody.
        return
    elif service == "s3":
        bucket = f"arn:aws:s3:::{given['Bucket']}"
        keys = [one["Key"] for one in given.get("Delete", {}).get("Objects", ())] or [given.get("Key")]
        yield from (f"{bucket}/{key}" if key else bucket for key in keys)
    elif service == "athena":
        yield f"{here}:workgroup/{given['WorkGroup']}"
    elif service == "sns":
        yield given["TopicArn"]
    elif service == "firehose":
        yield f"{here}:deliverystream/{given['DeliveryStreamName']}"
    elif service == "budgets":
        yield f"arn:aws:budgets::{ACCOUNT}:budget/"
    elif service == "secretsmanager":
        yield given["SecretId"]
    elif service == "cloudformation":
        yield f"{here}:stack/{given['StackName']}/any"
    elif operation == "AttachVolume":
        yield f"{here}:volume/{given['VolumeId']}"
        yield f"{here}:instance/{given['InstanceId']}"
    elif operation == "StartSession":
        yield f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{given['Target']}"
        yield f"arn:aws:ssm:{REGION}::document/{given['DocumentName']}"
    elif service == "logs":
        yield f"{here}:log-group:{given['logGroupName']}:log-stream:{given['logStreamName']}"
    elif "Crawler" in operation:
        yield f"{here}:crawler/{given['Name']}"
    elif "Job" in operation:
        yield f"{here}:job/{given['JobName']}"
    else:
        # Glue asks for the right on all that holds what is asked for, too, and on what it lists.
        database = given.get("DatabaseName") or given.get("Name") or given.get("DatabaseInput", {}).get("Name")
        table = given.get("TableName") or given.get("TableInput", {}).get("Name")
        table = table or (given.get("Name") if "Table" in operation else None)
        yield f"{here}:catalog"
        if database:
            yield f"{here}:database/{database}"
        if table:
            yield f"{here}:table/{database}/{table}"
        if operation == "GetTables":
            yield f"{here}:table/{database}/any"


def request(who: str, right: Right, key: str) -> Request:
    """The request that IAM decides on. `key` is the key's ARN."""
    via = {name: f"{value}.{REGION}.amazonaws.com" for name, value in right.context if name == "kms:ViaService"}
    known = {"aws:SecureTransport": "true", "aws:PrincipalAccount": ACCOUNT, "kms:CallerAccount": ACCOUNT}
    resource = key if right.resource == "key" else right.resource
    context = {**known, **dict(right.context), **via}
    return Request(f"arn:aws:iam::{ACCOUNT}:role/{who}", right.action, resource, context)


@dataclass(frozen=True)
class Grant:
    """One action on one resource that a statement allows, under the statement's conditions."""

    action: str
    resource: str
    statement: Statement

    def is_taken(self, asked: Iterable[Request]) -> bool:
        """Whether one of the requests passes by it."""
        alone = {**self.statement, "Action": self.action, "Resource": self.resource}
        return any(applies(alone, one) for one in asked if one.action == self.action)


def grants(statements: Sequence[Statement]) -> Iterator[Grant]:
    """Each grant of a policy, in its order."""
    for one in statements:
        if one["Effect"] == "Allow":
            for action in listed(one["Action"]):
                for resource in listed(one["Resource"]):
                    yield Grant(action, resource, one)
