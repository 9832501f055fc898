"""Parsing the names of types: in Hive's DDL, in Trino's SQL, and in sqlglot's syntax trees.

Not here: the types themselves (types).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from sqlglot import exp

from star_assets.athena.types import IN_DDL, TIMESTAMP, Type, array, decimal, map_of, row, zoned

# The default digits of a timestamp's fraction of a second, since Athena's tables have milliseconds.
MILLISECONDS = 3

# sqlglot's names of types → Trino's, where they differ.
_OF_SQLGLOT = {"INT": "integer", "FLOAT": "real"}


def from_sqlglot(found: exp.DataType) -> Type:
    """The type of a CAST. The length of a varchar is dropped."""
    name = found.this.name if isinstance(found.this, exp.DType) else str(found.this)
    parts = found.expressions
    if name == "DECIMAL":
        sizes = [int(part.name) for part in parts]
        return decimal(sizes[0] if sizes else 38, sizes[1] if len(sizes) > 1 else 0)
    if name in ("TIMESTAMP", "TIMESTAMPTZ"):
        digits = int(parts[0].name) if parts else MILLISECONDS
        return Type("timestamp", digits) if name == "TIMESTAMP" else zoned(None, digits)
    if name == "ARRAY" and parts:
        return array(from_sqlglot(parts[0]))
    if name == "MAP" and len(parts) == 2:
        return map_of(*map(from_sqlglot, parts))
    if name == "STRUCT" and parts:
        return row(*zip(*map(_field, parts), strict=True))
    return Type(_OF_SQLGLOT.get(name, name.lower()))


def _field(part: exp.Expression) -> tuple[Type, str | None]:
    """A row's field: `name type`, or a type alone."""
    if isinstance(part, exp.ColumnDef):
        return from_sqlglot(part.args["kind"]), part.name.lower()
    return from_sqlglot(part), None


_OF_DDL = {hive: trino for trino, hive in IN_DDL.items()}
_WORD = re.compile(r"\s*([<>(),:]|[^<>(),:]+)")


@lru_cache(maxsize=1024)
def parse_type(text: str) -> Type:
    """The type of a text in DDL, the catalog or a signature; for any other text, an unknown type of that name."""
    words = [word.strip() for word in _WORD.findall(text.strip().lower())]
    reader = iter((*words, ""))
    try:
        found, rest = _read(next(reader), reader)
    except (StopIteration, ValueError):
        return Type(text.strip().lower())
    return Type(text.strip().lower()) if rest else found


def _read(name: str, words: Iterator[str]) -> tuple[Type, str]:
    """A type that begins with a name, and the word after it."""
    opening = next(words)
    if name in ("array", "map") and opening in ("<", "("):
        parts, after = [], ","
        while after == ",":
            part, after = _read(next(words), words)
            parts.append(part)
        return (array(*parts) if name == "array" else map_of(*parts)), next(words)
    if name == "struct" and opening == "<":
        labels, parts, after = [], [], ","
        while after == ",":
            labels.append(next(words))
            if next(words) != ":":
                raise ValueError(name)
            part, after = _read(next(words), words)
            parts.append(part)
        return row(parts, labels), next(words)
    if name in ("decimal", "varchar", "timestamp") and opening == "(":
        sizes, after = [], ","
        while after == ",":
            sizes.append(int(next(words)))
            after = next(words)
        return _sized(name, sizes), next(words)
    return _sized(_OF_DDL.get(name, name), []), opening


def _sized(name: str, sizes: list[int]) -> Type:
    if name == "decimal":
        return decimal(sizes[0] if sizes else 10, sizes[1] if len(sizes) > 1 else 0)
    if name == "timestamp":
        return TIMESTAMP if not sizes else Type(name, sizes[0])
    return zoned(None) if name == "timestamp with time zone" else Type(name)
