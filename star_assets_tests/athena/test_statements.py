"""DDL: what each statement changes, shows, says and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from star_assets.athena.embedded import EmbeddedAthena
from star_assets.lake import ddl
from star_assets.lake.catalog import CatalogColumn, PartitionEntry, TableEntry
from star_assets.lake.entries import table_entry
from star_assets.lake.local_catalog import LocalCatalog
from star_assets.lake.local_storage import LocalStorage
from star_assets.model.errors import BadQuery, Unfaithful
from star_assets.star import retail

CREATE = """CREATE EXTERNAL TABLE landed (id bigint COMMENT 'it\\'s; a key', note string)
PARTITIONED BY (`date` string) STORED AS PARQUET LOCATION 'landed/' TBLPROPERTIES ('made' = 'by hand')"""


@pytest.fixture
def landed(lake) -> EmbeddedAthena:  # type: ignore[no-untyped-def]
    """An Athena over two days that something else landed, and a table that does not know them yet."""
    for day in ("2023-07-01", "2023-07-02"):
        lake.write(f"landed/date={day}", f"SELECT 1 AS id, '{day}' AS note")
    athena = EmbeddedAthena(lake.storage, lake.catalog, threads=1)
    athena.query(CREATE)
    return athena


def lines(athena: EmbeddedAthena, sql: str) -> list[object]:
    return athena.query(sql).table.column(0).to_pylist()


def test_a_landed_table_is_created_repaired_and_read(landed: EmbeddedAthena) -> None:
    """What every Athena tutorial does first."""
    assert lines(landed, "SELECT count(*) FROM landed") == [0]
    said = lines(landed, "MSCK REPAIR TABLE landed")
    assert "Repair: Added partition to metastore landed:date=2023-07-02" in said
    assert lines(landed, "SELECT note FROM landed WHERE date > '2023-07-01'") == ["2023-07-02"]
    assert lines(landed, "MSCK REPAIR TABLE landed") == []


def test_a_bare_date_is_accepted_and_athenas_backticks_are_named(landed: EmbeddedAthena) -> None:
    """The statement works here, and would fail on Athena."""
    result = landed.query(CREATE.replace("`date`", "date").replace("landed (", "other ("))
    assert "backticks" in result.notices[0]
    assert landed.query(CREATE.replace("landed (", "third (")).notices == ()


SHOWN: list[tuple[str, list[str]]] = [
    ("SHOW DATABASES", ["olap"]),
    ("SHOW SCHEMAS LIKE 'o*'", ["olap"]),
    ("SHOW TABLES", ["landed", "seen"]),
    ("SHOW TABLES IN olap '*and*|x'", ["landed"]),
    ("SHOW VIEWS", ["seen"]),
    ("SHOW PARTITIONS landed", ["date=2023-07-01", "date=2023-07-02"]),
    ("SHOW COLUMNS IN landed", ["id", "note", "date"]),
    ("DESCRIBE landed", ["id", "note", "date"]),
    ("DESC olap.landed", ["id", "note", "date"]),
    ("SHOW CREATE VIEW seen", ['CREATE OR REPLACE VIEW "olap"."seen" AS', "SELECT note AS Seen FROM landed"]),
    ("SELECT seen FROM seen ORDER BY seen DESC LIMIT 1", ["2023-07-02"]),
]


@pytest.mark.parametrize(("sql", "expected"), SHOWN, ids=[sql for sql, _ in SHOWN])
def test_what_the_catalog_holds_is_shown(landed: EmbeddedAthena, sql: str, expected: list[str]) -> None:
    """Tools find tables by these statements."""
    landed.query("MSCK REPAIR TABLE landed; CREATE VIEW seen AS SELECT note AS Seen FROM landed")
    result = landed.query(sql)
    assert result.table.column(0).to_pylist() == expected
    assert result.statement == ("query" if sql.startswith("SELECT") else "ddl")


def test_show_create_table_makes_the_table_again(landed: EmbeddedAthena) -> None:
    """Comments with quotes, reserved words, properties: all must survive the round."""
    before = landed.catalog.table("olap", "landed")
    statement = "\n".join(str(line) for line in lines(landed, "SHOW CREATE TABLE landed"))
    landed.query("DROP TABLE landed")
    landed.query(statement)
    assert landed.catalog.table("olap", "landed") == before


def test_partitions_are_added_and_dropped(landed: EmbeddedAthena) -> None:
    """A location need not say the partition's value."""
    landed.query("ALTER TABLE landed ADD PARTITION (`date` = '2030-01-01') LOCATION 'landed/date=2023-07-01'")
    landed.query("ALTER TABLE landed ADD IF NOT EXISTS PARTITION (date = '2030-01-01') PARTITION (date = '2023-07-02')")
    assert lines(landed, "SELECT date FROM landed ORDER BY note") == ["2030-01-01", "2023-07-02"]
    assert lines(landed, "SELECT note FROM landed WHERE date = '2030-01-01'") == ["2023-07-01"]
    landed.query("ALTER TABLE landed DROP PARTITION (date = '2030-01-01'), PARTITION (date = '2023-07-02')")
    assert lines(landed, "SHOW PARTITIONS landed") == []


def test_databases_come_and_go(landed: EmbeddedAthena) -> None:
    """Both spellings, with and without conditions."""
    landed.query("CREATE DATABASE IF NOT EXISTS mine COMMENT 'x' LOCATION 'y'; CREATE SCHEMA IF NOT EXISTS mine")
    assert lines(landed, "SHOW DATABASES") == ["mine", "olap"]
    landed.query("DROP DATABASE mine; DROP SCHEMA IF EXISTS mine")
    assert lines(landed, "SHOW DATABASES") == ["olap"]


def test_a_view_looks_up_names_where_it_was_written(landed: EmbeddedAthena) -> None:
    """A view in another database must not read that database's table of the same name."""
    landed.query("MSCK REPAIR TABLE landed; CREATE VIEW mine.v AS SELECT count(*) AS n FROM landed")
    assert lines(landed, "SELECT n FROM mine.v") == [2]
    landed.query("CREATE OR REPLACE VIEW mine.v AS SELECT 7 AS n")
    assert lines(landed, "SELECT n + 1 FROM mine.v AS w WHERE w.n = 7") == [8]
    landed.query("DROP VIEW mine.v; DROP VIEW IF EXISTS mine.v")


FAILING: list[tuple[str, str]] = [
    ("CREATE EXTERNAL TABLE t (id int, date string) PARTITIONED BY (date string) STORED AS PARQUET LOCATION 'x'",
     "line 1:63: Column 'date' is repeated in PARTITIONED BY"),
    ("CREATE EXTERNAL TABLE t (id int, id int) STORED AS PARQUET LOCATION 'x'", "declared twice"),
    ("CREATE EXTERNAL TABLE t (id strng) STORED AS PARQUET LOCATION 'x'", "line 1:29: Expected a type"),
    ("CREATE EXTERNAL TABLE t (id int) STORED AS PARQUET", "Expected LOCATION"),
    ("CREATE EXTERNAL TABLE t (id int) STORED AS PARQUET LOCATION '/etc'", "outside the lake"),
    ("CREATE EXTERNAL TABLE t (id int) STORED AS PARQUET LOCATION 's3://b/x'", "outside the lake"),
    ("CREATE EXTERNAL TABLE landed (id int) STORED AS PARQUET LOCATION 'x'", "exists"),
    ("CREATE TABLE t AS SELECT 1", "CREATE EXTERNAL TABLE"),
    ("CREATE DATABASE olap", "exists"),
    ("DROP DATABASE olap", "holds tables"),
    ("DROP DATABASE nope", "no database nope"),
    ("DROP TABLE lande", "line 1:12: There is no table olap.lande. Known, closest first: landed"),
    ("DROP VIEW landed", "is a table"),
    ("ALTER TABLE landed ADD PARTITION (day = 'x')", "'day' is no partition column"),
    ("ALTER TABLE landed ADD PARTITION (date '2023-07-01')", "Expected ="),
    ("SHOW TABLES IN nope", "There are: olap"),
    ("SHOW PARTITIONS", "Expected a table, found the end"),
    ("CREATE VIEW v AS SELECT 1", "Column 1 of the view has no name"),
    ("CREATE VIEW v AS SELECT nope FROM landed", "line 1:25: There is no column 'nope'"),
    ("CREATE VIEW landed AS SELECT 1 AS a", "exists"),
    ("DESCRIBE landed extra", "line 1:17: Expected the end"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "problem"), FAILING, ids=[sql for sql, _ in FAILING])
def test_wrong_ddl_is_an_error_with_its_place(landed: EmbeddedAthena, sql: str, problem: str) -> None:
    """And it changes nothing."""
    before = landed.catalog.tables("olap")
    with pytest.raises(BadQuery) as caught:
        landed.query(sql)
    assert problem in str(caught.value)
    assert landed.catalog.tables("olap") == before


REFUSED: list[tuple[str, str]] = [
    ("CREATE EXTERNAL TABLE t (x string) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'x'",
     "not Parquet.*staging"),
    ("CREATE EXTERNAL TABLE t (x string) STORED AS TEXTFILE LOCATION 'x'", "not Parquet"),
    ("ALTER TABLE landed ADD COLUMNS (x int)", "ALTER TABLE"),
    ("ALTER TABLE landed RENAME TO other", "ALTER TABLE"),
    ("DROP DATABASE olap CASCADE", "CASCADE"),
    ("DESCRIBE EXTENDED landed", "EXTENDED"),
    ("SHOW FUNCTIONS", "SHOW FUNCTIONS"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "name"), REFUSED, ids=[sql for sql, _ in REFUSED])
def test_ddl_that_is_not_done_here_is_refused_by_name(landed: EmbeddedAthena, sql: str, name: str) -> None:
    """Accepting it and doing nothing would be a lie."""
    with pytest.raises(Unfaithful, match=name):
        landed.query(sql)


@pytest.mark.parametrize(
    "sql", ["DROP TABLE fact_sales", "ALTER TABLE fact_sales DROP PARTITION (date = '2023-07-01')",
            "ALTER TABLE fact_sales ADD PARTITION (date = '2031-07-01')"]
)  # fmt: skip
def test_a_table_of_the_star_is_not_changed_by_ddl(athena: EmbeddedAthena, sql: str) -> None:
    """Its catalog entry follows from what is published."""
    before = athena.catalog.partitions("olap", "fact_sales")
    with pytest.raises(BadQuery, match="belongs to star_assets"):
        athena.query(sql)
    assert athena.catalog.partitions("olap", "fact_sales") == before


def test_repair_over_a_folder_of_the_star_registers_the_live_versions_alone(lake) -> None:  # type: ignore[no-untyped-def]
    """Two versions of a day lie side by side; reading both would double the sales."""
    for version in ("old", "new"):
        lake.write(f"olap/fact_sales/date=2023-07-01/v={version}", f"SELECT '{version}' AS name")
    pointers: Path = lake.root / "olap/fact_sales/_pointers"
    pointers.mkdir()
    live = {"version": "new", "identity": "i", "since": "2023-07-02T00:00:00.000000Z"}
    (pointers / "date=2023-07-01.json").write_text(json.dumps({"live": live, "history": []}))
    athena = EmbeddedAthena(lake.storage, lake.catalog, threads=1)
    athena.query(
        "CREATE EXTERNAL TABLE mine (name string) PARTITIONED BY (`date` string) STORED AS PARQUET "
        "LOCATION 'olap/fact_sales'"
    )
    result = athena.query("MSCK REPAIR TABLE mine")
    assert "several versions" in result.notices[0]
    assert lines(athena, "SELECT name FROM mine") == ["new"]


def test_the_models_ddl_makes_the_models_tables(tmp_path: Path) -> None:
    """What is printed for Athena is what the catalog holds: columns, comments, place, partitions."""
    storage = LocalStorage(tmp_path)
    athena = EmbeddedAthena(storage, LocalCatalog(tmp_path), threads=1)
    for table in retail.tables.values():
        entry = table_entry(retail, table, storage)
        athena.query(f"{ddl.create_database(entry.database)};\n{ddl.create_table(entry)};")
        assert athena.catalog.table(entry.database, entry.name) == entry


def test_the_models_partitions_are_dates_as_text() -> None:
    """The reference query compares the partition with string literals; dimensions have none."""
    storage = LocalStorage(Path("/lake"))
    fact = table_entry(retail, retail.facts["fact_sales"], storage)
    assert [(column.name, column.type) for column in fact.partition_columns] == [("date", "string")]
    assert (fact.database, fact.location) == ("olap", "/lake/olap/fact_sales")
    assert table_entry(retail, retail.dimensions["dim_time"], storage).partition_columns == ()
    assert table_entry(retail, retail.sources["orders"], storage).database == "staging"
    assert all(len(column.comment) <= 255 for column in fact.columns)


def test_many_partitions_are_added_in_few_statements(lake) -> None:  # type: ignore[no-untyped-def]
    """Athena refuses statements that are too long, and each one takes its time."""
    date = CatalogColumn("date", "string")
    entry = TableEntry("olap", "t", (CatalogColumn("id", "int"),), (date,), lake.storage.uri("t"))
    partitions = [PartitionEntry((f"d{n:04}",), lake.storage.uri(f"t/v={n}"), entry.columns) for n in range(1200)]
    statements = ddl.add_partitions(entry, partitions)
    assert len(statements) == 3
    athena = EmbeddedAthena(lake.storage, lake.catalog, threads=1)
    athena.query(";\n".join([ddl.create_table(entry), *statements]))
    assert lake.catalog.partitions("olap", "t") == partitions


def test_a_statement_of_long_places_is_no_longer_than_athena_takes() -> None:
    """A key of S3 has up to 1,024 bytes."""
    date = CatalogColumn("date", "string")
    entry = TableEntry("olap", "t", (CatalogColumn("id", "int"),), (date,), "s3://b/t")
    places = [f"s3://b/{'é' * 450}/v={n}" for n in range(600)]
    partitions = [PartitionEntry((f"d{n:04}",), place, entry.columns) for n, place in enumerate(places)]
    statements = ddl.add_partitions(entry, partitions)
    assert max(len(statement.encode()) for statement in statements) <= ddl.STATEMENT_BYTES
    assert sum(statement.count("PARTITION (") for statement in statements) == 600
    assert ddl.add_partitions(entry, []) == []
