"""Which row wins: one row per key, whatever was exported when, in whatever order.

For each key the greatest of (version, nulls first; export day; content) wins;
content is the columns in order of name. A winning tombstone removes its key.
Rows carry `_export`, the day of the export they came in, and `_deleted` where
their source has tombstones; folded rows of snapshots carry `_listed`, the last
export that had the key; rows that are accounted for carry `_line`, a number that
decides nothing. Ibis expressions, so that every engine resolves alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import ibis
from ibis.expr.types import Table

from star_assets.model.source import Source

EXPORT = "_export"
DELETED = "_deleted"
LISTED = "_listed"
LINE = "_line"


def winners(rows: Table, source: Source, again: Table | None = None) -> Table:
    """The winning row of each key, tombstones among them.

    `again` holds at least the keys that occur more than once, if they are known; all others win uncompared.
    """
    if again is not None:
        keys = list(source.keys)
        return rows.anti_join(again, keys).union(winners(rows.semi_join(again, keys), source))
    ranked = rows.mutate(_wins=wins(rows, source, source.keys))
    return ranked.filter(ranked["_wins"]).drop("_wins")


def wins(rows: Table, source: Source, among: Sequence[str]) -> ibis.Value:
    """Whether a row is the greatest of those that have the same values in the columns `among`."""
    order = [value.desc(nulls_first=False) for value in _compared(rows, source)]
    return ibis.row_number().over(group_by=list(among), order_by=order) == 0


def folded(rows: Table, source: Source) -> Table:
    """The winning row of each key, over staged rows and those that were folded before."""
    if source.exports == "changes":
        return winners(rows, source)
    last = rows[LISTED].coalesce(rows[EXPORT]).max().over(group_by=list(source.keys))
    return winners(rows.mutate(**{LISTED: last}), source)


def versions(rows: Table, source: Source) -> Table:
    """Every row that says something else of its key than the one that wins over it next to it.

    Once exports are folded in order, those that only repeat what is known add nothing.
    """
    keys = list(source.keys)
    ascending = ibis.window(group_by=keys, order_by=precedence(rows, source))
    said = [rows[name] for name in rows.columns if name not in (*keys, EXPORT, LISTED)]
    repeats = ibis.and_(
        ibis.row_number().over(ascending) > 0, *(value.identical_to(value.lag().over(ascending)) for value in said)
    )
    marked = rows.mutate(_repeats=repeats)
    return marked.filter(~marked["_repeats"]).drop("_repeats")


def current(rows: Table, source: Source, again: Table | None = None) -> Table:
    """The rows a transform sees: the winners that are no tombstones."""
    found = winners(rows, source, again)
    return found.filter(~found[DELETED]) if source.tombstone else found


def lines_of(headers: Table, lines: Table, header: Source, part: Source) -> Table:
    """The lines that belong to winning headers, each line's winning row.

    With `lines="changed"` each line wins by itself, and belongs to its header
    wherever that was exported.
    """
    if part.lines == "changed":
        owners = headers.select(**_owners(headers, header, part))
        return current(lines, part).semi_join(owners, list(part.header_keys))
    return current(exported_with(headers, lines, header, part), part)


def exported_with(headers: Table, lines: Table, header: Source, part: Source) -> Table:
    """Every row of the lines that came with winning headers.

    With `lines="complete"` a header's export defines its lines: lines from any
    other export of the same header are superseded. Which export it was decides
    nothing among those of one header, so it is left out.
    """
    owners = headers.select(EXPORT, **_owners(headers, header, part))
    return lines.semi_join(owners, [*part.header_keys, EXPORT]).drop(EXPORT)


def _owners(headers: Table, header: Source, part: Source) -> dict[str, ibis.Value]:
    return {line: headers[name] for line, name in zip(part.header_keys, header.keys, strict=True)}


def precedence(rows: Table, source: Source) -> list[ibis.Value]:
    """The order of rows of one key in which each wins over those before."""
    return [value.asc(nulls_first=True) for value in _compared(rows, source)]


def _compared(rows: Table, source: Source) -> list[ibis.Value]:
    """What rows of one key are compared by, from lowest to highest: version, export day, content."""
    first = [rows[name] for name in (source.version, EXPORT) if name in rows.columns]
    named = {value.get_name() for value in first} | {LISTED, LINE, *source.keys}
    return [*first, *(rows[name] for name in sorted(rows.columns) if name not in named)]
