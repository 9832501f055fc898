"""Reconciliation: where every exported line went, day by day, and whether that is all there is.

From raw to staged to fact: what was rejected, what lost to a newer row, what has
no header, what the fact leaves out, what was sold on another date. What is left
between that and the live fact is unexplained, and must be nothing. Not here: the
cause of each line (rules.accounts).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from decimal import localcontext
from typing import Any

from star_assets.engines.engine import FactInput
from star_assets.engines.portions import portions
from star_assets.lake.ledger import Entry
from star_assets.lake.versions import Partition, read_manifest
from star_assets.model.days import BusinessDate, ExportDay, day_of
from star_assets.model.source import Source
from star_assets.model.tables import Fact
from star_assets.model.types import Type
from star_assets.pipeline.account import (
    EXACT,
    FACT,
    MOVED_IN,
    MOVED_OUT,
    RAW,
    REJECTED,
    STAGED,
    UNEXPLAINED,
    Account,
    Amounts,
    Number,
    difference,
)
from star_assets.pipeline.context import Context
from star_assets.pipeline.fact_inputs import fact_sources, look_at_fact
from star_assets.pipeline.key_index import KeyIndex, LineIndex
from star_assets.rules.accounts import BY_EXPORT, CONFLICTING, DELETED_LINE, DUPLICATE, HEADERLESS, SUPERSEDED

# Lines that are explained at once, with which a process takes 0.8 GB.
AT_ONCE = 2_000_000

# By day: what of it is staged; the amounts of each of its steps.
Staged = Mapping[ExportDay, Entry]
Steps = dict[str, dict[str, dict[str, Number]]]


def reconcile(context: Context, fact: Fact, days: Sequence[str]) -> Account:
    """Account for every line that was exported on these days, or sold on these dates."""
    with localcontext(EXACT):
        return _reconciled(context, fact, days)


def _reconciled(context: Context, fact: Fact, days: Sequence[str]) -> Account:
    grain, exported = context.star.grain(fact), list(map(ExportDay, days))
    wanted, stream = set(days), context.star.stream(fact)
    staged = _of(wanted, context.staged(grain))
    events = _of(wanted, context.staged(stream.source)) if stream else {}
    raw = _raw(context, exported, [(grain, staged), *([(stream.source, events)] if stream else [])])
    found: Steps = {}

    rows: dict[str, int] = defaultdict(int)
    for export, entry in (*staged.items(), *events.items()):
        rows[day_of(export)] += entry.rows

    for portion in portions(exported, rows.__getitem__, AT_ONCE):
        found |= _steps(context, fact, grain, portion, _of(portion, staged), _of(portion, events))
    live = _live(context, fact, days)
    types = {field.name: field.type for field in context.star.fields(fact)}
    return Account(
        fact.name,
        {"rows": Type("int64"), **{measure: types[measure] for measure in fact.summed}},
        {day: {**raw[day], **steps, **_compared(steps, live[day])} for day, steps in found.items()},
    )


def _steps(context: Context, fact: Fact, grain: Source, days: Sequence[str], staged: Staged, events: Staged) -> Steps:
    """The steps between the staged lines and events and the fact, the same for a day whichever others are asked for."""
    measures = ("rows", *fact.summed)
    causes: tuple[str, ...] = (DUPLICATE, SUPERSEDED, DELETED_LINE, HEADERLESS, fact.excluded)
    causes += (CONFLICTING, BY_EXPORT) if fact.provisional else ()
    steps = (STAGED, *causes, MOVED_OUT, MOVED_IN)
    found: Steps = {day: {step: dict.fromkeys(measures, 0) for step in steps} for day in days}

    def add(day: str, step: str, line: Mapping[str, Any], sign: int) -> None:
        if day in found:
            for measure in measures:
                found[day][step][measure] += sign * (line[measure] or 0)

    given = _fact_input(context, fact, grain, days, staged, events)
    accounts = context.books.accounts
    for line in (*accounts.explain(fact, given), *accounts.explain_events(fact, given)):
        export = day_of(line["export"])
        add(export, STAGED, line, 1)
        if line["cause"]:
            add(export, line["cause"], line, -1)
        elif line["date"] != export:
            add(export, MOVED_OUT, line, -1)
            add(line["date"], MOVED_IN, line, 1)
    return found


def _compared(steps: Mapping[str, Amounts], live: Amounts) -> dict[str, Amounts]:
    expected = {measure: [amounts[measure] for amounts in steps.values()] for measure in live}
    return {FACT: live, UNEXPLAINED: {measure: difference(live[measure], parts) for measure, parts in expected.items()}}


def _raw(
    context: Context, days: Sequence[ExportDay], sources: Sequence[tuple[Source, Staged]]
) -> dict[str, dict[str, Amounts]]:
    """What each day's files held, and what of it was rejected."""
    rows, rejected = defaultdict[str, int](int), defaultdict[str, int](int)
    for source, staged in sources:
        for export, entry in staged.items():
            partition = Partition("staging", source.name, export)
            facts = read_manifest(context.storage, partition, entry.version).facts
            rows[day_of(export)] += facts.get("rows_in", 0)
            rejected[day_of(export)] += facts.get("rejected", 0)
    return {day: {RAW: {"rows": rows[day]}, REJECTED: {"rows": -rejected[day]}} for day in days}


def _live(context: Context, fact: Fact, days: Sequence[str]) -> dict[str, Amounts]:
    """What queries find on each date."""
    totals = context.books.accounts.file_totals(fact, context.served_files(fact, days))
    nothing = dict.fromkeys(("rows", *fact.summed), 0)
    return {day: {measure: amount or 0 for measure, amount in totals.get(day, nothing).items()} for day in days}


def _of(days: Collection[str], staged: Staged) -> Staged:
    """What was exported on these days, by a stream in any hour of them."""
    return {export: entry for export, entry in staged.items() if day_of(export) in days}


def _files(context: Context, source: Source, staged: Staged) -> list[str]:
    versions = {day: entry.version for day, entry in staged.items()}
    return [file for one in context.staged_inputs(source, versions) for file in one.files]


def _fact_input(
    context: Context, fact: Fact, grain: Source, days: Sequence[str], staged: Staged, events: Staged
) -> FactInput:
    """All exports that say what became of the lines and events of these days, and which ones these dates have."""
    look, dates = look_at_fact(context, fact, keep=False), tuple(map(BusinessDate, days))
    driving, *_ = sources = fact_sources(context, fact)
    exports: dict[str, set[ExportDay]] = defaultdict(set)
    for name, by_date in look.needed.items():
        exports[name].update(export for date in dates for export in by_date.get(date, ()))
    exports[grain.name] |= staged.keys()
    files = _files(context, grain, staged)
    headers = KeyIndex(context, context.star.driving_column(fact), look.staged[driving.name], keep=False)
    if grain is driving:
        exports[grain.name].update(context.books.keys.exports_of_lines(grain, headers.files, files))
    else:
        exports[driving.name].update(
            context.books.keys.header_exports(driving, headers.files, grain.header_keys, files)
        )
    stream = context.star.stream(fact)
    if stream and fact.provisional:
        files_of_events = _files(context, stream.source, events)
        index = KeyIndex(context, stream, look.staged[stream.source.name], keep=False)
        exports[stream.source.name] |= events.keys()
        exports[stream.source.name].update(
            context.books.keys.exports_of_lines(stream.source, index.files, files_of_events)
        )
        exports[driving.name].update(
            context.books.keys.header_exports(driving, headers.files, fact.provisional.receipt, files_of_events)
        )
    if grain.lines == "changed" and grain is not driving:
        own = LineIndex(context, headers, grain, look.staged[grain.name], keep=False)
        exports[grain.name].update(context.books.keys.exports_of_lines(grain, own.files, files))
    inputs = {}
    for source in sources:
        live = look.staged[source.name].live
        found = {day: live[day].version for day in sorted(exports[source.name]) if day in live}
        inputs[source.name] = context.staged_inputs(source, found)
    states = {name: context.book_file(book) for name, book in look.states.items()}
    return FactInput(dates, inputs, states)
