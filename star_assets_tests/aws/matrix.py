"""Who may do what in the account that the template makes: one case a line, with its reason.

Here: how the cases of cases.txt and trust.txt are put to the evaluator. A case is
`who | action | resource | context | answer | why`. A resource is `lake/key`, `results/key`,
`database/name`, `table/database/name`, `workgroup/name`, `key`, or an ARN.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from star_assets.aws.policies import ACCOUNT, KEY, NAMES, REGION, policies
from star_assets.aws.template import Template

from .evaluator import Request, allowed, assumable

FOREIGN = "999988887777"

HERE = Path(__file__).parent

CASES = (HERE / "cases.txt").read_text().splitlines()

# Who may take a role: `who | role | context | answer | why`.
TRUST = (HERE / "trust.txt").read_text().splitlines()

# An administrator of this account, and one of another.
EVERYTHING = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]


@dataclass(frozen=True)
class Case:
    """A line of the table."""

    who: str
    action: str
    resource: str
    context: dict[str, str]
    expected: bool
    why: str


def cases() -> Iterator[Case]:
    """The cases, with names as the template's example has them."""
    for line in CASES:
        who, action, resource, context, answer, why = map(str.strip, named(line).split("|"))
        yield Case(who, action, arn(resource), _pairs(context), answer == "yes", why)


def named(line: str) -> str:
    """A line with this account's names."""
    names = {"REGION": REGION, "ACCOUNT": ACCOUNT, "STREAM": NAMES["Stream.Arn"]}
    foreign = f"arn:aws:kms:{REGION}:{FOREIGN}:key/1"
    line = line.replace("key-id=KEY", f"key-id={KEY}").replace("key-id=FOREIGN", f"key-id={foreign}")
    for name, value in names.items():
        line = line.replace(name, value)
    return line


def _pairs(context: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in context.split(", ") if pair)


def arn(resource: str) -> str:
    kind, _, rest = resource.partition("/")
    if kind in ("lake", "results"):
        return NAMES[f"{kind.capitalize()}.Arn"] + (f"/{rest}" if rest else "")
    if kind in ("catalog", "database", "table"):
        return f"arn:aws:glue:{REGION}:{ACCOUNT}:{resource}"
    if kind in ("workgroup", "datacatalog"):
        return f"arn:aws:athena:{REGION}:{ACCOUNT}:{resource}"
    return {"key": KEY, "topic": NAMES["Topic"]}.get(resource, resource)


class Account:
    """The policies of a template, and what they answer."""

    def __init__(self, template: Template) -> None:
        self.policies: dict[str, list[dict[str, Any]]] = {
            name: document["Statement"] for name, document in policies(template)
        }

    def answers(self, case: Case) -> bool:
        """Whether the case's request passes."""
        return allowed(*self.asked(case), ACCOUNT)

    def asked(self, case: Case) -> tuple[Request, list[dict[str, Any]], list[dict[str, Any]]]:
        """A case's request, the statements of who asks, and those of what is asked for."""
        context = {"aws:SecureTransport": "true", "aws:PrincipalAccount": ACCOUNT, "kms:CallerAccount": ACCOUNT}
        if ".amazonaws.com" in case.who:
            context = {"aws:SecureTransport": "true", "aws:SourceAccount": ACCOUNT}
        if case.who == "stranger":
            context |= {"aws:PrincipalAccount": FOREIGN, "kms:CallerAccount": FOREIGN}
        request = Request(_principal(case.who), case.action, case.resource, {**context, **case.context})
        identity = EVERYTHING if case.who in ("admin", "stranger") else self.policies.get(case.who, [])
        return request, identity, self._of_resource(case.resource)

    def may_take(self, line: str) -> tuple[bool, bool, str]:
        """Of a line of TRUST: the answer, the expected one, and the line."""
        who, role, context, answer, _ = map(str.strip, named(line).split("|"))
        found = assumable(_principal(who), self.policies.get(f"{role}-trust", []), _pairs(context))
        return found, answer == "yes", line

    def _of_resource(self, resource: str) -> list[dict[str, Any]]:
        for name in ("lake", "results"):
            if resource.partition("/")[0] == NAMES[f"{name.capitalize()}.Arn"]:
                return self.policies.get(name, [])
        return self.policies.get({KEY: "key", NAMES["Topic"]: "topic"}.get(resource, ""), [])


def _principal(who: str) -> str:
    if ".amazonaws.com" in who:
        return who
    return f"arn:aws:iam::{FOREIGN if who == 'stranger' else ACCOUNT}:role/{who}"


def wrong(template: Template) -> list[str]:
    """The lines of both tables that a template answers otherwise."""
    account = Account(template)
    found = [
        f"{case.who} {case.action} {case.resource} {case.context}: expected {case.expected}, since {case.why}"
        for case in cases()
        if account.answers(case) != case.expected
    ]
    taken = map(account.may_take, TRUST)
    return found + [line for answer, expected, line in taken if answer != expected]
