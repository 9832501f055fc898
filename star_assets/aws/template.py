"""Reads the CloudFormation templates in this folder, and resolves their parameters, conditions and functions.

The supported functions are those that the templates use: Ref, GetAtt, Sub, If, Equals, Not, And,
Or, Join, Split, Select, and Base64, which leaves its text unencoded. Not here: policies as JSON
(policies).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from importlib.resources import files
from typing import Any

TEMPLATES = ("lake", "host", "schedule", "costs")

# A name in a text of Sub; not `${!Literal}`, which becomes `${Literal}`, nor Firehose's `!{timestamp}`.
_NAMED = re.compile(r"\$\{([^!}]+)\}")

# The value of AWS::NoValue, which is left out of the result.
_NOTHING = object()


def text(name: str) -> str:
    """The text of a template. Raises KeyError."""
    if name not in TEMPLATES:
        raise KeyError(name)
    return files(__package__).joinpath(f"{name}.yaml").read_text()


# Functions whose result depends only on the values of their arguments.
_PLAIN: dict[str, Callable[..., Any]] = {
    "Join": lambda between, parts: between.join(map(str, parts)),
    "Split": lambda between, whole: whole.split(between),
    "Select": lambda number, parts: parts[int(number)],
    "Equals": lambda first, second: str(first) == str(second),
    "Not": operator.not_,
    "And": lambda *all_of: all(all_of),
    "Or": lambda *any_of: any(any_of),
}


class Template:
    """A parsed template with values for its parameters (others have their defaults) and names for its resources.

    `names` has the values of Ref (`Lake`), of GetAtt (`Lake.Arn`), and of AWS's own names (`AWS::Region`).
    """

    def __init__(
        self, document: Mapping[str, Any], names: Mapping[str, Any], parameters: Mapping[str, Any] | None = None
    ) -> None:
        self.document = document
        defaults = {key: one.get("Default", "") for key, one in self.document["Parameters"].items()}
        lists = {key for key, one in self.document["Parameters"].items() if "List" in one["Type"]}
        values = {**defaults, **(parameters or {})}
        self.names = {**names, **{key: value.split(",") if key in lists else value for key, value in values.items()}}

    @cached_property
    def resources(self) -> dict[str, Any]:
        """The resources whose condition holds, resolved, by logical id. Raises KeyError for a name that is missing."""
        found = self.document["Resources"].items()
        return {key: self.resolved(one) for key, one in found if self._holds(one.get("Condition"))}

    @cached_property
    def outputs(self) -> dict[str, Any]:
        """The outputs whose condition holds, resolved."""
        found = self.document["Outputs"].items()
        return {key: self.resolved(one)["Value"] for key, one in found if self._holds(one.get("Condition"))}

    def resolved(self, value: Any) -> Any:
        """A part of the template, with every function replaced by its value."""
        if isinstance(value, list):
            return [found for one in value if (found := self.resolved(one)) is not _NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (function, arguments), *_ = value.items()
            if function == "Ref" or function.startswith("Fn::"):
                return self._called(function.removeprefix("Fn::"), arguments)
        return {key: found for key, one in value.items() if (found := self.resolved(one)) is not _NOTHING}

    def _called(self, function: str, arguments: Any) -> Any:
        if function == "Ref":
            return _NOTHING if arguments == "AWS::NoValue" else self.names[arguments]
        if function == "GetAtt":
            return self.names[arguments]
        if function == "Sub":
            form, local = (arguments, {}) if isinstance(arguments, str) else arguments
            known = {**self.names, **self.resolved(local)}
            return _NAMED.sub(lambda match: str(known[match[1]]), form).replace("${!", "${")
        if function == "Base64":
            return self.resolved(arguments)
        if function == "If":
            return self.resolved(arguments[1] if self._holds(arguments[0]) else arguments[2])
        return _PLAIN[function](*self.resolved(arguments))

    def _holds(self, condition: str | None) -> bool:
        return condition is None or bool(self.resolved(self.document["Conditions"][condition]))


def parsed(content: str) -> dict[str, Any]:
    """A template's text as a document, in which `!Sub x` is `{"Fn::Sub": "x"}`."""
    import yaml  # type: ignore[import-untyped]

    # libyaml's loader takes a tenth of the time, but may not be installed.
    safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(safe):  # type: ignore[misc]
        """YAML with CloudFormation's short forms."""

    def function(loader: Any, tag: str, node: Any) -> dict[str, Any]:
        name = tag if tag in ("Ref", "Condition") else f"Fn::{tag}"
        if isinstance(node, yaml.ScalarNode):
            return {name: loader.construct_scalar(node)}
        if isinstance(node, yaml.SequenceNode):
            return {name: loader.construct_sequence(node, deep=True)}
        return {name: loader.construct_mapping(node, deep=True)}

    Loader.add_multi_constructor("!", function)
    found: dict[str, Any] = yaml.load(content, Loader)
    return found
