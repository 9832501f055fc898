"""What the commands print for a lake on AWS: Athena's answers, and the statements that make the tables there."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

from star_assets import cli
from star_assets.athena.embedded import EmbeddedAthena
from star_assets.lake.local_catalog import LocalCatalog
from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.lake import export_samples
from star_assets.settings import Settings
from star_assets.star import retail

Star = Callable[..., Result]

SQL = "SELECT city, sum(revenue) AS revenue FROM fact_sales JOIN dim_store USING (store_id) GROUP BY city"
CITIES = pa.table(
    {"city": ["Miami", None], "revenue": pa.array([Decimal("12.5000"), Decimal("0.1000")], pa.decimal128(38, 4))}
)
TYPES = ("varchar", "decimal(38,4)")


@pytest.fixture
def settings(aws: Callable[..., Settings]) -> Settings:
    return aws()


@pytest.fixture
def star(settings: Settings, decided_athena: Any, monkeypatch: pytest.MonkeyPatch) -> Star:
    """`star-assets …` on a lake of AWS whose queries go to Athena."""
    monkeypatch.setenv("STAR_LAKE", settings.lake)
    monkeypatch.setenv("STAR_GLUE_PREFIX", settings.glue_prefix)
    monkeypatch.setenv("STAR_ATHENA_WORKGROUP", decided_athena.workgroup)
    return lambda *arguments: CliRunner().invoke(cli.main, arguments)


def test_a_querys_answer_says_what_it_took_and_cost(star: Star, decided_athena: Any) -> None:
    decided_athena.answer(CITIES, TYPES)
    decided_athena.decide({"scanned": 3 * 10**9, "queued": 120})
    done = star("query", SQL)
    assert done.exit_code == 0, done.stderr
    assert "12.5000" in done.stdout
    assert "3.0 GB scanned for $0.013647, 0.12 s in the queue; query " in done.stderr


def test_an_answer_that_was_reused_says_so(star: Star, decided_athena: Any) -> None:
    decided_athena.answer(CITIES, TYPES)
    decided_athena.decide({"reused": True})
    assert "reused from an earlier run, for nothing" in star("query", SQL).stderr


@pytest.mark.parametrize(
    ("format_", "expected"),
    [
        ("csv", '"city","revenue"\n"Miami",12.5000\n,0.1000\n'),
        ("json", [{"city": "Miami", "revenue": "12.5000"}, {"city": None, "revenue": "0.1000"}]),
    ],
)
def test_programs_get_the_rows_of_the_last_statement(
    star: Star, decided_athena: Any, format_: str, expected: object
) -> None:
    decided_athena.answer(pa.table({"tab_name": ["fact_sales"]}), ["string"], header=False)
    decided_athena.answer(CITIES, TYPES)
    done = star("query", "--format", format_, f"SHOW TABLES; {SQL}")
    assert (json.loads(done.stdout) if format_ == "json" else done.stdout) == expected


def test_ddl_says_what_athena_prints_or_that_it_is_done(star: Star, decided_athena: Any) -> None:
    decided_athena.answer(pa.table({"partition": ["date=2023-07-01"]}), ["string"], header=False)
    done = star("query", "SHOW PARTITIONS fact_sales; CREATE DATABASE other")
    assert (done.stdout, done.stderr) == ("date=2023-07-01\n", "Done: CREATE DATABASE other\n")


def test_the_ddl_makes_the_same_tables_in_glue(star: Star, settings: Settings, tmp_path: Any) -> None:
    """Databases as Glue calls them, places on S3 that end with a slash, and the live versions."""
    warehouse = Warehouse(retail, settings)
    export_samples(warehouse.storage, date(2023, 7, 1), 1, orders_per_day=5)
    assert [outcome.error for outcome in warehouse.refresh("stores", ["2023-07-01"])] == [None]
    done = star("ddl", "stores", "--partitions")
    (live,) = warehouse.catalog.partitions("staging", "stores")
    assert f"CREATE DATABASE IF NOT EXISTS `{settings.glue_prefix}staging`;" in done.stdout
    assert f"PARTITION (`date` = '2023-07-01') LOCATION '{live.location}/'" in done.stdout
    assert f"LOCATION '{settings.lake}/staging/stores/'" in done.stdout
    assert "TBLPROPERTIES (\n  'classification' = 'parquet'\n)" in done.stdout
    assert done.stderr == ""
    elsewhere = EmbeddedAthena(warehouse.storage, LocalCatalog(tmp_path))
    elsewhere.query(done.stdout)
    assert elsewhere.query(f"SELECT count(*) AS n FROM {settings.glue_prefix}staging.stores").table["n"].to_pylist() > [
        0
    ]
