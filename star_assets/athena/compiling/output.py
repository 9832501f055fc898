"""Converting the columns of DuckDB's answer into the form in which Athena returns them.

Timestamps in milliseconds, rows with the names of their fields, intervals as text, timestamps
with time zone in their zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from star_assets.athena.compiling.intervals import text_of
from star_assets.athena.compiling.nested import rebuilt
from star_assets.athena.compiling.scope import Field
from star_assets.athena.types import Type
from star_assets.engines.duckdb.session import name
from star_assets.model.errors import Unfaithful


def shown(field: Field) -> str:
    """SQL of a column in the form of the answer. Raises Unfaithful for types that cannot be returned."""
    type_ = field.type
    if type_.is_interval:
        return text_of(field.sql, type_)
    nested = [part for part in type_.parts if part.holds("timestamp with time zone") or _holds_interval(part)]
    if nested or (type_.is_zoned and type_.zone is None):
        what = f"columns of type {type_}" if nested else "columns of instants in several zones"
        raise Unfaithful(what, "CAST to timestamp, or write AT TIME ZONE 'UTC'.")
    sql = _named(field.sql, type_)
    return f"CAST({sql} AS {_milliseconds(type_)})" if type_.holds("timestamp") else sql


def _holds_interval(type_: Type) -> bool:
    return type_.is_interval or any(map(_holds_interval, type_.parts))


def _named(sql: str, type_: Type) -> str:
    if not type_.holds("row"):
        return sql
    return rebuilt(sql, type_, lambda part, n: _named(part, type_.parts[n]), made=_labels(type_))


def _labels(type_: Type) -> list[str]:
    """The names of a row's fields, made unique."""
    labels: list[str] = []
    for number, (label, _) in enumerate(type_.fields):
        labels.append(label if label and label not in labels else f"field{number}")
    return labels


def _milliseconds(type_: Type) -> str:
    """The DuckDB type of a column of the answer: that of expressions, but with milliseconds and field names."""
    if type_.name == "row":
        fields = [
            f"{name(label)} {_milliseconds(part)}" for label, part in zip(_labels(type_), type_.parts, strict=True)
        ]
        return f"STRUCT({', '.join(fields)})"
    if type_.name == "array":
        return f"{_milliseconds(type_.parts[0])}[]"
    if type_.name == "map":
        return f"MAP({_milliseconds(type_.parts[0])}, {_milliseconds(type_.parts[1])})"
    return re.sub(r"^TIMESTAMP$", "TIMESTAMP_MS", type_.duckdb)


def in_their_zones(table: pa.Table, fields: Sequence[Field]) -> pa.Table:
    """The answer with each timestamp in the zone of its type. Raises Unfaithful for years that Python cannot hold."""
    for number, field in enumerate(fields):
        for moments in _moments(table.column(number).combine_chunks()):
            years = pc.min_max(pc.year(moments)).as_py()
            if len(moments) > moments.null_count and not 1 <= years["min"] <= years["max"] <= 9999:
                raise Unfaithful("answers with a year before 1 or after 9999", "CAST them to bigint, or write a WHERE.")
        if field.type.is_zoned:
            moments = table.column(number).cast(pa.timestamp("ms", field.type.zone), safe=False)
            table = table.set_column(number, table.schema.field(number).name, moments)
    return table


def _moments(values: pa.Array) -> Iterator[pa.Array]:
    """The dates and timestamps in an array of any type."""
    if pa.types.is_temporal(values.type):
        yield values
    elif pa.types.is_map(values.type):
        yield from (*_moments(values.keys), *_moments(values.items))
    elif pa.types.is_list(values.type) or pa.types.is_struct(values.type):
        parts = values.flatten() if pa.types.is_struct(values.type) else [values.flatten()]
        for part in parts:
            yield from _moments(part)
