"""The root of the tree of errors, and its two branches."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(eq=False)
class StarError(Exception):
    """Whatever star_assets has to tell its user: the fields are the facts, `str` is the message."""

    def __post_init__(self) -> None:
        # Pickle and reports make an error again of its `args`; Python fills them with positional arguments alone.
        self.args = tuple(getattr(self, field.name) for field in fields(self))


class Permanent(StarError):
    """The same input will fail again; somebody has to act."""


class Transient(StarError):
    """Trying again later may help."""
