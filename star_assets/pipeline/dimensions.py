"""Building a dimension: one table, one live version, folded from all live exports.

A dimension's day means: the live version includes that day's exports. A new
version may drop a member: an inferred one that no export uses any more, or an
interval that a late export has changed. While live or past versions of facts use
such a member, it stays, marked as superseded, so that an inner join finds it; the
dimension is out of date once they do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from star_assets.engines.engine import BuiltFile, DimensionInput, Engine
from star_assets.exports.finding import days_between
from star_assets.lake.entries import table_entry
from star_assets.lake.ledger import Entry, Snapshot
from star_assets.lake.publish import Commit, commit
from star_assets.lake.replacing import replace_live, withdraw
from star_assets.lake.versions import Identity, Manifest, Partition, new_version_id, read_manifest
from star_assets.model.calendars import has_partition_date
from star_assets.model.days import ExportDay, day_of
from star_assets.model.errors import AwsRefused, LostRace
from star_assets.model.source import SourceColumn
from star_assets.model.tables import CALENDAR, PARTITION_DATE, Dimension, History
from star_assets.pipeline.context import Context
from star_assets.pipeline.fold import source_state, source_versions, used_days, used_keys, years
from star_assets.pipeline.folded_book import FoldedBook
from star_assets.pipeline.identity import digest
from star_assets.pipeline.key_index import KeyIndex
from star_assets.pipeline.members import referring, used_members
from star_assets.pipeline.outcome import CheckResult, Outcome, rule
from star_assets.pipeline.publishing import Audited, Built, Plan, Step, Written, publish


@dataclass(frozen=True)
class DimensionLook:
    """All that decides a dimension, as of one look.

    Args:
        own: its own ledger, which is read first.
        staged: those of its sources.
        states: for each source that the transform reads, its book.
        used: the books of keys that facts' rows refer to.
        years: first and last year of the calendar.
        reach: first and last year that facts reach into, which may be beyond the calendar.
        versions: for a history, the book of what the describing source ever said.
        superseded: the keys of the live version's superseded members that facts still use.
    """

    own: Snapshot
    staged: Mapping[str, Snapshot]
    states: Mapping[str, FoldedBook]
    used: tuple[FoldedBook, ...]
    years: tuple[int, int]
    versions: FoldedBook | None
    superseded: tuple[str, ...]
    reach: tuple[int, int] = (1, 1)

    @property
    def books(self) -> list[FoldedBook]:
        """All books that it is built from."""
        return [book for book in (*self.states.values(), *self.used, self.versions) if book]


# What a plan carries: whether the version that was built lacks members of the live one.
Drops = bool


def refresh_dimension(
    context: Context, dimension: Dimension, step: Step[DimensionLook, Drops], days: Sequence[str], undo_rollbacks: bool
) -> Iterator[Outcome]:
    """Build the dimension once for all the days, of whatever is staged; the days share the outcome."""
    included = _days_to_the_newest_export(context, dimension)
    shared = next(publish(context.storage, context.catalog, step, days[-1:], undo_rollbacks))
    announced = context.look("olap", dimension.name).ledger(None).next
    if announced and shared.status == "unchanged":
        # Whoever announced it died, or will find that he has to begin again.
        withdraw(context.storage, Partition("olap", dimension.name), announced)
    # Of what somebody rolled back to, which a note says, nobody knows which exports it includes.
    if shared.error or shared.note:
        included = ()
    for day in days:
        yield replace(shared, day=day, seconds=shared.seconds / len(days), included=included)


def _days_to_the_newest_export(context: Context, dimension: Dimension) -> tuple[str, ...]:
    """The days from the start date to the newest staged export of the dimension's sources, without gaps."""
    return tuple(days_between(context.settings.start_date.isoformat(), _newest_staged(context, dimension) or ""))


def staged_exports(context: Context, dimension: Dimension) -> dict[str, dict[ExportDay, Entry]]:
    """For each source of a dimension, the live version of its staged export days."""
    return {source.name: context.staged(source) for source in context.star.upstream_sources(dimension)}


def newest_day(context: Context, dimension: Dimension) -> str:
    """The newest export day that any source of a dimension has staged; the start date if none has any."""
    return _newest_staged(context, dimension) or ExportDay(context.settings.start_date.isoformat())


def _newest_staged(context: Context, dimension: Dimension) -> ExportDay | None:
    newest = [day_of(next(reversed(exports))) for exports in staged_exports(context, dimension).values() if exports]
    return ExportDay(max(newest)) if newest else None


class DimensionStep:
    """The Step of one dimension; its only partition is the whole table."""

    def __init__(self, context: Context, dimension: Dimension) -> None:
        self.context = context
        self.dimension = dimension
        self.partition = Partition("olap", dimension.name)
        self.entry = table_entry(context.star, dimension, context.storage)
        self.code = context.code_identity(dimension.name)
        self.engine_name: str | None = None

    def look(self, days: Sequence[str], keep: bool) -> DimensionLook:
        """Read the dimension's ledger, then its sources'; bring their books up to these."""
        star, dimension = self.context.star, self.dimension
        own = self.context.look("olap", dimension.name)
        staged = {one.name: self.context.look("staging", one.name) for one in star.upstream_sources(dimension)}
        states = {
            name: source_state(self.context, star.sources[name], staged[name], keep)
            for name in dimension.upstream
            if name in star.sources
        }
        member = dimension.of.key if isinstance(dimension, History) else dimension.key
        used = tuple(self._used_keys(column, member, keep) for column in star.inferred_from(dimension))
        described = star.describing(dimension.of) if isinstance(dimension, History) else None
        versions = None
        if described:
            source = described.source
            versions = source_versions(self.context, source, self.context.look("staging", source.name), keep)
        reach = between = (1, 1)
        if CALENDAR in dimension.upstream:
            reach, beyond = self._reach(keep)
            first, last = dimension.calendar_years
            between = (max(reach[0], first), min(reach[1], last))
            used += tuple(self._used_days(column, keep) for column in beyond)
        superseded = self._superseded(own, keep)
        return DimensionLook(own, staged, states, used, between, versions, superseded, reach)

    def identity(self, look: DimensionLook) -> Identity:
        """Of the version that should be live."""
        made_of, live = digest(code=self.code, **self._inputs(look)), look.own.day(None).live
        # The live version may keep members that facts used when it was built, and do not use any more.
        keeps = live is not None and live.identity.made_of == made_of and live.identity.superseded
        return Identity(made_of, superseded=_superseded_digest(look.superseded) if keeps else "")

    def plan(self, look: DimensionLook, days: Sequence[str]) -> Iterator[Plan[Drops]]:
        """The contents of the books are the dimension's inputs."""
        day, wanted = look.own.day(None), self.identity(look)
        version, inputs = new_version_id(look.own.ledger(None).floor), self._inputs(look)
        for asked in days:
            left = wanted in day.left
            yield Plan(asked, self.partition, day.live, wanted, inputs, False, version, rolled_back=left)

    def _inputs(self, look: DimensionLook) -> dict[str, Any]:
        """What the dimension is made of, as its manifest names it."""
        inputs: dict[str, Any] = {
            "states": {name: book.content for name, book in look.states.items()},
            "used": [book.content for book in look.used],
            "years": list(look.years) if CALENDAR in self.dimension.upstream else [],
        }
        return inputs | ({"versions": look.versions.content} if look.versions else {})

    def input_bytes(self, look: DimensionLook, plans: Sequence[Plan[Drops]]) -> int:
        """Of the books that it is built from."""
        return sum(book.manifest.size for book in look.books) if plans else 0

    def batches(self, look: DimensionLook, plans: Sequence[Plan[Drops]]) -> Iterator[Sequence[Plan[Drops]]]:
        """There is only ever one."""
        for plan in plans:
            yield [plan]

    def build(
        self, look: DimensionLook, plans: Sequence[Plan[Drops]], folder: Path
    ) -> Iterator[Sequence[Built[Drops]]]:
        """One file with every member, those among them that only facts know any more."""
        for plan in plans:
            given = DimensionInput(
                {name: self.context.book_file(book) for name, book in look.states.items()},
                tuple(self.context.book_file(book) for book in look.used),
                look.years,
                self.context.book_file(look.versions) if look.versions else None,
            )
            file = folder / f"{self.dimension.name}.parquet"
            if isinstance(self.dimension, History):
                built = self.engine.build_history(self.dimension, given, file)
            else:
                built = self.engine.build_dimension(self.dimension, given, file)
            with_superseded = folder / f"{self.dimension.name}_with_superseded.parquet"
            keys = self._keep_used(look, file, with_superseded)
            identity = Identity(plan.identity.made_of, superseded=_superseded_digest(keys))
            found = BuiltFile(with_superseded) if keys else built
            facts = {"superseded": len(keys)} if keys else {}
            planned = replace(plan, identity=identity)
            yield [Built(planned, (found.path,), facts, description=found.description)]

    def audit(self, look: DimensionLook, built: Sequence[Built[Drops]]) -> Iterator[Audited[Drops]]:
        """The file has the members that it should, each once."""
        for one in built:
            if one.refusal:
                yield Audited(one, refusal=one.refusal)
                continue
            (file,) = one.files
            before = self._live_file(look.own)
            drops = before is not None and self.context.books.members.drops_members(self.dimension, before, str(file))
            plan = replace(one.plan, work=drops, identity=one.manifest.identity if one.manifest else one.plan.identity)
            yield Audited(replace(one, plan=plan), self._checks(file))

    def commit(self, look: DimensionLook, written: Sequence[Written[Drops]]) -> Mapping[Partition, bool]:
        """One swap; where members are dropped, only once no fact can come to use them."""
        (one,) = written
        if not one.plan.work:
            return commit(self.context.storage, [Commit(self.partition, one.manifest, one.plan.seen)])
        facts = [Partition("olap", fact.name) for fact in referring(self.context, self.dimension)]
        try:
            replace_live(
                self.context.storage,
                self.partition,
                one.manifest.version,
                one.plan.seen,
                facts,
                partial(self._require_unused, look, one.manifest),
                lambda ledger: ledger.committed({self.partition.key: (one.manifest, "")}),
            )
        except LostRace:
            return {self.partition: False}
        return {self.partition: True}

    @property
    def engine(self) -> Engine:
        """What computes: the engine that was chosen for this step, or else the one of the settings."""
        return self.context.engine_named(self.engine_name) if self.engine_name else self.context.engine

    def _keep_used(self, look: DimensionLook, file: Path, kept: Path) -> list[str]:
        """Add what the live version has, the new file lacks, and facts use. Returns the keys, as text.

        Where there are some, the file with them is `kept`.
        """
        before, members = self._live_file(look.own), self.context.books.members
        if before is None or not members.drops_members(self.dimension, before, str(file)):
            return []
        return members.keep_members(self.dimension, str(file), before, self._used_files(True), kept)

    def _require_unused(self, look: DimensionLook, manifest: Manifest) -> None:
        """Raises LostRace where a fact has come to use a member that would be lost."""
        before = self._live_file(look.own)
        (after,) = self.context.first_files({self.partition: manifest.version})
        if before and self.context.books.members.lost_in_use(self.dimension, before, after, self._used_files(True)):
            raise LostRace(self.partition.ledger)

    def _used_files(self, keep: bool) -> list[str]:
        return [file for files in used_members(self.context, self.dimension, keep).values() for file in files]

    def _superseded(self, own: Snapshot, keep: bool) -> tuple[str, ...]:
        """The superseded members of the live version that facts still use."""
        live = own.day(None).live
        file = self._live_file(own) if live and live.identity.superseded else None
        if file is None:
            return ()
        return tuple(self.context.books.members.superseded_in_use(self.dimension, file, self._used_files(keep)))

    def _live_file(self, own: Snapshot) -> str | None:
        """The live version's file; None where there is none, or where somebody removed it."""
        live = own.day(None).live
        try:
            if live is None or not read_manifest(self.context.storage, self.partition, live.version).files:
                return None
            return self.context.first_files({self.partition: live.version})[0]
        except (FileNotFoundError, AwsRefused):
            return None

    def _used_keys(self, column: SourceColumn, key: str, keep: bool) -> FoldedBook:
        return used_keys(self.context, column, key, self.context.look("staging", column.source.name), keep)

    def _used_days(self, column: SourceColumn, keep: bool) -> FoldedBook:
        """The days of a column of dates or timestamps."""
        if column.source.declared[column.column].type == "date":
            return self._used_keys(column, self.dimension.key, keep)
        staged = self.context.look("staging", column.source.name)
        return used_days(self.context, column, self.dimension.key, staged, keep)

    def _reach(self, keep: bool) -> tuple[tuple[int, int], list[SourceColumn]]:
        """The start date's year and all that any fact reaches into, by any of its dates; whose days the calendar lacks.

        A date such as 9999-12-31 would make millions of days.
        """
        found, beyond = [self.context.settings.start_date.year], list[SourceColumn]()
        first, last = self.dimension.calendar_years
        for column in self._dated():
            years_ = self._years_of(column, keep)
            found += years_ or ()
            beyond += [column] if years_ and (years_[0] < first or years_[1] > last) else []
        return (min(found), max(found)), beyond

    def _years_of(self, column: SourceColumn, keep: bool) -> tuple[int, int] | None:
        if column.source.staged[column.column].type == "timestamp":
            staged = self.context.look("staging", column.source.name)
            return KeyIndex(self.context, column, staged, keep).years()
        # An index of all keys by a date that no fact is posted on would be read for its years alone.
        key = self.dimension.key
        return years([self._used_keys(column, key, keep)], key)

    def _dated(self) -> dict[SourceColumn, None]:
        """The source columns whose days facts are posted on, or refer to the calendar by."""
        star = self.context.star
        found = dict.fromkeys(star.dated_columns())
        for fact in star.facts.values():
            roles = [column for column, target in fact.references.items() if target is self.dimension]
            for source, column in (origin for role in roles for origin in sorted(star.lineage(fact)[role])):
                if source in star.sources and star.sources[source].staged[column].type in ("date", "timestamp"):
                    found[star.sources[source][column]] = None
        return found

    def _checks(self, file: Path) -> tuple[CheckResult, ...]:
        key, found = self.dimension.key, self.context.books.audits.audit_dimension(self.dimension, str(file))
        rows, null, again = found["rows"], found["null_keys"], found["repeated_keys"]
        checks: tuple[CheckResult, ...] = (
            rule("key not null", rows, null, f"{key} is set", f"{key}: {null} rows without a key"),
            rule(
                "key unique",
                rows,
                again,
                f"{key} is unique",
                f"{key}: expected {rows} different keys, {again} occur again",
            ),
            CheckResult(
                "unknown member",
                found["unknown_members"] == 1,
                f"expected one Unknown member, found {found['unknown_members']}",
            ),
        )
        if isinstance(self.dimension, History):
            broken = self.context.books.audits.audit_history(self.dimension, str(file))
            problem = f"members whose intervals have gaps or overlaps: expected 0, found {broken}"
            checks += (rule("intervals", rows, broken, "the interval begins where the one before ends", problem),)
        if has_partition_date(self.context.star, self.dimension):
            other = self.context.books.audits.audit_calendar(self.dimension, str(file))
            problem = f"members whose {PARTITION_DATE} is not {key} as text: expected 0, found {other}"
            checks += (rule("partition date", rows, other, f"{PARTITION_DATE} is {key} as text", problem),)
        return checks


def _superseded_digest(keys: Sequence[str]) -> str:
    """What a version that keeps these superseded members has in its identity; nothing where it keeps none."""
    return digest(keys=sorted(keys)) if keys else ""
