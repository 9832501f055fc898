"""Reconciliation: where every exported line went, day by day, and whether that is all there is.

From raw to staged to fact: what was rejected, what lost to a newer row, what has
no header, what the fact leaves out, what was sold on another date. What is left
between that and the live fact is unexplained, and must be nothing. Not here: the
cause of each line (staging.accounts).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from star_assets.engines.engine import FactInput
from star_assets.engines.portions import portions
from star_assets.lake.versions import Partition, PointerEntry, read_manifest
from star_assets.model.source import Source
from star_assets.model.tables import Fact
from star_assets.pipeline.account import (
    FACT,
    MOVED_IN,
    MOVED_OUT,
    RAW,
    REJECTED,
    STAGED,
    UNEXPLAINED,
    Account,
    Amounts,
)
from star_assets.pipeline.dates import FactInputs
from star_assets.pipeline.key_index import KeyIndex, LineIndex
from star_assets.staging.accounts import DELETED_LINE, HEADERLESS, SUPERSEDED

if TYPE_CHECKING:
    from star_assets.pipeline.warehouse import Warehouse


# Lines that are explained at once, with which a process takes 0.8 GB.
AT_ONCE = 2_000_000

# By day: what of it is staged; the amounts of each of its steps.
Staged = Mapping[str, PointerEntry]
Steps = dict[str, dict[str, dict[str, Decimal]]]


def reconcile(warehouse: Warehouse, fact: Fact, days: Sequence[str]) -> Account:
    """Account for every line that was exported on these days, or sold on these dates."""
    grain = warehouse.star.grain(fact)
    staged = {day: entry for day, (entry, _) in warehouse.live_versions(grain, days).items()}
    raw = _raw(warehouse, grain, days, staged)
    found: Steps = {}
    for portion in portions(days, lambda day: staged[day].rows if day in staged else 0, AT_ONCE):
        found |= _steps(warehouse, fact, grain, portion, {day: staged[day] for day in portion if day in staged})
    live = _live(warehouse, fact, days)
    return Account(
        fact.name,
        ("rows", *fact.summed),
        {day: {**raw[day], **steps, **_compared(steps, live[day])} for day, steps in found.items()},
    )


def _steps(warehouse: Warehouse, fact: Fact, grain: Source, days: Sequence[str], staged: Staged) -> Steps:
    """The steps between the staged lines and the fact, the same for a day whichever others are asked for."""
    measures = ("rows", *fact.summed)
    causes = (SUPERSEDED, DELETED_LINE, HEADERLESS, fact.excluded)
    steps = (STAGED, *causes, MOVED_OUT, MOVED_IN)
    found = {day: {step: dict.fromkeys(measures, Decimal(0)) for step in steps} for day in days}

    def add(day: str, step: str, line: Mapping[str, Any], sign: int) -> None:
        if day in found:
            for measure in measures:
                found[day][step][measure] += sign * Decimal(line[measure] or 0)

    for line in warehouse.engine.explain(fact, _given(warehouse, fact, grain, days, staged)):
        add(line["export"], STAGED, line, 1)
        if line["cause"]:
            add(line["export"], line["cause"], line, -1)
        elif line["date"] != line["export"]:
            add(line["export"], MOVED_OUT, line, -1)
            add(line["date"], MOVED_IN, line, 1)
    return found


def _compared(steps: Mapping[str, Amounts], live: Amounts) -> dict[str, Amounts]:
    expected = {measure: sum(amounts[measure] for amounts in steps.values()) for measure in live}
    return {FACT: live, UNEXPLAINED: {measure: amount - expected[measure] for measure, amount in live.items()}}


def _raw(warehouse: Warehouse, grain: Source, days: Sequence[str], staged: Staged) -> dict[str, dict[str, Amounts]]:
    """What each day's files held, and what of it was rejected."""
    found: dict[str, dict[str, Amounts]] = {}
    for day in days:
        facts: Mapping[str, Any] = {}
        if day in staged:
            facts = read_manifest(warehouse.storage, Partition("staging", grain.name, day), staged[day].version).facts
        found[day] = {RAW: {"rows": facts.get("rows_in", 0)}, REJECTED: {"rows": -facts.get("rejected", 0)}}
    return found


def _live(warehouse: Warehouse, fact: Fact, days: Sequence[str]) -> dict[str, Amounts]:
    """What queries find on each date."""
    totals = warehouse.engine.file_totals(fact, warehouse.served_files(fact, days))
    nothing = dict.fromkeys(("rows", *fact.summed), Decimal(0))
    return {
        day: {measure: amount or Decimal(0) for measure, amount in totals.get(day, nothing).items()} for day in days
    }


def _given(warehouse: Warehouse, fact: Fact, grain: Source, days: Sequence[str], staged: Staged) -> FactInput:
    """All exports that say what became of the lines of these days, and which lines these dates have."""
    seen = FactInputs(warehouse, fact, days)
    exports: dict[str, set[str]] = defaultdict(set)
    for name, needed in seen.needed.items():
        exports[name].update(export for of_date in needed.values() for export in of_date)
    exports[grain.name] |= staged.keys()
    files = [file for one in warehouse.staged_inputs(grain, staged) for file in one.files]
    driving = seen.sources[0]
    headers = KeyIndex(warehouse, warehouse.star.driving_column(fact))
    if grain is driving:
        exports[grain.name].update(warehouse.engine.exports_of_lines(grain, headers.files, files))
    else:
        exports[driving.name].update(warehouse.engine.header_exports_of_lines(grain, headers.files, files))
    if grain.lines == "changed" and grain is not driving:
        own = [month.file for month in LineIndex(warehouse, headers, grain).months]
        exports[grain.name].update(warehouse.engine.exports_of_lines(grain, own, files))
    inputs = {}
    for source in seen.sources:
        live = warehouse.live_versions(source, exports[source.name])
        inputs[source.name] = warehouse.staged_inputs(source, {day: entry for day, (entry, _) in live.items()})
    states = warehouse.storage.local([state.path for state in seen.states.values()])
    return FactInput(tuple(days), inputs, dict(zip(seen.states, states, strict=True)))
