"""The semantic model says what the star says: its metrics, by its relationships, are SQL's numbers.

What is asked is written from the document alone. MetricFlow's own reader reads it in a
long test, where `make readers` has fetched it.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from click.testing import CliRunner
from sqlglot import exp

from star_assets import cli
from star_assets.athena.embedded import EmbeddedAthena
from star_assets.model import Star, load_star
from star_assets.reports.semantics import document

REPOSITORY = Path(__file__).parents[2]
FETCHED = REPOSITORY / ".readers"

STARS = ["star_assets.star:retail", "examples.jaffle.jaffle:jaffle", "examples.tpch.tpch:tpch"]

# What the specification's version 0.1.1 has: of each object the names that must be there, and those that may.
EXPRESSION = {"name", "expression"}
FORMS: dict[str, tuple[set[str], set[str]]] = {
    "document": ({"version", "semantic_model"}, set()),
    "semantic_model": ({"name", "datasets"}, {"ai_context", "relationships", "metrics", "description"}),
    "datasets": ({"name", "source"}, {"primary_key", "unique_keys", "description", "ai_context", "fields"}),
    "fields": (EXPRESSION, {"dimension", "label", "description"}),
    "relationships": ({"name", "from", "to", "from_columns", "to_columns"}, set()),
    "metrics": (EXPRESSION, {"description", "ai_context"}),
}

Json = Mapping[str, Any]


@pytest.fixture(params=STARS)
def star(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Star:
    monkeypatch.syspath_prepend(str(REPOSITORY))
    return load_star(request.param)


def model_of(star: Star) -> Json:
    (model,) = document(star, "shop", "olap")["semantic_model"]
    return dict(model)


def by_name(objects: list[Json]) -> dict[str, Json]:
    found = {one["name"]: one for one in objects}
    assert len(found) == len(objects)
    return found


def sql_of(one: Json) -> str:
    (dialect,) = one["expression"]["dialects"]
    assert dialect.keys() == {"dialect", "expression"}
    assert dialect["dialect"] == "ANSI_SQL"
    return str(dialect["expression"])


def misformed(kind: str, one: Json) -> list[str]:
    """What an object lacks, or has that the specification does not know; with all objects below it."""
    required, optional = FORMS[kind]
    found = [f"{kind}: {name}" for name in (required - one.keys()) | (one.keys() - required - optional)]
    return found + [
        problem for below in FORMS.keys() & one.keys() for child in one[below] for problem in misformed(below, child)
    ]


def test_every_object_has_the_form_of_the_specification(star: Star) -> None:
    whole = document(star, "shop", "olap")
    assert misformed("document", whole) == []
    assert whole["version"] == "0.1.1"


def test_every_name_leads_to_a_field(star: Star) -> None:
    model = model_of(star)
    fields = {name: by_name(one["fields"]) for name, one in by_name(model["datasets"]).items()}
    assert fields.keys() == {*star.facts, *star.dimensions}
    for relationship in by_name(model["relationships"]).values():
        (column,), (key,) = relationship["from_columns"], relationship["to_columns"]
        target = by_name(model["datasets"])[relationship["to"]]
        assert column in fields[relationship["from"]]
        assert key in fields[relationship["to"]]
        assert [key] in [target["primary_key"], *target.get("unique_keys", [])]
    for metric in by_name(model["metrics"]).values():
        for column in sqlglot.parse_one(sql_of(metric)).find_all(exp.Column):
            assert column.name in fields[column.table], metric["name"]
    assert len(model["metrics"]) >= len(star.facts)


def test_nothing_of_a_person_is_in_it(star: Star) -> None:
    personal = {name for table in [*star.dimensions.values(), *star.facts.values()] for name in star.personal(table)}
    personal |= {table.visible_to for table in star.dimensions.values() if table.visible_to}
    names = {field["name"] for dataset in model_of(star)["datasets"] for field in dataset["fields"]}
    assert personal
    assert not personal & names


def asked(model: Json, metric: str, by: tuple[str, str]) -> str:
    """A metric by a field of a dataset, from the document alone."""
    datasets = by_name(model["datasets"])
    measured = sql_of(by_name(model["metrics"])[metric])
    (fact,) = {column.table for column in sqlglot.parse_one(measured).find_all(exp.Column)}
    (join,) = (one for one in model["relationships"] if (one["from"], one["to"]) == (fact, by[0]))

    def rows(name: str) -> str:
        columns = ", ".join(f'{sql_of(field)} AS "{field["name"]}"' for field in datasets[name]["fields"])
        return f"{name} AS (SELECT {columns} FROM {datasets[name]['source']})"

    on = f'{fact}."{join["from_columns"][0]}" = {by[0]}."{join["to_columns"][0]}"'
    return (
        f"WITH {rows(fact)}, {rows(by[0])} SELECT {by[0]}.{by[1]} AS of, {measured} AS measured "
        f"FROM {fact} JOIN {by[0]} ON {on} GROUP BY {by[0]}.{by[1]}"
    )


REFERENCE = {
    "revenue": "SUM(f.revenue)",
    "quantity": "SUM(f.quantity)",
    "unit_price": "AVG(f.unit_price)",
    "discount": "SUM(f.discount)",
    "average_price": "SUM(f.revenue) / SUM(f.quantity)",
    "discount_rate": "SUM(f.discount) / (SUM(f.revenue) + SUM(f.discount))",
}

GROUPS = {
    ("dim_store", "city"): "d.store_id = f.store_id",
    ("dim_product", "category"): "d.product_id = f.product_id",
    ("dim_product_history", "category"): "d.product_sk = f.product_sk",
    ("dim_time", "weekday_name"): "d.date_key = f.sale_date",
}


def test_metrics_by_relationships_are_what_sql_says(small_lake: Any) -> None:
    """Written from the document alone, as another tool would: no row is lost or doubled."""
    model = model_of(load_star(STARS[0]))
    athena = EmbeddedAthena(small_lake.warehouse.storage, small_lake.warehouse.catalog)
    assert by_name(model["metrics"]).keys() == REFERENCE.keys()
    for metric, expression in REFERENCE.items():
        for by, on in GROUPS.items():
            expected = athena.query(
                f"SELECT d.{by[1]} AS of, {expression} AS measured FROM fact_sales f JOIN {by[0]} d ON {on} GROUP BY 1"
            ).table.to_pylist()
            found = athena.query(asked(model, metric, by)).table.to_pylist()
            assert sorted(found, key=str) == sorted(expected, key=str), (metric, by)
            assert found


def test_the_command_writes_the_same_file_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAR_GLUE_PREFIX", "shop_")
    texts = []
    for name in ("a.json", "b.json"):
        done = CliRunner().invoke(cli.main, ["semantics", str(tmp_path / name)])
        assert (done.exit_code, done.output) == (0, "")
        texts.append((tmp_path / name).read_text())
    assert texts[0] == texts[1]
    (model,) = json.loads(texts[0])["semantic_model"]
    assert model["name"] == "retail"
    assert by_name(model["datasets"])["fact_sales"]["source"] == "awsdatacatalog.shop_olap.fact_sales"


@pytest.mark.long
def test_metricflow_reads_it() -> None:
    """Somebody else's reader finds the tables with their keys, and knows a ratio from a sum."""
    if not (FETCHED / "complete").exists():
        pytest.skip("no MetricFlow here; `make readers` fetches it")
    done = subprocess.run(
        [FETCHED / "bin" / "python", Path(__file__).parent / "read_semantics.py"],
        input=json.dumps(document(load_star(STARS[0]), "retail", "olap")),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["issues"] == []
    assert found["metrics"].items() >= {"revenue": "simple", "average_price": "ratio", "discount_rate": "ratio"}.items()
    assert found["tables"]["awsdatacatalog.olap.dim_store"] == {"store_id": "primary"}
    assert found["tables"]["awsdatacatalog.olap.fact_sales"]["store_id"] == "foreign"
