"""The template `host`: one narrow role, no way in but Session Manager's, a volume that each next machine takes over."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from star_assets.aws.policies import ACCOUNT, NAMES, REGION, policies
from star_assets.aws.template import Template, text

from . import rules
from .evaluator import Request, allowed, assumable
from .examples import IMAGE, SECRETS, example_of_host
from .machine import Machine, user_data
from .matrix import named
from .mutants import mutants

ROOT = Path(__file__).parents[2]
# Lines of `who | action | resource | context | answer | why`: `machine` is the machine's role, `tunnel` whoever has the
# policy for people.
CASES = (Path(__file__).parent / "host_cases.txt").read_text().splitlines()

MUTANTS = list(mutants("host"))


@pytest.fixture(scope="module")
def template() -> Template:
    return example_of_host()


def wrong(template: Template) -> list[str]:
    """The cases that a template answers otherwise."""
    found = []
    statements = {name: document["Statement"] for name, document in policies(template)}
    for line in CASES:
        who, action, resource, context, answer, why = map(str.strip, named(line).split("|"))
        pairs = dict(pair.split("=", 1) for pair in context.split(", ") if pair)
        request = Request(f"arn:aws:iam::{ACCOUNT}:role/{who}", action, resource, pairs)
        if allowed(request, statements[who], [], ACCOUNT) != (answer == "yes"):
            found.append(f"{who} {action} {resource}: {why}")
    trust = statements["machine-trust"]
    if not assumable("ec2.amazonaws.com", trust, {}) or assumable("lambda.amazonaws.com", trust, {}):
        found.append("another service than EC2 takes the role, or EC2 does not")
    return found


def nothing_comes_in_and_little_goes_out(resources: dict[str, Any]) -> bool:
    group = resources["Outbound"]
    ports = {(rule["FromPort"], rule["ToPort"]) for rule in group["SecurityGroupEgress"]}
    data = resources["Template"]["LaunchTemplateData"]
    options = {"HttpTokens": "required", "HttpPutResponseHopLimit": 2}
    inward = "SecurityGroupIngress" not in group and "KeyName" not in data
    return inward and ports == {(443, 443), (5432, 5432)} and data["MetadataOptions"] == options


def what_is_kept_outlives_the_stack_encrypted(template: Template) -> bool:
    found = template.resources
    kept = [found[one].get(policy) for one in ("Volume", "HistoryPassword") for policy in KEEPING]
    (disk,) = found["Template"]["Properties"]["LaunchTemplateData"]["BlockDeviceMappings"]
    encrypted = found["Volume"]["Properties"]["Encrypted"] is True and disk["Ebs"]["Encrypted"] is True
    return kept == ["Retain"] * 4 and encrypted and "SecretString" not in found["HistoryPassword"]["Properties"]


KEEPING = ("DeletionPolicy", "UpdateReplacePolicy")


def one_machine_follows_another(template: Template) -> bool:
    group = template.resources["Group"]
    rolling = group["UpdatePolicy"]["AutoScalingRollingUpdate"]
    tags = {one["Key"]: one["PropagateAtLaunch"] for one in group["Properties"]["Tags"]}
    sizes = {group["Properties"][size] for size in ("MinSize", "MaxSize")}
    signals = rolling["WaitOnResourceSignals"] is True and "ResourceSignal" in group["CreationPolicy"]
    return sizes == {"1"} and rolling["MinInstancesInService"] == 0 and signals and tags["project"] is True


def the_machine_begins_with_its_volume_and_keeps_no_secret(script: str) -> bool:
    start = script.partition("<<'END'")[2].partition("\nEND\n")[0]
    ordered = start.index("mount $device") < start.index("systemctl start docker") < start.index("compose up")
    enabled = [line for line in script.splitlines() if "systemctl enable" in line]
    in_memory = "cd /run/star" in start.partition(">.env")[0] and "--publish" not in script
    return ordered and in_memory and enabled == ["systemctl enable dagster.service"]


RULES = (
    rules.allows_name_actions_and_resources,
    rules.conditions_do_not_vanish,
    rules.roles_are_passed_and_trusted_narrowly,
    rules.roles_have_no_policies_of_others,
    rules.nothing_has_a_name_of_its_own,
    rules.everything_is_tagged,
)


def findings(template: Template) -> list[str]:
    """What rules and cases find."""
    properties = {name: one["Properties"] for name, one in template.resources.items()}
    alarm = properties["NoMachine"]
    held = {
        "in and out": nothing_comes_in_and_little_goes_out(properties),
        "kept": what_is_kept_outlives_the_stack_encrypted(template),
        "one machine": one_machine_follows_another(template),
        "start": the_machine_begins_with_its_volume_and_keeps_no_secret(user_data(template)),
        "the pipeline's rights": properties["MachineRole"]["ManagedPolicyArns"] == [NAMES["PipelinePolicy"]],
        "alarm": (alarm["AlarmActions"], alarm["TreatMissingData"]) == ([NAMES["Topic"]], "breaching"),
    }
    return [name for name, holds in held.items() if not holds] + rules.broken(template, RULES) + wrong(template)


def test_nothing_is_found_in_the_template(template: Template) -> None:
    assert findings(template) == []


@pytest.mark.parametrize(("what", "content"), MUTANTS, ids=[what for what, _ in MUTANTS])
def test_each_way_to_break_it_is_found(what: str, content: str) -> None:
    """A check that never fires holds nothing."""
    assert content != text("host")
    assert findings(example_of_host(content)) != []


def test_without_secrets_of_ones_own_the_machine_reads_its_password_alone() -> None:
    """An empty parameter must not become a resource that means everything."""
    bare = example_of_host(SourceDsnSecret="", WebhookSecret="")
    (read,) = [one for one in dict(policies(bare))["machine"]["Statement"] if one["Sid"] == "ReadSecrets"]
    assert read["Resource"] == [SECRETS["password"]]


@pytest.fixture
def machine(template: Template, tmp_path: Path) -> Machine:
    """The machine, with a new volume."""
    return Machine(user_data(template), tmp_path)


def test_a_new_volume_is_formatted_once_and_dagster_starts_on_it(machine: Machine) -> None:
    """Formatting a volume that has a history would be the end of it. Nothing here is AWS's: its tools are stand-ins."""
    first, second = machine.start(), machine.start()
    assert sum(call.startswith("mkfs.xfs") for call in first) == 1
    assert not any(call.startswith("mkfs.xfs") for call in second)
    order = [
        next(i for i, one in enumerate(first) if one.startswith(call)) for call in ("mount ", "systemctl", "docker")
    ]
    assert order == sorted(order)
    assert any("up --detach --wait" in call for call in first)
    settings = (machine.folder / "run/star/.env").read_text().splitlines()
    assert "STAR_LAKE=s3://shop-lake/retail" in settings
    assert "STAR_SOURCE_DSN='postgresql://u:a$b@h/d'" in settings
    assert f"IMAGE={IMAGE}" in settings and "POSTGRES_PASSWORD='s3cret'" in settings
    assert (machine.folder / "run/star").stat().st_mode & 0o077 == 0


def test_the_whole_script_is_bash(template: Template) -> None:
    done = subprocess.run(["bash", "-n"], input=user_data(template), text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(user_data(template).encode()) < 16_384


def test_compose_and_the_template_speak_of_the_same_variables(template: Template) -> None:
    """A misspelt one would start PostgreSQL on a volume of Docker's, which the next machine does not have."""
    compose = (ROOT / "compose.yaml").read_text()
    for name in ("IMAGE", "HISTORY", "DATA", "READ_ONLY", "POSTGRES_PASSWORD"):
        assert f"${{{name}" in compose
        assert f'"{name}=' in user_data(template)
    services = yaml.safe_load(compose)["services"]
    assert {name for name, one in services.items() if "ports" in one} == {"webserver"}
    assert services["webserver"]["ports"] == ["127.0.0.1:3000:3000"]
    assert {name for name, one in services.items() if "env_file" in one} == {"code"}


def test_the_host_has_a_laptops_dagster_but_for_where_its_history_is() -> None:
    """Two files that say the same drift apart."""
    laptop, host = (yaml.safe_load((ROOT / place / "dagster.yaml").read_text()) for place in (".", "host"))
    places = {f"{one}_storage" for one in ("event_log", "run", "schedule")} | {"compute_logs", "local_artifact_storage"}
    assert laptop.keys() == host.keys()
    assert {key: laptop[key] for key in laptop.keys() - places} == {key: host[key] for key in host.keys() - places}
    for storage in ("event_log", "run", "schedule"):
        assert host[f"{storage}_storage"]["config"]["postgres_db"]["scheme"] == "postgresql+psycopg2"


def test_an_image_is_pushed_once_under_its_release(tmp_path: Path) -> None:
    """The AWS CLI and Docker are stand-ins that note how they were called."""
    stand_ins = {
        "aws": """case "$*" in *get-caller-identity*) echo 111122223333 ;; *describe-repositories*) exit 254 ;;
          *) echo token ;; esac""",
        "docker": "[ $1 != login ] || cat",
    }
    for name, body in stand_ins.items():
        (tmp_path / name).write_text(f'#!/bin/sh\necho "{name} $*" >>{tmp_path}/calls\n{body}\n')
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "AWS_REGION": REGION}
    push = [ROOT / "push_image.sh"]
    done = subprocess.run([*push, "0.1.0"], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == f"Image={IMAGE}"
    calls = (tmp_path / "calls").read_text()
    assert "create-repository" in calls and "IMMUTABLE" in calls
    assert f"docker build --platform linux/amd64 --tag {IMAGE}" in calls
    assert f"docker push {IMAGE}" in calls
    refused = subprocess.run(push, env=environment, capture_output=True, text=True, check=False)
    assert (refused.returncode, "name the release" in refused.stderr) == (2, True)


def test_no_secret_is_in_the_template(template: Template) -> None:
    assert "postgresql://" not in json.dumps(template.resources)
