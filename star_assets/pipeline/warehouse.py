"""The warehouse: one object for a star and its lake, which the command line, Dagster and tests call.

Its methods refresh tables, reconcile, roll back, repair, and find what is out of
date. Not here: how a table is built (stage, dimensions, facts), what Dagster makes
of it (orchestration).
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from star_assets.exports.finding import RAW, days_between
from star_assets.exports.pull.database import last_over
from star_assets.exports.pull.pulling import Pulled, lacking, pull
from star_assets.lake.catalog import OLTP, TableEntry
from star_assets.lake.drift import Drift, Follower
from star_assets.lake.entries import table_entry
from star_assets.lake.ledger import Day, read_day
from star_assets.lake.publish import live_manifest, past_manifest, rollback, send_statistics, serve
from star_assets.lake.replacing import replace_live
from star_assets.lake.vacuum import Vacuumed, vacuum
from star_assets.lake.versions import Manifest, Partition
from star_assets.model.days import day_of
from star_assets.model.errors import AuditFailed, BadSetting, NoExports, RollbackRefused, UnknownPartition
from star_assets.model.schema import AnyTable
from star_assets.model.source import Source
from star_assets.model.tables import Dimension, Fact
from star_assets.pipeline.choosing import ChoosingStep, SizedStep
from star_assets.pipeline.context import Context
from star_assets.pipeline.dimensions import DimensionStep, refresh_dimension, staged_exports
from star_assets.pipeline.evolution import new_column_notes, new_columns
from star_assets.pipeline.fact_inputs import look_at_fact
from star_assets.pipeline.facts import FactStep
from star_assets.pipeline.glue.step import GlueStep, Job, Launch, write_versions
from star_assets.pipeline.hours import by_day, hours_of, is_fed_in_batches, staged_hours, together
from star_assets.pipeline.key_index import catch_up
from star_assets.pipeline.members import referring, used_members
from star_assets.pipeline.out_of_date import OutOfDate, out_of_date, remarks
from star_assets.pipeline.outcome import Outcome
from star_assets.pipeline.publish_order import in_publish_order
from star_assets.pipeline.publishing import L, Step, W, publish
from star_assets.pipeline.raw.updating import mend_raw, mend_raw_if_changed, registered
from star_assets.pipeline.stage import StageStep

if TYPE_CHECKING:
    import pyarrow as pa

    from star_assets.pipeline.account import Account

# Members that a refused rollback names.
SHOWN = 10

NEEDED_FOR_JOBS = "duckdb or spark outside of Dagster, whose assets start the jobs"


class Warehouse(Context):
    """A star in a lake, with every step that one may ask of it."""

    # Steps

    def refresh(
        self, table: str, days: Sequence[str], launch: Launch | None = None, undo_rollbacks: bool = True
    ) -> Iterator[Outcome]:
        """Stage a source's days, or build a table's, and publish what passes its audit.

        Yields one Outcome per different day, as it is known. Whatever a user can cause ends
        in an Outcome with status `failed`, not in an exception; only an unknown
        table, or a text that is no day, raises. Days that a source lacks are
        pulled first, where there is a database to pull from. `launch` starts jobs,
        where the settings say that jobs compute. Without `undo_rollbacks`, what
        somebody rolled back from is not built again.
        """
        found, days = self.star.table(table), list(dict.fromkeys(days))
        if days:
            with self.listed_anew():
                yield from self._refresh(found, days, launch, undo_rollbacks)

    def _refresh(
        self, table: AnyTable, days: Sequence[str], launch: Launch | None, undo_rollbacks: bool
    ) -> Iterator[Outcome]:
        for day in days:
            self.require_day(table.name, day)
        if not self.has_exports():
            error = NoExports(
                self.storage.uri(RAW), [name for name, source in self.star.sources.items() if not source.is_stream]
            )
            yield from (Outcome(table.name, day, self.partition(table, day), "failed", error=error) for day in days)
        elif isinstance(table, Source):
            lacked = self.to_pull(days, [table])
            refused = {pulled.day: pulled.error for pulled in self.pull(lacked) if pulled.error}
            for day, why in refused.items():
                yield Outcome(table.name, day, self.partition(table, day), "failed", error=why)
            present = [day for day in days if day not in refused]
            yield from self._stage(table, present, launch, undo_rollbacks)
        elif isinstance(table, Dimension):
            step = self._chosen(DimensionStep(self, table), launch)
            yield from refresh_dimension(self, table, step, days, undo_rollbacks)
        else:
            for together in in_publish_order(self, table, days):
                chosen = self._chosen(FactStep(self, table), launch)
                found = publish(self.storage, self.catalog, chosen, together, undo_rollbacks)
                yield from (outcome for outcome in found if outcome.day in days)

    def _stage(
        self, source: Source, days: Sequence[str], launch: Launch | None, undo_rollbacks: bool
    ) -> Iterator[Outcome]:
        """Stage the export of each day; of a stream's day, those of its hours."""
        stage = StageStep(self, source)
        chosen = self._chosen(stage, launch)
        if not source.is_stream:
            staged = publish(self.storage, self.catalog, chosen, days, undo_rollbacks)
            yield from registered(self, stage, staged)
            return
        hours = {hour: day for day in days for hour in hours_of(self, source, day)}
        staged = publish(self.storage, self.catalog, chosen, list(hours), undo_rollbacks)
        yield from by_day(registered(self, stage, staged), hours)

    def write_versions(self, job: Job) -> Iterator[dict[str, Any]]:
        """What a job does: write the versions that it is to write, and make none live. Yields a report for each day."""
        found = self.star.table(job.table)
        if isinstance(found, Source):
            return write_versions(self, StageStep(self, found), job)
        if isinstance(found, Dimension):
            return write_versions(self, DimensionStep(self, found), job)
        return write_versions(self, FactStep(self, found), job)

    def _chosen(self, step: SizedStep[L, W], launch: Launch | None) -> Step[L, W]:
        """The step, with the engine that the settings say, or one that is chosen for it. Raises BadSetting."""
        if launch is None and self.settings.uses_glue:
            raise BadSetting("STAR_ENGINE", self.settings.engine, NEEDED_FOR_JOBS)
        if self.settings.engine == "glue" and launch:
            return GlueStep(self, step, launch)
        return ChoosingStep(self, step, launch) if self.settings.engine == "auto" else step

    def to_pull(self, days: Iterable[str], sources: Iterable[Source] | None = None) -> list[str]:
        """The days, of these, of which a source (by default any) has no export; none without a database."""
        if self.settings.source_dsn is None:
            return []
        wanted, exporting = set(days), self.star.sources.values() if sources is None else sources
        return sorted({day for source in exporting for day in lacking(self.storage, source, wanted)})

    def pull(self, days: Sequence[str], again: bool = False) -> Iterator[Pulled]:
        """Export days from the database: what lacks of them, or anew what was pulled. Yields a Pulled for each.

        Raises UnknownPartition for what is no day of the star.
        """
        for day in days:
            self.require_day("oltp", day)
        yield from pull(self.star, self.settings, self.storage, days, again)

    def reconcile(self, fact: str, days: Sequence[str]) -> Account:
        """Where every line went that was exported on these days, or sold on these dates."""
        from star_assets.pipeline.reconcile import reconcile

        return reconcile(self, self.star.facts[fact], days)

    def provisional_receipts(self, fact: str, before: datetime) -> list[dict[str, Any]]:
        """The receipts of a live fact that are provisional since before a moment, with their members and money."""
        table = self.star.facts[fact]
        last = before.astimezone(self.settings.zone).date().isoformat()
        dates = [date for date in self.look("olap", fact).live if date <= last]
        files = [file for several in self.served_files(table, dates).values() for file in several]
        return self.books.accounts.provisional_receipts(table, files, before.astimezone(UTC).replace(tzinfo=None))

    def joined(self, fact: str, days: Sequence[str]) -> dict[str, dict[str, object]]:
        """Rows and summed measures of the live fact, and (by column) through an inner join with each dimension."""
        table = self.star.facts[fact]
        files = [file for several in self.served_files(table, days).values() for file in several]
        dimensions = {}
        for target in table.references.values():
            partition = Partition("olap", target.name)
            if live := read_day(self.storage, partition).live:
                (dimensions[target.name],) = self.first_files({partition: live.version})
        return self.books.accounts.joined_totals(table, files, dimensions)

    def rollback(self, table: str, day: str | None, version: str | None) -> Day:
        """Make an earlier version live again: `version`, or the one before the live one.

        Raises UnknownPartition, UnknownVersion, RollbackRefused where live facts
        use members that an earlier version of a dimension lacks, and AuditFailed
        where an earlier version of a fact uses members that its dimensions lack.
        """
        found = self.star.table(table)
        if isinstance(found, Dimension):
            return self._roll_dimension_back(found, version)
        if day is None:
            raise UnknownPartition(table, "", "a day YYYY-MM-DD")
        partition, entry = self.partition(found, day), table_entry(self.star, found, self.storage)
        if read_day(self.storage, partition).live is None:
            hours = staged_hours(self, found, day) if isinstance(found, Source) and found.is_stream else []
            raise UnknownPartition(table, day, f"an hour: {', '.join(hours)}" if hours else "one that was published")

        def check(manifest: Manifest) -> None:
            if isinstance(found, Fact):
                self._require_references(found, partition, manifest)

        return rollback(self.storage, self.catalog, entry, partition, version, check)

    def _roll_dimension_back(self, dimension: Dimension, version: str | None) -> Day:
        """As a new version that lacks members is published, because an earlier one may lack some."""
        partition, entry = Partition("olap", dimension.name), table_entry(self.star, dimension, self.storage)
        seen = read_day(self.storage, partition)
        if seen.live is None:
            raise UnknownPartition(dimension.name, "live", "one that was published")
        if seen.live.version != version:
            manifest = past_manifest(self.storage, partition, seen, version)
            replace_live(
                self.storage,
                partition,
                manifest.version,
                seen.live,
                [Partition("olap", fact.name) for fact in referring(self, dimension)],
                partial(self._require_members, dimension, seen.live.version, manifest),
                lambda ledger: ledger.returned(partition.key, manifest.version),
            )
            send_statistics(self.catalog, entry, {partition: manifest})
        serve(self.storage, self.catalog, entry, [partition])
        return read_day(self.storage, partition)

    def _require_members(self, dimension: Dimension, live: str, manifest: Manifest) -> None:
        """Raises RollbackRefused where facts use members of the live version that the earlier one lacks."""
        partition = Partition("olap", dimension.name)
        before, after = (self.first_files({partition: version})[0] for version in (live, manifest.version))
        for fact, used in used_members(self, dimension, keep=True).items():
            if missing := self.books.members.lost_in_use(dimension, before, after, used):
                raise RollbackRefused(dimension.name, manifest.version, fact, missing[:SHOWN])

    def _require_references(self, fact: Fact, partition: Partition, manifest: Manifest) -> None:
        """Raises AuditFailed where a version uses members that its dimensions lack, as one of an old lake may."""
        files, broken = self.first_files({partition: manifest.version}), []
        for column, target in fact.references.items():
            dimension = Partition("olap", target.name)
            if live := read_day(self.storage, dimension).live:
                (members,) = self.first_files({dimension: live.version})
                if missing := self.books.audits.missing_members(column, files, target, members):
                    broken.append(f"{column}: expected members of {target.name}, found {', '.join(missing)}")
        if broken:
            kept = self.storage.uri(partition.version_folder(manifest.version))
            raise AuditFailed(fact.name, partition.name, broken, kept)

    def catch_up(self, table: str, deadline: float = math.inf) -> bool:
        """Bring the books that a table is built from up to date, and keep them in the lake.

        After that, telling what is out of date computes nothing. It stops when
        `time.monotonic()` is past the deadline; returns whether it came to its end.
        """
        found = self.star.table(table)
        if isinstance(found, Dimension):
            # Of sources without any staged export there is nothing to fold.
            if any(staged_exports(self, found).values()):
                DimensionStep(self, found).look([], keep=True)
        elif isinstance(found, Fact):
            stream = self.star.stream(found)
            columns = [self.star.driving_column(found), *([stream] if stream else [])]
            if not catch_up(self, columns, self.star.parts(found), deadline):
                return False
            look_at_fact(self, found, keep=True)
        return time.monotonic() <= deadline

    def mend(self, tables: Collection[str], listed: bool = False) -> list[Drift]:
        """Bring the catalog in step with what is live of these tables, and with raw exports. Returns what was done.

        With `listed`, raw exports are those that this warehouse listed last, and a
        raw table that was mended for these before is not looked at again.
        """
        found: list[Drift] = []
        mended = [entry for entry in self.entries() if entry.name in tables]
        served = {
            database: {table.name: table for table in self.catalog.tables(database)}
            for database in dict.fromkeys((*(entry.database for entry in mended), *([OLTP] if listed else [])))
        }
        for entry in mended:
            ledgers = partial(self.look, entry.database, entry.name)
            steps = Follower(self.storage, self.catalog, entry, ledgers).look_through(served[entry.database])
            found += [drift for step in steps for drift in step]
        for source in (source for source in self.star.sources.values() if source.name in tables):
            if listed:
                found += mend_raw_if_changed(self, source, served[OLTP].get(source.name))
            else:
                found += [drift for step in mend_raw(self, source, True) for drift in step]
        return found

    def vacuum(self, retention: timedelta | None = None) -> Vacuumed:
        """Remove what was not served for longer than the retention (by default the settings'), and old orphans."""
        kept = timedelta(days=self.settings.retention_days) if retention is None else retention
        of_batches, tables = timedelta(days=self.settings.batch_retention_days), self.versioned_tables()
        fed = {table: min(kept, of_batches) for table in tables if is_fed_in_batches(self, table[1])}
        return vacuum(self.storage, self.catalog, tables, kept, fed)

    # What is there

    def days(self) -> list[str]:
        """Every day from the start date to the last one with an export of any source, or that can be pulled."""
        exported = [day for source in self.star.sources.values() for day in self.export_days(source)]
        return days_between(self.settings.start_date.isoformat(), max([*exported, last_over(self.settings)]))

    def account_days(self, fact: str) -> list[str]:
        """The days that an account of a fact is about: those with exports, and its live dates beyond the last one."""
        days = self.days()
        beyond = [date for date in self.look("olap", fact).live if date > max(days, default="")]
        return [*days, *sorted(beyond)]

    def out_of_date(self, table: str) -> OutOfDate:
        """What a refresh of the table would change, as of now. Raises UnknownTable."""
        return out_of_date(self, self.star.table(table))

    def remarks(self, table: str, found: OutOfDate) -> list[str]:
        """What people should know of what was found out of date: that which refreshing does not mend."""
        return remarks(self, self.star.table(table), found)

    def evolution(self, table: str) -> list[str]:
        """What people should know of columns that came to a source without being declared. Raises UnknownTable."""
        found = self.star.table(table)
        return new_column_notes(found, new_columns(self, found)) if isinstance(found, Source) else []

    def require_day(self, table: str, day: str) -> None:
        """Raises UnknownPartition for a text that is no day, or one before the start date or after the last day.

        A later day that was published all the same, before days ahead were refused, may be named.
        """
        start, last = self.settings.start_date.isoformat(), self.settings.last_day
        try:
            known = date.fromisoformat(day).isoformat() == day and day >= start
        except ValueError:
            known = False
        if not known:
            raise UnknownPartition(table, day, f"a day YYYY-MM-DD from {start} (STAR_START_DATE) on")
        if day > last and (table not in self.star.tables or not self.is_live(table, day)):
            why = "STAR_END_DATE" if last == str(self.settings.end_date) else "today and STAR_DAYS_AHEAD after it"
            raise UnknownPartition(table, day, f"a day up to {last}, {why}")

    def partition(self, table: AnyTable, day: str | None) -> Partition:
        """The partition that holds a table's day."""
        if isinstance(table, Source):
            return Partition("staging", table.name, day)
        return Partition("olap", table.name, None if isinstance(table, Dimension) else day)

    def is_live(self, table: str, day: str) -> bool:
        """Whether a table's day has a live version, or, of a stream, any of its hours has."""
        return any(read_day(self.storage, partition).live for partition in self.partitions(table, day))

    def live_manifest(self, table: str, day: str) -> Manifest | None:
        """The manifest of the live version of a table's day; None if there is none. Raises VersionLost.

        Of a stream's day, what the manifests of its hours say together.
        """
        manifests = [live_manifest(self.storage, partition) for partition in self.partitions(table, day)]
        known = [manifest for manifest in manifests if manifest]
        return together(known) if len(known) > 1 else next(iter(known), None)

    def partitions(self, table: str, day: str) -> list[Partition]:
        """The partitions of a table's day: one, or those of the hours of a stream that are staged."""
        found = self.star.table(table)
        if isinstance(found, Source) and found.is_stream:
            return [self.partition(found, hour) for hour in staged_hours(self, found, day_of(day))]
        return [self.partition(found, day)]

    def sample(self, table: str, day: str, rows: int = 5) -> pa.Table:
        """The first rows of the live version of a table's day; of a stream's, of its last hour."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        *_, partition = self.partitions(table, day) or [self.partition(self.star.table(table), day)]
        manifest = live_manifest(self.storage, partition)
        if manifest is None:
            raise UnknownPartition(table, day, "one that was published")
        (file,) = self.storage.local([f"{partition.version_folder(manifest.version)}/{manifest.files[0].name}"])
        batches = pq.ParquetFile(file).iter_batches(batch_size=rows)
        return pa.Table.from_batches([batch for batch, _ in zip(batches, range(1), strict=False)], pq.read_schema(file))

    def newest_rows(self, table: str, days: int) -> dict[str, int]:
        """The rows of a source's or a fact's last so many live days, in order, of its ledgers alone."""
        found = self.star.table(table)
        live = self.look("staging" if isinstance(found, Source) else "olap", table).live
        rows: dict[str, int] = {}
        for day, entry in live.items():
            rows[day_of(day)] = rows.get(day_of(day), 0) + entry.rows
        return {day: rows[day] for day in sorted(rows)[-days:]}

    def entries(self) -> list[TableEntry]:
        """The catalog entry of every table, as the model declares it."""
        return [table_entry(self.star, table, self.storage) for table in self.star.tables.values()]

    def versioned_tables(self) -> list[tuple[str, str]]:
        """(database, table) of everything that has versions: the star's tables, states and indexes."""
        found = []
        for entry in self.entries():
            table = f"{entry.database}/{entry.name}"
            hidden = [f for f in self.storage.folders(table) if f.startswith("_") and f != "_pointers"]
            found += [(entry.database, entry.name), *((entry.database, f"{entry.name}/{f}") for f in hidden)]
        return found
