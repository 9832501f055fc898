"""The column types, with their names in every system: one table for Ibis, Arrow, DuckDB, Spark, Athena and Power BI.

An analyst writes a type as a short text: `int64`, `decimal(18,4)`. Here: parsing and
translating it. Not here: which text is a valid value of a type (exports/grammar); the types of
Athena's expressions (athena/types).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import ibis.expr.datatypes as dt

if TYPE_CHECKING:
    import pyarrow as pa


class SimpleType(NamedTuple):
    """A type without parameters: its name in the model and in each system.

    Attributes:
        model: None for a type that no column can be declared with. The embedded Athena reads it in tables that
            somebody else made.
        ibis: the type in Ibis.
        arrow: the type in Arrow, as pyarrow writes it.
        duckdb: the type in DuckDB's SQL and in the Parquet files that DuckDB writes.
        spark: the type in Spark's SQL.
        trino: the type in Athena's queries, which are Trino's SQL.
        hive: the type in Athena's DDL and in Glue's Data Catalog, which are Hive's.
        power_bi: the type of a column of a semantic model.
    """

    model: str | None
    ibis: dt.DataType
    arrow: str
    duckdb: str
    spark: str
    trino: str
    hive: str
    power_bi: str


# Timestamps are UTC in milliseconds, the finest that Athena reads from Parquet. Spark's are without
# a time zone, because Spark shows a TIMESTAMP in the session's.
# fmt: off
SIMPLE_TYPES = (
    SimpleType(None, dt.int8, "int8", "TINYINT", "TINYINT", "tinyint", "tinyint", "int64"),
    SimpleType(None, dt.int16, "int16", "SMALLINT", "SMALLINT", "smallint", "smallint", "int64"),
    SimpleType("int32", dt.int32, "int32", "INTEGER", "INT", "integer", "int", "int64"),
    SimpleType("int64", dt.int64, "int64", "BIGINT", "BIGINT", "bigint", "bigint", "int64"),
    SimpleType(None, dt.float32, "float", "FLOAT", "FLOAT", "real", "float", "double"),
    SimpleType("float64", dt.float64, "double", "DOUBLE", "DOUBLE", "double", "double", "double"),
    SimpleType("boolean", dt.boolean, "bool", "BOOLEAN", "BOOLEAN", "boolean", "boolean", "boolean"),
    SimpleType("string", dt.string, "string", "VARCHAR", "STRING", "varchar", "string", "string"),
    SimpleType(None, dt.binary, "binary", "BLOB", "BINARY", "varbinary", "binary", "binary"),
    SimpleType("date", dt.date, "date32[day]", "DATE", "DATE", "date", "date", "dateTime"),
    SimpleType(
        "timestamp", dt.Timestamp(scale=3), "timestamp[ms]", "TIMESTAMP_MS", "TIMESTAMP_NTZ",
        "timestamp", "timestamp", "dateTime",
    ),
)
# fmt: on
_DECLARABLE = {simple.model: simple for simple in SIMPLE_TYPES if simple.model}
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
        if text in _DECLARABLE:
            return cls(text)
        if found := _DECIMAL.fullmatch(text):
            precision, scale = int(found[1]), int(found[2])
            if 1 <= precision <= 38 and scale <= precision:
                return cls("decimal", precision, scale)
        known = ", ".join(_DECLARABLE)
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
        for name, simple in _DECLARABLE.items():
            if dtype.copy(nullable=True) == simple.ibis:
                return cls(name)
        raise ValueError(f"no column type of the model holds {dtype}; cast it")

    @classmethod
    def of_athena(cls, text: str) -> Type | None:
        """The model's type for a type in Athena's DDL; None if there is none."""
        simple = {simple.hive: cls(name) for name, simple in _DECLARABLE.items()}
        return simple.get(text) or (cls.parse(text) if _DECIMAL.fullmatch(text) else None)

    @classmethod
    def of_arrow(cls, dtype: pa.DataType) -> Type:
        """The type of a column in a Parquet file that an engine wrote. Raises ValueError if no engine writes it."""
        if found := _DECIMAL.fullmatch(str(dtype).replace("decimal128", "decimal")):
            return cls("decimal", int(found[1]), int(found[2]))
        for name, simple in _DECLARABLE.items():
            if str(dtype) == simple.arrow:
                return cls(name)
        raise ValueError(f"no column type of the model is {dtype} in Parquet")

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
        return dt.Decimal(self.precision, self.scale) if self.name == "decimal" else _DECLARABLE[self.name].ibis

    @property
    def arrow(self) -> pa.DataType:
        """The same type in Arrow."""
        import pyarrow as pa

        if self.name == "decimal":
            return pa.decimal128(self.precision or 0, self.scale or 0)
        return pa.type_for_alias(_DECLARABLE[self.name].arrow)

    @property
    def duckdb(self) -> str:
        """The same type in DuckDB's SQL."""
        return str(self).upper() if self.name == "decimal" else _DECLARABLE[self.name].duckdb

    @property
    def spark(self) -> str:
        """The same type in Spark's SQL."""
        return str(self).upper() if self.name == "decimal" else _DECLARABLE[self.name].spark

    @property
    def athena(self) -> str:
        """The same type in Athena's DDL."""
        return str(self) if self.name == "decimal" else _DECLARABLE[self.name].hive

    @property
    def power_bi(self) -> str:
        """The same type in a semantic model of Power BI; a double where its decimal is too short.

        Power BI's decimal is a currency: 19 digits, four of them after the point.
        """
        if self.name == "decimal":
            return "decimal" if (self.scale or 0) <= 4 and (self.precision or 0) <= 19 else "double"
        return _DECLARABLE[self.name].power_bi

    def __str__(self) -> str:
        return f"decimal({self.precision},{self.scale})" if self.name == "decimal" else self.name
