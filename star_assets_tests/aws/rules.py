"""What must hold of the template `lake` besides who may do what: encryption, retention, names, trust, alarms.

Each rule is a function from a template to what it finds wrong, in words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from star_assets.aws.policies import ACCOUNT, EVERYTHING, KEY, NAMES, policies
from star_assets.aws.template import Template

from .evaluator import listed

Rule = Callable[[Template], Iterator[str]]

# Actions that AWS knows no resource for.
WITHOUT_RESOURCE = {
    "athena:ListDataCatalogs",
    "athena:ListEngineVersions",
    "athena:ListWorkGroups",
    "ce:GetCostAndUsage",
    "ce:GetCostForecast",
    "cloudwatch:PutMetricData",
    "ec2:DescribeInstances",
    "ecr:GetAuthorizationToken",
    "glue:CreateCrawler",
    "lakeformation:GetDataAccess",
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
}

# EC2 names no account when it takes the role of a machine; IAM lets a role be given to a machine of its account alone.
WITHOUT_ACCOUNT = ["ec2.amazonaws.com"]

# AWS's own form for "a session names a document that its caller may use".
AS_DOCUMENTED = '"BoolIfExists": {"ssm:SessionDocumentAccessCheck": "true"}'

# What CloudFormation cannot tag.
UNTAGGED = {
    "AWS::Athena::NamedQuery",
    "AWS::EC2::LaunchTemplate",
    "AWS::Events::Rule",
    "AWS::Glue::Database",
    "AWS::Glue::DataCatalogEncryptionSettings",
    "AWS::IAM::InstanceProfile",
    "AWS::IAM::ManagedPolicy",
    "AWS::KMS::Alias",
    "AWS::Logs::LogStream",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::Scheduler::Schedule",
}


def of_type(template: Template, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The resources of a type: logical id and properties."""
    for name, resource in template.resources.items():
        if resource["Type"] == kind:
            yield name, resource["Properties"]


def buckets_are_private_and_encrypted(template: Template) -> Iterator[str]:
    for name, bucket in of_type(template, "AWS::S3::Bucket"):
        blocked = bucket.get("PublicAccessBlockConfiguration", {})
        if len(blocked) != 4 or not all(str(value) == "True" for value in blocked.values()):
            yield f"{name}: public access is not blocked"
        if "AccessControl" in bucket:
            yield f"{name}: it has an ACL"
        if bucket.get("OwnershipControls") != {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}:
            yield f"{name}: objects may belong to others"
        (rule,) = bucket.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [{}])
        by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
        if rule != {"BucketKeyEnabled": True, "ServerSideEncryptionByDefault": by_default}:
            yield f"{name}: it is not encrypted by the key, or without a bucket key"


def buckets_keep_versions_and_delete_nothing_live(template: Template) -> Iterator[str]:
    for name, bucket in of_type(template, "AWS::S3::Bucket"):
        if bucket.get("VersioningConfiguration") != {"Status": "Enabled"}:
            yield f"{name}: it keeps no versions"
        rules = bucket.get("LifecycleConfiguration", {}).get("Rules", [])
        if not any("NoncurrentVersionExpiration" in rule and rule["Status"] == "Enabled" for rule in rules):
            yield f"{name}: earlier versions never expire"
        if name == "Lake" and any("ExpirationInDays" in rule or "Transitions" in rule for rule in rules):
            yield f"{name}: a rule deletes or moves what is live"
        if name == "Results" and not any("ExpirationInDays" in rule for rule in rules):
            yield f"{name}: results never expire"


def the_key_is_rotated_and_kept(template: Template) -> Iterator[str]:
    for name, key in of_type(template, "AWS::KMS::Key"):
        if key.get("EnableKeyRotation") is not True:
            yield f"{name}: it is not rotated"
    for kind in ("AWS::KMS::Key", "AWS::KMS::Alias", "AWS::S3::Bucket", "AWS::S3::BucketPolicy"):
        for name, _ in of_type(template, kind):
            kept = [template.resources[name].get(policy) for policy in ("DeletionPolicy", "UpdateReplacePolicy")]
            if kept != ["Retain", "Retain"]:
                yield f"{name}: it goes with the stack, or when it is replaced"


def every_bucket_has_a_policy(template: Template) -> Iterator[str]:
    buckets = {NAMES[name] for name, _ in of_type(template, "AWS::S3::Bucket")}
    if buckets != {policy["Bucket"] for _, policy in of_type(template, "AWS::S3::BucketPolicy")}:
        yield "a bucket has no policy"


def workgroups_are_enforced_and_apart(template: Template) -> Iterator[str]:
    places = set()
    for name, workgroup in of_type(template, "AWS::Athena::WorkGroup"):
        found = workgroup["WorkGroupConfiguration"]
        if found.get("EnforceWorkGroupConfiguration") is not True:
            yield f"{name}: whoever asks may choose another place for results"
        if not found.get("BytesScannedCutoffPerQuery"):
            yield f"{name}: a query has no limit"
        if found.get("PublishCloudWatchMetricsEnabled") is not True:
            yield f"{name}: its alarm sees nothing"
        encryption = {"EncryptionOption": "SSE_KMS", "KmsKey": KEY}
        if found["ResultConfiguration"].get("EncryptionConfiguration") != encryption:
            yield f"{name}: results are not encrypted by the key"
        places.add(found["ResultConfiguration"]["OutputLocation"])
    if len(places) != 2:
        yield "workgroups share a place for results"


def messages_and_logs_are_encrypted(template: Template) -> Iterator[str]:
    for name, topic in of_type(template, "AWS::SNS::Topic"):
        if topic.get("KmsMasterKeyId") != KEY:
            yield f"{name}: messages are not encrypted by the key"
    for name, log in of_type(template, "AWS::Logs::LogGroup"):
        if not log.get("RetentionInDays") or log.get("KmsKeyId") != KEY:
            yield f"{name}: it is kept for ever, or not encrypted by the key"


def the_stream_writes_whole_hours_where_they_belong(template: Template) -> Iterator[str]:
    for name, stream in of_type(template, "AWS::KinesisFirehose::DeliveryStream"):
        place = stream["ExtendedS3DestinationConfiguration"]
        if stream.get("DeliveryStreamEncryptionConfigurationInput", {}).get("KeyARN") != KEY:
            yield f"{name}: what waits in it is not encrypted by the key"
        if place.get("EncryptionConfiguration", {}).get("KMSEncryptionConfig", {}).get("AWSKMSKeyARN") != KEY:
            yield f"{name}: what it writes is not encrypted by the key"
        if not place["Prefix"].startswith("retail/oltp/pos_sales/date=!{timestamp:yyyy-MM-dd}/hour=!{timestamp:HH}/"):
            yield f"{name}: its folders are no days and hours"
        if "/oltp/" in place["ErrorOutputPrefix"]:
            yield f"{name}: what it refuses lies among the exports"
        if place.get("CustomTimeZone") != template.names["TimeZone"]:
            yield f"{name}: its days are not the business's"
        if place.get("BufferingHints", {}).get("IntervalInSeconds") != 60:
            yield f"{name}: it waits longer than a minute"


def allows_name_actions_and_resources(template: Template) -> Iterator[str]:
    for name, document in policies(template):
        if name in ("key", "topic") or name.endswith("-trust"):
            continue
        for statement in document["Statement"]:
            if {"NotAction", "NotResource", "NotPrincipal"} & statement.keys():
                yield f"{name}: a statement names what it leaves out"
            if statement["Effect"] != "Allow":
                continue
            actions, resources = listed(statement.get("Action", [])), listed(statement.get("Resource", []))
            if any("*" in action for action in actions):
                yield f"{name}: a wildcard for actions"
            if "*" in resources and not set(actions) <= WITHOUT_RESOURCE:
                yield f"{name}: everything as the resource of {actions}"
            for resource in resources:
                if resource != "*" and "*" in ":".join(resource.split(":")[:5]):
                    yield f"{name}: a wildcard for a service, a region or an account"
                if "/*" not in resource and resource != "*" and "*" in resource and not _numbered(resource):
                    yield f"{name}: a name with a wildcard, {resource}"


def _numbered(resource: str) -> bool:
    """Whether a wildcard stands for what AWS adds to a name: a crawler's source, a log's stream."""
    return resource.endswith(
        ("shop_oltp_*", ":log-group:shop-stream:*", ":log-group:shop-run:*", "/aws-glue/crawlers*", "/${aws:userid}-*")
    )


def conditions_do_not_vanish(template: Template) -> Iterator[str]:
    for name, document in policies(template):
        if "IfExists" in json.dumps(document).replace(AS_DOCUMENTED, ""):
            yield f"{name}: a condition that holds where its key is absent"


def roles_are_passed_and_trusted_narrowly(template: Template) -> Iterator[str]:
    for name, document in policies(template):
        for statement in document["Statement"]:
            principal = statement.get("Principal")
            if statement["Effect"] == "Allow" and (principal == "*" or "*" in listed((principal or {}).get("AWS", []))):
                yield f"{name}: everybody"
            services = listed(principal.get("Service", [])) if isinstance(principal, dict) else []
            if services and services != WITHOUT_ACCOUNT and "Condition" not in statement:
                yield f"{name}: {services} in anybody's name"
            if "iam:PassRole" in listed(statement.get("Action", [])):
                bound = statement.get("Condition", {}).get("StringEquals", {}).get("iam:PassedToService")
                if bound not in ("glue.amazonaws.com", "ecs-tasks.amazonaws.com") or any(
                    "*" in one for one in listed(statement["Resource"])
                ):
                    yield f"{name}: it may pass any role, or to any service"


def roles_have_no_policies_of_others(template: Template) -> Iterator[str]:
    for name, role in of_type(template, "AWS::IAM::Role"):
        if any(not one.startswith(f"arn:aws:iam::{ACCOUNT}:policy/shop-") for one in role.get("ManagedPolicyArns", ())):
            yield f"{name}: a managed policy that the template does not hold"


def nothing_has_a_name_of_its_own(template: Template) -> Iterator[str]:
    for kind, member in (
        ("AWS::IAM::Role", "RoleName"),
        ("AWS::IAM::ManagedPolicy", "ManagedPolicyName"),
        ("AWS::S3::Bucket", "BucketName"),
        ("AWS::Glue::Job", "Name"),
        ("AWS::SNS::Topic", "TopicName"),
    ):
        for name, properties in of_type(template, kind):
            if member in properties:
                yield f"{name}: its name would collide with another stack's"


def everything_is_tagged(template: Template) -> Iterator[str]:
    for name, resource in template.resources.items():
        if resource["Type"] in UNTAGGED:
            continue
        tags = resource["Properties"].get("Tags", [])
        tags = tags if isinstance(tags, dict) else {one["Key"]: one["Value"] for one in tags}
        if tags.get("project") != "shop":
            yield f"{name}: no tag `project`"


def alarms_reach_somebody(template: Template) -> Iterator[str]:
    topic = NAMES["Topic"]
    alarms = dict(of_type(template, "AWS::CloudWatch::Alarm"))
    for name, alarm in alarms.items():
        if alarm.get("AlarmActions") != [topic]:
            yield f"{name}: nobody hears it"
    silence = alarms.get("NoSuccess", {})
    if silence.get("TreatMissingData") != "breaching" or silence.get("Namespace") != "star_assets/shop":
        yield "NoSuccess: silence raises no alarm"
    for name, rule in of_type(template, "AWS::Events::Rule"):
        if [one["Arn"] for one in rule["Targets"]] != [topic]:
            yield f"{name}: nobody hears it"
    if {"PipelineBytes", "AnalystBytes"} - alarms.keys():
        yield "a workgroup's bytes raise no alarm"


def the_job_ends_and_remembers_nothing(template: Template) -> Iterator[str]:
    for name, job in of_type(template, "AWS::Glue::Job"):
        if job["Role"] != NAMES["JobRole.Arn"]:
            yield f"{name}: another role than the job's"
        if not job.get("Timeout") or int(job["Timeout"]) > 480:
            yield f"{name}: nothing stops a run"
        arguments = job["DefaultArguments"]
        if arguments.get("--job-bookmark-option") != "job-bookmark-disable":
            yield f"{name}: bookmarks hide what is read"
        if arguments.get("--python-modules-installer-option") != "--no-deps":
            yield f"{name}: it installs all that the wheel asks for"


def the_default_is_the_least(template: Template) -> Iterator[str]:
    least = Template(template.document, NAMES)
    opted = {name for name, resource in template.resources.items() if name not in least.resources}
    expected = {"CatalogEncryption", "CatalogRole", "JobRole", "Job", "CrawlerRole", "StreamRole", "StreamLog"}
    expected |= {"StreamLogStream", "Stream", "TillRole", "Mail", "JobFailed", "EventsRefused", "EventsLate"}
    if opted != expected:
        yield f"on by default, or never: {sorted(opted ^ expected)}"
    if any(
        "oltp/*" in str(one.get("Resource")) and "s3:PutObject" in one.get("Action", []) for one in _pipeline(least)
    ):
        yield "the pipeline may change exports by default"


def _pipeline(template: Template) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = template.resources["PipelinePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    return found


def policies_are_of_iams_size(template: Template) -> Iterator[str]:
    long = {name: value.replace("shop", "s" * 20) for name, value in NAMES.items()}
    for name, document in policies(Template(template.document, long, EVERYTHING)):
        if len(json.dumps(document, separators=(",", ":"))) > 6144:
            yield f"{name}: more than IAM takes"


RULES: tuple[Rule, ...] = (
    buckets_are_private_and_encrypted,
    buckets_keep_versions_and_delete_nothing_live,
    the_key_is_rotated_and_kept,
    every_bucket_has_a_policy,
    workgroups_are_enforced_and_apart,
    messages_and_logs_are_encrypted,
    the_stream_writes_whole_hours_where_they_belong,
    allows_name_actions_and_resources,
    conditions_do_not_vanish,
    roles_are_passed_and_trusted_narrowly,
    roles_have_no_policies_of_others,
    nothing_has_a_name_of_its_own,
    everything_is_tagged,
    alarms_reach_somebody,
    the_job_ends_and_remembers_nothing,
    the_default_is_the_least,
    policies_are_of_iams_size,
)


def broken(template: Template, rules: Sequence[Rule] = RULES) -> list[str]:
    """What rules find wrong; all rules of the lake's template, or those that another template has to keep."""
    return [found for rule in rules for found in rule(template)]
