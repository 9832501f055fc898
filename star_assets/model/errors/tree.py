"""The root of the tree of errors, and its two branches."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(eq=False)
class StarError(Exception):
    """The root of all errors of star_assets: a dataclass whose fields are the facts, and whose `str` is the message."""

    def __post_init__(self) -> None:
        # Pickle and reports rebuild an error from its `args`, which Python fills from positional arguments alone.
        self.args = tuple(getattr(self, field.name) for field in fields(self))


class Permanent(StarError):
    """The same input will fail again, until somebody acts."""


class Transient(StarError):
    """Trying again later may help."""
