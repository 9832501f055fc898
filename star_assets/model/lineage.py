"""Which source columns each column of a transform comes from.

Read off the Ibis expression, so it is never out of step with what runs. A
column's lineage is what its value is computed from; filters and join keys
decide which rows there are and are not counted.
"""

from __future__ import annotations

import ibis.expr.operations as ops
from ibis.expr.types import Table

# (table, column) of an upstream table.
Origin = tuple[str, str]


def column_lineage(table: Table) -> dict[str, frozenset[Origin]]:
    """For each column of `table`, the upstream columns it is computed from."""
    relation = table.op()
    return {name: _of_field(relation, name) for name in relation.schema.names}


def passed_through(table: Table, name: str) -> Origin | None:
    """The upstream column that a column of `table` is, unchanged; None if it is computed."""
    return _passed_through(table.op(), name)


def _passed_through(relation: ops.Relation, name: str) -> Origin | None:
    while not isinstance(relation, ops.PhysicalTable):
        if isinstance(relation, ops.Set):
            both = {_passed_through(side, name) for side in (relation.left, relation.right)}
            return both.pop() if len(both) == 1 else None
        if isinstance(relation, ops.Reference | ops.DropColumns | ops.Filter | ops.Sort):
            relation = relation.parent
        elif isinstance(relation, ops.FillNull):
            return None
        elif isinstance(value := relation.values.get(name) if hasattr(relation, "values") else None, ops.Field):
            relation, name = value.rel, value.name
        else:
            return None
    return relation.name, name


def _of_field(relation: ops.Relation, name: str) -> frozenset[Origin]:
    if isinstance(relation, ops.PhysicalTable):
        return frozenset({(relation.name, name)})
    if isinstance(relation, ops.Reference):
        return _of_field(relation.parent, name)
    if isinstance(relation, ops.Set):
        return _of_field(relation.left, name) | _of_field(relation.right, name)
    return _of_value(relation.values[name])


def _of_value(value: ops.Node) -> frozenset[Origin]:
    if isinstance(value, ops.Field):
        return _of_field(value.rel, value.name)
    if isinstance(value, ops.Relation):
        return frozenset()  # counted rows: no column decides the value
    # A subquery's value is its one column.
    inner = [value.value] if isinstance(value, ops.ScalarSubquery | ops.InSubquery) else []
    return frozenset().union(*(_of_value(argument) for argument in (*inner, *value.__children__)))
