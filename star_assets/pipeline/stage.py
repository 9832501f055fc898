"""Staging a source: each export becomes a published version of typed, valid rows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from star_assets.engines.engine import Engine, ExportInput, RawInput, StagedDay
from star_assets.exports.finding import Export, raw_folder, read_exports, require_whole
from star_assets.exports.formats.opening import inspect_file
from star_assets.exports.layout import layout_of, unreadable
from star_assets.lake.entries import table_entry
from star_assets.lake.ledger import Entry, Snapshot
from star_assets.lake.publish import Commit, commit
from star_assets.lake.versions import Identity, Manifest, Partition, new_version_id, read_manifest
from star_assets.model.days import ExportDay, day_of
from star_assets.model.errors import (
    BrokenFile,
    ColumnMissing,
    HalfExport,
    MissingExport,
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
from star_assets.pipeline.publishing import Audited, Built, Plan, Written

# The file of a version with the rejected rows; the `_` hides it from readers.
REJECTS_FILE = "_rejects.parquet"

# The rule of the audit that a version with too many rejects breaks.
WITHIN_BOUNDS = "rejects within bounds"

# The fact of a manifest that says how Athena would read the raw files.
LAYOUT = "raw_layout"

# The fact of a manifest that lists the files whose counted rows are not staged rows plus rejects.
UNACCOUNTED = "unaccounted"

# More days than this are listed together, fewer one by one.
LISTED_TOGETHER = 16

# Days whose exports are inspected and staged together: enough for one pass over
# a quarter, few enough that progress shows and a killed run loses little.
DAYS_AT_ONCE = 120


@dataclass(frozen=True)
class StageLook:
    """A snapshot of a source: its ledgers, and its exports in the raw zone."""

    staged: Snapshot
    exports: Mapping[ExportDay, Export]


# A plan carries the raw files with their profiles.
Files = tuple[RawInput, ...]


class StageStep:
    """The Step of one source."""

    def __init__(self, context: Context, source: Source, now: float | None = None) -> None:
        self.context = context
        self.source = source
        self.now = now  # Unix seconds, to tell whether an export has settled; by default the clock's
        self.entry = table_entry(context.star, source, context.storage)
        self.code = context.code_identity(source.name)
        self.engine_name: str | None = None
        self._new_columns = NewColumns(context, source)
        # The days whose files were inspected, for the catalog's table over them.
        self.raw: dict[str, RawDay] = {}

    def look(self, days: Sequence[str], keep: bool) -> StageLook:
        """Read the ledgers, then list the exports of the days. A source has no books."""
        storage, staged = self.context.storage, self.context.look("staging", self.source.name)
        calendar = dict.fromkeys(map(day_of, days))
        if len(calendar) > LISTED_TOGETHER:
            return StageLook(staged, self.context.list_exports(self.source).exports)
        exports = dict[ExportDay, Export]()
        for day in calendar:
            exports |= read_exports(storage, self.source, day).exports
        return StageLook(staged, exports)

    def plan(self, look: StageLook, days: Sequence[str]) -> Iterator[Plan[Files] | Outcome]:
        """Compare each export with its staged version. Only files whose ETag changed are inspected."""
        with ThreadPoolExecutor(max(self.context.settings.threads, self.context.storage.at_once)) as pool:
            yield from pool.map(partial(self._plan, look), map(ExportDay, days))

    def input_bytes(self, look: StageLook, plans: Sequence[Plan[Files]]) -> int:
        """Bytes of the raw files, compressed as they are."""
        return sum(file["size"] for plan in plans for file in plan.inputs["files"])

    def batches(self, look: StageLook, plans: Sequence[Plan[Files]]) -> Iterator[Sequence[Plan[Files]]]:
        """DAYS_AT_ONCE days at a time; the engine limits the bytes of one pass."""
        for first in range(0, len(plans), DAYS_AT_ONCE):
            yield plans[first : first + DAYS_AT_ONCE]

    def build(self, look: StageLook, plans: Sequence[Plan[Files]], folder: Path) -> Iterator[Sequence[Built[Files]]]:
        """Stage all days of the batch in one go."""
        by_day = {plan.day: plan for plan in plans}
        exports = [ExportInput(ExportDay(plan.day), self._local(plan.day, plan.work)) for plan in plans]
        for staged in self.engine.stage(self.source, exports, folder):
            yield [self._built(by_day[staged.day], staged)]

    def audit(self, look: StageLook, built: Sequence[Built[Files]]) -> Iterator[Audited[Files]]:
        """Check that counted rows = staged rows + rejects, and that the rejects are within the source's bound."""
        for one in built:
            if one.refusal:
                yield Audited(one, refusal=one.refusal)
                continue
            facts = one.manifest.facts if one.manifest else one.facts
            wrong = list(facts.get(UNACCOUNTED, ()))
            if one.manifest and facts["rows_in"] != _rows(one.files[0]) + facts["rejected"]:
                wrong.append(f"{one.files[0].name} has other rows")
            checks, refusal = self._rules(one.plan, facts["rows_in"], facts["rejected"], wrong, facts["first_rejects"])
            yield Audited(one, checks, refusal=refusal)

    def commit(self, look: StageLook, written: Sequence[Written[Files]]) -> Mapping[Partition, bool]:
        """Commit by one swap for each month. A staged day depends on no other table, so nothing is fenced."""
        commits = [Commit(one.plan.partition, one.manifest, one.plan.seen, one.plan.export) for one in written]
        return commit(self.context.storage, commits)

    @property
    def engine(self) -> Engine:
        """The engine that was chosen for this step, or else the one of the settings."""
        return self.context.engine_named(self.engine_name) if self.engine_name else self.context.engine

    def digest_of(self, export: Export) -> str:
        """A digest of an export's listed files and of the declaration. It is made without reading a file."""
        return digest(code=self.code, files=export.listed)

    def _plan(self, look: StageLook, day: ExportDay) -> Plan[Files] | Outcome:
        partition, found = Partition("staging", self.source.name, day), look.staged.day(day)
        export = look.exports.get(day) or Export(self.source.name, day, (), frozenset(), False)
        try:
            require_whole(export, self.source, self.now or time.time())
            manifest = self._manifest(partition, found.live)
            if not export.exists:
                self._require_absent(day, manifest)
            if export.retired:
                return self._retired(day, partition, found.live, manifest)
            inputs, files = self._inputs(export, found.live, manifest)
        except StarError as error:
            return Outcome(self.source.name, day, partition, "failed", error=error)
        version = new_version_id(look.staged.ledger(day).floor)
        wanted, listed = self.identity(inputs), self.digest_of(export)
        left = wanted in found.left
        return Plan(day, partition, found.live, wanted, {"files": inputs}, files, version, listed, left)

    def _require_absent(self, day: ExportDay, manifest: Manifest | None) -> None:
        """Raises MissingExport for an expected export, unless the day had one that was withdrawn."""
        withdrawn = manifest is not None and manifest.inputs.get("files")
        if self.source.waits_for(day) and not withdrawn:
            raise MissingExport(self.source.name, day, self.context.storage.uri(raw_folder(self.source.name, day)))

    def _manifest(self, partition: Partition, live: Entry | None) -> Manifest | None:
        """The live version's manifest. Without it the version is lost, and the export is staged again."""
        try:
            return read_manifest(self.context.storage, partition, live.version) if live else None
        except FileNotFoundError:
            return None

    def _inputs(
        self, export: Export, live: Entry | None, manifest: Manifest | None
    ) -> tuple[list[dict[str, Any]], Files]:
        """The export's files for the manifest, with their profiles unless the live version was made from them."""
        known: list[dict[str, Any]] = list(manifest.inputs.get("files", ())) if manifest else []
        if live and known and same_files(export, known) and self.identity(known) == live.identity:
            return known, ()
        files = self.inspect(export)
        found = zip(export.files, files, strict=True)
        return [{**vars(raw), "sha256": file.profile.sha256} for raw, file in found], files

    def inspect(self, export: Export) -> tuple[RawInput, ...]:
        """Inspect every file of an export. Raises BrokenFile, ColumnMissing, UnknownColumns."""
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

    def identity(self, files: Sequence[Mapping[str, Any]]) -> Identity:
        """The identity of a staged version: the names and checksums of its raw files, and the code."""
        return Identity(digest(code=self.code, files=[(file["path"], file["sha256"]) for file in files]))

    def is_of(self, files: Sequence[Mapping[str, Any]], inputs: Mapping[str, Any], live: Identity) -> bool:
        """Whether a version was staged from these files by the present code, though rows may have been erased since."""
        return self.identity(files).made_of == str(inputs.get("identity", live.made_of))

    def _retired(self, day: str, partition: Partition, live: Entry | None, manifest: Manifest | None) -> Plan[Files]:
        """The plan of a retired day: it keeps its live version, whose raw files are deleted. Raises RawRetired."""
        if live is None or manifest is None:
            raise RawRetired(self.source.name, day)
        note = ""
        if not self.is_of(manifest.inputs["files"], manifest.inputs, live.identity):
            note = (
                f"{self.source.name} {day}: it is as an earlier declaration staged it, and cannot be staged again, "
                "because its raw files were retired. Put them back to do so."
            )
        return Plan(day, partition, live, live.identity, manifest.inputs, (), live.version, live.export, note=note)

    def _local(self, day: str, files: Sequence[RawInput]) -> tuple[RawInput, ...]:
        """The files with their local copies fetched again if need be. Raises HalfExport if a file has changed."""
        paths = self.context.storage.local([file.name for file in files])
        for file, path in zip(files, paths, strict=True):
            if Path(path) != file.path:
                raise HalfExport(self.source.name, day, "files that stay as they are", f"{file.name} changed")
        return tuple(files)

    def _built(self, plan: Plan[Files], staged: StagedDay) -> Built[Files]:
        records = sum(count.records for count in staged.counts)
        rejected = sum(count.rejected for count in staged.counts)
        wrong = [c for c in staged.counts if c.records != c.staged + c.rejected]
        facts = {
            "rows_in": records,
            "rejected": rejected,
            "repeated_keys": staged.repeated_keys,
            "identical_rows": staged.identical_rows,
            "files": len(staged.counts),
            "unlisted_columns": list(staged.extra),
            "new_columns": self._new_columns.of(plan.day, staged.extra, records - rejected),
            "first_rejects": list(staged.first_rejects),
            LAYOUT: self.raw[plan.day].layout.to_json(),
        }
        if wrong:
            facts[UNACCOUNTED] = [f"{c.name}: {c.records} ≠ {c.staged} + {c.rejected}" for c in wrong]
        beside = {REJECTS_FILE: staged.rejects} if staged.rejects else {}
        return Built(plan, (staged.file,), facts, beside, description=staged.description)

    def _rules(
        self, plan: Plan[Files], records: int, rejected: int, unaccounted: Sequence[str], first_rejects: Sequence[str]
    ) -> tuple[tuple[CheckResult, ...], StarError | None]:
        """The checks of a day's counts, and the error if the day is refused."""
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


def _rows(file: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(file).num_rows)


def same_files(export: Export, known: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an export has the files, by name and ETag, that a staged version was made from."""
    return export.listed == [(file["path"], file.get("etag")) for file in known]


def export_digest(source: Source, export: Export) -> str:
    """A digest of an export's listed files and of the dialect that they are read in."""
    return digest(files=export.listed, **dialect(source))


def dialect(source: Source) -> dict[str, Any]:
    """The parts of a source's declaration that say how its files are read: CSV dialect and headers."""
    headers = {name: column.headers for name, column in source.declared.items() if column.headers}
    return {"csv": source.csv.parts, **({"headers": headers} if headers else {})}
