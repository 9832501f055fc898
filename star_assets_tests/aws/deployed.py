"""A stack of the template `lake` on moto.

moto's CloudFormation knows a third of the template's types, and fails at a key that is
tagged. So the resources are made by the services' own calls, from the same properties,
with the names that they get; CloudFormation is told the outputs alone. Not made are the
alarms, rules and encryption settings, which nothing here asks for. moto takes a ban of
plain HTTP for a ban of everything, so that the buckets' policies are put where a test
asks for them.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

import boto3

from star_assets.aws.template import Template, parsed, text

REGION, ACCOUNT = "us-east-1", "123456789012"


class Stack:
    """The stack, its names and what it made."""

    def __init__(self, name: str = "shop", **parameters: str) -> None:
        self.name = name
        suffix = uuid.uuid4().hex[:8]
        self.names: dict[str, str] = {
            "AWS::Partition": "aws",
            "AWS::Region": REGION,
            "AWS::AccountId": ACCOUNT,
            "AWS::StackName": name,
            "PipelineWorkgroup": f"{name}-pipeline",
            "AnalystWorkgroup": f"{name}-analysts",
            "Stream": f"{name}-stream-{suffix}",
            "StreamLog": f"{name}-log-{suffix}",
            "StreamLogStream": "delivery",
            "Job": f"{name}-job-{suffix}",
            "Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}-{suffix}",
        }
        for bucket in ("Lake", "Results"):
            self.names |= {bucket: f"{name}-{bucket.lower()}-{suffix}"}
            self.names |= {f"{bucket}.Arn": f"arn:aws:s3:::{self.names[bucket]}"}
        prefix = parameters.get("DatabasePrefix", "shop_")
        self.names |= {f"{one.capitalize()}Database": f"{prefix}{one}" for one in ("oltp", "staging", "olap")}
        for kind in ("Stream", "StreamLog"):
            self.names[f"{kind}.Arn"] = f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/{self.names[kind]}"
        for role in ("Analyst", "Catalog", "Crawler", "Job", "Stream", "Till"):
            self.names[f"{role}Role.Arn"] = f"arn:aws:iam::{ACCOUNT}:role/{name}-{role}-{suffix}"
        for policy in ("Analyst", "Pipeline"):
            self.names[f"{policy}Policy"] = f"arn:aws:iam::{ACCOUNT}:policy/{name}-{policy}-{suffix}"
        key = boto3.client("kms", REGION).create_key()["KeyMetadata"]
        self.names |= {"Key": key["KeyId"], "Key.Arn": key["Arn"]}
        self.template = Template(parsed(text("lake")), self.names, parameters)
        for logical, resource in self.template.resources.items():
            if make := MAKERS.get(resource["Type"]):
                make(self.names, logical, resource["Properties"])
        self._tell(parameters)

    def put_bucket_policies(self) -> None:
        """Give the buckets their policies."""
        for bucket in ("Lake", "Results"):
            document = self.template.resources[f"{bucket}Policy"]["Properties"]["PolicyDocument"]
            boto3.client("s3", REGION).put_bucket_policy(Bucket=self.names[bucket], Policy=json.dumps(document))

    @property
    def outputs(self) -> dict[str, Any]:
        """What the stack puts out."""
        return self.template.outputs

    def _tell(self, parameters: Mapping[str, str]) -> None:
        """Let CloudFormation know the stack."""
        outputs = {key: {"Value": value} for key, value in self.outputs.items()}
        known = {
            key: {"Type": "String", "Default": "", "NoEcho": False} for key in self.template.document["Parameters"]
        }
        topic = {"Nothing": {"Type": "AWS::SNS::Topic", "Properties": {}}}
        body = {"Parameters": known, "Resources": topic, "Outputs": outputs}
        given = [
            {"ParameterKey": key, "ParameterValue": str(self.template.names[key])}
            for key in known
            if isinstance(self.template.names[key], str | int) and self.template.names[key] != ""
        ]
        boto3.client("cloudformation", REGION).create_stack(
            StackName=self.name, TemplateBody=json.dumps(body), Parameters=given
        )


def _key(names: Mapping[str, str], logical: str, given: dict[str, Any]) -> None:
    kms = boto3.client("kms", REGION)
    kms.enable_key_rotation(KeyId=names["Key"])
    kms.put_key_policy(KeyId=names["Key"], PolicyName="default", Policy=json.dumps(given["KeyPolicy"]))


def _bucket(names: Mapping[str, str], logical: str, given: dict[str, Any]) -> None:
    s3, bucket = boto3.client("s3", REGION), names[logical]
    s3.create_bucket(Bucket=bucket, ObjectOwnership="BucketOwnerEnforced")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=given["PublicAccessBlockConfiguration"])
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=given["VersioningConfiguration"])
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
            "BucketKeyEnabled": rule["BucketKeyEnabled"],
        }
        for rule in given["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    ]
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
    lifecycle = [_lifecycle(rule) for rule in given["LifecycleConfiguration"]["Rules"]]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": lifecycle})


def _lifecycle(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule as S3's own call has it."""
    made = {"ID": rule["Id"], "Status": rule["Status"], "Filter": {"Prefix": ""}}
    made["NoncurrentVersionExpiration"] = {"NoncurrentDays": int(rule["NoncurrentVersionExpiration"]["NoncurrentDays"])}
    if "ExpirationInDays" in rule:
        made["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    return made


def _database(names: Mapping[str, str], logical: str, given: dict[str, Any]) -> None:
    boto3.client("glue", REGION).create_database(DatabaseInput=given["DatabaseInput"])


def _workgroup(names: Mapping[str, str], logical: str, given: dict[str, Any]) -> None:
    configuration = dict(given["WorkGroupConfiguration"])
    configuration["BytesScannedCutoffPerQuery"] = int(configuration["BytesScannedCutoffPerQuery"])
    boto3.client("athena", REGION).create_work_group(Name=given["Name"], Configuration=configuration)


def _role(names: Mapping[str, str], logical: str, given: dict[str, Any]) -> None:
    iam, role = boto3.client("iam", REGION), names[f"{logical}.Arn"].rpartition("/")[2]
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(given["AssumeRolePolicyDocument"]))
    for policy in given.get("Policies", ()):
        document = json.dumps(policy["PolicyDocument"])
        iam.put_role_policy(RoleName=role, PolicyName=policy["PolicyName"], PolicyDocument=document)
    for arn in given.get("ManagedPolicyArns", ()):
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)


def _policy(names: Mapping[str, str], logical: str, given: dict[str, Any]) -> None:
    name = names[logical].rpartition("/")[2]
    boto3.client("iam", REGION).create_policy(PolicyName=name, PolicyDocument=json.dumps(given["PolicyDocument"]))


def _topic(names: Mapping[str, str], logical: str, given: dict[str, Any]) -> None:
    name = names[logical].rpartition(":")[2]
    boto3.client("sns", REGION).create_topic(Name=name, Attributes={"KmsMasterKeyId": given["KmsMasterKeyId"]})


def _job(names: Mapping[str, str], logical: str, given: dict[str, Any]) -> None:
    numbers = {name: int(given[name]) for name in ("NumberOfWorkers", "Timeout")}
    boto3.client("glue", REGION).create_job(Name=names[logical], **{**given, **numbers})


# The order of the template is one in which each finds what it refers to.
MAKERS = {
    "AWS::Athena::WorkGroup": _workgroup,
    "AWS::Glue::Database": _database,
    "AWS::Glue::Job": _job,
    "AWS::IAM::ManagedPolicy": _policy,
    "AWS::IAM::Role": _role,
    "AWS::KMS::Key": _key,
    "AWS::S3::Bucket": _bucket,
    "AWS::SNS::Topic": _topic,
}
