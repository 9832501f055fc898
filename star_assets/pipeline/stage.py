"""Staging a source: each export day becomes a published version of typed, valid rows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from star_assets.athena.derive import table_entry
from star_assets.engines.engine import ExportInput, RawInput, StagedDay
from star_assets.lake.versions import Partition, Pointer, read_manifest, read_pointer
from star_assets.model.errors import (
    BrokenFile,
    ColumnMissing,
    HalfExport,
    RawRetired,
    StarError,
    TooManyRejects,
    UnknownColumns,
)
from star_assets.model.source import Source
from star_assets.pipeline.context import Context, RawDay
from star_assets.pipeline.evolution import NewColumns
from star_assets.pipeline.identity import digest
from star_assets.pipeline.outcome import CheckResult, Outcome
from star_assets.pipeline.publishing import Built, Plan, Written
from star_assets.staging.exports import Export, read_export, require_whole
from star_assets.staging.files import inspect_file
from star_assets.staging.layout import layout_of, unreadable

# Where a version keeps the rows that are not valid; the `_` hides it from readers.
REJECTS_FILE = "_rejects.parquet"

# The rule of the audit that a version with too many rejects breaks.
WITHIN_BOUNDS = "rejects within bounds"

# The fact of a manifest that says how Athena would read the raw files.
LAYOUT = "raw_layout"

# Days whose exports are inspected and staged together: enough for one pass over
# a quarter, few enough that progress shows and a killed run loses little.
DAYS_AT_ONCE = 120


class StageStep:
    """The Step of one source."""

    def __init__(self, context: Context, source: Source, now: float | None = None) -> None:
        self.context = context
        self.source = source
        self.now = now  # Unix seconds, to tell whether an export has settled; by default the clock's
        self.entry = table_entry(context.star, source, context.storage)
        self.code = context.code_identity(source.name)
        self.engine = context.engine
        self._new_columns = NewColumns(context, source)
        # The days whose files were inspected, for the catalog's table over them.
        self.raw: dict[str, RawDay] = {}

    def plan(self, days: Sequence[str]) -> Iterator[Plan | Outcome]:
        """Read each pointer, then its export; hash only files whose size or time changed."""
        with ThreadPoolExecutor(max(self.context.settings.threads, self.context.storage.at_once)) as pool:
            yield from pool.map(self._plan, days)

    def input_bytes(self, plans: Sequence[Plan]) -> int:
        """Of the raw files, as they lie there."""
        return sum(file["size"] for plan in plans for file in plan.inputs["files"])

    def batches(self, plans: Sequence[Plan]) -> Iterator[Sequence[Plan]]:
        """Some days at a time; the engine bounds the bytes of a pass itself."""
        for first in range(0, len(plans), DAYS_AT_ONCE):
            yield plans[first : first + DAYS_AT_ONCE]

    def build(self, plans: Sequence[Plan], folder: Path) -> Iterator[Built]:
        """Stage all days of the batch in one go."""
        by_day = {plan.day: plan for plan in plans}
        exports = [ExportInput(plan.day, self._local(plan.day, plan.work)) for plan in plans]
        for staged in self.engine.stage(self.source, exports, folder):
            yield self._audited(by_day[staged.day], staged)

    def judge(self, plans: Sequence[Plan], written: Mapping[str, Written]) -> Iterator[Built]:
        """What was staged elsewhere has as many rows as were counted, and few enough rejects."""
        for plan in plans:
            manifest, file = written[plan.day].manifest, written[plan.day].file
            records, rejected = manifest.facts["rows_in"], manifest.facts["rejected"]
            wrong = [] if records == pq.read_metadata(file).num_rows + rejected else [f"{file.name} has other rows"]
            checks, refusal = self._rules(plan, records, rejected, wrong, manifest.facts["first_rejects"])
            yield Built(plan, (file,), {}, checks, refusal, manifest=manifest)

    def before_commit(self, built: Built) -> None:
        """A staged day relies on nothing but its export."""

    def _plan(self, day: str) -> Plan | Outcome:
        storage, partition = self.context.storage, Partition("staging", self.source.name, day)
        try:
            pointer, etag = read_pointer(storage, partition)
            export = read_export(storage, self.source, day)
            require_whole(export, self.source, self.now or time.time())
            staged: Mapping[str, Any] = {}
            if pointer.live:
                # Without its manifest the version is lost, and the export is staged again.
                with suppress(FileNotFoundError):
                    staged = read_manifest(storage, partition, pointer.live.version).inputs
            known: list[dict[str, Any]] = list(staged.get("files", ()))
            if export.retired:
                return self._retired(day, partition, pointer, etag, staged)
            if known and pointer.live and same_files(export, known):
                identity = self.identity(known)
                if identity == pointer.live.identity:
                    return Plan(day, partition, pointer, etag, identity, {"files": known})
            files = self.inspect(export)
        except StarError as error:
            return Outcome(self.source.name, day, partition, "failed", error=error)
        inputs = [{**vars(raw), "sha256": file.profile.sha256} for raw, file in zip(export.files, files, strict=True)]
        identity = self.identity(inputs)
        return Plan(day, partition, pointer, etag, identity, {"files": inputs}, files)

    def inspect(self, export: Export) -> tuple[RawInput, ...]:
        """Look into every file of an export. Raises BrokenFile, ColumnMissing, UnknownColumns."""
        paths, digest_of_files = [file.path for file in export.files], export_digest(self.source, export)
        found = []
        try:
            for name, local in zip(paths, self.context.storage.local(paths), strict=True):
                path = Path(local)
                found.append(RawInput(path, name, inspect_file(path, name, self.source)))
            files = [(file.path, file.name, file.profile) for file in found]
            layout = layout_of(self.source, files, export.markers)
        except (BrokenFile, ColumnMissing, UnknownColumns) as error:
            self.raw[export.day] = RawDay(digest_of_files, unreadable(error))
            raise
        self.raw[export.day] = RawDay(digest_of_files, layout)
        return tuple(found)

    def identity(self, files: Sequence[Mapping[str, Any]]) -> str:
        """What makes two staged versions the same: their files' names and content, and the code."""
        return digest(code=self.code, files=[(file["path"], file["sha256"]) for file in files])

    def _retired(
        self, day: str, partition: Partition, pointer: Pointer, etag: str | None, staged: Mapping[str, Any]
    ) -> Plan:
        """A day whose raw files are gone stays as it was staged."""
        if pointer.live is None or not staged:
            raise RawRetired(self.source.name, day)
        note = ""
        if self.identity(staged["files"]) != staged.get("identity", pointer.live.identity):
            note = (
                f"{self.source.name} {day}: it is as an earlier declaration staged it, and cannot be staged again, "
                "because its raw files were retired. Put them back to do so."
            )
        return Plan(day, partition, pointer, etag, pointer.live.identity, staged, note=note)

    def _local(self, day: str, files: Sequence[RawInput]) -> tuple[RawInput, ...]:
        """The files, readable once more: a local copy may have gone since they were inspected. Raises HalfExport."""
        paths = self.context.storage.local([file.name for file in files])
        for file, path in zip(files, paths, strict=True):
            if Path(path) != file.path:
                raise HalfExport(self.source.name, day, "files that stay as they are", f"{file.name} changed")
        return tuple(files)

    def _audited(self, plan: Plan, staged: StagedDay) -> Built:
        records = sum(count.records for count in staged.counts)
        rejected = sum(count.rejected for count in staged.counts)
        wrong = [c for c in staged.counts if c.records != c.staged + c.rejected]
        unaccounted = [f"{c.name}: {c.records} ≠ {c.staged} + {c.rejected}" for c in wrong]
        checks, refusal = self._rules(plan, records, rejected, unaccounted, staged.first_rejects)
        facts = {
            "rows_in": records,
            "rejected": rejected,
            "repeated_keys": staged.repeated_keys,
            "files": len(staged.counts),
            "unlisted_columns": list(staged.extra),
            "new_columns": self._new_columns.of(plan.day, staged.extra, records - rejected),
            "first_rejects": list(staged.first_rejects),
            LAYOUT: self.raw[plan.day].layout.to_json(),
        }
        beside = {REJECTS_FILE: staged.rejects} if staged.rejects else {}
        return Built(plan, (staged.file,), facts, checks, refusal, beside)

    def _rules(
        self, plan: Plan, records: int, rejected: int, unaccounted: Sequence[str], first_rejects: Sequence[str]
    ) -> tuple[tuple[CheckResult, ...], StarError | None]:
        """The audit of a day's account, and why it is refused, if it is."""
        allowed = self.source.max_rejects
        refusal = None
        if rejected > allowed * records:
            kept = self.context.storage.uri(f"{plan.folder}/{REJECTS_FILE}")
            refusal = TooManyRejects(self.source.name, plan.day, rejected, records, allowed, kept, first_rejects)
        checks = (
            CheckResult(
                "rows accounted for",
                not unaccounted,
                f"{records} rows in, {records - rejected} staged and {rejected} rejected"
                + "".join(f"; {problem}" for problem in unaccounted),
            ),
            CheckResult(
                WITHIN_BOUNDS,
                refusal is None,
                f"{rejected} of {records} rows rejected, allowed are {allowed:.2%}",
            ),
        )
        return checks, refusal


def same_files(export: Export, known: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an export's files are, by name and ETag, those that were staged."""
    present = [(file.path, file.etag) for file in export.files]
    return present == [(file["path"], file.get("etag")) for file in known]


def export_digest(source: Source, export: Export) -> str:
    """What tells an export from another one of its day, and from itself under another dialect."""
    return digest(files=[(file.path, file.etag) for file in export.files], csv=vars(source.csv))
