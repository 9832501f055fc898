"""Which row wins: one row per key, whatever was exported when, in whatever order.

For each key the greatest of (version, nulls first; export day; content) wins;
content is the columns in order of name. A winning tombstone removes its key.
Rows carry `_export`, the day of the export they came in, and `_deleted` where
their source has tombstones. Ibis expressions, so that every engine resolves alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import ibis
from ibis.expr.types import Table

from star_assets.model.source import Source

EXPORT = "_export"
DELETED = "_deleted"


def winners(rows: Table, source: Source) -> Table:
    """The winning row of each key, tombstones among them."""
    version = [rows[source.version]] if source.version else []
    return _greatest(rows, source.keys, [*version, rows[EXPORT]])


def current(rows: Table, source: Source) -> Table:
    """The rows a transform sees: the winners that are no tombstones."""
    found = winners(rows, source)
    return found.filter(~found[DELETED]) if source.tombstone else found


def lines_of(headers: Table, lines: Table, header: Source, part: Source) -> Table:
    """The lines that belong to winning headers.

    With `lines="complete"` a header's export defines its lines: lines from any
    other export of the same header are superseded. With `lines="changed"` each
    line wins by itself, and belongs to its header wherever that was exported.
    """
    keys = {line: headers[name] for line, name in zip(part.header_keys, header.keys, strict=True)}
    owners = headers.select(EXPORT, **keys)
    if part.lines == "changed":
        return current(lines, part).semi_join(owners, list(part.header_keys))
    return current(lines.semi_join(owners, [*part.header_keys, EXPORT]), part)


def _greatest(rows: Table, keys: Sequence[str], first: Sequence[ibis.Value]) -> Table:
    named = {value.get_name() for value in first}
    content = [rows[name] for name in sorted(rows.columns) if name not in named and name not in keys]
    order = [value.desc(nulls_first=False) for value in (*first, *content)]
    ranked = rows.mutate(_rank=ibis.row_number().over(group_by=list(keys), order_by=order))
    return ranked.filter(ranked["_rank"] == 0).drop("_rank")
