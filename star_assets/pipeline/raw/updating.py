"""Updating the catalog table over a source's raw exports, by listing (tables) or by a crawler (crawl)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from star_assets.exports.finding import is_whole
from star_assets.lake.catalog import TableEntry
from star_assets.lake.drift import Drift
from star_assets.model.errors import StarError
from star_assets.model.source import Source
from star_assets.pipeline.context import Context
from star_assets.pipeline.identity import digest
from star_assets.pipeline.outcome import Outcome
from star_assets.pipeline.raw.crawl import crawl, crawl_what_is_new, is_crawled
from star_assets.pipeline.raw.tables import MENDED, RawTable
from star_assets.pipeline.stage import StageStep, dialect


def registered(context: Context, step: StageStep, outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    """Pass on the outcomes of staging, then register the raw days in their table.

    An error while registering is added to the last outcome's note.
    """
    last = None
    for outcome in outcomes:
        if last:
            yield last
        last = outcome
    warning = _register(context, step) if step.raw else ""
    if last:
        yield last if last.error else replace(last, note=f"{last.note} {warning}".strip())


def _register(context: Context, step: StageStep) -> str:
    try:
        if is_crawled(context, step.source):
            crawl(context, step.source)
        else:
            RawTable(context, step.source).register(step.raw)
    except StarError as error:
        return f"The raw exports of {step.source.name} were not registered in the catalog. {error}"
    return ""


def mend_raw(context: Context, source: Source, wait: bool) -> Iterator[list[Drift]]:
    """Make a source's raw table agree with its raw exports. Works in steps, and yields what each did.

    `wait` says whether to wait for a crawler, if one keeps the table.
    """
    if is_crawled(context, source):
        yield from crawl_what_is_new(context, source, wait)
    else:
        yield from RawTable(context, source).mend()


def mend_raw_if_changed(context: Context, source: Source, found: TableEntry | None) -> list[Drift]:
    """Like `mend_raw`, but does nothing if the table `found` says that it was mended for the listed exports."""
    exports = context.raw_exports.get(source.name)
    if exports is None or is_crawled(context, source):
        return [drift for step in mend_raw(context, source, True) for drift in step]
    mended_for = digest(exports=[export.listed for export in exports.values()], **dialect(source))
    if found and found.is_ours and found.parameters.get(MENDED) == mended_for:
        return []
    table = RawTable(context, source)
    drifts = [drift for step in table.mend(listed=True) for drift in step]
    if table.found and table.found.is_ours and all(is_whole(one, source, time.time()) for one in exports.values()):
        parameters = {**table.found.parameters, MENDED: mended_for}
        context.catalog.put_table(replace(table.found, parameters=parameters))
    return drifts


def raw_entries(context: Context) -> list[TableEntry]:
    """The raw tables that raw_tables keeps. Their columns are those of the exports, all texts."""
    found = [RawTable(context, source).found for source in context.star.sources.values()]
    return [entry for entry in found if entry and entry.is_ours]


def raw_remarks(context: Context) -> list[str]:
    """For each source with raw exports that Athena cannot read, a text with their number and the reason."""
    remarks = []
    for source in context.star.sources.values():
        if not is_crawled(context, source):
            table = RawTable(context, source)
            missing, reason = table.left_out()
            count = "1 raw export is" if len(missing) == 1 else f"{len(missing):,} raw exports are"
            if missing:
                remarks.append(
                    f"{table.name}: {count} left to staging.{source.name}. The newest, {missing[-1]}: {reason}."
                )
    return remarks
