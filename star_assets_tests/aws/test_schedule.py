"""The template `schedule`: three narrow roles, a task that tries again, failures that somebody hears of."""

from __future__ import annotations

import json
import os
import re
import subprocess
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

import pytest

from star_assets.aws.policies import ACCOUNT, NAMES, REGION
from star_assets.aws.template import Template

from . import rules
from .evaluator import Request, allowed, assumable
from .examples import NAMES_OF_THE_SCHEDULE, SECRETS, TASK, example_of_schedule

ROLES = {role: NAMES_OF_THE_SCHEDULE[f"{role}Role.Arn"] for role in ("Task", "Execution", "Scheduler")}
SECRET = SECRETS["dsn"]

CASES = f"""
Execution | ecr:BatchGetImage | arn:aws:ecr:{REGION}:{ACCOUNT}:repository/star-assets | yes | the image
Execution | ecr:BatchGetImage | arn:aws:ecr:{REGION}:{ACCOUNT}:repository/finance | no | another image
Execution | ecr:PutImage | arn:aws:ecr:{REGION}:{ACCOUNT}:repository/star-assets | no | who builds it pushes it
Execution | secretsmanager:GetSecretValue | {SECRET} | yes | the database to pull from
Execution | secretsmanager:GetSecretValue | {SECRET}2 | no | another secret
Execution | logs:PutLogEvents | arn:aws:logs:{REGION}:{ACCOUNT}:log-group:shop-run:log-stream:run/1 | yes | the log
Execution | s3:GetObject | arn:aws:s3:::shop-lake/retail/olap/x | no | the task reads the lake
Task | cloudformation:DescribeStacks | arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/shop/1 | yes | its settings
Task | cloudformation:DescribeStacks | arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/shopping/1 | no | another stack
Task | cloudformation:UpdateStack | arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/shop/1 | no | it only reads
Task | secretsmanager:GetSecretValue | {SECRET} | no | it is handed the secret's text
Scheduler | ecs:RunTask | {TASK} | yes | it starts the task
Scheduler | ecs:RunTask | arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/other:1 | no | and no other
Scheduler | iam:PassRole | {ROLES["Task"]} | yes | the task's role
Scheduler | iam:PassRole | {ROLES["Execution"]} | yes | and the one that starts it
Scheduler | iam:PassRole | arn:aws:iam::{ACCOUNT}:role/admin | no | any role is every right
Scheduler | sqs:SendMessage | arn:aws:sqs:{REGION}:{ACCOUNT}:shop-failed | yes | failed starts
Scheduler | s3:GetObject | arn:aws:s3:::shop-lake/retail/olap/x | no | it only starts
"""


@pytest.fixture
def template() -> Template:
    return example_of_schedule()


@pytest.mark.parametrize("case", CASES.strip().splitlines())
def test_each_role_may_do_its_work_and_nothing_else(template: Template, case: str) -> None:
    role, action, resource, answer, _ = map(str.strip, case.split("|"))
    role_properties = template.resources[f"{role}Role"]["Properties"]
    statements = [one for policy in role_properties["Policies"] for one in policy["PolicyDocument"]["Statement"]]
    context = {"iam:PassedToService": "ecs-tasks.amazonaws.com", "ecs:cluster": template.names["Cluster.Arn"]}
    assert allowed(Request(ROLES[role], action, resource, context), statements, [], ACCOUNT) == (answer == "yes")


@pytest.mark.parametrize("role", ROLES)
def test_roles_are_taken_by_their_service_for_this_account_alone(template: Template, role: str) -> None:
    trust = template.resources[f"{role}Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    service = "scheduler.amazonaws.com" if role == "Scheduler" else "ecs-tasks.amazonaws.com"
    assert assumable(service, trust, {"aws:SourceAccount": ACCOUNT})
    assert not assumable(service, trust, {"aws:SourceAccount": "999988887777"})
    assert not assumable("lambda.amazonaws.com", trust, {"aws:SourceAccount": ACCOUNT})


@pytest.mark.parametrize(
    "rule",
    [
        rules.messages_and_logs_are_encrypted,
        rules.allows_name_actions_and_resources,
        rules.conditions_do_not_vanish,
        rules.roles_are_passed_and_trusted_narrowly,
        rules.roles_have_no_policies_of_others,
        rules.nothing_has_a_name_of_its_own,
        rules.everything_is_tagged,
    ],
    ids=lambda rule: rule.__name__,
)
def test_the_lakes_rules_hold_here_too(template: Template, rule: rules.Rule) -> None:
    assert list(rule(template)) == []


def test_nothing_can_connect_to_the_task(template: Template) -> None:
    """It calls, and is not called."""
    group = template.resources["Outbound"]["Properties"]
    assert "SecurityGroupIngress" not in group
    assert {rule["ToPort"] for rule in group["SecurityGroupEgress"]} == {443, 5432}


def test_failures_are_heard(template: Template) -> None:
    """Failed starts by the queue, failed runs by ECS's event."""
    rule = template.resources["RunFailed"]["Properties"]
    assert rule["Targets"] == [{"Id": "topic", "Arn": NAMES["Topic"]}]
    ends: Any = rule["EventPattern"]["detail"]["$or"]
    assert {"containers": {"exitCode": [{"anything-but": 0}]}} in ends
    assert {"stopCode": ["TaskFailedToStart"]} in ends
    assert template.resources["NotStarted"]["Properties"]["AlarmActions"] == [NAMES["Topic"]]


@pytest.mark.parametrize(
    ("codes", "expected", "runs"),
    [("0", 0, 1), ("1", 1, 1), ("75 0", 0, 2), ("75 75 0", 0, 3), ("75 75 75", 75, 3), ("75 1", 1, 2)],
)
def test_only_what_may_help_is_tried_again(
    template: Template, tmp_path: Path, codes: str, expected: int, runs: int
) -> None:
    """The container's own script, with a pipeline that ends as the test says."""
    (container,) = template.resources["Task"]["Properties"]["ContainerDefinitions"]
    (tmp_path / "codes").write_text("\n".join(codes.split()) + "\n")
    pipeline = (
        '#!/bin/sh\nif [ "$1" = aws ]; then echo STAR_LAKE=s3://b/retail; exit; fi\n'
        f'echo "$STAR_LAKE" >>{tmp_path}/runs\n'
        f"code=$(head -1 {tmp_path}/codes); sed -i 1d {tmp_path}/codes; exit $code\n"
    )
    for name, script in {"star-assets": pipeline, "sleep": "#!/bin/sh\n"}.items():
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "LAKE_STACK": "shop"}
    command = [*container["EntryPoint"], *container["Command"]]
    done = subprocess.run(command, env=environment, check=False)
    assert done.returncode == expected
    assert (tmp_path / "runs").read_text().split() == ["s3://b/retail"] * runs


def test_without_its_settings_nothing_runs(template: Template, tmp_path: Path) -> None:
    """Without STAR_LAKE the pipeline would make a lake in the container."""
    (container,) = template.resources["Task"]["Properties"]["ContainerDefinitions"]
    (tmp_path / "star-assets").write_text('#!/bin/sh\n[ "$1" = run ] && touch ran\nexit 1\n')
    (tmp_path / "star-assets").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "LAKE_STACK": "shop"}
    done = subprocess.run([*container["EntryPoint"], *container["Command"]], env=environment, cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert not (tmp_path / "ran").exists()


def test_the_image_is_made_of_this_project_and_not_run_as_root(template: Template) -> None:
    """What its file names is there, and the task's user is the image's. host/test_containers.py builds it."""
    root = Path(__file__).parents[2]
    lines = (root / "Dockerfile").read_text().splitlines()
    copied = [word for line in lines if re.match("COPY (?!--)", line) for word in line.split()[1:-1]]
    let_in = {line[1:] for line in (root / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert set(copied) == let_in
    assert all((root / name).exists() for name in copied)
    (extras,) = [line.rpartition("[")[2].partition("]")[0] for line in lines if "pip install" in line]
    assert set(extras.split(",")) <= set(metadata("star_assets").get_all("Provides-Extra") or ())
    (container,) = template.resources["Task"]["Properties"]["ContainerDefinitions"]
    assert f"USER {container['User']}" in lines


def test_no_secret_is_in_the_template(template: Template) -> None:
    """The secret's text reaches the container alone."""
    (container,) = template.resources["Task"]["Properties"]["ContainerDefinitions"]
    assert container["Secrets"] == [{"Name": "STAR_SOURCE_DSN", "ValueFrom": SECRET}]
    assert "postgresql://" not in json.dumps(template.resources)
