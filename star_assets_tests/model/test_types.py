"""Column types: their text, and what each is called in Ibis, Arrow, DuckDB, Spark and Athena."""

from __future__ import annotations

import ibis.expr.datatypes as dt
import pyarrow as pa
import pytest
from ibis.backends.sql.datatypes import DuckDBType, PySparkType

from star_assets.athena.type_names import parse_type
from star_assets.model import Type

TYPES = ["int32", "int64", "float64", "boolean", "string", "date", "timestamp", "decimal(18,4)", "decimal(38,0)"]


@pytest.mark.parametrize("text", TYPES)
def test_a_type_survives_every_translation(text: str) -> None:
    """Schemas go through manifests as text and through engines as Ibis types."""
    parsed = Type.parse(text)
    assert str(parsed) == text
    assert Type.of(parsed.ibis) == parsed


@pytest.mark.parametrize("text", TYPES)
def test_each_system_reads_its_name_of_a_type_as_that_type(text: str) -> None:
    """One row of the table says what a type is everywhere: a wrong name in it would write or read another type."""
    type_ = Type.parse(text)
    assert Type.of(DuckDBType.from_string(type_.duckdb)) == type_
    assert Type.of(PySparkType.from_string(type_.spark)) == type_
    assert Type.of_arrow(type_.arrow) == type_
    assert Type.of_athena(type_.athena) == type_
    assert type_.arrow == type_.ibis.to_pyarrow()
    assert parse_type(type_.athena).ddl == type_.athena


def test_a_decimal_may_be_written_with_a_space() -> None:
    assert str(Type.parse("decimal(18, 4)")) == "decimal(18,4)"


@pytest.mark.parametrize("text", ["integer", "decimal", "decimal(39,2)", "decimal(4,5)", "decimal(0,0)", "INT64", ""])
def test_an_unknown_type_is_refused_with_the_known_ones(text: str) -> None:
    with pytest.raises(ValueError, match=r"known: int32, .*decimal\(p,s\)"):
        Type.parse(text)


@pytest.mark.parametrize(
    ("dtype", "text"),
    [
        (dt.int8, "int32"),
        (dt.int16, "int32"),
        (dt.uint32, "int64"),
        (dt.float32, "float64"),
        (dt.Timestamp(timezone="UTC", scale=6), "timestamp"),
        (dt.String(nullable=False), "string"),
        (dt.Decimal(None, None), "decimal(38,0)"),
    ],
)
def test_what_an_expression_yields_is_held_by_a_wider_type(dtype: dt.DataType, text: str) -> None:
    assert str(Type.of(dtype)) == text


@pytest.mark.parametrize("dtype", [dt.json, dt.Array(dt.int64), dt.time, dt.Interval("s"), dt.uuid])
def test_what_no_column_can_hold_is_refused(dtype: dt.DataType) -> None:
    with pytest.raises(ValueError, match="cast it"):
        Type.of(dtype)


@pytest.mark.parametrize("dtype", [pa.timestamp("us"), pa.int16(), pa.large_string()], ids=str)
def test_a_file_with_a_type_that_no_engine_writes_is_refused(dtype: pa.DataType) -> None:
    with pytest.raises(ValueError, match="in Parquet"):
        Type.of_arrow(dtype)
