"""Column lineage: the source columns from which each column of a transform is computed.

It is derived from the Ibis expression that runs, so it cannot be out of date. The lineage
of a column does not include columns of filters and join keys, which only decide which
rows there are.
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
    """The upstream column whose values a column of `table` has unchanged; None if it is computed."""
    found = origin(table.op(), name)
    return found if isinstance(found, tuple) else None


def origin(relation: ops.Relation, name: str) -> Origin | ops.Node:
    """The upstream column whose values a column has unchanged, or else the expression that computes it."""
    while not isinstance(relation, ops.PhysicalTable):
        if isinstance(relation, ops.Reference | ops.DropColumns | ops.Filter | ops.Sort):
            relation = relation.parent
            continue
        if isinstance(relation, ops.FillNull):
            return relation
        if isinstance(relation, ops.Set):
            left, right = origin(relation.left, name), origin(relation.right, name)
            return left if left == right else relation
        value = relation.values.get(name) if hasattr(relation, "values") else None
        if not isinstance(value, ops.Field):
            return relation if value is None else value
        relation, name = value.rel, value.name
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
        return frozenset()  # a count of rows, which no column decides
    # The value of a subquery is that of its one column.
    inner = [value.value] if isinstance(value, ops.ScalarSubquery | ops.InSubquery) else []
    return frozenset().union(*(_of_value(argument) for argument in (*inner, *value.__children__)))
