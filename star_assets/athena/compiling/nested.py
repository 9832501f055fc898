"""SQL that transforms each part of an array, a map or a row.

Here: taking such values apart and putting them together in DuckDB. Not here: the transformation
of a part (casts, scans, json).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from star_assets.athena.types import Type
from star_assets.engines.duckdb.session import text

# Transforms one part, given its SQL and its number among the type's parts.
Part = Callable[[str, int], str]

_numbers = itertools.count()


def fresh() -> str:
    """A new, unique name for a lambda's parameter."""
    return f"_p{next(_numbers)}"


def each(items: str, body: Callable[[str], str], function: str = "list_transform") -> str:
    """SQL of an array with `body` applied to the SQL of each element."""
    name = fresh()
    return f"{function}({items}, lambda {name}: {body(name)})"


def once(sql: str, body: Callable[[str], str]) -> str:
    """SQL that applies `body` to a value that is computed once; NULL for NULL."""
    name = fresh()
    return f"list_transform([{sql}], lambda {name}: CASE WHEN {name} IS NOT NULL THEN {body(name)} END)[1]"


def rebuilt(
    sql: str, type_: Type, part: Part, given: Sequence[str] | None = None, made: Sequence[str] | None = None
) -> str:
    """SQL that applies `part` to each part of an array, map or row.

    `given` and `made` are the names of a row's fields before and after; by default f0, f1, ….
    """
    if type_.name == "array":
        return each(sql, lambda element: part(element, 0))
    if type_.name == "map":
        return once(
            sql,
            lambda found: (
                f"map({each(f'map_keys({found})', lambda key: part(key, 0))},"
                f" {each(f'map_values({found})', lambda value: part(value, 1))})"
            ),
        )
    usual = [f"f{number}" for number in range(len(type_.parts))]

    def row(found: str) -> str:
        parts = (part(f"struct_extract({found}, {text(name)})", n) for n, name in enumerate(given or usual))
        return f"{{{', '.join(f'{text(name)}: {sql}' for name, sql in zip(made or usual, parts, strict=True))}}}"

    return once(sql, row)
