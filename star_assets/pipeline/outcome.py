"""`Outcome`: the result of publishing one partition: published, unchanged or failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from star_assets.lake.versions import Manifest, Partition
from star_assets.model.errors import StarError


@dataclass(frozen=True)
class CheckResult:
    """The result of auditing one version by one rule; `description` says what was expected and found."""

    name: str
    passed: bool
    description: str
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """The result of publishing one requested day of one table.

    `day` is the requested day; `partition` is the one published for it (a dimension
    has one partition for all days). `error` is set, and `manifest` is None, if and
    only if `status` is `failed`. `checks` is the audit; it is empty if the version was not
    audited. `note` is a warning for people about a day that did not fail.
    """

    table: str
    day: str
    partition: Partition
    status: Literal["published", "unchanged", "failed"]
    manifest: Manifest | None = None
    location: str | None = None
    error: StarError | None = None
    checks: tuple[CheckResult, ...] = ()
    seconds: float = 0.0
    note: str = ""

    @property
    def passed(self) -> bool:
        """Whether the version passed all rules of its audit."""
        return all(check.passed for check in self.checks)
