"""A book that is up to date, as a value: its manifest, its file, a digest of its content. Not here: folding (fold)."""

from __future__ import annotations

from dataclasses import dataclass

from star_assets.lake.versions import Identity, Manifest, Partition


@dataclass(frozen=True)
class Folded:
    """A book that is up to date: its identity, its manifest, and its file where it is not in the lake.

    `content` is the same for the same rows: what is built on the book need not be
    built again where its exports differ and its content does not.
    """

    partition: Partition
    identity: Identity
    manifest: Manifest
    temporary: str | None = None

    @property
    def content(self) -> str:
        """What whoever builds on it sees."""
        return str(self.manifest.facts["content"])
