"""The UUIDs of generated objects: the same for the same declaration, and different from those of Power BI."""

from __future__ import annotations

import uuid

# Power BI and other tools create random UUIDs (version 4). Generated objects have UUIDs of
# version 5, by which they are recognised.
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "star-assets.powerbi")


def identity(*parts: str) -> str:
    """The UUID of an object with this path of names, such as a table and its column."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(parts)))


def is_generated(text: str) -> bool:
    """Whether a text is the UUID of a generated object."""
    try:
        return uuid.UUID(text).version == 5
    except ValueError:
        return False
