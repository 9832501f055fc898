"""The members that are added to dimensions: the Unknown member and inferred members, so that no inner join loses rows.

Every dimension has an Unknown member, for facts whose key is NULL, and inferred
members, for keys that facts use and no export has described yet.
"""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.datatypes as dt
from ibis.expr.types import Table

from star_assets.model.tables import PARTITION_DATE, Dimension, Fact
from star_assets.model.types import UNKNOWN, Type

MEMBER_KIND = "member_kind"
MEMBER_KIND_DESCRIPTION = (
    "described by an export, vanished from later ones, inferred from use alone, the unknown member, "
    "or superseded: kept until the facts that use it are built again"
)

# The kind of a member that the dimension no longer has, kept because live or past facts use it.
SUPERSEDED = "superseded"

# The value of the text attributes of a member that no export describes.
UNDESCRIBED = "Unknown"


def unknown_key(table: Table, column: str) -> int | str | object:
    """The key of the Unknown member, which depends on the type of the key column."""
    return UNKNOWN[str(Type.of(table[column].type()))]


def with_members(dimension: Dimension, described: Table, used: Table, vanished: Table | None = None) -> Table:
    """The described members, plus a member for each key in `used` that is not described.

    Args:
        described: the rows that the dimension's transform returns.
        used: one column, named as the dimension's key: keys that facts use, and the Unknown member's key.
        vanished: one column of that name: the keys of members that the newest snapshot lacks, each once.
    """
    key = dimension.key
    missing = used.filter(used[key].notnull()).distinct().anti_join(described, key)
    columns = {name: undescribed(dtype) for name, dtype in described.schema().items()}
    columns[key] = missing[key]
    if PARTITION_DATE in columns:
        # Every member gets one, so that a join by it finds the Unknown member too.
        columns[PARTITION_DATE] = missing[key].cast("string")
    is_unknown = missing[key] == ibis.literal(unknown_key(described, key), type=described[key].type())
    columns[MEMBER_KIND] = is_unknown.ifelse("unknown", "inferred")
    kinds = described.mutate(**{MEMBER_KIND: ibis.literal("described")})
    if vanished is not None:
        # A join, because not every backend allows `IN (SELECT …)` as a value.
        gone = vanished.select(_vanished=vanished[key])
        marked = described.left_join(gone, described[key] == gone["_vanished"])
        kind = marked["_vanished"].notnull().ifelse("vanished", "described")
        kinds = marked.mutate(**{MEMBER_KIND: kind}).drop("_vanished")
    return kinds.union(missing.select(**columns))


def undescribed(dtype: dt.DataType) -> ibis.Value:
    """The value of an attribute of that type, for a member that no export describes."""
    return ibis.literal(UNDESCRIBED).cast(dtype) if dtype.is_string() else ibis.null(dtype)


def without_nulls(fact: Fact, rows: Table) -> Table:
    """The fact's rows, with NULL references pointing to the Unknown members."""
    known: Mapping[str, object] = {name: unknown_key(rows, name) for name in fact.references if name in rows.columns}
    return rows.mutate(**{name: rows[name].coalesce(key) for name, key in known.items()})
