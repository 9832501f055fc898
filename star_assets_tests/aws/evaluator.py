"""What IAM answers to a request, by identity, bucket, key and topic policies together.

A compact evaluator of what the templates use, written from IAM's documented logic:
an explicit Deny wins; within an account S3 and SNS allow what the identity or the
resource allows, KMS only what the key's policy allows, where the account's root
stands for whoever IAM allows it; from another account both sides must allow. It is
no part of AWS, and knows no boundaries, SCPs or sessions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

Statement = Mapping[str, Any]

# Services whose resources have policies that decide too.
RESOURCE_POLICIES = {"s3", "kms", "sns"}


@dataclass(frozen=True)
class Request:
    """Who asks for what. `principal` is a role's ARN, or a service such as `events.amazonaws.com`."""

    principal: str
    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)

    @property
    def account(self) -> str:
        return self.principal.split(":")[4] if self.principal.startswith("arn:") else ""


def allowed(request: Request, identity: Sequence[Statement], resource: Sequence[Statement], account: str) -> bool:
    """Whether `account`, whose the resource is, lets the request pass."""
    of_resource = [one for one in resource if _principal(one["Principal"], request)]
    if any(applies(one, request) for one in (*identity, *of_resource) if one["Effect"] == "Deny"):
        return False
    by_identity = any(applies(one, request) for one in identity if one["Effect"] == "Allow")
    granted = [one for one in of_resource if one["Effect"] == "Allow" and applies(one, request)]
    direct = any(_principal(one["Principal"], request, as_root=False) for one in granted)
    service = request.action.partition(":")[0]
    if service not in RESOURCE_POLICIES:
        return by_identity and request.account == account
    if service == "kms" or request.account != account:
        return direct or (bool(granted) and by_identity)
    return by_identity or direct


def assumable(principal: str, trust: Sequence[Statement], context: Mapping[str, str]) -> bool:
    """Whether a trust policy lets a principal take the role: a service, or whom the account lets."""
    request = Request(principal, "sts:AssumeRole", "", context)
    return any(_principal(one["Principal"], request) and _conditions(one, request) for one in trust)


def listed(value: Any) -> list[Any]:
    """IAM writes one value without a list."""
    return value if isinstance(value, list) else [value]


def applies(statement: Statement, request: Request) -> bool:
    action = any(matches(one.lower(), request.action.lower()) for one in listed(statement.get("Action", [])))
    if "NotAction" in statement:
        action = not any(matches(one.lower(), request.action.lower()) for one in listed(statement["NotAction"]))
    resource = any(matches(one, request.resource) for one in listed(statement.get("Resource", [])))
    if "NotResource" in statement:
        resource = not any(matches(one, request.resource) for one in listed(statement["NotResource"]))
    return action and resource and _conditions(statement, request)


def _principal(principal: Any, request: Request, as_root: bool = True) -> bool:
    if principal == "*":
        return True
    for one in listed(principal.get("AWS", [])):
        if one in ("*", request.principal) or (
            as_root and request.account and one.endswith(f"::{request.account}:root")
        ):
            return True
    return request.principal in listed(principal.get("Service", []))


def _conditions(statement: Statement, request: Request) -> bool:
    context = {key.lower(): value for key, value in request.context.items()}
    return all(
        _holds(operator, context.get(key.lower()), [str(one) for one in listed(wanted)])
        for operator, keys in statement.get("Condition", {}).items()
        for key, wanted in keys.items()
    )


def _holds(operator: str, found: str | None, wanted: list[str]) -> bool:
    name = operator.removesuffix("IfExists")
    if name == "Null":
        return (found is None) == (wanted == ["true"])
    negated = "Not" in name
    if found is None:
        return negated or name != operator
    if name in ("StringLike", "StringNotLike", "ArnLike", "ArnEquals"):
        same = any(matches(one, found) for one in wanted)
    elif name in ("StringEquals", "StringNotEquals"):
        same = found in wanted
    elif name == "Bool":
        same = found.lower() in [one.lower() for one in wanted]
    else:
        raise NotImplementedError(operator)
    return same != negated


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """IAM's wildcards: `*` any text, `?` one character."""
    return _pattern(pattern).fullmatch(text) is not None
