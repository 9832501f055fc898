"""Small JSON values kept in the lake as books: each is in the manifest of a version without files.

Not here: books that are tables (fold).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from star_assets.lake.versions import Identity, Manifest, Partition, new_version_id, now, read_manifest
from star_assets.pipeline.context import Context
from star_assets.pipeline.fold import keep_book, kept_book
from star_assets.pipeline.folded_book import FoldedBook

DOCUMENT = "document"


def document(context: Context, partition: Partition, made_of: str, make: Callable[[], Any], keep: bool) -> Any:
    """The document with the identity `made_of`, from the lake, or else from `make`.

    With `keep`, a document that had to be made is written into the lake.
    """
    identity = Identity(made_of)
    known = context.folded.get(partition)
    if known is None or known.identity != identity:
        kept = context.look(partition.database, partition.table)
        known = kept_book(context, partition, identity, kept)
    if known is None or (keep and known.temporary):
        value = known.manifest.facts[DOCUMENT] if known else make()
        known = _made(context, partition, identity, value, keep)
    context.folded[partition] = known
    return known.manifest.facts[DOCUMENT]


def last(context: Context, partition: Partition) -> Any:
    """The document that was kept last, whatever its identity; None if there is none."""
    if partition in context.folded:
        return context.folded[partition].manifest.facts[DOCUMENT]
    live = context.look(partition.database, partition.table).day(partition.day).live
    try:
        return read_manifest(context.storage, partition, live.version).facts[DOCUMENT] if live else None
    except FileNotFoundError:
        return None


def _made(context: Context, partition: Partition, identity: Identity, value: Any, keep: bool) -> FoldedBook:
    ledger = context.look(partition.database, partition.table).ledger(partition.day)
    manifest = Manifest(new_version_id(ledger.floor), identity, now(), (), (), {}, facts={DOCUMENT: value})
    if keep and keep_book(context, partition, ledger.day(partition.key).live, manifest, []):
        return FoldedBook(partition, identity, manifest)
    return FoldedBook(partition, identity, manifest, "not in the lake")
