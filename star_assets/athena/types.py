"""The types of Athena's SQL: names, implicit coercions, what each is in DuckDB.

Here: values that say what a column or an expression is. Not here: how a value
is converted from one to another (casts).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from sqlglot import exp

# Each simple type in DuckDB. Timestamps are cut to milliseconds on output.
_DUCKDB = {
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "real": "FLOAT",
    "double": "DOUBLE",
    "varchar": "VARCHAR",
    "varbinary": "BLOB",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMPTZ",
    "unknown": "INTEGER",
}

# How many decimal digits each integer type can have.
_DIGITS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}
INTEGERS = tuple(_DIGITS)
FLOATS = ("real", "double")

# What may stand where something else is expected, narrowest first.
_LADDERS = (
    (*INTEGERS, "decimal", *FLOATS),
    ("date", "timestamp", "timestamp with time zone"),
)


@dataclass(frozen=True)
class Type:
    """A type: `Type("bigint")`, `Type("decimal", 18, 4)`, `Type("array", of=Type("varchar"))`.

    A name that is in neither list is a type that no expression may use here.
    """

    name: str
    precision: int = 0
    scale: int = 0
    of: Type | None = None

    def __str__(self) -> str:
        if self.name == "decimal":
            return f"decimal({self.precision},{self.scale})"
        return f"array({self.of})" if self.of else self.name

    @property
    def is_known(self) -> bool:
        """Whether expressions may use it here."""
        return self.of.is_known if self.of else self.name in _DUCKDB or self.name == "decimal"

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
        return self.name in _LADDERS[1]

    @property
    def duckdb(self) -> str:
        """The DuckDB type that holds its values."""
        if self.name == "decimal":
            return f"DECIMAL({self.precision},{self.scale})"
        return f"{self.of.duckdb}[]" if self.of else _DUCKDB[self.name]

    @property
    def ddl(self) -> str:
        """What Athena's DDL calls it; empty for what no table can have."""
        if self.of:
            return self.of.ddl and f"array<{self.of.ddl}>"
        if self.name in ("unknown", "timestamp with time zone"):
            return ""
        return _IN_DDL.get(self.name, str(self))

    @property
    def as_decimal(self) -> Type:
        """A decimal or an integer as the decimal that Trino makes of it."""
        return decimal(_DIGITS[self.name], 0) if self.is_integer else self


BOOLEAN, INTEGER, BIGINT, DOUBLE = Type("boolean"), Type("integer"), Type("bigint"), Type("double")
VARCHAR, DATE, TIMESTAMP, UNKNOWN = Type("varchar"), Type("date"), Type("timestamp"), Type("unknown")


def decimal(precision: int, scale: int) -> Type:
    """A decimal, with no more than the 38 digits there are."""
    return Type("decimal", min(38, precision), scale)


def array(of: Type) -> Type:
    """An array."""
    return Type("array", of=of)


def common(left: Type, right: Type) -> Type | None:
    """The type that both become where they meet; None where Athena says TYPE_MISMATCH."""
    if left == right or right == UNKNOWN:
        return left
    if left == UNKNOWN:
        return right
    if left.of and right.of:
        element = common(left.of, right.of)
        return array(element) if element else None
    for ladder in _LADDERS:
        if left.name in ladder and right.name in ladder:
            wider = max(left, right, key=lambda type_: ladder.index(type_.name))
            return _common_decimal(left, right) if wider.name == "decimal" else wider
    return None


def coerces(given: Type, expected: Type) -> bool:
    """Whether a value of one type may stand where another is expected."""
    return common(given, expected) == expected


def _common_decimal(left: Type, right: Type) -> Type:
    left, right = left.as_decimal, right.as_decimal
    scale = max(left.scale, right.scale)
    return decimal(max(left.precision - left.scale, right.precision - right.scale) + scale, scale)


# What sqlglot calls the types of a CAST, where Trino calls them otherwise.
_NAMES = {"INT": "integer", "FLOAT": "real", "TIMESTAMPTZ": "timestamp with time zone"}


def from_sqlglot(found: exp.DataType) -> Type:
    """The type that a CAST names. Lengths of varchar are dropped."""
    name = found.this.name if isinstance(found.this, exp.DType) else str(found.this)
    if name == "DECIMAL":
        sizes = [int(part.name) for part in found.expressions]
        return decimal(sizes[0] if sizes else 38, sizes[1] if len(sizes) > 1 else 0)
    if name == "ARRAY" and found.expressions:
        return array(from_sqlglot(found.expressions[0]))
    return Type(_NAMES.get(name, name.lower()))


# What Hive's DDL calls the types, where Trino calls them otherwise.
_SIMPLE = {"int": "integer", "string": "varchar", "float": "real", "binary": "varbinary"}
_IN_DDL = {trino: hive for hive, trino in _SIMPLE.items()}
_SIZED = re.compile(r"(decimal|varchar|timestamp)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?")


@lru_cache(maxsize=1024)
def parse_type(text: str) -> Type:
    """A column's type as DDL, the catalog and the table of functions write it."""
    text = text.strip().lower()
    if found := _SIZED.fullmatch(text):
        if found[1] == "decimal":
            return decimal(int(found[2] or 10), int(found[3] or 0))
        return Type(found[1])
    for opening, closing in ("<>", "()"):
        if text.startswith(f"array{opening}") and text.endswith(closing):
            return array(parse_type(text[6:-1]))
    return Type(_SIMPLE.get(text, text))
