"""Building a fact: for each business date, the rows that its exports add up to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from star_assets.engines.engine import Engine, FactInput
from star_assets.lake.entries import table_entry
from star_assets.lake.ledger import Ledger, Snapshot, swap
from star_assets.lake.publish import SINCE, VERSION, Commit, commit, serve
from star_assets.lake.storage import each
from star_assets.lake.versions import LIVE, Partition, ledger_of, new_version_id
from star_assets.model.calendars import calendar_of
from star_assets.model.days import BusinessDate, ExportDay
from star_assets.model.errors import LostRace, NotStaged
from star_assets.model.tables import IS_PROVISIONAL, Dimension, Fact
from star_assets.pipeline.context import Context
from star_assets.pipeline.fact_inputs import DateInputs, FactLook, fact_sources, look_at_fact
from star_assets.pipeline.outcome import CheckResult, Outcome, rule
from star_assets.pipeline.publishing import Audited, Built, Plan, Written

if TYPE_CHECKING:
    from star_assets.books.audits import FactRules


class FactStep:
    """The Step of one fact; its partitions are business dates."""

    def __init__(self, context: Context, fact: Fact) -> None:
        self.context = context
        self.fact = fact
        self.entry = table_entry(context.star, fact, context.storage)
        self.engine_name: str | None = None

    def look(self, days: Sequence[str], keep: bool) -> FactLook:
        """Read the fact's ledgers, then its dimensions', then its sources'; bring the books up to these."""
        if keep:
            self._make_ledgers(days)
        return look_at_fact(self.context, self.fact, keep)

    def plan(self, look: FactLook, days: Sequence[str]) -> Iterator[Plan[DateInputs] | Outcome]:
        """What each date is built from, as the look says."""
        for date in map(BusinessDate, days):
            found, partition = look.inputs_of(date), Partition("olap", self.fact.name, date)
            if isinstance(found, NotStaged):
                yield Outcome(self.fact.name, date, partition, "failed", error=found)
                continue
            day, version = look.dates.day(date), new_version_id(look.dates.ledger(date).floor)
            left = found.identity in day.left
            yield Plan(date, partition, day.live, found.identity, found.inputs, found, version, rolled_back=left)

    def input_bytes(self, look: FactLook, plans: Sequence[Plan[DateInputs]]) -> int:
        """Of the staged exports that the dates need."""
        exports = {export: entry.size for plan in plans for export, entry in plan.work.exports.items()}
        return sum(exports.values())

    def batches(self, look: FactLook, plans: Sequence[Plan[DateInputs]]) -> Iterator[Sequence[Plan[DateInputs]]]:
        """Dates in order, as many as one pass can hold."""
        batch: list[Plan[DateInputs]] = []
        read: dict[tuple[str, ExportDay], int] = {}
        for plan in plans:
            sizes = {export: entry.size for export, entry in plan.work.exports.items()}
            new = {export: size for export, size in sizes.items() if export not in read}
            if batch and sum(read.values()) + sum(new.values()) > self.engine.pass_bytes:
                yield batch
                batch, read, new = [], {}, sizes
            batch.append(plan)
            read.update(new)
        if batch:
            yield batch

    def build(
        self, look: FactLook, plans: Sequence[Plan[DateInputs]], folder: Path
    ) -> Iterator[Sequence[Built[DateInputs]]]:
        """One pass over all dates."""
        given = self.fact_input(look, plans, look.histories.files)
        files = self.engine.build_fact(self.fact, given, folder)
        read = {"exports_read_in_pass": sum(len(exports) for exports in given.staged.values())}
        built = [(plan, files[BusinessDate(plan.day)]) for plan in plans]
        yield [Built(plan, (file.path,), read, description=file.description) for plan, file in built]

    def audit(self, look: FactLook, built: Sequence[Built[DateInputs]]) -> Iterator[Audited[DateInputs]]:
        """Each file, held against rules and dimensions: the live versions, and those that will replace them."""
        yield from (Audited(one, refusal=one.refusal) for one in built if one.refusal)
        good = [one for one in built if not one.refusal]
        if not good:
            return
        members = {target.name: self._live_file(look, target, good[0].plan.day) for target in self._dimensions()}
        files = {one.plan.day: str(one.files[0]) for one in good}
        rules = self.context.books.audits.audit_fact(self.fact, files, members)
        self._require_announced(look, list(files.values()))
        against = {name: _state(found) for name, found in look.dimensions.items()}
        for one in good:
            found = rules[one.plan.day]
            facts = {
                "exports": sorted({day for _, day in one.plan.work.exports}),
                "audited_against": against,
                "sums": {column: str(value) for column, value in found.sums.items() if value is not None},
            }
            yield Audited(one, self._checks(one.plan.day, found), facts)

    def commit(self, look: FactLook, written: Sequence[Written[DateInputs]]) -> Mapping[Partition, bool]:
        """One swap a month, unless a dimension was replaced since it was looked at."""
        audited = {name: found.ledger(None).sequence for name, found in look.dimensions.items()}
        commits = [Commit(one.plan.partition, one.manifest, one.plan.seen) for one in written]
        return commit(self.context.storage, commits, audited)

    @property
    def engine(self) -> Engine:
        """What computes: the engine that was chosen for this step, or else the one of the settings."""
        return self.context.engine_named(self.engine_name) if self.engine_name else self.context.engine

    def fact_input(
        self, look: FactLook, plans: Sequence[Plan[DateInputs]], histories: Mapping[str, str] | None = None
    ) -> FactInput:
        """What the engine needs to build these dates."""
        staged = {}
        for source in fact_sources(self.context, self.fact):
            versions = {
                day: entry.version
                for plan in plans
                for (name, day), entry in plan.work.exports.items()
                if name == source.name
            }
            staged[source.name] = self.context.staged_inputs(source, dict(sorted(versions.items())))
        states = {name: self.context.book_file(book) for name, book in look.states.items()}
        return FactInput(tuple(BusinessDate(plan.day) for plan in plans), staged, states, histories or {})

    def _make_ledgers(self, days: Sequence[str]) -> None:
        """Make the months' ledgers before dimensions are read: what is not there cannot be fenced."""
        there = self.context.look("olap", self.fact.name).ledgers
        missing = {Partition("olap", self.fact.name, day).ledger for day in days if ledger_of(day) not in there}
        each(self.context.storage, lambda path: swap(self.context.storage, path, _made), sorted(missing))

    def _dimensions(self) -> list[Dimension]:
        return list({target.name: target for target in self.fact.references.values()}.values())

    def _live_file(self, look: FactLook, dimension: Dimension, date: str) -> str:
        """The file of a dimension's live version, once the catalog serves that or a newer one. Raises NotStaged."""
        partition, live = Partition("olap", dimension.name), look.dimensions[dimension.name].live.get(LIVE)
        if live is None:
            raise NotStaged(self.fact.name, date, [dimension.name])
        served = self.context.catalog.table("olap", dimension.name)
        since = int(served.parameters.get(SINCE, 0)) if served else 0
        if served is None or (served.parameters.get(VERSION) != live.version and since <= live.since):
            entry = table_entry(self.context.star, dimension, self.context.storage)
            serve(self.context.storage, self.context.catalog, entry, [partition])
        return self.context.first_files({partition: live.version})[0]

    def _require_announced(self, look: FactLook, files: Sequence[str]) -> None:
        """Raises LostRace where a version that is about to replace a dimension's lacks members of these files."""
        for column, target in self.fact.references.items():
            announced = look.dimensions[target.name].ledger(None).next
            if announced:
                (members,) = self.context.first_files({Partition("olap", target.name): announced.version})
                if self.context.books.audits.missing_members(column, files, target, members):
                    raise LostRace(Partition("olap", target.name).ledger)

    def _checks(self, day: str, found: FactRules) -> tuple[CheckResult, ...]:
        fact = self.fact
        counted: list[tuple[str, int, str, str]] = [
            ("key not null", found.null_keys, f"{fact.key} is set", f"{fact.key}: rows without a key"),
            ("key unique", found.repeated_keys, f"{fact.key} is unique", f"{fact.key}: rows whose key occurs again"),
            (
                "business date",
                found.outside_date,
                f"{fact.date} is on {day}",
                f"{fact.date}: rows that are not of {day}",
            ),
        ]
        if calendar := calendar_of(self.context.star, fact):
            problem = f"{calendar.column}: rows where it is not {day}, by which they join {calendar.dimension.name}"
            held = f"{calendar.column} is {day}, by which they join {calendar.dimension.name}"
            counted.append(("calendar", found.other_reference, held, problem))
        if fact.provisional:
            problem = f"{fact.key}: rows whose key and {IS_PROVISIONAL} disagree on whether they are provisional"
            held = f"{IS_PROVISIONAL} says what {fact.key} does"
            counted.append((IS_PROVISIONAL, found.wrongly_marked, held, problem))
        for column, below in found.below_minimum.items():
            least: Mapping[str, Any] = {m.column: m.minimum for m in fact.measures}
            held, problem = f"{column} is not below {least[column]}", f"{column}: rows below {least[column]}"
            counted.append((f"{column} in bounds", below, held, problem))
        for column, unknown in found.unknown_references.items():
            target = fact.references[column].name
            held, problem = f"{column} is a member of {target}", f"{column}: rows whose member {target} lacks"
            counted.append((f"{column} in {target}", unknown, held, problem))
        return tuple(
            rule(name, found.rows, count, held, f"{problem}: expected 0 of {found.rows}, found {count}")
            for name, count, held, problem in counted
        )


def _made(ledger: Ledger) -> Ledger | None:
    """The ledger, written once if it never was."""
    return ledger.renewed() if ledger.sequence == 0 else None


def _state(dimension: Snapshot) -> dict[str, Any]:
    """What of a dimension an audit has read, for the manifest."""
    ledger = dimension.ledger(None)
    return {
        "version": ledger.live and ledger.live.version,
        "sequence": ledger.sequence,
        "next": ledger.next and ledger.next.version,
    }
