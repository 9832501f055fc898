"""The rows of a history (SCD type 2): for each member, intervals in which its tracked columns have one value.

At any moment, the row of a key is the one that wins among those in effect by then. A
row takes effect at its version, if that is a time, else at the start of its export
day in the business time zone. The last interval equals the dimension's row, and the
first interval has no lower bound. Ibis expressions, so that every engine computes the
same history. Not here: which row wins (winners), reading the rows (engines).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import ibis
from ibis.expr.types import Table

from star_assets.model.functions import start_of_day, surrogate_key
from star_assets.model.members import MEMBER_KIND, undescribed, unknown_key
from star_assets.model.source import Source
from star_assets.model.tables import IS_CURRENT, VALID_FROM, VALID_TO, History, surrogate
from star_assets.rules.winners import EXPORT, precedence

# The bounds of the first and the last interval; every engine and BI tool supports both.
BEGINNING, END = datetime(1900, 1, 1), datetime(9999, 12, 31)

MOMENT = "timestamp(3)"

# Columns that are added to each row: its number, and when it takes effect.
ROW, SINCE = "_row", "_since"


def in_force(rows: Table, source: Source) -> Table:
    """The rows that won their key at any time, each with `_row`, its number, and `_since`, when it took effect."""
    keys = list(source.keys)
    ranked = rows.mutate(
        _rank=ibis.row_number().over(group_by=keys, order_by=precedence(rows, source)),
        **{SINCE: _in_effect_since(rows, source).cast(MOMENT)},
    )
    at_once = ranked.mutate(_last=ranked["_rank"].max().over(group_by=[*keys, SINCE]))
    latest = at_once.filter(at_once["_rank"] == at_once["_last"]).drop("_last")
    so_far = ibis.window(group_by=keys, order_by=latest[SINCE], preceding=None, following=0)
    known = latest.mutate(_best=latest["_rank"].max().over(so_far))
    found = known.filter(known["_rank"] == known["_best"]).drop("_rank", "_best")
    return found.mutate(**{ROW: ibis.row_number().over(order_by=[*keys, SINCE])})


def history_rows(history: History, key: str, steps: Table, described: Table, members: Table) -> Table:
    """The intervals of every member.

    Args:
        key: the source's column that is the member's key.
        steps: the result of `in_force`, including tombstones.
        described: the dimension's rows of the steps that are no tombstones, each with its `_row`.
        members: the dimension's current rows, including Unknown and inferred members.
    """
    of = history.of
    spans = _spans(history, key, steps, described)
    others = {name: f"_now_{name}" for name in members.columns if name not in (of.key, *of.history)}
    today = members.select(_member=members[of.key], **{alias: members[name] for name, alias in others.items()})
    joined = spans.left_join(today, spans[of.key] == today["_member"])
    is_member = joined["_member"].notnull()
    columns = {
        name: is_member.ifelse(joined[alias], undescribed(members[name].type())) for name, alias in others.items()
    }
    columns[MEMBER_KIND] = joined[IS_CURRENT].ifelse(columns[MEMBER_KIND], joined[MEMBER_KIND])
    kept = joined.mutate(**columns).filter(is_member | ~joined[IS_CURRENT])
    return kept.select(*_columns(history, members)).union(_without_versions(history, members, spans))


def with_versions(rows: Table, date: str, versions: Mapping[str, tuple[History, Table]]) -> Table:
    """A fact's rows with the surrogate key of each versioned reference, as of their timestamp `date`."""
    for column, (history, table) in versions.items():
        found = table.select(
            _key=table[history.of.key], _sk=table[history.key], _from=table[VALID_FROM], _to=table[VALID_TO]
        )
        then = [rows[column] == found["_key"], rows[date] >= found["_from"], rows[date] < found["_to"]]
        rows = rows.left_join(found, then).drop("_key", "_from", "_to").rename({surrogate(column): "_sk"})
    return rows


def _in_effect_since(rows: Table, source: Source) -> ibis.Value:
    exported = start_of_day(rows[EXPORT].cast("date"))
    if source.version is None:
        return exported
    version = rows[source.version]
    if version.type().is_date():
        return start_of_day(version).coalesce(exported)
    return version.coalesce(exported) if version.type().is_timestamp() else exported


def _spans(history: History, key: str, steps: Table, described: Table) -> Table:
    """The intervals of every key that was ever exported; tombstones give intervals of undescribed attributes."""
    of = history.of
    tracked = described.select(**{ROW: described[ROW]}, **{f"_was_{name}": described[name] for name in of.history})
    found = steps.select(**{of.key: steps[key]}, **{SINCE: steps[SINCE], "_step": steps[ROW]})
    found = found.left_join(tracked, found["_step"] == tracked[ROW])
    is_described = found[ROW].notnull()
    values = {
        name: is_described.ifelse(found[f"_was_{name}"], undescribed(described[name].type())) for name in of.history
    }
    values[MEMBER_KIND] = is_described.ifelse("described", "inferred")
    found = found.select(of.key, SINCE, **values)
    changed = _changes(found, of.key, list(values))
    in_order = ibis.window(group_by=of.key, order_by=changed[SINCE])
    until = changed[SINCE].lead().over(in_order)
    is_first = ibis.row_number().over(in_order) == 0
    return changed.mutate(
        **{
            history.key: surrogate_key(changed[of.key].cast("string"), changed[SINCE]),
            VALID_FROM: is_first.ifelse(_moment(BEGINNING), changed[SINCE]).cast(MOMENT),
            VALID_TO: until.coalesce(_moment(END)).cast(MOMENT),
            IS_CURRENT: until.isnull(),
        }
    )


def _changes(steps: Table, key: str, values: list[str]) -> Table:
    in_order = ibis.window(group_by=key, order_by=steps[SINCE])
    same = ibis.and_(
        ibis.row_number().over(in_order) > 0,
        *(steps[name].identical_to(steps[name].lag().over(in_order)) for name in values),
    )
    marked = steps.mutate(_same=same)
    return marked.filter(~marked["_same"]).drop("_same")


def _without_versions(history: History, members: Table, spans: Table) -> Table:
    """The members that no export described: the Unknown member and the inferred ones."""
    of = history.of
    found = members.anti_join(spans, of.key)
    is_unknown = found[of.key] == ibis.literal(unknown_key(found, of.key), type=found[of.key].type())
    nothing = ibis.null(MOMENT)
    return found.mutate(
        **{
            history.key: is_unknown.ifelse(-1, surrogate_key(found[of.key].cast("string"), nothing)).cast("int64"),
            VALID_FROM: _moment(BEGINNING),
            VALID_TO: _moment(END),
            IS_CURRENT: ibis.literal(True),
        }
    ).select(*_columns(history, members))


def _columns(history: History, members: Table) -> list[str]:
    attributes = [name for name in members.columns if name != MEMBER_KIND]
    return [history.key, *attributes, VALID_FROM, VALID_TO, IS_CURRENT, MEMBER_KIND]


def _moment(moment: datetime) -> ibis.Value:
    return ibis.literal(moment).cast(MOMENT)
