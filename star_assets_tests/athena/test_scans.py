"""How tables are read: partitions, versions, columns that come and change."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from star_assets.athena.embedded import EmbeddedAthena
from star_assets.lake.catalog import PartitionEntry, TableEntry
from star_assets.model.errors import Unfaithful

PRUNING: list[tuple[str, int]] = [
    ("SELECT sum(revenue) FROM fact_sales", 3),
    ("SELECT sum(revenue) FROM fact_sales WHERE date = '2023-07-01'", 1),
    ("SELECT sum(revenue) FROM fact_sales f WHERE f.quantity > 0 AND (f.date >= '2023-07-02')", 2),
    ("SELECT sum(revenue) FROM fact_sales WHERE date LIKE '2023-07%' AND substr(date, 9) = '02'", 1),
    ("SELECT sum(revenue) FROM fact_sales WHERE date IN ('2023-07-01', '2023-10-01')", 2),
    ("SELECT sum(revenue) FROM fact_sales WHERE date = '2030-01-01'", 0),
    ("SELECT sum(revenue) FROM fact_sales WHERE date = '2023-07-01' OR quantity = 1", 3),
    ("SELECT 1 FROM dim_store s JOIN fact_sales f ON f.store_id = s.store_id AND f.date = '2023-07-01' LIMIT 0", 1),
    ("SELECT 1 FROM dim_store s LEFT JOIN fact_sales f ON f.store_id = s.store_id WHERE f.date IS NULL", 3),
    ("SELECT (SELECT max(date) FROM fact_sales WHERE date < '2023-07-02')", 1),
]


@pytest.mark.parametrize(("sql", "days"), PRUNING, ids=[sql for sql, _ in PRUNING])
def test_only_partitions_that_may_answer_are_read(athena: EmbeddedAthena, sql: str, days: int) -> None:
    """Athena bills what it reads; years of sales must not be opened for one day."""
    one_day = athena.query("SELECT sale_id FROM fact_sales WHERE date = '2023-07-01'").bytes_scanned
    stores = athena.query("SELECT city FROM dim_store").bytes_scanned if "dim_store" in sql else 0
    assert abs(athena.query(sql).bytes_scanned - stores - days * one_day) < one_day / 2


def test_pruning_never_changes_an_outer_join(athena: EmbeddedAthena) -> None:
    """A partition left out would make its rows look unmatched, and so appear."""
    sql = "SELECT s.city FROM dim_store s LEFT JOIN fact_sales f ON f.store_id = s.store_id WHERE f.date IS NULL"
    assert athena.query(sql).table.num_rows == 0


def test_the_partition_column_is_a_column_like_any_other(athena: EmbeddedAthena) -> None:
    """It comes last in SELECT *, and groups."""
    assert athena.query("SELECT * FROM fact_sales").table.column_names[-1] == "date"
    found = athena.query("SELECT date, count(*) AS n FROM fact_sales GROUP BY date ORDER BY date DESC LIMIT 1")
    assert found.table.to_pylist() == [{"date": "2023-10-01", "n": 4}]


def test_timestamps_come_in_milliseconds(athena: EmbeddedAthena) -> None:
    """As Athena gives them."""
    result = athena.query("SELECT max(sold_at) AS last FROM fact_sales")
    assert str(result.table.schema.field("last").type) == "timestamp[ms]"
    assert result.types == ("timestamp",)


def test_a_reader_sees_what_is_published_next(lake) -> None:  # type: ignore[no-untyped-def]
    """File lists are remembered by version, never by table."""
    entry = lake.fact("sales", {"id": "int"})
    athena = EmbeddedAthena(lake.storage, lake.catalog, threads=1)
    for version in ("1", "2"):
        lake.day(entry, "2023-07-01", f"SELECT {version}::INTEGER AS id", version)
        assert athena.query("SELECT id FROM sales").table.to_pylist() == [{"id": int(version)}]


def test_a_table_without_files_is_empty_with_its_columns(lake) -> None:  # type: ignore[no-untyped-def]
    """A report that joins it must not fail on its first day."""
    lake.fact("sales", {"id": "int", "amount": "decimal(18,4)"})
    result = EmbeddedAthena(lake.storage, lake.catalog, threads=1).query("SELECT * FROM sales")
    assert (result.table.num_rows, result.types) == (0, ("integer", "decimal(18,4)", "varchar"))


def test_older_partitions_lack_newer_columns(lake) -> None:  # type: ignore[no-untyped-def]
    """A column that an export gained last week is NULL before."""
    old = lake.fact("sales", {"id": "int"})
    lake.day(old, "2023-07-01", "SELECT 1::INTEGER AS id")
    new = lake.fact("sales", {"id": "bigint", "note": "string"})
    lake.day(new, "2023-07-02", "SELECT 2::BIGINT AS id, 'x' AS note")
    athena = EmbeddedAthena(lake.storage, lake.catalog, threads=1)
    result = athena.query("SELECT id, note FROM sales ORDER BY id")
    assert result.table.to_pylist() == [{"id": 1, "note": None}, {"id": 2, "note": "x"}]
    assert result.types == ("bigint", "varchar")
    assert athena.query("SELECT note FROM sales WHERE date = '2023-07-01'").table.to_pylist() == [{"note": None}]


def test_types_are_those_of_the_table_not_of_the_files(lake) -> None:  # type: ignore[no-untyped-def]
    """Two days written with different widths are one column."""
    entry = lake.fact("sales", {"amount": "decimal(18,4)"})
    lake.day(entry, "2023-07-01", "SELECT 1.5::DECIMAL(9,2) AS amount")
    lake.day(entry, "2023-07-02", "SELECT 2.25::DECIMAL(18,4) AS amount")
    result = EmbeddedAthena(lake.storage, lake.catalog, threads=1).query("SELECT sum(amount) AS s FROM sales")
    assert (result.table.to_pylist(), result.types) == ([{"s": Decimal("3.7500")}], ("decimal(38,4)",))


def test_a_column_may_be_called_like_the_version_folder(lake) -> None:  # type: ignore[no-untyped-def]
    """`v=<id>` in a path must not be taken for the column v."""
    entry = lake.fact("sales", {"v": "string", "id": "int"})
    lake.day(entry, "2023-07-01", "SELECT 'mine' AS v, 1::INTEGER AS id", "5")
    result = EmbeddedAthena(lake.storage, lake.catalog, threads=1).query("SELECT v, date FROM sales")
    assert result.table.to_pylist() == [{"v": "mine", "date": "2023-07-01"}]


def test_the_catalog_says_a_partitions_value_whatever_its_path_says(lake) -> None:  # type: ignore[no-untyped-def]
    """As on Athena: a path is only where the files are."""
    entry = lake.fact("sales", {"id": "int"})
    location = lake.write("elsewhere/date=1999-01-01", "SELECT 1::INTEGER AS id")
    lake.catalog.put_partitions("olap", "sales", [PartitionEntry(("2023-07-01",), location, entry.columns)])
    athena = EmbeddedAthena(lake.storage, lake.catalog, threads=1)
    assert athena.query("SELECT date FROM sales").table.to_pylist() == [{"date": "2023-07-01"}]
    assert athena.query("SELECT 1 FROM sales WHERE date = '1999-01-01'").table.num_rows == 0


def test_raw_files_are_refused_and_the_typed_rows_are_named(lake) -> None:  # type: ignore[no-untyped-def]
    """Athena's readers of CSV and JSON have rules of their own."""
    entry: TableEntry = lake.fact("orders", {"id": "int"})
    lake.catalog.put_table(replace(entry, database="oltp", format="csv"))
    with pytest.raises(Unfaithful, match=r"staging\.orders"):
        EmbeddedAthena(lake.storage, lake.catalog, threads=1).query("SELECT * FROM oltp.orders")
