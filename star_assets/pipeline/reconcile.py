"""Reconciliation: where every exported line went, day by day, and whether that is all there is.

From raw to staged to fact: what was rejected, what lost to a newer row, what has
no header, what the fact leaves out, what was sold on another date. What is left
between that and the live fact is unexplained, and must be nothing. Not here: the
cause of each line (staging.accounts).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import localcontext
from typing import Any

from star_assets.engines.engine import FactInput
from star_assets.engines.portions import portions
from star_assets.lake.ledger import Entry
from star_assets.lake.versions import Partition, read_manifest
from star_assets.model.days import BusinessDate, ExportDay
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
from star_assets.staging.accounts import DELETED_LINE, DUPLICATE, HEADERLESS, SUPERSEDED

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
    grain = context.star.grain(fact)
    live_days, exported = context.staged(grain), list(map(ExportDay, days))
    staged = {day: live_days[day] for day in exported if day in live_days}
    raw = _raw(context, grain, exported, staged)
    found: Steps = {}
    for portion in portions(exported, lambda day: staged[day].rows if day in staged else 0, AT_ONCE):
        of_portion = {day: live for day, live in staged.items() if day in portion}
        found |= _steps(context, fact, grain, portion, of_portion)
    live = _live(context, fact, days)
    types = {field.name: field.type for field in context.star.fields(fact)}
    return Account(
        fact.name,
        {"rows": Type("int64"), **{measure: types[measure] for measure in fact.summed}},
        {day: {**raw[day], **steps, **_compared(steps, live[day])} for day, steps in found.items()},
    )


def _steps(context: Context, fact: Fact, grain: Source, days: Sequence[str], staged: Staged) -> Steps:
    """The steps between the staged lines and the fact, the same for a day whichever others are asked for."""
    measures = ("rows", *fact.summed)
    causes = (DUPLICATE, SUPERSEDED, DELETED_LINE, HEADERLESS, fact.excluded)
    steps = (STAGED, *causes, MOVED_OUT, MOVED_IN)
    found: Steps = {day: {step: dict.fromkeys(measures, 0) for step in steps} for day in days}

    def add(day: str, step: str, line: Mapping[str, Any], sign: int) -> None:
        if day in found:
            for measure in measures:
                found[day][step][measure] += sign * (line[measure] or 0)

    for line in context.books.accounts.explain(fact, _fact_input(context, fact, grain, days, staged)):
        add(line["export"], STAGED, line, 1)
        if line["cause"]:
            add(line["export"], line["cause"], line, -1)
        elif line["date"] != line["export"]:
            add(line["export"], MOVED_OUT, line, -1)
            add(line["date"], MOVED_IN, line, 1)
    return found


def _compared(steps: Mapping[str, Amounts], live: Amounts) -> dict[str, Amounts]:
    expected = {measure: [amounts[measure] for amounts in steps.values()] for measure in live}
    return {FACT: live, UNEXPLAINED: {measure: difference(live[measure], parts) for measure, parts in expected.items()}}


def _raw(context: Context, grain: Source, days: Sequence[ExportDay], staged: Staged) -> dict[str, dict[str, Amounts]]:
    """What each day's files held, and what of it was rejected."""
    found: dict[str, dict[str, Amounts]] = {}
    for day in days:
        facts: Mapping[str, Any] = {}
        if day in staged:
            facts = read_manifest(context.storage, Partition("staging", grain.name, day), staged[day].version).facts
        found[day] = {RAW: {"rows": facts.get("rows_in", 0)}, REJECTED: {"rows": -facts.get("rejected", 0)}}
    return found


def _live(context: Context, fact: Fact, days: Sequence[str]) -> dict[str, Amounts]:
    """What queries find on each date."""
    totals = context.books.accounts.file_totals(fact, context.served_files(fact, days))
    nothing = dict.fromkeys(("rows", *fact.summed), 0)
    return {day: {measure: amount or 0 for measure, amount in totals.get(day, nothing).items()} for day in days}


def _fact_input(context: Context, fact: Fact, grain: Source, days: Sequence[str], staged: Staged) -> FactInput:
    """All exports that say what became of the lines of these days, and which lines these dates have."""
    look, dates = look_at_fact(context, fact, keep=False), tuple(map(BusinessDate, days))
    driving, *_ = sources = fact_sources(context, fact)
    exports: dict[str, set[ExportDay]] = defaultdict(set)
    for name, by_date in look.needed.items():
        exports[name].update(export for date in dates for export in by_date.get(date, ()))
    exports[grain.name] |= staged.keys()
    versions = {day: entry.version for day, entry in staged.items()}
    files = [file for one in context.staged_inputs(grain, versions) for file in one.files]
    headers = KeyIndex(context, context.star.driving_column(fact), look.staged[driving.name], keep=False)
    if grain is driving:
        exports[grain.name].update(context.books.keys.exports_of_lines(grain, headers.files, files))
    else:
        exports[driving.name].update(context.books.keys.header_exports_of_lines(grain, headers.files, files))
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
