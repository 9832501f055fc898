"""The stack of the template `lake` in an account of MiniStack's, which enforces policies, over TLS.

MiniStack is somebody else's emulator; `make ministack` fetches it into an environment of its own. Here: its server,
what it cannot make, and its roles. Not here: what they may do (test_ministack).
"""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from star_assets.aws.policies import ACCOUNT, EVERYTHING, REGION
from star_assets.aws.template import parsed, text

from ..postgres_server import free_port

FETCHED = Path(__file__).parents[2] / ".ministack"
STACK, PIPELINE = "shop", "shop-pipeline"

# An administrator of the account, as the server is told; and the root of another, whose key is its number.
ADMIN, FOREIGN = ("admin", "only-in-this-test"), ("999988887777", "any")

# What it refuses by name: the encryption of a catalog, and alarms on a sum of metrics.
LACKS = ("CatalogEncryption", "AnalystBytes", "PipelineBytes")


class Account:
    """The account in which the stack is, at an address of MiniStack's."""

    def __init__(self, address: str, certificate: Path) -> None:
        self.address, self.certificate = address, certificate
        document = parsed(text("lake"))
        for name in LACKS:
            del document["Resources"][name]
        given = {**EVERYTHING, "EncryptCatalog": "no"}
        cloudformation = self.client("cloudformation")
        cloudformation.create_stack(
            StackName=STACK,
            TemplateBody=json.dumps(document),
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
        )
        cloudformation.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
        self.made = {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for one in cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
        }
        self.outputs = {
            one["OutputKey"]: one["OutputValue"]
            for one in cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
        }
        self._let_the_admin_take_roles()

    def _let_the_admin_take_roles(self) -> None:
        """Trust is not what is tested here. Who runs Dagster brings a role of their own, with the pipeline's policy."""
        iam = self.client("iam")
        allowed = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        iam.create_role(RoleName=PIPELINE, AssumeRolePolicyDocument=trust)
        iam.attach_role_policy(RoleName=PIPELINE, PolicyArn=self.outputs["PipelinePolicy"])
        for role in ("AnalystRole", "JobRole", "TillRole"):
            iam.update_assume_role_policy(RoleName=self.made[role], PolicyDocument=trust)

    def keys(self, who: str) -> tuple[str, ...]:
        """The keys of a session as `pipeline`, `analyst`, `job` or `till`."""
        role = PIPELINE if who == "pipeline" else self.made[f"{who.capitalize()}Role"]
        named = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{role}", "RoleSessionName": who}
        found = self.client("sts").assume_role(**named)["Credentials"]
        return found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]

    def client(self, service: str, keys: tuple[str, ...] = ADMIN) -> Any:
        """A client of the administrator, or with other keys."""
        session = boto3.Session(*keys, region_name=REGION)
        return session.client(service, endpoint_url=self.address, verify=str(self.certificate))

    def object(self, path: str) -> dict[str, str]:
        """An object of the lake, as S3's calls name it."""
        bucket, _, folder = self.outputs["StarLake"].removeprefix("s3://").partition("/")
        return {"Bucket": bucket, "Key": f"{folder}/{path}"}

    def environment(self, keys: tuple[str, ...]) -> Mapping[str, str]:
        """What leads commands to the account, with these keys and the stack's settings."""
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        there = {"AWS_ENDPOINT_URL": self.address, "AWS_CA_BUNDLE": str(self.certificate), "AWS_DEFAULT_REGION": REGION}
        lake = {"STAR_LAKE": self.outputs["StarLake"], "STAR_GLUE_PREFIX": self.outputs["StarGluePrefix"]}
        return {**there, **lake, **dict(zip(names, keys, strict=True))}


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, Path]]:
    """MiniStack as a process of its own, on this machine alone: its address, and the certificate that it made."""
    port = free_port()
    given = {
        "AUTH": "true",
        "USE_SSL": "1",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "AWS_ACCESS_KEY_ID": ADMIN[0],
        "AWS_SECRET_ACCESS_KEY": ADMIN[1],
        "TMPDIR": str(folder),
        "PATH": os.environ["PATH"],
    }
    certificate = folder / "ministack-tls" / "server.crt"
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([FETCHED / "bin" / "python", "-m", "ministack"], env=given, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while not _answers(f"https://127.0.0.1:{port}/_ministack/health", certificate):
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.2)
        yield f"https://127.0.0.1:{port}", certificate
    finally:
        # It would look for containers of Docker's to stop.
        server.kill()
        server.wait()


def _answers(address: str, certificate: Path) -> bool:
    try:
        context: Any = ssl.create_default_context(cafile=certificate)
        with urllib.request.urlopen(address, context=context):
            return True
    except (OSError, urllib.error.URLError):
        return False
