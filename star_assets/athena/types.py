"""The types of columns and expressions in Athena's SQL, and coercion between them.

Not here: parsing the names of types (type_names), casts (compiling.casts), types of a star (model/types).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from star_assets.model.types import SIMPLE_TYPES

# Each type without parts in DuckDB. JSON is its text. Intervals are milliseconds, or months. Expressions
# compute timestamps in microseconds, while tables hold milliseconds.
_DUCKDB = {
    **{simple.trino: simple.duckdb for simple in SIMPLE_TYPES},
    "timestamp": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMPTZ",
    "interval day to second": "BIGINT",
    "interval year to month": "BIGINT",
    "json": "VARCHAR",
    "unknown": "INTEGER",
}

# How many decimal digits each integer type can have.
_DIGITS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}
INTEGERS = tuple(_DIGITS)
FLOATS = ("real", "double")
MOMENTS = ("timestamp", "timestamp with time zone")

# Types that are coerced to those after them, narrowest first.
_LADDERS = (
    (*INTEGERS, "decimal", *FLOATS),
    ("date", *MOMENTS),
)

# What Hive's DDL calls the types.
IN_DDL = {simple.trino: simple.hive for simple in SIMPLE_TYPES}


@dataclass(frozen=True)
class Type:
    """A type: `Type("bigint")`, `Type("decimal", 18, 4)`, `Type("array", parts=(Type("varchar"),))`.

    A type of an unknown name is one that no expression may use.

    Attributes:
        precision: digits of a decimal; digits of a timestamp's fraction of a second.
        scale: digits of a decimal after its point.
        parts: an array's element, a map's key and value, a row's fields.
        labels: the names of a row's fields; None for one that has none.
        zone: the zone of a timestamp with time zone; None if each value has its own.
    """

    name: str
    precision: int = 0
    scale: int = 0
    parts: tuple[Type, ...] = ()
    labels: tuple[str | None, ...] = ()
    zone: str | None = None

    def __str__(self) -> str:
        if self.name == "decimal":
            return f"decimal({self.precision},{self.scale})"
        if self.name == "row":
            return f"row({','.join(_labelled(label, part) for label, part in self.fields)})"
        return f"{self.name}({','.join(map(str, self.parts))})" if self.parts else self.name

    @property
    def exact(self) -> str:
        """The text of Trino's typeof(), without the lengths of varchar, which are not known here."""
        if self.name in MOMENTS:
            return self.name.replace("timestamp", f"timestamp({self.precision})", 1)
        if self.name == "decimal":
            return f"decimal({self.precision},{self.scale})"
        listed = ", ".join(_labelled(label, part.exact) for label, part in self.fields)
        return f"{self.name}({listed})" if self.parts else self.name

    @property
    def is_known(self) -> bool:
        """Whether expressions may have this type."""
        if self.parts:
            return all(part.is_known for part in self.parts)
        return self.name in _DUCKDB or self.name in ("decimal", "row")

    @property
    def of(self) -> Type | None:
        """The type of an array's elements; None for anything else."""
        return self.parts[0] if self.name == "array" else None

    @property
    def fields(self) -> Sequence[tuple[str | None, Type]]:
        """The name and the type of each of a row's fields."""
        return list(zip(self.labels or (None,) * len(self.parts), self.parts, strict=True))

    @property
    def is_integer(self) -> bool:
        """tinyint to bigint."""
        return self.name in INTEGERS

    @property
    def is_float(self) -> bool:
        """real or double."""
        return self.name in FLOATS

    @property
    def is_numeric(self) -> bool:
        """Whether arithmetic applies."""
        return self.is_integer or self.is_float or self.name == "decimal"

    @property
    def is_datetime(self) -> bool:
        """A date or a timestamp."""
        return self.name == "date" or self.name in MOMENTS

    @property
    def is_zoned(self) -> bool:
        """A timestamp with time zone."""
        return self.name == "timestamp with time zone"

    @property
    def is_interval(self) -> bool:
        """An interval, of either kind."""
        return self.name.startswith("interval")

    def holds(self, *names: str) -> bool:
        """Whether the type, or any part of it, is one of these types."""
        return self.name in names or any(part.holds(*names) for part in self.parts)

    @property
    def duckdb(self) -> str:
        """The DuckDB type that holds its values. A row's fields are called f0, f1, …."""
        if self.name == "decimal":
            return f"DECIMAL({self.precision},{self.scale})"
        if self.name == "array":
            return f"{self.parts[0].duckdb}[]"
        if self.name == "map":
            return f"MAP({self.parts[0].duckdb}, {self.parts[1].duckdb})"
        if self.name == "row":
            return f"STRUCT({', '.join(f'f{index} {part.duckdb}' for index, part in enumerate(self.parts))})"
        return _DUCKDB[self.name]

    @property
    def ddl(self) -> str:
        """The name in Athena's DDL; empty for a type that no table can have."""
        if self.name == "row":
            listed = [f"{label}:{part.ddl}" for label, part in self.fields if label and part.ddl]
            return f"struct<{','.join(listed)}>" if len(listed) == len(self.parts) else ""
        if self.parts:
            listed = [part.ddl for part in self.parts]
            return f"{self.name}<{','.join(listed)}>" if all(listed) else ""
        if self.name in ("unknown", "timestamp with time zone", "json") or self.is_interval:
            return ""
        return IN_DDL.get(self.name, str(self))

    @property
    def as_decimal(self) -> Type:
        """The decimal type to which Trino coerces an integer; a decimal itself."""
        return decimal(_DIGITS[self.name], 0) if self.is_integer else self


BOOLEAN, INTEGER, BIGINT = Type("boolean"), Type("integer"), Type("bigint")
REAL, DOUBLE = Type("real"), Type("double")
VARCHAR, VARBINARY, JSON, UNKNOWN = Type("varchar"), Type("varbinary"), Type("json"), Type("unknown")
DATE, TIMESTAMP = Type("date"), Type("timestamp", 3)
DAYS, MONTHS = Type("interval day to second"), Type("interval year to month")


def decimal(precision: int, scale: int) -> Type:
    """A decimal, of 38 digits at most."""
    return Type("decimal", min(38, precision), scale)


def array(of: Type) -> Type:
    """An array."""
    return Type("array", parts=(of,))


def map_of(key: Type, value: Type) -> Type:
    """A map."""
    return Type("map", parts=(key, value))


def row(parts: Sequence[Type], labels: Sequence[str | None] = ()) -> Type:
    """A row."""
    return Type("row", parts=tuple(parts), labels=tuple(labels) if any(labels) else ())


def zoned(zone: str | None, precision: int = 3) -> Type:
    """A timestamp with time zone."""
    return Type("timestamp with time zone", precision, zone=zone)


def common(left: Type, right: Type) -> Type | None:
    """The type to which both are coerced; None if Athena has none (TYPE_MISMATCH)."""
    if left == right or right == UNKNOWN:
        return left
    if left == UNKNOWN:
        return right
    if left.parts and right.parts:
        return _common_parts(left, right)
    for ladder in _LADDERS:
        if left.name in ladder and right.name in ladder:
            wider = max(left, right, key=lambda type_: ladder.index(type_.name))
            if wider.name == "decimal":
                return _common_decimal(left, right)
            if wider.is_datetime:
                return replace(wider, precision=max(left.precision, right.precision), zone=_common_zone(left, right))
            return wider
    return None


def coerces(given: Type, expected: Type) -> bool:
    """Whether a value of one type is coerced to another one that is expected."""
    found = common(given, expected)
    if found is not None and found.name in MOMENTS:
        return found.name == expected.name
    return found == expected


def _labelled(label: str | None, part: object) -> str:
    return f"{label} {part}" if label else str(part)


def _common_decimal(left: Type, right: Type) -> Type:
    left, right = left.as_decimal, right.as_decimal
    scale = max(left.scale, right.scale)
    return decimal(max(left.precision - left.scale, right.precision - right.scale) + scale, scale)


def _common_parts(left: Type, right: Type) -> Type | None:
    if left.name != right.name or len(left.parts) != len(right.parts):
        return None
    parts = [common(one, two) for one, two in zip(left.parts, right.parts, strict=True)]
    if not all(parts):
        return None
    labels = tuple(one if one == two else None for (one, _), (two, _) in zip(left.fields, right.fields, strict=True))
    return replace(left, parts=tuple(filter(None, parts)), labels=labels if any(labels) else ())


def _common_zone(left: Type, right: Type) -> str | None:
    """The zone of both types; None if they differ. A timestamp without time zone is taken to be in UTC."""
    zones = {type_.zone if type_.is_zoned else "UTC" for type_ in (left, right)}
    return zones.pop() if len(zones) == 1 else None
