"""Updating a source's catalog table over its raw exports: by this project (raw_tables) or a crawler (raw_crawl)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from star_assets.lake.catalog import TableEntry
from star_assets.lake.drift import Drift
from star_assets.lake.versions import Partition
from star_assets.model.errors import StarError
from star_assets.model.source import Source
from star_assets.pipeline.context import Context
from star_assets.pipeline.documents import document
from star_assets.pipeline.identity import digest
from star_assets.pipeline.outcome import Outcome
from star_assets.pipeline.raw_crawl import crawl, crawl_what_is_new, is_crawled
from star_assets.pipeline.raw_tables import RawTable
from star_assets.pipeline.stage import StageStep, export_digest
from star_assets.staging.exports import is_whole


def registered(context: Context, step: StageStep, outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    """The outcomes of staging, then its days' raw files in their table; what that runs into is a note on the last."""
    last = None
    for outcome in outcomes:
        if last:
            yield last
        last = outcome
    told = _register(context, step) if step.raw else ""
    if last:
        yield last if last.error else replace(last, note=f"{last.note} {told}".strip())


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
    """Bring a source's table in step with its raw exports, in steps; each with what was done.

    Where a crawler keeps it, whether to `wait` for its end.
    """
    if is_crawled(context, source):
        yield from crawl_what_is_new(context, source, wait)
    else:
        yield from RawTable(context, source).mend()


def mend_raw_if_changed(context: Context, source: Source) -> list[Drift]:
    """The same, unless the exports that this process listed last are those that the table was mended for before."""
    exports = context.raw_exports.get(source.name)
    if exports is None or is_crawled(context, source):
        return [drift for step in mend_raw(context, source, True) for drift in step]
    table, partition = RawTable(context, source), Partition("staging", f"{source.name}/_raw")
    mended_for = digest(exports=[export_digest(source, export) for export in exports.values()])
    known = context.look(partition.database, partition.table).day(partition.day).live
    if known and known.identity.made_of == mended_for:
        return []
    found = [drift for step in table.mend(listed=True) for drift in step]
    if all(is_whole(export, source, time.time()) for export in exports.values()):
        document(context, partition, mended_for, lambda: None, keep=True)
    return found


def raw_entries(context: Context) -> list[TableEntry]:
    """The tables that we keep; their columns are the exports', not the model's."""
    found = [RawTable(context, source).found for source in context.star.sources.values()]
    return [entry for entry in found if entry and entry.is_ours]


def raw_remarks(context: Context) -> list[str]:
    """Which raw exports Athena cannot read as they lie there, and why."""
    told = []
    for source in context.star.sources.values():
        if not is_crawled(context, source):
            table = RawTable(context, source)
            missing, reason = table.left_out()
            count = "1 raw export is" if len(missing) == 1 else f"{len(missing):,} raw exports are"
            told += [f"{count} not in {table.name}. The newest, {missing[-1]}: {reason}."] if missing else []
    return told
