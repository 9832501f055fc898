"""The command line, as a user meets it: each command, its output, its exit code.

Most through click's runner; what only a process of its own shows, in one.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from star_assets import cli
from star_assets.athena.embedded import EmbeddedAthena
from star_assets.lake.local_catalog import LocalCatalog
from star_assets.lake.local_storage import LocalStorage
from star_assets.settings import Settings

Star = Callable[..., Result]

DAY = "2023-07-02"


@pytest.fixture
def star(small_lake: Any, monkeypatch: pytest.MonkeyPatch) -> Star:
    """`star-assets …` on the small lake, in this process."""
    monkeypatch.setenv("STAR_LAKE", str(small_lake.root))

    def invoke(*arguments: str, **options: Any) -> Result:
        return CliRunner().invoke(cli.main, arguments, **options)

    return invoke


def changed_export(lake: Any) -> None:
    """One order less on the day, so that its fact changes."""
    file = lake.export("orders", DAY) / "orders.csv"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))


# Help


@pytest.mark.parametrize("name", cli.main.commands)
def test_every_command_is_documented(name: str) -> None:
    command = cli.main.commands[name]
    assert command.help
    assert f"star-assets {name}" in command.help, "an example"
    assert all(option.help for option in command.params if isinstance(option, click.Option))


def test_the_help_names_every_setting() -> None:
    """A setting that nobody can find is none."""
    told = CliRunner().invoke(cli.main, ["--help"]).output
    assert [name for name in Settings.model_fields if f"STAR_{name.upper()} " not in told] == []


def test_help_does_not_wait_for_engines() -> None:
    code = (
        "import sys, click.testing, star_assets.cli as cli\n"
        "for name in cli.main.commands: click.testing.CliRunner().invoke(cli.main, [name, '--help'])\n"
        "print(*sorted({'dagster', 'ibis', 'duckdb', 'pyarrow', 'pydantic'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


# From exports to answers


def test_from_an_empty_folder_to_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAR_LAKE", str(tmp_path))
    told = [
        CliRunner().invoke(cli.main, words)
        for words in (
            ["sample", "--days", "1", "--orders-per-day", "5"],
            ["run"],
            ["run", "fact_sales", "dim_store", "--to", "2023-07-01"],
            ["query", "--format", "csv", "SELECT count(*) > 0 AS sold FROM fact_sales"],
        )
    ]
    assert [done.exit_code for done in told] == [0, 0, 0, 0]
    assert told[1].stderr.count("1 published") == 11
    # In the order of the star, whatever the order they were asked for in.
    assert [line.split()[:3] for line in told[2].stderr.splitlines()] == [
        ["dim_store", "1", "unchanged"],
        ["fact_sales", "1", "unchanged"],
    ]
    assert told[3].stdout == '"sold"\ntrue\n'


def test_a_bad_day_leaves_the_others_alone(star: Star, small_lake: Any) -> None:
    """And the exit code tells a script, which reads no messages."""
    (small_lake.export("orders", DAY) / "orders.csv").write_text("nothing\n1\n")
    done = star("run", "orders")
    assert done.exit_code == 1
    assert done.stderr.startswith("orders               1 failed")
    assert star("run", "orders", "--to", DAY).stderr.startswith("orders               1 unchanged, 1 failed")
    (small_lake.export("orders", "2023-07-01") / "_SUCCESS").unlink()
    assert star("run", "orders", "--to", "2023-07-01").exit_code == 75
    assert star("run", "orders", "--to", DAY).exit_code == 1, "one that is permanent is enough"


def test_a_run_builds_what_is_out_of_date_and_nothing_else(star: Star, small_lake: Any) -> None:
    """No days to think of: an order that was exported again, and the dates that this concerns."""
    assert set(star("run").stderr.splitlines()) == {
        f"{name:<20} up to date" for name in small_lake.warehouse.star.tables
    }
    changed_export(small_lake)
    told = {line.split()[0]: line.split()[1:3] for line in star("run").stderr.splitlines()}
    assert told.pop("orders") == ["1", "published"]
    assert told.pop("fact_sales")[1] == "published"
    # A dimension of the order's references may have lost an inferred member.
    untouched = ("order_items", "customers", "products", "stores", "dim_product")
    assert [told[name] for name in untouched] == [["up", "to"]] * len(untouched)


def test_a_run_that_was_killed_is_completed_by_the_next(star: Star, small_lake: Any) -> None:
    """Published and not registered: nothing is out of date, and nobody sees it."""
    small_lake.warehouse.catalog.drop_partitions("olap", "fact_sales", [(DAY,)])
    assert star("run").exit_code == 0
    assert small_lake.rows(f"SELECT count(*) > 0 AS there FROM fact_sales WHERE date = '{DAY}'") == [{"there": True}]


def test_withdrawn_exports_are_told_and_withdrawn_by_name(star: Star, small_lake: Any) -> None:
    """A raw zone that is cleaned up must not empty the tables, and an export taken back must."""
    for source in ("orders", "order_items"):
        shutil.rmtree(small_lake.export(source, DAY))
    (orders,) = [
        row for row in json.loads(star("status", "--format", "json").stdout) if row["table"].endswith("orders")
    ]
    assert (orders["out_of_date"], orders["withdrawn"]) == (0, 1)
    done = star("run")
    assert "orders               up to date" in done.stderr
    assert f"orders: 1 staged export is no longer in {small_lake.root}/oltp: {DAY}." in done.stderr
    assert star("run", "orders", "order_items", "--from", DAY, "--to", DAY).exit_code == 0
    assert star("run").exit_code == 0
    assert small_lake.rows(f"SELECT count(*) AS n FROM fact_sales WHERE date = '{DAY}'") == [{"n": 0}]


def test_many_bad_days_are_told_in_a_few_lines(star: Star, small_lake: Any) -> None:
    for day in range(1, 9):
        folder = small_lake.export("stores", f"2023-07-{day:02}")
        folder.mkdir(exist_ok=True)
        (folder / "stores.json").write_text("[{]")
        (folder / "_SUCCESS").touch()
    told = star("run", "stores").stderr
    assert told.count("Error: ") == 4
    assert (
        "5 more days of stores failed: 2023-07-04 … 2023-07-08. "
        "`star-assets run stores --from 2023-07-04 --to 2023-07-04` shows why one did."
    ) in told


def test_what_is_so_of_several_tables_is_told_once(star: Star, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same five times is four times noise."""
    monkeypatch.setenv("STAR_START_DATE", DAY)
    told = "Note: orders, order_items, customers, products, stores: 1 export is from before STAR_START_DATE, 2023-07-02"
    for command in ("run", "status"):
        done = star(command)
        assert done.stderr.count("from before STAR_START_DATE") == 1
        assert told in done.stderr


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["query"], "Give the SQL, or a file of it with -f."),
        (["query", "SELECT 1", "-f", "-"], "Give the SQL, or a file of it with -f."),
        (["query", "-f", "missing.sql"], "missing.sql"),
        (["run", "--from", "yesterday"], "'yesterday'"),
        (
            ["run", "--from", "2023-07-02", "--to", "2023-07-01"],
            "the last, 2023-07-01, is before the first, 2023-07-02",
        ),
        (["rollback", "fact_sales"], "Name the day of fact_sales: --day."),
        (["rollback", "dim_store", "--day", DAY], "dim_store has no partitions: leave out --day."),
        (["nonsense"], "nonsense"),
    ],
)
def test_a_wrong_call_is_told_and_ends_with_2(star: Star, words: list[str], problem: str) -> None:
    done = star(*words)
    assert done.exit_code == 2
    assert problem in done.stderr


def test_a_run_without_exports_says_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAR_LAKE", str(tmp_path))
    done = CliRunner().invoke(cli.main, ["run"])
    assert (done.exit_code, f"{tmp_path}/oltp holds no exports" in done.stderr) == (2, True)


@pytest.mark.parametrize("words", [["sample"], ["run"], ["status"], ["repair"], ["vacuum"]])
def test_a_lake_that_is_a_file_is_told_without_a_traceback(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = tmp_path / "lake"
    lake.write_text("")
    monkeypatch.setenv("STAR_LAKE", str(lake))
    done = CliRunner().invoke(cli.main, words)
    assert done.exit_code == 1
    assert done.stderr.startswith(f"Error: {lake}")
    assert "Not a directory" in done.stderr


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAR_THREADS", "many")
    done = CliRunner().invoke(cli.main, ["status"])
    assert (done.exit_code, done.stderr.startswith("Error: STAR_THREADS='many': expected a whole number")) == (1, True)


# Rows

VALUES = (
    "SELECT CAST('12345678901234.5678' AS decimal(18,4)) AS money, CAST(NULL AS varchar) AS nothing, '' AS blank, "
    "'a \"b\", c' AS text, DATE '2023-07-01' AS day, TIMESTAMP '2023-07-01 10:00:00.123' AS moment"
)


def test_csv_tells_null_from_blank_and_keeps_every_digit(star: Star) -> None:
    done = star("query", "--format", "csv", VALUES)
    assert done.stdout.splitlines()[1] == '12345678901234.5678,,"","a ""b"", c",2023-07-01,2023-07-01 10:00:00.123'
    assert next(csv.reader(io.StringIO(done.stdout))) == ["money", "nothing", "blank", "text", "day", "moment"]


def test_json_tells_null_from_blank_and_keeps_every_digit(star: Star) -> None:
    assert json.loads(star("query", "--format", "json", VALUES).stdout) == [
        {
            "money": "12345678901234.5678",
            "nothing": None,
            "blank": "",
            "text": 'a "b", c',
            "day": "2023-07-01",
            "moment": "2023-07-01T10:00:00.123",
        }
    ]
    assert json.loads(star("query", "--format", "json", "SELECT 1 AS n WHERE false").stdout) == []


def test_a_table_is_not_folded_when_it_goes_to_a_file(star: Star) -> None:
    done = star("query", VALUES)
    assert (
        '│ 12,345,678,901,234.5678 │ NULL    │       │ a "b", c │ 2023-07-01 │ 2023-07-01 10:00:00.123 │' in done.stdout
    )
    assert done.stderr.startswith("1 row, ")


def test_several_statements_are_answered_one_by_one(star: Star, tmp_path: Path) -> None:
    """What earlier ones say, notices among it, must not get lost behind the last."""
    file = tmp_path / "report.sql"
    file.write_text(
        "CREATE EXTERNAL TABLE mine (sale_id string) PARTITIONED BY (date STRING) STORED AS PARQUET "
        "LOCATION 'olap/fact_sales';\nMSCK REPAIR TABLE mine;\nSELECT count(DISTINCT date) AS days FROM mine",
        encoding="utf-8-sig",
    )
    done = star("query", "-f", str(file))
    assert done.exit_code == 0, done.stderr
    assert "Done: CREATE EXTERNAL TABLE mine" in done.stderr
    assert "Note: " in done.stderr
    assert "Repair: Added partition to metastore mine:date=2023-07-02\n" in done.stdout
    assert "│    2 │" in done.stdout


def test_sql_comes_from_standard_input(star: Star) -> None:
    done = star("query", "-f", "-", "--format", "csv", input="SHOW DATABASES;\nSELECT 1 AS n;")
    assert done.stdout == '"n"\n1\n'


def test_status_says_what_is_live_in_every_format(star: Star) -> None:
    found = json.loads(star("status", "--format", "json").stdout)
    rows = list(csv.DictReader(io.StringIO(star("status", "--format", "csv").stdout)))
    (fact,) = [row for row in found if row["table"] == "olap.fact_sales"]
    assert [row["table"] for row in found] == [row["table"] for row in rows]
    assert (fact["kind"], fact["partitions"], fact["versions"], fact["catalog"]) == ("fact", 2, 2, "in step")
    assert (fact["first_day"], fact["last_day"]) == ("2023-07-01", "2023-07-02")
    assert str(fact["size_bytes"]) == rows[-1]["size_bytes"]
    shown = star("status")
    assert "kB" in shown.stdout
    # Nothing is wrong with a fresh lake. What Athena does not read of raw exports is told all the same.
    assert "Note:" not in shown.stderr and "left to staging.stores" in shown.stderr


# Rejected rows


def test_rejects_are_listed_until_the_export_is_mended(star: Star, small_lake: Any) -> None:
    """Found by file and line, whole in CSV and JSON; gone once the day is exported again."""
    assert star("rejects", "orders").stderr == "Note: no row of orders is rejected.\n"
    file = small_lake.export("orders", DAY) / "orders.csv"
    sound = file.read_text()
    raw = f"twelve,\t{'x' * 70}"
    file.write_text(f"{sound}{raw}\n")
    assert star("run", "orders").exit_code == 1
    line, path = len(sound.splitlines()) + 1, f"oltp/orders/date={DAY}/orders.csv"
    found = star("rejects", "--format", "json")
    (row,) = json.loads(found.stdout)
    assert row == {
        "source": "orders",
        "day": DAY,
        "file": path,
        "line": line,
        "reason": "expected 7 fields, found 2",
        "raw": raw,
        "staged": False,
    }
    (written,) = csv.DictReader(io.StringIO(star("rejects", "orders", "--format", "csv").stdout))
    assert written["raw"] == raw
    shown = star("rejects", "orders", "stores", "--from", DAY).stdout
    assert (
        f"│ orders │ {DAY} │ orders.csv │   {line} │ expected 7 fields, found 2 │ twelve,\\t{'x' * 50}… │ no " in shown
    )
    assert json.loads(star("rejects", "--to", "2023-07-01", "--format", "json").stdout) == []
    file.write_text(sound)
    assert star("run", "orders").exit_code == 0
    assert json.loads(star("rejects", "--format", "json").stdout) == []


def test_only_sources_have_rejects(star: Star) -> None:
    done = star("rejects", "dim_store")
    assert (done.exit_code, "dim_store is no source. Sources: orders, order_items," in done.stderr) == (2, True)


# Columns that nobody declared


def test_a_new_column_is_told_when_it_comes_and_by_status(star: Star, small_lake: Any) -> None:
    """In the run that brings it, once; in the status, until somebody declares it."""
    file = small_lake.export("stores", DAY) / "stores.json"
    stores = json.loads((small_lake.export("stores", "2023-07-01") / "stores.json").read_text())
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps([{**stores[0], "manager": "x"}]))
    (file.parent / "_SUCCESS").touch()
    assert f"Note: stores {DAY}: a new column, which is carried along as text: manager.\n" in star("run").stderr
    assert "manager" not in star("run").stderr
    told = f"Note: stores: 1 column came later than the first export: manager since {DAY}. Declare it to give a type.\n"
    assert told in star("status").stderr
    assert small_lake.rows("SELECT DISTINCT manager FROM dim_store WHERE manager = 'x'") == [{"manager": "x"}]


# Versions


def test_back_to_the_day_before_forward_again_and_cleaned_up(star: Star, small_lake: Any) -> None:
    rows = f"SELECT count(*) AS n FROM fact_sales WHERE date = '{DAY}'"
    before = small_lake.rows(rows)
    changed_export(small_lake)
    assert star("run").exit_code == 0
    changed = small_lake.rows(rows)
    assert changed != before

    done = star("rollback", "fact_sales", "--day", DAY)
    assert done.exit_code == 0
    assert small_lake.rows(rows) == before
    undo = done.stderr.splitlines()[-1].removeprefix("To undo: star-assets ")
    assert star(*undo.split()).exit_code == 0
    assert small_lake.rows(rows) == changed

    cleaned = star("vacuum").stderr
    assert cleaned.startswith("Nothing to remove.\nNote: "), "all of it is younger than the retention"
    assert cleaned.endswith(" superseded versions stay until their retention is over.\n")
    assert "versions removed: " in star("vacuum", "--retention-days", "0").stderr
    gone = star("rollback", "fact_sales", "--day", DAY)
    assert (gone.exit_code, "Kept versions, newest first: none." in gone.stderr) == (1, True)
    assert small_lake.rows(rows) == changed


def test_repair_makes_a_lost_catalog_again(star: Star, small_lake: Any) -> None:
    rows = "SELECT sum(revenue) AS revenue FROM fact_sales JOIN dim_store USING (store_id)"
    before = small_lake.rows(rows)
    (small_lake.root / "_catalog" / "catalog.sqlite").unlink()
    assert json.loads(star("status", "--format", "json").stdout)[-1]["catalog"] == "2 behind"
    done = star("repair")
    assert done.exit_code == 0
    assert "olap.fact_sales date=2023-07-02: registered; it was missing in the catalog\n" in done.stderr
    assert small_lake.rows(rows) == before
    assert star("repair").stderr == "Nothing to repair: everything fits, and the catalog serves what is live.\n"


def fact_files(lake: Any, name: str) -> list[Path]:
    return list((lake.root / "olap" / "fact_sales" / f"date={DAY}").rglob(name))


def test_what_verify_finds_repair_builds_again(star: Star, small_lake: Any) -> None:
    """A damaged file is noticed by nobody until a query reads it."""
    rows = "SELECT sum(revenue) AS revenue FROM fact_sales JOIN dim_store USING (store_id)"
    before = small_lake.rows(rows)
    whole = star("verify")
    assert (whole.exit_code, whole.stdout) == (0, "")
    assert whole.stderr.startswith("Everything fits: ")
    (file,) = fact_files(small_lake, "part-*.parquet")
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 1
    file.write_bytes(content)
    assert star("verify", "--quick").exit_code == 0
    found = star("verify", "--format", "json")
    assert found.exit_code == 1
    (damage,) = json.loads(found.stdout)
    assert (damage["table"], damage["partition"], damage["file"]) == ("olap.fact_sales", f"date={DAY}", str(file))
    assert (damage["version"], damage["repair"]) == (file.parent.name.removeprefix("v="), True)
    assert damage["expected"].startswith("SHA-256 ")
    assert damage["found"].startswith("SHA-256 ")
    shown = star("verify")
    assert shown.stdout.endswith(". `star-assets repair` builds it again.\n")
    assert "Error: 1 damage in " in shown.stderr
    mended = star("repair")
    assert mended.exit_code == 0
    # The lake is a copy, so its raw exports are registered once more.
    told = [line for line in mended.stderr.splitlines() if not line.startswith("oltp.")]
    assert told == [f"olap.fact_sales date={DAY}: built again"]
    assert star("verify").exit_code == 0
    assert small_lake.rows(rows) == before


def test_repair_fails_where_rows_are_lost(star: Star, small_lake: Any) -> None:
    """A script must not take it for repaired."""
    for file in (small_lake.root / "staging" / "orders" / f"date={DAY}").rglob("part-*.parquet"):
        file.unlink()
    shutil.rmtree(small_lake.export("orders", DAY))
    done = star("repair", "--quick")
    assert done.exit_code == 1
    assert f"Error: staging.orders date={DAY}: " in done.stderr
    assert "Lost: " in done.stderr
    assert "What was built of it stays: fact_sales " in done.stderr


@pytest.mark.parametrize(
    "table, command",
    [(f"staging/orders/date={DAY}", ["reconcile"]), ("olap/dim_store", ["query", "SELECT count(*) FROM dim_store"])],
)
def test_a_command_that_misses_a_file_names_the_one_that_finds_it(
    star: Star, small_lake: Any, table: str, command: list[str]
) -> None:
    """Whoever reads the message may not have heard of damage before."""
    for file in (small_lake.root / table).glob("v=*/part-00000.parquet"):
        file.unlink()
    done = star(*command)
    assert done.exit_code == 1
    assert "star-assets verify" in done.stderr


@pytest.mark.parametrize("command", [["status"], ["run"], ["query", "SELECT count(*) FROM fact_sales"]])
def test_a_ledger_that_cannot_be_read_is_named_with_the_way_back(
    star: Star, small_lake: Any, command: list[str]
) -> None:
    """Queries go through the catalog, so they still answer."""
    ledger = small_lake.root / "olap" / "fact_sales" / "_pointers" / "2023-07.json"
    ledger.write_bytes(ledger.read_bytes()[:50])
    done = star(*command)
    assert done.exit_code == (0 if command[0] == "query" else 1)
    assert command[0] == "query" or f"{ledger}: expected a ledger, found 50 bytes that are no ledger. " in done.stderr
    assert star("repair").exit_code == 0
    assert star(*command).exit_code == 0


# Retention of raw exports


def raw_files(lake: Any) -> list[str]:
    return sorted(str(file.relative_to(lake.root)) for file in (lake.root / "oltp").rglob("*") if file.is_file())


def test_a_dry_run_lists_what_would_be_retired_and_deletes_nothing(star: Star, small_lake: Any) -> None:
    before, (orders,) = raw_files(small_lake), small_lake.export("orders", DAY).glob("orders*")
    orders.write_text(orders.read_text() + "\n")
    done = star("retire", "--older-than", "1", "--dry-run")
    assert done.exit_code == 0
    assert [line.partition(": ")[0] for line in done.stdout.splitlines()] == [
        f"{source} {day}"
        for source, declared in small_lake.warehouse.star.sources.items()
        if not declared.is_stream
        for day in ("2023-07-01", DAY)
        if (source, day) != ("orders", DAY)
    ]
    assert f"order_items {DAY}: 2 files, " in done.stdout
    told = done.stderr.splitlines()
    assert told[0] == f"Note: kept orders {DAY}: its files have changed since they were staged."
    assert told[1].startswith("Would retire 9 export days: ")
    assert raw_files(small_lake) == before


def test_retiring_asks_first_and_deletes_on_yes_alone(star: Star, small_lake: Any) -> None:
    before = raw_files(small_lake)
    for refused in (star("retire", "--older-than", "1", input="n\n"), star("retire", "--older-than", "1", input="")):
        assert (refused.exit_code, raw_files(small_lake)) == (1, before)
        assert "Delete the raw files of 10 export days (" in refused.stderr
        assert f") from {small_lake.root}/oltp for good? [y/N]" in refused.stderr
    done = star("retire", "--older-than", "1", input="y\n")
    assert (done.exit_code, "10 export days retired: " in done.stderr) == (0, True)
    left = {Path(file).name for file in raw_files(small_lake)}
    assert left == {"_SUCCESS", "_retired"}
    assert star("retire", "--older-than", "1").stderr == "Nothing to retire.\n"


def test_a_script_retires_without_being_asked(star: Star, small_lake: Any) -> None:
    done = star("retire", "--older-than", "1", "--yes")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr.startswith("10 export days retired: ")
    assert star("run").exit_code == 0
    assert "Delete raw files of export days older than DAYS." in " ".join(star("retire", "--help").stdout.split())


# DDL


def test_the_ddl_makes_the_same_tables_elsewhere(star: Star, small_lake: Any, tmp_path: Path) -> None:
    """Every statement that is printed runs, and queries over what it made answer the same."""
    done = star("ddl", "--partitions")
    assert (done.exit_code, "Athena reads S3 only" in done.stderr) == (0, True)
    elsewhere = EmbeddedAthena(LocalStorage(small_lake.root), LocalCatalog(tmp_path / "elsewhere"))
    elsewhere.query(done.stdout)
    for table in ("fact_sales", "dim_store", "staging.orders"):
        sql = f"SELECT * FROM {table} ORDER BY 1, 2, 3"
        assert elsewhere.query(sql).table.to_pylist() == small_lake.rows(sql)


def test_ddl_of_one_table_is_that_tables_alone(star: Star) -> None:
    assert star("ddl", "dim_store").stdout.count("CREATE EXTERNAL TABLE") == 1
    unknown = star("ddl", "dim_stores")
    assert (unknown.exit_code, "No table 'dim_stores'" in unknown.stderr) == (1, True)


# As a process


def test_a_reader_that_has_seen_enough_ends_the_command_quietly(small_lake: Any) -> None:
    """`star-assets query … | head` must not end in a traceback."""
    many = "SELECT f.* FROM fact_sales f CROSS JOIN dim_time t"
    process = small_lake.start("query", "--format", "csv", many)
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    process.wait(timeout=60)


def test_an_interrupted_command_says_so_and_ends_with_130(small_lake: Any, tmp_path: Path) -> None:
    sql = tmp_path / "sql"
    os.mkfifo(sql)
    process = small_lake.start("query", "-f", str(sql))
    # Opening waits until the command reads from the other end.
    with sql.open("w"):
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
    assert process.stderr.read().strip().startswith("Interrupted. What was published stays live")
