"""`Outcome`: the result of publishing one partition: published, unchanged or failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from star_assets.lake.versions import Manifest, Partition
from star_assets.model.errors import StarError


@dataclass(frozen=True)
class CheckResult:
    """The result of auditing one version by one rule; `description` says what is true, or expected and found."""

    name: str
    passed: bool
    description: str
    metadata: Mapping[str, Any] = field(default_factory=dict)


def rule(name: str, rows: int, broken: int, held: str, problem: str) -> CheckResult:
    """A rule about each row: `held` says of a row what is true of all, `problem` what is wrong, where some break it."""
    every = "the only row" if rows == 1 else f"all {rows:,} rows"
    return CheckResult(name, broken == 0, f"in {every} {held}" if broken == 0 else problem)


@dataclass(frozen=True)
class Outcome:
    """The result of publishing one requested day of one table.

    `day` is the requested day; `partition` is the one published for it (a dimension
    has one partition for all days). `error` is set, and `manifest` is None, if and
    only if `status` is `failed`. `checks` is the audit; it is empty if the version was not
    audited. `note` is a warning for people about a day that did not fail.
    `included` are, of a dimension, the days up to the newest export in its live version.
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
    included: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the version passed all rules of its audit."""
        return all(check.passed for check in self.checks)
