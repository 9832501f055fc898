"""Catalog tables over the raw exports: one table for each source, one partition for each export day.

Athena reads raw exports as text, through Hive's SerDes. An export day has no
partition where the SerDe cannot read its files, or where its columns do not fit
the table that the newest exports define; the reason is reported. Here: creating
and updating these tables. Not here: the columns of one export (exports.layout),
which exports fit into one table (shape).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property

from star_assets.exports.finding import RAW, Export, raw_folder, require_whole
from star_assets.exports.formats.format import Layout
from star_assets.exports.layout import unreadable
from star_assets.lake.catalog import PartitionEntry, TableEntry
from star_assets.lake.drift import Drift
from star_assets.lake.storage import each
from star_assets.lake.versions import Partition, read_manifest
from star_assets.model.days import ExportDay, folder_of
from star_assets.model.errors import BrokenFile, ColumnMissing, HalfExport, UnknownColumns
from star_assets.model.source import Source
from star_assets.pipeline.context import Context, RawDay
from star_assets.pipeline.raw.shape import Shape, registered_layout
from star_assets.pipeline.stage import LAYOUT, StageStep, export_digest, same_files

# The parameter with the digest of a partition's files. A partition without it was not made here.
EXPORT = "export"

# The parameter of a table with a digest of the exports for which it was last mended as a whole.
MENDED = "mended_for"

# Days that are looked at, and registered, at a time.
DAYS_AT_ONCE = 100


class RawTable:
    """The catalog table over a source's raw exports. A table of that name that was not made here is left alone."""

    def __init__(self, context: Context, source: Source) -> None:
        self.context, self.source = context, source
        self.name = f"{RAW}.{source.name}"
        self.found = context.catalog.table(RAW, source.name)

    @cached_property
    def registered(self) -> dict[str, PartitionEntry]:
        """The registered days that were made here."""
        partitions = self.context.catalog.partitions(RAW, self.source.name) if self.found else []
        return {one.export: one for one in partitions if EXPORT in one.parameters}

    def register(self, days: Mapping[str, RawDay]) -> None:
        """Register these days, or drop those that do not fit. Other days are inspected only if the table changes."""
        self.context.raw_days.setdefault(self.source.name, {}).update(days)
        if self.found is None and any(raw.layout.columns for raw in days.values()):
            list(self.mend())
        if self.found is None or not self.found.is_ours:
            return
        shape = Shape.of(self.found)
        fitting = {day: raw for day, raw in sorted(days.items()) if shape.take(raw.layout) is None}
        if any(raw.layout.problem is None for day, raw in days.items() if day not in fitting):
            list(self.mend())
        else:
            self._put(shape, fitting, {})
            self._drop(days.keys() - fitting.keys())

    def mend(self, listed: bool = False) -> Iterator[list[Drift]]:
        """Make the table agree with all exports, newest first. Works in steps of DAYS_AT_ONCE; yields what each did.

        With `listed`, the exports are those that this process listed last. The
        registration of an export that is not whole yet stays. A caller that stops
        midway leaves the other days as they were.
        """
        if self.found and not self.found.is_ours:
            yield [Drift(self.name, None, "not ours")]
            return
        if not self.context.ledgers("staging", self.source.name).last.ledgers:
            self.context.look("staging", self.source.name)
        known = self.context.raw_exports.get(self.source.name) if listed else None
        exports = self.context.list_exports(self.source).exports if known is None else known
        newest_first = sorted(exports.values(), key=lambda export: export.day, reverse=True)
        shape, taken, pending = Shape(self.found), set[str](), dict[str, RawDay]()
        for first in range(0, len(newest_first), DAYS_AT_ONCE):
            for day, raw in self._look_at(newest_first[first : first + DAYS_AT_ONCE]).items():
                if shape.take(raw.layout) is None:
                    pending[day] = raw
            # Without a day with columns, the table's format is not known yet.
            done = []
            if shape.format:
                done = self._put(shape, pending, self.registered)
                taken.update(pending)
                pending = {}
            yield done
        gone = self.registered.keys() - taken
        self._drop(gone)
        yield [Drift(self.name, folder_of(day), "dropped") for day in sorted(gone)]

    def left_out(self) -> tuple[list[ExportDay], str]:
        """The export days that are not registered, and the reason for the newest of them."""
        exports = self.context.list_exports(self.source).exports
        missing = [day for day in exports if day not in self.registered]
        if not missing:
            return [], ""
        if self.found and not self.found.is_ours:
            return missing, "a table of that name exists that star_assets did not make"
        raw = self._look(exports[missing[-1]])
        if raw is None:
            return missing, "it is not whole yet"
        shape = Shape.of(self.found) if self.found else Shape()
        return missing, shape.take(raw.layout) or "it is new; `star-assets repair` registers it"

    # What the exports say

    def _look_at(self, exports: Sequence[Export]) -> dict[str, RawDay]:
        looks = each(self.context.storage, self._look, exports)
        return {export.day: raw for export, raw in zip(exports, looks, strict=True) if raw}

    def _look(self, export: Export) -> RawDay | None:
        """A day's layout: as registered, if its files are unchanged; else inspected. None if it is not whole yet."""
        files, known = export_digest(self.source, export), self.registered.get(export.day)
        try:
            require_whole(export, self.source, time.time())
        except HalfExport:
            return self._as_registered(known) if known else None
        except BrokenFile as error:
            return RawDay(files, unreadable(error))
        if export.retired:
            return RawDay(files, Layout(problem="its raw files were retired"))
        # An export without rows may have no columns of its own.
        if known and known.parameters[EXPORT] == files and known.parameters["rows"] != "0":
            return self._as_registered(known)
        memory = self.context.raw_days.setdefault(self.source.name, {})
        if export.day not in memory or memory[export.day].export != files:
            memory[export.day] = RawDay(files, self._staged_layout(export) or self._inspected_layout(export))
        return memory[export.day]

    def _as_registered(self, known: PartitionEntry) -> RawDay:
        assert self.found
        columns = tuple(column.name for column in known.columns)
        layout = registered_layout(self.found, columns, int(known.parameters["rows"]))
        return RawDay(known.parameters[EXPORT], layout)

    def _staged_layout(self, export: Export) -> Layout | None:
        """The layout in the staged version's manifest, if that was made from the same files; else None."""
        partition = Partition("staging", self.source.name, export.day)
        live = self.context.ledgers("staging", self.source.name).last.day(export.day).live
        with suppress(FileNotFoundError):
            manifest = read_manifest(self.context.storage, partition, live.version) if live else None
            if manifest and LAYOUT in manifest.facts and same_files(export, manifest.inputs["files"]):
                step = StageStep(self.context, self.source)
                if step.identity(manifest.inputs["files"]) == manifest.identity:
                    return Layout.from_json(manifest.facts[LAYOUT])
        return None

    def _inspected_layout(self, export: Export) -> Layout:
        step = StageStep(self.context, self.source)
        with suppress(BrokenFile, ColumnMissing, UnknownColumns):
            step.inspect(export)
        return step.raw[export.day].layout

    # What the catalog holds

    def _put(self, shape: Shape, days: Mapping[str, RawDay], registered: Mapping[str, PartitionEntry]) -> list[Drift]:
        """Define the table, and register the days whose registration is missing or differs."""
        done, entry = list[Drift](), shape.entry(self.source, self.context.storage)
        if self.found and MENDED in self.found.parameters:
            entry = replace(entry, parameters={**entry.parameters, MENDED: self.found.parameters[MENDED]})
        if entry != self.found:
            self.context.catalog.put_table(entry)
            done.append(Drift(self.name, None, "redefined" if self.found else "registered"))
            self.found = entry
        wanted = [self._partition(entry, day, raw) for day, raw in sorted(days.items())]
        changed = [one for one in wanted if not _is_as_wanted(registered.get(one.export), one, entry)]
        self.context.catalog.put_partitions(RAW, self.source.name, changed)
        for day in (one.export for one in changed):
            done.append(Drift(self.name, folder_of(day), "moved" if day in registered else "registered"))
        return done

    def _partition(self, entry: TableEntry, day: str, raw: RawDay) -> PartitionEntry:
        # A CSV partition may have fewer columns than the table: CSV is read by position, JSON by name.
        own = len(raw.layout.columns) if entry.format == "csv" and raw.layout.columns else len(entry.columns)
        location = self.context.storage.uri(raw_folder(self.source.name, day))
        return PartitionEntry(
            entry.values_of(day), location, entry.columns[:own], {EXPORT: raw.export, "rows": str(raw.layout.rows)}
        )

    def _drop(self, days: set[str]) -> None:
        if days and self.found:
            values = [self.found.values_of(day) for day in sorted(days)]
            self.context.catalog.drop_partitions(RAW, self.source.name, values)


def _is_as_wanted(known: PartitionEntry | None, wanted: PartitionEntry, table: TableEntry) -> bool:
    """Whether a day's registration is right. A JSON partition need only have the columns known when it was made."""
    if known is None or (known.parameters[EXPORT], known.location) != (wanted.parameters[EXPORT], wanted.location):
        return False
    names, own = ([column.name for column in one.columns] for one in (wanted, known))
    return own == (names[: len(own)] if table.format == "json" else names)
