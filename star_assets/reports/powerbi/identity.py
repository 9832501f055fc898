"""Identities of what is generated: the same for the same declaration, and unlike those that Power BI makes."""

from __future__ import annotations

import uuid

# Power BI and other tools make random identities (version 4). Those that are
# derived here are of version 5, which tells apart who made an object.
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "star-assets.powerbi")


def identity(*parts: str) -> str:
    """The UUID of what these parts name, such as a table and its column."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(parts)))


def is_generated(text: str) -> bool:
    """Whether this is the identity of something generated."""
    try:
        return uuid.UUID(text).version == 5
    except ValueError:
        return False
