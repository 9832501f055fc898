"""The column types of the model, and their translation into types of Ibis and of Athena.

An analyst writes a type as a short text: `int64`, `decimal(18,4)`. Here: parsing and
translating it. Not here: which text is a valid value of a type (staging/grammar).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import ibis.expr.datatypes as dt

# The simple types → their types in Ibis and in Athena's DDL. Timestamps are UTC in
# milliseconds, the finest that Athena reads from Parquet.
_SIMPLE: dict[str, tuple[dt.DataType, str]] = {
    "int32": (dt.int32, "int"),
    "int64": (dt.int64, "bigint"),
    "float64": (dt.float64, "double"),
    "boolean": (dt.boolean, "boolean"),
    "string": (dt.string, "string"),
    "date": (dt.date, "date"),
    "timestamp": (dt.Timestamp(scale=3), "timestamp"),
}
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")

# The key of a dimension's Unknown member, by type. Keys of other types are
# refused when the dimension is declared.
UNKNOWN: dict[str, int | str | date] = {
    "int32": -1,
    "int64": -1,
    "string": "-1",
    "date": date(1900, 1, 1),
}


@dataclass(frozen=True)
class Type:
    """One column type, e.g. `Type("decimal", 18, 4)`."""

    name: str
    precision: int | None = None
    scale: int | None = None

    @classmethod
    def parse(cls, text: str) -> Type:
        """The type of a text such as `"decimal(18,4)"`. Raises ValueError that lists the known types."""
        if text in _SIMPLE:
            return cls(text)
        if found := _DECIMAL.fullmatch(text):
            precision, scale = int(found[1]), int(found[2])
            if 1 <= precision <= 38 and scale <= precision:
                return cls("decimal", precision, scale)
        known = ", ".join(_SIMPLE)
        raise ValueError(f"no type {text!r}; known: {known}, decimal(p,s) with s <= p <= 38")

    @classmethod
    def of(cls, dtype: dt.DataType) -> Type:
        """The model's type for a type of Ibis. Raises ValueError if there is none."""
        if dtype.is_decimal():
            return cls("decimal", dtype.precision or 38, dtype.scale or 0)
        if dtype.is_timestamp():
            return cls("timestamp")
        if dtype.is_integer():
            return cls("int32" if dtype.nbytes <= 4 and dtype.is_signed_integer() else "int64")
        if dtype.is_floating():
            return cls("float64")
        for name, (known, _) in _SIMPLE.items():
            if dtype.copy(nullable=True) == known:
                return cls(name)
        raise ValueError(f"no column type of the model holds {dtype}; cast it")

    @classmethod
    def of_athena(cls, text: str) -> Type | None:
        """The model's type for a type in Athena's DDL; None if there is none."""
        simple = {athena: cls(name) for name, (_, athena) in _SIMPLE.items()}
        return simple.get(text) or (cls.parse(text) if _DECIMAL.fullmatch(text) else None)

    def holds(self, other: Type) -> bool:
        """Whether values of another type can be read as this type without losing a digit.

        A number may still be too large; then the cast fails. These are the pairs that Athena
        casts as well, if a partition's type differs from its table's.
        """
        if other.name in ("int32", "int64"):
            return self == other or self.name in ("int64", "decimal", "string")
        if other.name == "decimal" and self.name == "decimal":
            return (self.scale or 0) >= (other.scale or 0)
        return self == other or (self.name == "string" and other.name in ("decimal", "date"))

    @property
    def ibis(self) -> dt.DataType:
        """The same type in Ibis."""
        if self.name == "decimal":
            return dt.Decimal(self.precision, self.scale)
        return _SIMPLE[self.name][0]

    @property
    def athena(self) -> str:
        """The same type in Athena's DDL."""
        return str(self) if self.name == "decimal" else _SIMPLE[self.name][1]

    def __str__(self) -> str:
        return f"decimal({self.precision},{self.scale})" if self.name == "decimal" else self.name
