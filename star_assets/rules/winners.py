"""The winning row of each key, independent of the order in which exports arrive.

For each key the greatest of (version, nulls first; export day; content) wins;
content is the columns in order of name. A winning tombstone removes its key.
Rows carry `_export`, the day of the export they came in, and `_deleted` where
their source has tombstones; folded rows of snapshots carry `_listed`, the last
export that had the key; rows of accounts carry `_line`, a number that does not
affect the order. Ibis expressions, so that every engine finds the same winner.
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
    """The winning row of each key, including tombstones.

    `again`, if given, has at least the keys that occur more than once; rows of other keys are not compared.
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
    """The winning row of each key among staged rows and an earlier folded state."""
    if source.exports == "changes":
        return winners(rows, source)
    last = rows[LISTED].coalesce(rows[EXPORT]).max().over(group_by=list(source.keys))
    return winners(rows.mutate(**{LISTED: last}), source)


def versions(rows: Table, source: Source) -> Table:
    """The rows that differ from the row before them in their key's order of precedence.

    So an export that only repeats known rows adds none.
    """
    keys = list(source.keys)
    ascending = ibis.window(group_by=keys, order_by=precedence(rows, source))
    content = [rows[name] for name in rows.columns if name not in (*keys, EXPORT, LISTED)]
    repeats = ibis.and_(
        ibis.row_number().over(ascending) > 0, *(value.identical_to(value.lag().over(ascending)) for value in content)
    )
    marked = rows.mutate(_repeats=repeats)
    return marked.filter(~marked["_repeats"]).drop("_repeats")


def current(rows: Table, source: Source, again: Table | None = None) -> Table:
    """The rows that a transform gets: the winning rows that are no tombstones."""
    found = winners(rows, source, again)
    return found.filter(~found[DELETED]) if source.tombstone else found


def lines_of(headers: Table, lines: Table, header: Source, part: Source) -> Table:
    """The lines that belong to winning headers, each line's winning row.

    With `lines="changed"` each line wins by itself, and belongs to its header, whichever
    export that came in.
    """
    if part.lines == "changed":
        owners = headers.select(**_owners(headers, header, part))
        return current(lines, part).semi_join(owners, list(part.header_keys))
    return current(exported_with(headers, lines, header, part), part)


def exported_with(headers: Table, lines: Table, header: Source, part: Source) -> Table:
    """The rows of lines from the same export as their winning header, without `_export`.

    With `lines="complete"`, a header's export defines its lines: lines from any other
    export of the same header are superseded.
    """
    owners = headers.select(EXPORT, **_owners(headers, header, part))
    return lines.semi_join(owners, [*part.header_keys, EXPORT]).drop(EXPORT)


def _owners(headers: Table, header: Source, part: Source) -> dict[str, ibis.Value]:
    return {line: headers[name] for line, name in zip(part.header_keys, header.keys, strict=True)}


def precedence(rows: Table, source: Source) -> list[ibis.Value]:
    """Sort keys for rows of one key, in which each row wins over those before it."""
    return [value.asc(nulls_first=True) for value in _compared(rows, source)]


def _compared(rows: Table, source: Source) -> list[ibis.Value]:
    """The values by which rows of one key are compared, the most significant first: version, export day, content."""
    first = [rows[name] for name in (source.version, EXPORT) if name in rows.columns]
    named = {value.get_name() for value in first} | {LISTED, LINE, *source.keys}
    return [*first, *(rows[name] for name in sorted(rows.columns) if name not in named)]
