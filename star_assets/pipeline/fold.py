"""Folding books, which summarize all live exports of a source, so that a new export costs no more than reading it.

A book is a pure function of {export day → staged version}. A new export is folded
onto the last version of the book; if an export was replaced or withdrawn, folding
starts again from the newest earlier version that has only live exports, or from
nothing. A stream has three such books. The first holds the months before the newest one;
onto it is folded a book of the newest month's closed hours; and onto that the book of the
last hours, which still grow. So a batch of events folds and names only the last hours.
Books are versions like any other, in folders that no reader sees. Not here: the key
index (key_index), digests of histories (histories).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from star_assets.lake import day_pointers
from star_assets.lake.ledger import Day, Entry, Snapshot
from star_assets.lake.publish import Commit, commit, write_version
from star_assets.lake.versions import (
    Identity,
    Manifest,
    Partition,
    ledgers_folder,
    new_version_id,
    now,
    read_manifest,
)
from star_assets.model.days import ExportDay
from star_assets.model.errors import LakeRefused
from star_assets.model.source import Source, SourceColumn
from star_assets.pipeline.context import FIRST_FILE, Context
from star_assets.pipeline.folded_book import FoldedBook
from star_assets.pipeline.identity import digest

if TYPE_CHECKING:
    from star_assets.engines.engine import StagedInput

# Earlier versions of a book that are looked at as checkpoints before starting from nothing.
CHECKPOINTS = 5

# What the names of the folders end with where the books are that a stream's last hours are folded onto.
CLOSED, BEFORE = "_closed", "_before"

# The last hours of a stream, which still grow: the present one, and the one before until its last objects are written.
OPEN_HOURS = 2

# What a book reads of the versions that it folds: their files, in the form its engine call takes.
Read = TypeVar("Read")

# engine call: (base file or None, what to add, file to write). It may return what
# makes the content the same for whoever builds on it, where that is less than the file.
Fold = Callable[["str | None", Read, Path], "str | None"]


@dataclass(frozen=True)
class Book(Generic[Read]):
    """What a book is made of.

    Args:
        partition: where it is kept.
        code: a digest of the code that folds it.
        exports: the version of each export day, but for those that `base` holds.
        as_of: the sequence of the snapshot that says so: a book of an earlier one
            never replaces one of a later.
        read: the files of some of these versions.
        base: the book that all of this is folded onto, if not onto nothing.
    """

    partition: Partition
    code: str
    exports: Mapping[str, str]
    as_of: int
    read: Callable[[Mapping[str, str]], Read]
    base: Book[Read] | None = None

    @cached_property
    def identity(self) -> Identity:
        """The same for the same exports, whoever looked."""
        return Identity(digest(code=self.code, exports=dict(self.exports), **self.onto))

    @property
    def onto(self) -> Mapping[str, str]:
        """The identity of the base, as a book's manifest names it."""
        return {"base": self.base.identity.made_of} if self.base else {}


def source_state(context: Context, source: Source, staged: Snapshot, keep: bool) -> FoldedBook:
    """The winning row of each key over all live exports, tombstones among them."""
    book = _book(context, source, "_state", context.code_identity(source.name), staged)

    def fold(base: str | None, exports: Sequence[StagedInput], file: Path) -> str:
        return context.books.states.fold(source, base, exports, file)

    return folded(context, book, fold, keep)


def source_versions(context: Context, source: Source, staged: Snapshot, keep: bool) -> FoldedBook:
    """Every row that differs from the one before it of the same key, over all live exports.

    A late export may say something between two rows that are known as one, so it
    is folded from a version that holds none but earlier exports.
    """
    book = _book(context, source, "_versions", context.code_identity(source.name), staged)

    def fold(base: str | None, exports: Sequence[StagedInput], file: Path) -> None:
        context.books.states.fold_versions(source, base, exports, file)

    return folded(context, book, fold, keep, in_order=True)


def used_keys(context: Context, column: SourceColumn, key: str, staged: Snapshot, keep: bool) -> FoldedBook:
    """The distinct values of a source's column over all live exports, as a column named `key`."""
    code = digest(source=context.code_identity(column.source.name), key=key)
    book = _book(context, column.source, f"_used_{column.column}", code, staged)

    def fold(base: str | None, exports: Sequence[StagedInput], file: Path) -> None:
        context.books.states.fold_keys(column, key, base, exports, file)

    return folded(context, book, fold, keep)


def used_days(context: Context, column: SourceColumn, key: str, staged: Snapshot, keep: bool) -> FoldedBook:
    """The distinct business dates of a source's timestamps over all live exports, as a column named `key`."""
    code = digest(source=context.code_identity(column.source.name), key=key, timezone=context.settings.timezone)
    book = _book(context, column.source, f"_days_{column.column}", code, staged)

    def fold(base: str | None, exports: Sequence[StagedInput], file: Path) -> None:
        context.books.states.fold_days(column, key, base, exports, file)

    return folded(context, book, fold, keep)


def _book(context: Context, source: Source, folder: str, code: str, staged: Snapshot) -> Book[Sequence[StagedInput]]:
    partition, read = Partition("staging", f"{source.name}/{folder}"), partial(context.staged_inputs, source)
    if not source.is_stream:
        exports = {day: entry.version for day, entry in staged.live.items()}
        return Book(partition, code, exports, staged.sequence, read)
    *months, newest = [month for month, ledger in sorted(staged.ledgers.items()) if ledger.versions] or [""]
    hours = staged.ledgers[newest].versions if newest else {}
    growing = list(hours)[-OPEN_HOURS:]

    def read_months(wanted: Mapping[str, str]) -> Sequence[StagedInput]:
        hours = (hour for month in wanted for hour in staged.ledgers[month].versions.items())
        return read({ExportDay(hour): version for hour, version in hours})

    def beside(name: str) -> Partition:
        return replace(partition, table=f"{partition.table}{name}")

    book = None
    if months:
        digests = {month: staged.ledgers[month].digest for month in months}
        book = Book(beside(BEFORE), code, digests, staged.sequence, read_months)
    if closed := {hour: version for hour, version in hours.items() if hour not in growing}:
        book = Book(beside(CLOSED), code, closed, staged.sequence, read, book)
    return Book(partition, code, {hour: hours[hour] for hour in growing}, staged.sequence, read, book)


def folded(
    context: Context,
    book: Book[Read],
    fold: Fold[Read],
    keep: bool,
    in_order: bool = False,
    kept: Snapshot | None = None,
) -> FoldedBook:
    """The book of these exports: found, or folded; `keep` says whether it is then kept in the lake.

    With `in_order`, what is added to a version is later than all that it holds.
    `kept` is what the book's ledgers say, where the caller knows.
    """
    known = context.folded.get(book.partition)
    if known and known.identity == book.identity and not (keep and known.temporary):
        return known
    kept = kept or context.look(book.partition.database, book.partition.table)
    found = kept_book(context, book.partition, book.identity, kept)
    found = found or _fold(context, book, kept, fold, keep, in_order)
    context.folded[book.partition] = found
    return found


def kept_book(context: Context, partition: Partition, identity: Identity, kept: Snapshot) -> FoldedBook | None:
    """The live version of a book, if it has this identity; None where it has another one, or its manifest is gone."""
    live = kept.day(partition.day).live
    if live is None or live.identity != identity:
        return None
    try:
        return FoldedBook(partition, identity, read_manifest(context.storage, partition, live.version))
    except FileNotFoundError:
        return None


def keep_book(
    context: Context, partition: Partition, live: Entry | None, manifest: Manifest, files: Sequence[Path]
) -> bool:
    """Write a book into the lake. Whether it could be; if somebody else was faster, theirs is the live one."""
    try:
        write_version(context.storage, partition, manifest, files)
        commit(context.storage, [Commit(partition, manifest, live)])
    except LakeRefused:
        return False
    return True


def _fold(
    context: Context, book: Book[Read], kept: Snapshot, fold: Fold[Read], keep: bool, in_order: bool
) -> FoldedBook:
    from star_assets.pipeline.describe import describe

    earlier = list(_earlier(context, book, kept.day(book.partition.day)))
    base, covered = _base(context, book, earlier, fold, keep, in_order)
    added = {export: version for export, version in book.exports.items() if export not in covered}
    if base and not added:
        # A lake of the first form, whose books have another identity: what they hold is the same.
        return FoldedBook(book.partition, book.identity, base.manifest)
    # A book of later exports stays: whoever folded it has seen more.
    keep = keep and not any(known.inputs.get("as_of", 0) > book.as_of for known, _ in earlier[:1])
    folder = _scratch(context, keep)
    try:
        file = folder / FIRST_FILE
        visible = fold(context.book_file(base) if base else None, book.read(added), file)
        files, schema, statistics = describe([file])
        inputs = {"code": book.code, "exports": dict(book.exports), "as_of": book.as_of, **book.onto}
        facts = {"folded": len(added), "content": visible or files[0].sha256}
        version = new_version_id(kept.ledger(book.partition.day).floor)
        manifest = Manifest(version, book.identity, now(), files, schema, inputs, statistics, facts)
        if keep and keep_book(context, book.partition, kept.day(book.partition.day).live, manifest, [file]):
            return FoldedBook(book.partition, book.identity, manifest)
        aside = shutil.move(file, Path(context.temporary.name) / f"{version}.parquet")
        return FoldedBook(book.partition, book.identity, manifest, str(aside))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _scratch(context: Context, keep: bool) -> Path:
    """A folder to fold in: of the lake, where the book is to be kept there and that can be written."""
    if keep:
        with suppress(LakeRefused):
            return context.storage.scratch()
    return Path(tempfile.mkdtemp(dir=context.temporary.name))


def _earlier(context: Context, book: Book[Read], day: Day) -> Iterator[tuple[Manifest, Mapping[str, str]]]:
    """The book's versions that may be checkpoints, newest first, each with the exports that it holds."""
    for entry in [entry for entry in (day.live, *day.past) if entry][:CHECKPOINTS]:
        try:
            manifest = read_manifest(context.storage, book.partition, entry.version)
        except FileNotFoundError:
            continue
        yield manifest, _exports(context, book, manifest)


def _exports(context: Context, book: Book[Read], manifest: Manifest) -> Mapping[str, str]:
    """The staged version of each export day that a version of the book holds."""
    exports: Mapping[str, str] = manifest.inputs["exports"]
    if "as_of" in manifest.inputs:
        return exports
    # Lakes of the first form name the ETags of day pointers.
    source, held = book.partition.table.partition("/")[0], {}
    folder, live = ledgers_folder("staging", source), context.look("staging", source).live
    listed = {stored.path: stored.etag for stored in context.storage.walk(folder)}
    for day, etag in exports.items():
        present = listed.get(f"{folder}/date={day}.json")
        same = day in live and day_pointers.was_live(live[day].at, etag, present)
        held[day] = live[day].version if same else ""
    return held


def _base(
    context: Context,
    book: Book[Read],
    earlier: Sequence[tuple[Manifest, Mapping[str, str]]],
    fold: Fold[Read],
    keep: bool,
    in_order: bool,
) -> tuple[FoldedBook | None, Mapping[str, str]]:
    """What the rest is folded onto, and the exports that it holds.

    It is the newest version that was folded by this code, onto the same base, from exports
    that are all still live; where there is none, the base.
    """
    for manifest, exports in earlier:
        follows = not in_order or max(exports, default="") < min(book.exports.keys() - exports.keys(), default="9")
        alike = manifest.inputs["code"] == book.code and manifest.inputs.get("base") == book.onto.get("base")
        if alike and exports.items() <= book.exports.items() and follows:
            return FoldedBook(book.partition, manifest.identity, manifest), exports
    return (folded(context, book.base, fold, keep, in_order) if book.base else None), {}


def years(folded: Sequence[FoldedBook], column: str) -> tuple[int, int] | None:
    """The first and last year that a column of dates has in these books; None where it has no value."""
    found = [book.manifest.statistics.get(column, {}) for book in folded]
    known = [(str(bounds["min"]), str(bounds["max"])) for bounds in found if "min" in bounds]
    if not known:
        return None
    return int(min(low for low, _ in known)[:4]), int(max(high for _, high in known)[:4])
