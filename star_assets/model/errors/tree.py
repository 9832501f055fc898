"""The root of the tree of errors, and its two branches."""

from __future__ import annotations


class StarError(Exception):
    """Whatever star_assets has to tell its user."""


class Permanent(StarError):
    """The same input will fail again; somebody has to act."""


class Transient(StarError):
    """Trying again later may help."""
