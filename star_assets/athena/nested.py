"""SQL that builds an array, a map or a row anew, part by part.

Here: how DuckDB takes such values apart and puts them together. Not here: what
becomes of each part (casts, scans, json).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from star_assets.athena.types import Type

# What becomes of one part: its SQL, and its number among the type's parts.
Part = Callable[[str, int], str]

_numbers = itertools.count()


def fresh() -> str:
    """A name for a lambda's parameter that no other one has."""
    return f"_p{next(_numbers)}"


def each(items: str, body: Callable[[str], str], function: str = "list_transform") -> str:
    """An array whose elements are what `body` makes of each one's SQL."""
    name = fresh()
    return f"{function}({items}, lambda {name}: {body(name)})"


def once(sql: str, body: Callable[[str], str]) -> str:
    """What `body` makes of a value, which is computed once; NULL of NULL."""
    name = fresh()
    return f"list_transform([{sql}], lambda {name}: CASE WHEN {name} IS NOT NULL THEN {body(name)} END)[1]"


def rebuilt(
    sql: str, type_: Type, part: Part, given: Sequence[str] | None = None, made: Sequence[str] | None = None
) -> str:
    """An array, map or row whose parts are what `part` makes of each.

    `given` and `made` are the names of a row's fields before and after; f0, f1, … unless told.
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
        parts = (part(f"struct_extract({found}, {quoted(name)})", n) for n, name in enumerate(given or usual))
        return f"{{{', '.join(f'{quoted(name)}: {sql}' for name, sql in zip(made or usual, parts, strict=True))}}}"

    return once(sql, row)


def quoted(name: str) -> str:
    """A field's name, as a text."""
    return "'" + name.replace("'", "''") + "'"
