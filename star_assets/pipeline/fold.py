"""Folded states: what all live exports of a source say together.

A state is a pure function of {export → staged version}; a listing of the pointers
and their ETags says whether it is the present one. A new export folds into
the last state; where an export was replaced or withdrawn, folding starts again
from the newest earlier state that holds none but live exports, or from nothing.
States are versions like any other, in folders that no reader sees.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from star_assets.engines.engine import StagedInput
from star_assets.lake.publish import commit, write_version
from star_assets.lake.versions import (
    Manifest,
    Partition,
    Pointer,
    new_version_id,
    now,
    read_manifest,
    read_pointer,
)
from star_assets.model.errors import LostRace, PointerContended
from star_assets.model.source import Source, SourceColumn
from star_assets.pipeline.context import Context
from star_assets.pipeline.describe import describe
from star_assets.pipeline.identity import digest
from star_assets.pipeline.publishing import ROUNDS

# Earlier states that are looked at as checkpoints before starting from nothing.
CHECKPOINTS = 5

# engine call: (base file or None, exports to add, file to write). It may return what
# makes the content the same for whoever builds on it, where that is less than the file.
Fold = Callable[["str | None", Sequence[StagedInput], Path], "str | None"]


@dataclass(frozen=True)
class Folded:
    """A state: its file, and the version that holds it."""

    file: str
    partition: Partition
    version: str

    @property
    def path(self) -> str:
        """Where its file lies in the lake."""
        return f"{self.partition.version_folder(self.version)}/part-00000.parquet"


def source_state(context: Context, source: Source) -> Folded:
    """The winning row of each key over all live exports, tombstones among them."""
    partition = Partition("staging", f"{source.name}/_state")
    code = context.code_identity(source.name)

    def fold(base: str | None, exports: Sequence[StagedInput], file: Path) -> str:
        return context.engine.fold(source, base, exports, file)

    return fold_into(context, partition, code, source, context.staged_exports(source), fold)


def source_versions(context: Context, source: Source) -> Folded:
    """Every row that says something else of its key than the one before it, over all live exports.

    A late export may say something between two rows that are known as one, so it
    is folded from a state that holds none but earlier exports.
    """
    partition = Partition("staging", f"{source.name}/_versions")
    code = context.code_identity(source.name)

    def fold(base: str | None, exports: Sequence[StagedInput], file: Path) -> None:
        context.engine.fold_versions(source, base, exports, file)

    return fold_into(context, partition, code, source, context.staged_exports(source), fold, in_order=True)


def used_keys(context: Context, column: SourceColumn, key: str) -> Folded:
    """The distinct values of a source's column over all live exports, as a column named `key`."""
    partition = Partition("staging", f"{column.source.name}/_used_{column.column}")
    code = digest(source=context.code_identity(column.source.name), key=key)

    def fold(base: str | None, exports: Sequence[StagedInput], file: Path) -> None:
        context.engine.fold_keys(column.column, key, base, exports, file)

    return fold_into(context, partition, code, column.source, context.staged_exports(column.source), fold)


def fold_into(
    context: Context,
    partition: Partition,
    code: str,
    source: Source,
    staged: Mapping[str, str],
    fold: Fold,
    in_order: bool = False,
) -> Folded:
    """The state of `staged` exports (day → ETag) in `partition`: found there, or folded and committed.

    With `in_order`, what is added to a state is later than all that it holds.
    """
    storage = context.storage
    for _ in range(ROUNDS):
        pointer, etag = read_pointer(storage, partition)
        if pointer.live and pointer.live.identity != digest(code=code, exports=staged):
            # What is listed after the pointer was read cannot be older than the state that it names.
            staged = _exports_in(context, source, partition.day)
        if pointer.live and pointer.live.identity == digest(code=code, exports=staged):
            return _folded(context, partition, pointer.live.version)
        base = _checkpoint(context, partition, code, staged, pointer, in_order)
        covered: Mapping[str, str] = base.inputs["exports"] if base else {}
        added = context.live_versions(source, (day for day in staged if day not in covered))
        # An export may have been staged again since the listing; what was read counts.
        staged = {**covered, **{day: read for day, (_, read) in added.items()}}
        folder = storage.scratch()
        try:
            file = folder / "state.parquet"
            entries = {day: entry for day, (entry, _) in added.items()}
            visible = fold(
                _file(context, partition, base.version) if base else None,
                context.staged_inputs(source, entries),
                file,
            )
            files, schema, statistics = describe([file])
            identity, inputs = digest(code=code, exports=staged), {"code": code, "exports": staged}
            facts = {"folded": len(added), "content": visible or files[0].sha256}
            manifest = Manifest(new_version_id(), identity, now(), files, schema, inputs, statistics, facts)
            write_version(storage, partition, manifest, [file])
            commit(storage, partition, manifest, pointer, etag)
            return _folded(context, partition, manifest.version)
        except LostRace:
            continue
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    raise PointerContended(partition.table, partition.name, ROUNDS)


def _exports_in(context: Context, source: Source, month: str | None) -> dict[str, str]:
    """The staged exports of a month (None: all of them)."""
    return {day: etag for day, etag in context.staged_exports(source).items() if day.startswith(month or "")}


def _checkpoint(
    context: Context, partition: Partition, code: str, staged: Mapping[str, str], pointer: Pointer, in_order: bool
) -> Manifest | None:
    """The newest state that was folded by this code from exports that are all still live."""
    entries = ((pointer.live,) if pointer.live else ()) + pointer.history
    for entry in entries[:CHECKPOINTS]:
        try:
            manifest = read_manifest(context.storage, partition, entry.version)
        except FileNotFoundError:
            continue
        exports: Mapping[str, str] = manifest.inputs["exports"]
        follows = not in_order or max(exports, default="") < min(staged.keys() - exports.keys(), default="9")
        if manifest.inputs["code"] == code and exports.items() <= staged.items() and follows:
            return manifest
    return None


def content(context: Context, folded: Folded) -> str:
    """What makes a state the same for whoever builds on it.

    Not its own identity, which holds ETags: those change where a pointer is
    rewritten though the same version stays live, as vacuum does.
    """
    return str(read_manifest(context.storage, folded.partition, folded.version).facts["content"])


def years(context: Context, states: Sequence[Folded], column: str) -> tuple[int, int] | None:
    """The first and last year that a column of dates has in these states; None where it has no value."""
    manifests = [read_manifest(context.storage, state.partition, state.version) for state in states]
    found = [manifest.statistics.get(column, {}) for manifest in manifests]
    known = [(str(bounds["min"]), str(bounds["max"])) for bounds in found if "min" in bounds]
    if not known:
        return None
    return int(min(low for low, _ in known)[:4]), int(max(high for _, high in known)[:4])


def _folded(context: Context, partition: Partition, version: str) -> Folded:
    return Folded(_file(context, partition, version), partition, version)


def _file(context: Context, partition: Partition, version: str) -> str:
    (file,) = context.storage.local([f"{partition.version_folder(version)}/part-00000.parquet"])
    return file
