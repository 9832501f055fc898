"""The templates `host` and `schedule` with the names of docs/aws.md, as their tests take them."""

from __future__ import annotations

from star_assets.aws.policies import ACCOUNT, KEY, NAMES, REGION
from star_assets.aws.template import Template, parsed, text

IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/star-assets:0.1.0"
SECRETS = {one: f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:shop-{one}" for one in ("password", "dsn", "hook")}
TASK = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/shop-run:3"

# What people who deploy either of them say.
OF_THE_LAKE = {
    "Image": IMAGE,
    "PipelinePolicy": NAMES["PipelinePolicy"],
    "Topic": NAMES["Topic"],
    "Vpc": "vpc-1",
    "SourceDsnSecret": SECRETS["dsn"],
}

FOR_THE_HOST = {
    **OF_THE_LAKE,
    "Subnet": "subnet-1",
    "Zone": f"{REGION}a",
    "Machine": "ami-1",
    "WebhookSecret": SECRETS["hook"],
}

NAMES_OF_THE_HOST = {
    **NAMES,
    "AWS::StackName": "shop-host",
    "Volume": "vol-0a1",
    "HistoryPassword": SECRETS["password"],
    "Outbound.GroupId": "sg-1",
    "MachineRole": "shop-machine",
    "MachineProfile.Arn": f"arn:aws:iam::{ACCOUNT}:instance-profile/shop-machine",
    "TunnelPolicy": f"arn:aws:iam::{ACCOUNT}:policy/shop-tunnel",
    "Template": "lt-1",
    "Template.LatestVersionNumber": "1",
    "Group": "shop-host-group",
}

NAMES_OF_THE_SCHEDULE = {
    **NAMES,
    "Cluster": "shop",
    "Cluster.Arn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/shop",
    "Log": "shop-run",
    "Log.Arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:shop-run:*",
    "Outbound.GroupId": "sg-1",
    "Task": TASK,
    "FailedStarts.Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:shop-failed",
    "FailedStarts.QueueName": "shop-failed",
    **{
        f"{role}Role.Arn": f"arn:aws:iam::{ACCOUNT}:role/shop-{role.lower()}"
        for role in ("Task", "Execution", "Scheduler")
    },
}


def example_of_host(content: str = "", **parameters: str) -> Template:
    """The template `host`, or `content` in its place."""
    return Template(parsed(content or text("host")), NAMES_OF_THE_HOST, {**FOR_THE_HOST, **parameters})


def example_of_schedule() -> Template:
    """The template `schedule`."""
    given = {**OF_THE_LAKE, "Key": KEY, "Subnets": "subnet-1,subnet-2"}
    return Template(parsed(text("schedule")), NAMES_OF_THE_SCHEDULE, given)
