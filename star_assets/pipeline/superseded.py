"""Members that a dimension would lose while live facts still use them.

A new version may drop a member: an inferred one that no export uses any more, or
an interval that a late export has changed. Facts are built again after that, one
date after the other; until then an inner join must find the old member too. So it
stays, marked as superseded, and the version is out of date once no live fact uses
it. Not here: building the rest of the version (dimensions).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from star_assets.lake.publish import live_manifest
from star_assets.lake.versions import Partition, Pointer
from star_assets.model.errors import VersionLost
from star_assets.model.tables import Dimension
from star_assets.pipeline.context import Context
from star_assets.pipeline.identity import digest

# Between what a version is made of and the superseded members that it holds beside.
AND_SUPERSEDED = "+"


def identity_with(identity: str, keys: Sequence[str]) -> str:
    """The identity of a version that holds superseded members: never that of one without."""
    return f"{identity}{AND_SUPERSEDED}{digest(keys=sorted(keys))}" if keys else identity


def keep_used(context: Context, dimension: Dimension, file: Path, kept: Path) -> list[str]:
    """Add what the live version has, the new file lacks, and live facts use. Returns the keys, as text.

    Where there are some, the file with them is `kept`.
    """
    before = _live_file(context, dimension)
    if before is None or not context.engine.drops_members(dimension, before, str(file)):
        return []
    return context.engine.keep_members(dimension, str(file), before, _uses(context, dimension), kept)


def present_identity(context: Context, dimension: Dimension, pointer: Pointer, identity: str) -> str:
    """The identity that the live version should have: with those superseded members that are still used."""
    live = pointer.live.identity if pointer.live else ""
    if live == identity or live.partition(AND_SUPERSEDED)[0] != identity:
        return identity
    file = _live_file(context, dimension)
    used = context.engine.superseded_in_use(dimension, file, _uses(context, dimension)) if file else []
    return identity_with(identity, used)


def _live_file(context: Context, dimension: Dimension) -> str | None:
    """The live version's file; None where there is none, or where somebody removed it."""
    partition = Partition("olap", dimension.name)
    with suppress(VersionLost):
        if manifest := live_manifest(context.storage, partition):
            folder = partition.version_folder(manifest.version)
            (file,) = context.storage.local([f"{folder}/{manifest.files[0].name}"])
            return file
    return None


def _uses(context: Context, dimension: Dimension) -> dict[str, list[str]]:
    """For each column that refers to the dimension, the live facts' files."""
    found: dict[str, list[str]] = {}
    for fact in context.star.facts.values():
        roles = [column for column, target in fact.references.items() if target is dimension]
        if roles:
            files = [file for several in context.served_files(fact).values() for file in several]
            for column in roles:
                found.setdefault(column, []).extend(files)
    return found
