"""What is out of date: exports to stage, dimensions to build, business dates of facts to build.

An export is out of date when its files are not those that were staged; a dimension
or a business date is when its live version has another identity than a refresh
would give it. The identity comes from the code that builds the table. Nothing is
written to the lake: books that are not up to date are computed into a temporary
folder. Not here: refreshing (warehouse), who starts it (orchestration, cli).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from star_assets.exports.finding import RAW, Export, days_between, fingerprint, strays_beside_sources
from star_assets.exports.pull.database import last_over
from star_assets.exports.strays import Stray, not_understood
from star_assets.lake.ledger import Day, Entry
from star_assets.model.days import ExportDay, day_of
from star_assets.model.errors import BrokenFile, EngineFailed, NotStaged, StagedOtherwise
from star_assets.model.schema import AnyTable
from star_assets.model.source import Source
from star_assets.model.tables import Dimension, Fact
from star_assets.pipeline.context import Context
from star_assets.pipeline.dimensions import DimensionStep, newest_day
from star_assets.pipeline.fact_inputs import FactLook, look_at_fact
from star_assets.pipeline.facts import FactStep
from star_assets.pipeline.identity import digest
from star_assets.pipeline.publishing import Plan
from star_assets.pipeline.stage import StageStep, same_files

# Days that a remark names before it only counts them.
NAMED = 5


@dataclass(frozen=True)
class OutOfDate:
    """What of a table is not what its inputs say.

    Args:
        days: the days to refresh, each with a key that stays the same while the
            inputs do. A dimension is one table: the newest day that it can include.
        waiting: days that cannot be built before an upstream export is staged.
        rolled_back: those of `days` that were built of the present inputs, and
            then rolled back.
        for_histories: those of `days` whose exports are as they were: what their
            members were then has changed.
        withdrawn: days that are staged, with rows, and no longer in the raw zone.
            They stay until somebody refreshes them.
        frozen: days that an earlier declaration staged, and whose raw files were retired.
        outside: days with exports, or rows, that are no partitions of the star; of
            a dimension, the years of sales that its calendar does not have.
        missing: days of which an export was to come, and none has.
        awaited: dates that are over and of which events have come, each with the sources that have not exported it.
        strays: what lies in a source's folder of the raw zone and is no export.
    """

    days: Mapping[str, str] = field(default_factory=dict)
    waiting: Mapping[str, NotStaged] = field(default_factory=dict)
    rolled_back: frozenset[str] = frozenset()
    for_histories: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    strays: tuple[Stray, ...] = ()
    missing: tuple[str, ...] = ()
    awaited: Mapping[str, Sequence[str]] = field(default_factory=dict)


def out_of_date(context: Context, table: AnyTable) -> OutOfDate:
    """What a refresh of the table would change, as of now. Nothing is written to the lake."""
    if isinstance(table, Source):
        return _exports(context, table)
    try:
        return _dimension(context, table) if isinstance(table, Dimension) else _dates(context, table)
    except (EngineFailed, StagedOtherwise) as error:
        # What is staged cannot be read as declared. Refreshing a day says so, of this table alone.
        staged = [context.staged(source) for source in context.star.upstream_sources(table)]
        newest = [max(exports) for exports in staged if exports]
        return OutOfDate({min(newest): digest(error=str(error))} if newest else {})


def _exports(context: Context, source: Source) -> OutOfDate:
    """A day without an export is missing, or is staged as an empty one once a later export has come.

    Where days without an export are empty, a source that has never exported anything is empty
    on every day that others have exported. A source that is pulled has an export of every day
    that is over: it need only be fetched.
    """
    step, first = StageStep(context, source), context.settings.start_date.isoformat()
    snapshot = context.look("staging", source.name)
    listing = context.list_exports(source)
    staged, raw = snapshot.live, listing.exports
    days, frozen, rolled_back = dict[str, str](), [], set()
    to_pull = days_between(first, last_over(context.settings)) if source.is_pulled else []
    missing = _missing(context, source, staged, raw, to_pull)
    empty = _empty(context, source, bool(staged), raw)
    failing = missing if source.absent == "fail" else ()
    for day in sorted({*raw, *failing, *empty, *map(ExportDay, to_pull)}):
        live, export = staged.get(day), raw.get(day)
        if day in failing:
            days[day] = digest(code=step.code, missing=day)
            continue
        if day < first or (live and (export is None or _is_staged(context, step, export, live))):
            continue
        if live and export and export.retired:
            frozen.append(day)
            continue
        files = export.listed if export else []
        found = digest(code=step.code, files=files, replaces=live and live.version)
        # A day of a stream is out of date with any of its hours.
        days[day_of(day)] = digest(hours=[days[day_of(day)], found]) if day_of(day) in days else found
        if export and _was_left(context, step, export, snapshot.day(day)):
            rolled_back.add(day_of(day))
    withdrawn = tuple(day for day, live in staged.items() if live.rows and day not in raw)
    outside = tuple(day for day in raw if day < first)
    return OutOfDate(
        days,
        rolled_back=frozenset(rolled_back),
        withdrawn=withdrawn,
        frozen=tuple(frozen),
        outside=outside,
        strays=listing.strays,
        missing=missing,
    )


def _empty(context: Context, source: Source, is_staged: bool, raw: Mapping[ExportDay, Export]) -> Sequence[ExportDay]:
    """The days without an export on which nothing happened: a later export has come, and none of them is waited for."""
    exported: Iterable[str] = raw
    if source.is_stream:
        return []
    if source.absent == "empty" and not raw and not is_staged:
        exported = [day for one in context.star.sources.values() for day in context.export_days(one)]
    start = context.settings.start_date.isoformat()
    first = start if source.absent == "empty" else max(start, min(raw, default=""))
    between = map(ExportDay, days_between(first, max(exported, default="")))
    return [day for day in between if day not in raw and not source.waits_for(day)]


def _missing(
    context: Context,
    source: Source,
    staged: Mapping[str, Entry],
    raw: Mapping[ExportDay, Export],
    to_pull: Collection[str],
) -> tuple[ExportDay, ...]:
    """The days without an export of which one was to come, between the source's first and the lake's newest.

    A day that was staged from no folder is missing too; one whose export was withdrawn is not.
    """
    if source.is_stream:
        return ()
    exporting = [one.name for one in context.star.sources.values() if not one.is_stream]
    seen = [context.ledgers("staging", name).last.live for name in exporting]
    others = [ExportDay(day) for live in seen for day, entry in live.items() if entry.rows]
    first = min(raw, default=min(others, default=""))
    begin = max(first, context.settings.start_date.isoformat())
    between = map(ExportDay, days_between(begin, max([*raw, *others], default="")))
    return tuple(
        day
        for day in between
        if day not in raw and source.waits_for(day) and not (day in staged and staged[day].rows) and day not in to_pull
    )


def _is_staged(context: Context, step: StageStep, export: Export, live: Entry) -> bool:
    """Whether the live version was made, by the present code, of the files that the export has."""
    if export.broken or (live.export and live.export == step.digest_of(export)):
        return not export.broken
    manifest = context.staged_manifest(export.source, export.day, live.version)
    if manifest is None:
        return False
    known = manifest.inputs
    if export.retired:
        return step.is_of(known["files"], known, live.identity)
    files = known["files"] if same_files(export, known["files"]) else _fingerprints(context, export, known["files"])
    return files is not None and step.identity(files) == live.identity


def _was_left(context: Context, step: StageStep, export: Export, day: Day) -> bool:
    """Whether somebody rolled back from what the present files make."""
    if not day.left:
        return False
    try:
        return step.identity([vars(file) for file in fingerprint(context.storage, export, {})]) in day.left
    except BrokenFile:
        return False


def _fingerprints(
    context: Context, export: Export, known: Sequence[Mapping[str, Any]]
) -> Sequence[Mapping[str, Any]] | None:
    """The files with their checksums, if they may be the known ones, copied or touched; None if they cannot."""
    if [(file.path, file.size) for file in export.files] != [(file["path"], file["size"]) for file in known]:
        return None
    try:
        return [vars(file) for file in fingerprint(context.storage, export, {})]
    except BrokenFile:
        return None


def _dimension(context: Context, dimension: Dimension) -> OutOfDate:
    """Out of date, if it is, for the newest day that any of its sources has exported."""
    if dimension.upstream and not any(map(context.staged, context.star.sources.values())):
        return OutOfDate()
    step = DimensionStep(context, dimension)
    look = step.look([], keep=False)
    wanted, day = step.identity(look), look.own.day(None)
    outside = tuple(f"{year:04}" for year in sorted({*look.reach} - {*look.years}))
    if day.live and day.live.identity == wanted:
        return OutOfDate(outside=outside)
    newest = newest_day(context, dimension)
    rolled_back = frozenset([newest] if wanted in day.left else [])
    return OutOfDate({newest: digest(**vars(wanted))}, rolled_back=rolled_back, outside=outside)


def _dates(context: Context, fact: Fact) -> OutOfDate:
    """Every date that has rows, that was exported, or that is live, held against what it should be."""
    look = look_at_fact(context, fact, keep=False)
    first, last = context.settings.start_date.isoformat(), _last_partition(context, look)
    days, rolled_back, for_histories, outside = dict[str, str](), set(), [], []
    waiting: dict[str, NotStaged] = {}
    awaited: dict[str, Sequence[str]] = {}
    today = datetime.now(context.settings.zone).date().isoformat()
    for date in sorted(look.all_dates()):
        found, day = look.inputs_of(date), look.dates.day(date)
        if date < today and (sources := look.awaited(date)):
            awaited[date] = sources
        if isinstance(found, NotStaged):
            waiting[date] = found
            continue
        if day.live and day.live.identity == found.identity:
            continue
        if date < first or (date > last and not day.live):
            outside.append(date)
            continue
        days[date] = digest(**vars(found.identity))
        for_histories += [date] if found.for_histories else []
        if found.identity in day.left:
            rolled_back.add(date)
    return OutOfDate(
        days,
        waiting,
        frozenset(rolled_back),
        tuple(for_histories),
        outside=tuple(outside),
        awaited=awaited,
    )


def _last_partition(context: Context, look: FactLook) -> str:
    """The newest partition, or the newest staged export, should that be later."""
    today = context.settings.last_partition.isoformat()
    return max([today, *(day_of(next(reversed(staged.live))) for staged in look.staged.values() if staged.live)])


def rows_outside(context: Context, fact: Fact, days: Sequence[str]) -> int:
    """The rows that these dates would have, were they partitions. A corrected date has none."""
    step = FactStep(context, fact)
    look = step.look(days, keep=False)
    plans = [plan for plan in step.plan(look, days) if isinstance(plan, Plan)]
    totals = [context.books.accounts.totals(fact, step.fact_input(look, batch)) for batch in step.batches(look, plans)]
    return sum(int(day["rows"]) for batch in totals for day in batch.values())


def remarks(context: Context, table: AnyTable, found: OutOfDate) -> list[str]:
    """What people should know of a table that refreshing it does not mend."""
    name, start = table.name, context.settings.start_date
    remarks = _of_exports(context, table, found) if isinstance(table, Source) else []
    if found.rolled_back:
        remarks.append(
            f"{name}: {_counted(sorted(found.rolled_back), 'day')} as somebody rolled it back: "
            f"{_some(sorted(found.rolled_back))}. A run of such a day by name builds it again."
        )
    if found.for_histories:
        remarks.append(
            f"{name}: {_counted(found.for_histories, 'date')} concerned by nothing but a changed history: "
            f"{_some(found.for_histories)}."
        )
    if found.waiting:
        first = next(iter(found.waiting.values()))
        remarks.append(f"{name}: {_counted(found.waiting, 'date')} waiting. {first}")
    if found.awaited:
        days, sources = sorted(found.awaited), sorted({name for names in found.awaited.values() for name in names})
        remarks.append(
            f"{name}: {_counted(days, 'date')} known from tills alone: {_some(days)}. "
            f"Exports of {' and '.join(sources)} have yet to come."
        )
    if found.outside and isinstance(table, Dimension):
        first_year, last_year = table.calendar_years
        remarks.append(
            f"{name}: dates of sales reach the year {' and '.join(found.outside)}, and its calendar {first_year} to "
            f"{last_year}. Days beyond are inferred members. Correct the dates, or declare other calendar_years."
        )
    end = f"with STAR_END_DATE, {context.settings.end_date}" if context.settings.end_date else "today"
    if found.outside and isinstance(table, Fact) and (rows := rows_outside(context, table, found.outside)):
        remarks.append(
            f"{name}: {rows:,} rows are in no partition, because of their dates: {_some(found.outside)}. Partitions "
            f"begin with STAR_START_DATE, {start}, and end {end}. Set it to an earlier day, or correct the dates."
        )
    return remarks


def _of_exports(context: Context, source: Source, found: OutOfDate) -> list[str]:
    """What people should know of a source's exports: those that are not staged, or not as they lie there."""
    name, start, remarks = source.name, context.settings.start_date, list[str]()
    if found.strays:
        remarks.append(f"{name}: {not_understood(context.storage.uri(f'{RAW}/{name}'), found.strays)}")
    if found.missing and source.absent == "wait":
        remarks.append(
            f"{name}: {_counted(found.missing, 'export')} missing: {_some(found.missing)}. What is built of them "
            'waits. Export them, without rows if nothing happened; or declare absent="empty".'
        )
    if found.withdrawn:
        day = day_of(found.withdrawn[0])
        remarks.append(
            f"{name}: {_counted(found.withdrawn, 'staged export')} no longer in {context.storage.uri(RAW)}: "
            f"{_some(found.withdrawn)}. What was staged stays; "
            f"`star-assets run {name} --from {day} --to {day}` withdraws a day."
        )
    if found.frozen:
        remarks.append(
            f"{name}: {_counted(found.frozen, 'day')} as an earlier declaration staged it: {_some(found.frozen)}. "
            "Their raw files were retired; put them back to have them staged again."
        )
    if found.outside:
        remarks.append(
            f"{name}: {_counted(found.outside, 'export')} from before STAR_START_DATE, {start}: "
            f"{_some(found.outside)}. Nothing of that is staged; set STAR_START_DATE to an earlier day to have it."
        )
    return remarks


def stray_remarks(context: Context) -> list[str]:
    """What people should know of what lies beside the sources' folders in the raw zone."""
    found = strays_beside_sources(context.storage, context.star.sources)
    return [not_understood(context.storage.uri(RAW), found)] if found else []


def _counted(days: Sequence[str] | Mapping[str, object], what: str) -> str:
    return f"1 {what} is" if len(days) == 1 else f"{len(days):,} {what}s are"


def _some(days: Sequence[str]) -> str:
    more = f" and {len(days) - NAMED:,} more" if len(days) > NAMED else ""
    return ", ".join(days[:NAMED]) + more
