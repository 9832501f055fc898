"""Carrying a column of an upstream table through a transform, to find the row that each result was computed from.

A transform does not say which upstream row became which of its rows, or was left out. If
it computes each row from one row of an upstream table, an additional column of that table
can be carried through all its steps. Not here: the uses of that (histories, accounts).
"""

from __future__ import annotations

import ibis.expr.operations as ops
from ibis.expr.types import Table

_ONE_BY_ONE = (ops.Project, ops.Filter, ops.DropColumns, ops.Sort)


def carry(result: Table, upstream: Table, column: str) -> Table:
    """`result`, a transform's rows, with an additional `column` of `upstream`, one of its inputs.

    Raises ValueError that names the step that does not work row by row.
    """
    found = _carried(result.op(), upstream.op(), column)
    if column not in found.schema:
        raise ValueError(f"its rows do not come from {upstream.get_name()}")
    return found.to_expr()


def unfiltered(result: Table) -> Table:
    """The transform's rows without its filters, so with the rows that these leave out."""
    relation = result.op()
    while filters := relation.find(ops.Filter):
        relation = relation.replace({found: found.parent for found in filters})
    return relation.to_expr()


def _carried(relation: ops.Relation, upstream: ops.Relation, column: str) -> ops.Relation:
    if relation is upstream or not _reads(relation, upstream):
        return relation
    if isinstance(relation, ops.JoinChain):
        return _through_join(relation, upstream, column)
    if not isinstance(relation, _ONE_BY_ONE):
        raise ValueError(f"{type(relation).__name__.lower()} does not work row by row")
    _require_one_by_one(relation)
    moved = relation.replace({relation.parent: _carried(relation.parent, upstream, column)})
    if isinstance(moved, ops.Project) and column not in moved.schema:
        return ops.Project(moved.parent, {**moved.values, column: ops.Field(moved.parent, column)})
    return moved


def _through_join(join: ops.JoinChain, upstream: ops.Relation, column: str) -> ops.Relation:
    places = {place.parent: _carried(place.parent, upstream, column) for place in _places(join)}
    moved = join.replace(places)
    if column in moved.schema:
        return moved
    marked = next(place for place in _places(moved) if column in place.schema)
    return ops.JoinChain(moved.first, moved.rest, {**moved.values, column: ops.Field(marked, column)})


def _places(join: ops.JoinChain) -> list[ops.JoinReference]:
    return [join.first, *(link.table for link in join.rest)]


def _reads(relation: ops.Node, upstream: ops.Relation) -> bool:
    return bool(relation.find(lambda node: node is upstream or node == upstream))


def _require_one_by_one(relation: ops.Relation) -> None:
    """Raises ValueError if a value of this step is computed over several rows."""
    several = relation.find(
        (ops.WindowFunction, ops.Reduction, ops.Analytic), filter=lambda node: node is not relation.parent
    )
    if several:
        raise ValueError(f"{type(several[0]).__name__.lower()} does not work row by row")
