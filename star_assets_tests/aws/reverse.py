"""The policies of templates, held against recorded calls in both directions.

Here: the rights that calls took and no policy gives; those that policies give and no call took; and not_called.txt,
which lists these with who asks for them. Not here: recording (recorded), the work of each role (test_rights).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from star_assets.aws.policies import ACCOUNT, KEY, policies
from star_assets.aws.template import Template

from .evaluator import allowed
from .matrix import arn, named
from .recorded import Calls, grants, request

# Lines of `who | actions | resources | who asks for each of them, and when`; `all` is everything that a role may.
NOT_CALLED = (Path(__file__).parent / "not_called.txt").read_text().splitlines()

# Policies of resources, which say who may do what with them.
OF_RESOURCES = {"key", "lake", "results", "topic"}

# Who may do what, and on which resource, with the names of docs/aws.
Rights = set[tuple[str, str, str]]


class Account:
    """Templates with the names that calls have, and the same with the names of docs/aws, where those are others."""

    def __init__(self, templates: Iterable[Template], shown: Iterable[Template] = ()) -> None:
        self.statements = _statements(templates)
        self.shown = _statements(shown) or self.statements
        self.roles = [name for name in self.statements if name not in OF_RESOURCES and not name.endswith("-trust")]

    def lacking(self, calls: Calls) -> set[str]:
        """The rights that the roles' calls took and the templates do not give."""
        found = set()
        for who in self.roles:
            for right in calls.rights(who):
                asked = request(who, right, KEY)
                of_resource = "key" if right.resource == "key" else "lake" if right.action.startswith("s3:") else ""
                if not allowed(asked, self.statements[who], self.statements.get(of_resource, []), ACCOUNT):
                    found.add(f"{who} {asked.action} {asked.resource} {right.context}")
        return found

    def not_called(self, calls: Calls) -> Rights:
        """What the templates give and no call of a role took."""
        found = set()
        for who in self.roles:
            asked = [request(who, right, KEY) for right in calls.rights(who)]
            pairs = zip(grants(self.statements[who]), grants(self.shown[who]), strict=True)
            found |= {(who, shown.action, shown.resource) for ours, shown in pairs if not ours.is_taken(asked)}
        return found

    def listed(self) -> Rights:
        """What NOT_CALLED lists of these roles."""
        found: Rights = set()
        for line in map(named, NOT_CALLED):
            who, actions, resources, _ = (part.strip() for part in line.split("|"))
            if who not in self.roles:
                continue
            if actions == "all":
                found |= {(who, one.action, one.resource) for one in grants(self.shown[who])}
            else:
                found |= {(who, one, arn(other)) for one in actions.split(", ") for other in resources.split(", ")}
        return found


def _statements(templates: Iterable[Template]) -> Mapping[str, list[dict[str, Any]]]:
    return {name: document["Statement"] for one in templates for name, document in policies(one)}
