"""Why a staged line, or an event, did not become a sale: duplicate, superseded, deleted, and so on.

Ibis expressions, so that every engine finds the same causes. Not here: rows that a
fact's function leaves out (books.accounts), comparing totals (pipeline).
"""

from __future__ import annotations

from collections.abc import Sequence

import ibis
from ibis.expr.types import Table

from star_assets.model.source import Source
from star_assets.rules.winners import DELETED, EXPORT, LINE, wins

DUPLICATE, SUPERSEDED, DELETED_LINE, HEADERLESS = "duplicate", "superseded", "deleted", "headerless"

# Causes of events alone: another event with its id won; an export has its receipt.
CONFLICTING, BY_EXPORT = "conflicting event", "superseded by export"

# The column with the cause.
CAUSE = "_cause"


def rivals(grain: Source, header: Source) -> tuple[str, ...]:
    """The columns that competing rows of lines share."""
    return (*grain.keys, EXPORT) if grain is not header and grain.lines == "complete" else grain.keys


def line_causes(lines: Table, again: Table, headers: Table, grain: Source, header: Source) -> Table:
    """(`_line`, `_export`, `_cause`) of each line; the cause is NULL if only the fact's function may omit the line.

    A line that loses to another of its own export, key and version is a duplicate, even if that one lost too.

    Args:
        lines: staged rows of `grain`, each with its `_line`; all rows of their keys.
        again: the values of the `rivals` columns that several lines share.
        headers: the winning row of each header, including tombstones.
        header: the source of headers, which may be the grain itself.
    """
    is_part = grain is not header
    complete = is_part and grain.lines == "complete"
    among = rivals(grain, header)
    compared = lines.semi_join(again, among)
    version = (grain.version,) if grain.version else ()
    same = tuple(dict.fromkeys((*among, *version, EXPORT)))
    ranked = compared.select(
        _beaten=compared[LINE], _wins=wins(compared, grain, among), _again=~wins(compared, grain, same)
    )
    beaten = ranked.filter(~ranked["_wins"]).select("_beaten", "_again")
    every = lines.left_join(beaten, lines[LINE] == beaten["_beaten"])
    tombstone = every[DELETED] if grain.tombstone else ibis.literal(False)
    best = every["_beaten"].isnull()
    repeated = every["_again"].fill_null(False)
    marked = every.select(LINE, EXPORT, *grain.header_keys, _best=best, _tombstone=tombstone, _duplicate=repeated)
    if not is_part:
        lost = [(marked["_duplicate"], DUPLICATE), (~marked["_best"], SUPERSEDED), (marked["_tombstone"], DELETED_LINE)]
        return marked.select(LINE, EXPORT, **{CAUSE: ibis.cases(*lost)})
    gone = headers[DELETED] if header.tombstone else ibis.literal(False)
    keys = {f"_{key}": headers[name] for key, name in zip(grain.header_keys, header.keys, strict=True)}
    owners = headers.select(_owner=headers[EXPORT], _gone=gone, **keys)
    found = marked.left_join(owners, [marked[key] == owners[f"_{key}"] for key in grain.header_keys])
    superseded = ~found["_best"] | (found[EXPORT] != found["_owner"]) if complete else ~found["_best"]
    lost = [(found["_owner"].isnull(), HEADERLESS), (found["_gone"], DELETED_LINE)]
    lost = [*lost, (superseded, SUPERSEDED)] if complete else [(superseded, SUPERSEDED), *lost]
    lost = [(found["_duplicate"], DUPLICATE), *lost, (found["_tombstone"], DELETED_LINE)]
    return found.select(LINE, EXPORT, **{CAUSE: ibis.cases(*lost)})


def exported_receipts(exported: Table, receipt: Sequence[str], header: Source) -> Table:
    """The different keys of exported rows of `header`, in columns named as a stream's receipt."""
    keys = zip(receipt, header.keys, strict=True)
    return exported.select(**{column: exported[key] for column, key in keys}).distinct()


def event_causes(events: Table, stream: Source, receipts: Table) -> Table:
    """(`_line`, `_export`, `_cause`) of each event of a stream; the cause is NULL for events that count.

    Args:
        events: staged rows of `stream`, each with its `_line`; all rows of their keys.
        receipts: the receipts that an export has, in columns named as the stream's.
    """
    content = [name for name in events.columns if name not in (*stream.keys, EXPORT, LINE)]
    ranked = events.mutate(_wins=wins(events, stream, stream.keys))
    best = ranked.filter(ranked["_wins"])
    best = best.select(**{f"_best_{name}": best[name] for name in (*stream.keys, *content)})
    found = ranked.left_join(best, [ranked[key] == best[f"_best_{key}"] for key in stream.keys])
    known = receipts.select(
        _exported=ibis.literal(True), **{f"_of_{name}": receipts[name] for name in receipts.columns}
    )
    found = found.left_join(known, [found[name] == known[f"_of_{name}"] for name in receipts.columns])
    same = ibis.and_(*(found[name].identical_to(found[f"_best_{name}"]) for name in content))
    lost = [(~found["_wins"] & same, DUPLICATE), (~found["_wins"], CONFLICTING), (found["_exported"], BY_EXPORT)]
    return found.select(LINE, EXPORT, **{CAUSE: ibis.cases(*lost)})
