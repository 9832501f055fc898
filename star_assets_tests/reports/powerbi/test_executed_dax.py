"""Every measure of the model, executed as DAX by somebody else's engine over the lake's rows, is what SQL says.

The engine is pbix-mcp, which `make readers` fetches into an environment of its own. Tables,
columns, relationships and DAX are what the model's files say; rows are those that the
embedded Athena gives for the columns that the files name.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from star_assets.athena.embedded import EmbeddedAthena

from .conftest import STARS, generated
from .test_rows import FIRST, LAST, MEASURES, SALES, asked
from .tmdl_reader import Model, Object, column_reference, read_model
from .visual_reader import Reader

pytestmark = pytest.mark.long

FETCHED = Path(__file__).parents[3] / ".readers"
EVALUATE = Path(__file__).parent / "evaluate_dax.py"

LABELS = {"revenue": "Revenue", "quantity": "Units", "average_price": "Average Price", "discount_rate": "Discount Rate"}
SOLD = "fact_sales f JOIN dim_store s ON f.store_id = s.store_id JOIN dim_product p ON f.product_id = p.product_id"


# Power BI keeps four digits of an amount of money, and of one that is divided by a count.
CLOSE = 0.000_05


def between(first: date, last: date) -> str:
    return f"f.sale_date BETWEEN DATE '{first}' AND DATE '{last}'"


# What a measure's name ends with, and the dates that it then counts.
TIMES = {
    "": between(FIRST, LAST),
    " Year to Date": between(date(LAST.year, 1, 1), LAST),
    " Previous Period": between(FIRST - timedelta(days=28), FIRST - timedelta(days=1)),
    " Last Day": between(LAST, LAST),
    " Last Day a Week Before": between(LAST - timedelta(days=7), LAST - timedelta(days=7)),
}

# What a reader has chosen: columns of the model with a value, and the same in SQL.
CHOICES: dict[str, tuple[Mapping[str, list[Any]], str]] = {
    "everything": ({}, "TRUE"),
    "a city": ({"Store.City": ["Miami"]}, "s.city = 'Miami'"),
    "a category of a store": (
        {"Store.Store": ["Miami Brickell"], "Product.Category": ["Outdoor"]},
        "s.store_name = 'Miami Brickell' AND p.category = 'Outdoor'",
    ),
}


def as_json(value: Any) -> Any:
    """A value of a row as the evaluating process reads it."""
    if isinstance(value, (date, datetime)):
        return {"day": value.isoformat()}
    return float(value) if isinstance(value, Decimal) else value


def described(model: Model, athena: EmbeddedAthena) -> dict[str, Any]:
    """The model with its rows."""
    return {
        "tables": {name: rows_of(table, athena) for name, table in model.tables.items()},
        "measures": {name: measure.expression for name, (_, measure) in model.measures.items()},
        "measure_tables": {name: table.name for name, (table, _) in model.measures.items()},
        "decimals": {
            name: [one.name for one in table.of("column").values() if one.properties["dataType"] == "decimal"]
            for name, table in model.tables.items()
        },
        "relationships": [related(one) for one in model.relationships],
        "date": next(
            (table.name, column.name)
            for table in model.tables.values()
            if table.properties.get("dataCategory") == "Time"
            for column in table.of("column").values()
            if "isKey" in column.properties
        ),
    }


def rows_of(table: Object, athena: EmbeddedAthena) -> dict[str, Any]:
    columns = table.of("column")
    listed = ", ".join(f'"{column.properties["sourceColumn"]}"' for column in columns.values())
    reader = Reader(generated(STARS[0])[2], lambda sql: asked(athena, sql), LAST)
    rows = asked(athena, f'SELECT {listed} FROM "{reader.lake_table(table.name)}"')
    return {"columns": [*columns], "rows": [[*map(as_json, row)] for row in rows]}


def related(relationship: Object) -> dict[str, Any]:
    (table, column), (to, key) = (column_reference(relationship.properties[end]) for end in ("fromColumn", "toColumn"))
    active = relationship.properties.get("isActive") != "false"
    return {"FromTable": table, "FromColumn": column, "ToTable": to, "ToColumn": key, "IsActive": active}


def evaluated(files: Mapping[str, str], athena: EmbeddedAthena, asked_for: list[tuple[str, Any]]) -> list[Any]:
    done = subprocess.run(
        [FETCHED / "bin" / "python", EVALUATE],
        input=json.dumps({"model": described(read_model(files), athena), "asked": asked_for}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def period() -> list[Any]:
    """The last 28 days, as a slicer leaves them."""
    if not (FETCHED / "complete").exists():
        pytest.skip("no engine for DAX here; `make readers` fetches it")
    return [as_json(FIRST + timedelta(days=number)) for number in range(28)]


def test_every_measure_is_what_sql_says_to_the_cent(athena: EmbeddedAthena, period: list[Any]) -> None:
    """The test's own reader of DAX may share a mistake with what writes it."""
    cases = [(name, time, choice) for name in MEASURES for time in TIMES for choice in CHOICES]
    asked_for = [(LABELS[name] + time, {**CHOICES[choice][0], "Time.Date": period}) for name, time, choice in cases]
    found = evaluated(generated(STARS[0])[2], athena, asked_for)
    for (name, time, choice), value in zip(cases, found, strict=True):
        ((expected,),) = asked(
            athena, f"SELECT {MEASURES[name]} FROM {SOLD} WHERE {TIMES[time]} AND {CHOICES[choice][1]}"
        )
        told = f"{LABELS[name]}{time}, {choice}"
        assert (value is None) == (expected is None), told
        assert expected is None or abs(value - float(expected)) <= CLOSE, told


def test_a_wrong_measure_is_seen(athena: EmbeddedAthena, period: list[Any]) -> None:
    """What answers the same whatever the DAX says would prove nothing."""
    files = dict(generated(STARS[0])[2])
    files[SALES] = files[SALES].replace("FirstDay - Days, FirstDay - 1", "FirstDay - Days, FirstDay - 2")
    (right,), (wrong,) = (
        evaluated(one, athena, [("Revenue Previous Period", {"Time.Date": period})])
        for one in (generated(STARS[0])[2], files)
    )
    assert 0 < wrong < right
