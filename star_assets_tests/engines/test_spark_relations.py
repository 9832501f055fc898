"""What Spark reads of files that earlier declarations staged."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from star_assets.engines.duckdb.relations import relations
from star_assets.engines.engine import StagedInput
from star_assets.engines.spark.relations import SparkRelations, package_archive
from star_assets.engines.spark.session import open_session
from star_assets.model import Column, Source, Star
from star_assets.model.errors import BadSetting, StagedOtherwise
from star_assets.settings import Settings

from ..spark import needs_spark
from ..workplaces import workplace

pytestmark = needs_spark

items = Source(
    "items",
    key="item",
    columns={"item": "int64", "price": "decimal(18,4)", "code": "string", "later": Column("date", optional=True)},
)

# Columns as two declarations before this one staged them; `color` was never declared.
OLDER: dict[str, tuple[list[Any], pa.DataType]] = {
    "item": ([1, -2], pa.int32()),
    "price": ([Decimal("1.50"), None], pa.decimal128(9, 2)),
    "code": ([date(2023, 7, 1), None], pa.date32()),
    "color": ([1, 2], pa.int64()),
}
OLD: dict[str, tuple[list[Any], pa.DataType]] = {
    "item": ([3], pa.int64()),
    "price": ([Decimal("-0.0001")], pa.decimal128(18, 4)),
    "code": (["x"], pa.string()),
    "color": (["green"], pa.string()),
    "later": ([date(2023, 7, 2)], pa.date32()),
}


def staged(folder: Path, *days: dict[str, tuple[list[Any], pa.DataType]]) -> list[StagedInput]:
    found = []
    for number, columns in enumerate(days, 1):
        file = folder / f"{number}.parquet"
        pq.write_table(pa.table({name: pa.array(*given) for name, given in columns.items()}), file)
        found.append(StagedInput(f"2023-07-{number:02}", (str(file),)))
    return found


@pytest.mark.parametrize("days", [[OLDER, OLD], [OLD, OLDER], [OLDER], []], ids=["grown", "older last", "old", "none"])
def test_rows_have_the_declared_types_whatever_staged_them(tmp_path: Path, days: list[Any]) -> None:
    """A declaration may grow; days whose raw files are gone stay as they were staged."""
    found = {}
    for name in ("duckdb", "spark"):
        place = workplace(Star([items], [], []), Settings(engine=name))
        exports = staged(tmp_path, *days)
        if name == "spark":
            spark = SparkRelations(place.star, place.settings, place.files)
            rows = spark.staged(items, exports)
            selected = [tuple(row) for row in spark.session.table(rows.get_name()).collect()]
        else:
            with relations(place.star, place.database, "reading") as tables:
                rows = tables.staged(items, exports)
                selected = tables.execute(f"FROM {rows.get_name()}").fetchall()
        types = {column: str(type_).removeprefix("!") for column, type_ in rows.schema().items()}
        found[name] = types, sorted(str(sorted(zip(rows.columns, row, strict=True))) for row in selected)
    assert found["spark"] == found["duckdb"]


def test_a_type_that_holds_less_than_was_staged_is_an_error(tmp_path: Path) -> None:
    """A cast would lose digits, or turn text into NULL."""
    narrow = Source("items", key="item", columns={"item": "int32", "price": "decimal(9,2)", "code": "string"})
    place = workplace(Star([narrow], [], []), Settings(engine="spark"))
    with pytest.raises(StagedOtherwise, match="'item' as int32 in all that is staged, found int64"):
        SparkRelations(place.star, place.settings, place.files).staged(narrow, staged(tmp_path, OLD))


def test_an_older_spark_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first statement would fail with a parser's message."""
    monkeypatch.setattr("pyspark.sql.SparkSession.version", "3.4.1")
    with pytest.raises(BadSetting, match=r"Spark 3\.5 or newer, as in Glue 5\.1, not 3\.4\.1"):
        open_session(Settings(engine="spark"))


def test_workers_import_the_package_from_the_archive_that_they_get() -> None:
    """They may have none of their own, or another version."""
    module = "star_assets.engines.spark.finishing"
    code = f"import sys; sys.path.insert(0, {package_archive()!r}); import {module} as found; print(found.__file__)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(package_archive())
