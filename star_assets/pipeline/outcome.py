"""What a step tells its caller about each partition: published, unchanged or failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from star_assets.lake.versions import Manifest, Partition
from star_assets.model.errors import StarError


@dataclass(frozen=True)
class CheckResult:
    """One rule of the model, held against one version: `description` says expected and found."""

    name: str
    passed: bool
    description: str
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of one asked-for day of one table.

    `day` is the day that was asked for; `partition` is what was published for it
    (a dimension has one partition for all days). `error` is set, and `manifest`
    is None, exactly where the status is `failed`. `checks` is the audit of the
    version, where it came to one. `note` is what people should know although all is well.
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
        """Whether the audit broke no rule."""
        return all(check.passed for check in self.checks)
