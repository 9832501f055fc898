"""`FoldedBook`: the result of folding a book, with its manifest and its file. Not here: folding (fold)."""

from __future__ import annotations

from dataclasses import dataclass

from star_assets.lake.versions import Identity, Manifest, Partition


@dataclass(frozen=True)
class FoldedBook:
    """An up-to-date book: its identity, its manifest, and the path of its file if that is not in the lake."""

    partition: Partition
    identity: Identity
    manifest: Manifest
    temporary: str | None = None

    @property
    def content(self) -> str:
        """A digest of the book's rows. A table that is built on the book is up to date as long as it is the same."""
        return str(self.manifest.facts["content"])
