"""A stack of the template `lake`: its outputs, and the settings among them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from star_assets.lake.aws import Client, aws_errors, code, refused
from star_assets.model.errors import AwsRefused
from star_assets.settings import variables


def describe(stack: str) -> dict[str, Any]:
    """CloudFormation's description of a stack. Raises AwsRefused, AwsBusy."""
    from botocore.exceptions import ClientError

    what, action = f"Stack {stack}", "cloudformation:DescribeStacks"
    try:
        with aws_errors(what, action):
            found: dict[str, Any] = Client("cloudformation")().describe_stacks(StackName=stack)["Stacks"][0]
            return found
    except ClientError as error:
        if code(error) == "ValidationError":
            raise AwsRefused(what, "there is no such stack in this region", "Deploy it, or set AWS_REGION") from error
        raise refused(error, what, action) from error


def outputs(stack: Mapping[str, Any]) -> dict[str, str]:
    """A stack's outputs, by key."""
    return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", ())}


def settings(found: Mapping[str, str]) -> dict[str, str]:
    """The settings among outputs: StarGluePrefix → STAR_GLUE_PREFIX. Raises AwsRefused if there is no STAR_LAKE."""
    made = {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).upper(): value for key, value in found.items()}
    chosen = {name: value for name, value in made.items() if name in variables()}
    if "STAR_LAKE" not in chosen:
        raise AwsRefused("The stack", "it has no output StarLake", "Name a stack of the template `lake`")
    return chosen
