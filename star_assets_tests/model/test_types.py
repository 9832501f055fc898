"""Column types: their text, and what each is in Ibis and in Athena."""

from __future__ import annotations

import ibis.expr.datatypes as dt
import pytest

from star_assets.model import Type

TYPES = ["int32", "int64", "float64", "boolean", "string", "date", "timestamp", "decimal(18,4)", "decimal(38,0)"]


@pytest.mark.parametrize("text", TYPES)
def test_a_type_survives_every_translation(text: str) -> None:
    """Schemas go through manifests as text and through engines as Ibis types."""
    parsed = Type.parse(text)
    assert str(parsed) == text
    assert Type.of(parsed.ibis) == parsed


@pytest.mark.parametrize(
    ("text", "athena"),
    [
        ("int32", "int"),
        ("int64", "bigint"),
        ("float64", "double"),
        ("boolean", "boolean"),
        ("string", "string"),
        ("date", "date"),
        ("timestamp", "timestamp"),
        ("decimal(18,4)", "decimal(18,4)"),
        ("decimal(18, 4)", "decimal(18,4)"),
    ],
)
def test_each_type_has_its_name_in_athena(text: str, athena: str) -> None:
    assert Type.parse(text).athena == athena


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
