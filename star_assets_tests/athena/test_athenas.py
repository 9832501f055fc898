"""What both Athenas promise: one suite for the embedded one and the service.

Moto's Athena executes nothing. There, the expected answer is injected in the form
in which Athena sends it, so that the suite proves what becomes of it, not that
Athena would give it: the parameter's name says so.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

import pyarrow as pa
import pytest

from star_assets.athena.client import Athena, Result
from star_assets.athena.embedded import EmbeddedAthena
from star_assets.athena.service.service import AthenaService
from star_assets.lake.catalog import MADE_BY, OURS, TableEntry
from star_assets.lake.places import open_catalog, open_storage
from star_assets.model.errors import BadQuery


class Asked(Protocol):
    """An Athena, and how a test prepares its answers; the embedded one finds its own."""

    athena: Athena

    def will_answer(self, table: pa.Table, *types: str) -> None: ...

    def will_print(self, column: str, *lines: str) -> None: ...

    def will_fail(self, reason: str) -> None: ...


class Embedded:
    def __init__(self, request: pytest.FixtureRequest) -> None:
        self.athena = request.getfixturevalue("athena")

    def will_answer(self, table: pa.Table, *types: str) -> None: ...

    def will_print(self, column: str, *lines: str) -> None: ...

    def will_fail(self, reason: str) -> None: ...


class EchoedService:
    def __init__(self, request: pytest.FixtureRequest) -> None:
        self.decided, settings = request.getfixturevalue("decided_athena"), request.getfixturevalue("aws")()
        storage, catalog = open_storage(settings), open_catalog(settings)
        catalog.put_table(TableEntry("olap", "fact_sales", (), location=storage.uri("f"), parameters={MADE_BY: OURS}))
        self.athena = AthenaService(
            storage, catalog, workgroup=self.decided.workgroup, prefix=settings.glue_prefix, database="olap"
        )

    def will_answer(self, table: pa.Table, *types: str) -> None:
        self.decided.answer(table, types)

    def will_print(self, column: str, *lines: str) -> None:
        self.decided.answer(pa.table({column: lines}), ["string"], header=False)

    def will_fail(self, reason: str) -> None:
        self.decided.decide({"state": "FAILED", "reason": reason, "error": {"ErrorCategory": 2}})


ATHENAS: dict[str, Callable[[pytest.FixtureRequest], Asked]] = {
    "embedded": Embedded,
    "service, echoed by moto": EchoedService,
}


@pytest.fixture(params=ATHENAS)
def asked(request: pytest.FixtureRequest) -> Asked:
    return ATHENAS[request.param](request)


def test_every_athena_is_tested(request: pytest.FixtureRequest) -> None:
    """No adapter can stay outside."""
    assert {type(make(request).athena) for make in ATHENAS.values()} == set(Athena.__subclasses__())


def sent(asked: Asked) -> list[dict[str, Any]]:
    """What reached AWS."""
    return asked.decided.requests if isinstance(asked, EchoedService) else []


VALUES = """SELECT CAST(1 AS bigint) AS big, 2 AS small, CAST('12.3400' AS decimal(18,4)) AS money, 1.5e0 AS ratio,
true AS yes, 'a' AS name, '' AS empty, CAST(NULL AS varchar) AS missing, DATE '2023-07-01' AS day,
TIMESTAMP '2023-07-01 10:00:00.123' AS moment"""
EXPECTED: list[tuple[str, Any, pa.DataType, str]] = [
    ("big", 1, pa.int64(), "bigint"),
    ("small", 2, pa.int32(), "integer"),
    ("money", Decimal("12.3400"), pa.decimal128(18, 4), "decimal(18,4)"),
    ("ratio", 1.5, pa.float64(), "double"),
    ("yes", True, pa.bool_(), "boolean"),
    ("name", "a", pa.string(), "varchar"),
    ("empty", "", pa.string(), "varchar"),
    ("missing", None, pa.string(), "varchar"),
    ("day", date(2023, 7, 1), pa.date32(), "date"),
    ("moment", datetime(2023, 7, 1, 10, 0, 0, 123_000), pa.timestamp("ms"), "timestamp"),
]


def expected(rows: int = 1) -> pa.Table:
    return pa.table({name: pa.array([value] * rows, type_) for name, value, type_, _ in EXPECTED})


def test_every_value_arrives_with_its_type(asked: Asked) -> None:
    """Money to the last digit; the empty text is not NULL."""
    types = [type_ for *_, type_ in EXPECTED]
    asked.will_answer(expected(), *types)
    result = asked.athena.query(VALUES)
    assert result.table.cast(expected().schema).equals(result.table)
    assert (result.table.to_pylist(), list(result.types)) == (expected().to_pylist(), types)
    assert (result.statement, result.seconds > 0) == ("query", True)


def test_no_rows_have_columns_and_types(asked: Asked) -> None:
    """Whoever reads on must not have to tell an empty table from none."""
    asked.will_answer(expected(0), *(type_ for *_, type_ in EXPECTED))
    result = asked.athena.query(f"SELECT * FROM ({VALUES}) AS v WHERE big > 1")
    assert (result.table.num_rows, result.table.schema) == (0, expected().schema)


def test_columns_without_a_name_or_with_the_same_one_stay_apart(asked: Asked) -> None:
    asked.will_answer(pa.table([[1], [2], [3]], names=["_col0", "n", "n"]), "integer", "integer", "integer")
    table = asked.athena.query("SELECT 1, 2 AS n, 3 AS n").table
    assert (table.column_names, [column.to_pylist() for column in table.columns]) == (
        ["_col0", "n", "n"],
        [[1], [2], [3]],
    )


def test_a_row_that_looks_like_the_names_is_a_row(asked: Asked) -> None:
    """Athena sends the names as the first row, which must not swallow another."""
    asked.will_answer(pa.table({"name": ["name"]}), "varchar")
    assert asked.athena.query("SELECT 'name' AS name").table.to_pylist() == [{"name": "name"}]


def test_statements_run_in_order_and_the_last_one_answers(asked: Asked) -> None:
    texts = ["SELECT 1 AS n -- one; not two", "SELECT ';' AS n", "SELECT 3 AS n"]
    answers = [pa.table({"n": [1]}), pa.table({"n": [";"]}), pa.table({"n": [3]})]
    for _ in range(2):
        for answer, type_ in zip(answers, ["integer", "varchar", "integer"], strict=True):
            asked.will_answer(answer, type_)
    sql = "\n;\n".join(texts)
    assert [result.table["n"].to_pylist() for result in asked.athena.results(sql)] == [[1], [";"], [3]]
    assert asked.athena.query(sql).table["n"].to_pylist() == [3]


def test_what_ddl_prints_is_text(asked: Asked) -> None:
    asked.will_print("tab_name", "dim_product", "dim_store", "fact_sales")
    result = asked.athena.query("SHOW TABLES")
    assert result.table["tab_name"].to_pylist() == ["dim_product", "dim_store", "fact_sales"]
    assert (result.types, result.statement) == (("varchar",), "ddl")


@pytest.mark.parametrize(
    ("sql", "reason", "line", "column"),
    [
        ("SELECT nothing FROM fact_sales", "COLUMN_NOT_FOUND: line 1:8: Column 'nothing' cannot be resolved", 1, 8),
        ("SELECT 1;\n\n  SELECT 1,\n    nothing", "COLUMN_NOT_FOUND: line 2:5: Column 'nothing' cannot …", 4, 5),
    ],
)
def test_an_error_has_its_place_in_the_whole_text(asked: Asked, sql: str, reason: str, line: int, column: int) -> None:
    """Athena counts lines from the statement's beginning, people from the file's."""
    if ";" in sql:
        asked.will_answer(pa.table({"_col0": [1]}), "integer")
    for statement in sql.split(";"):
        if "nothing" in statement:
            asked.will_fail(reason)
        elif isinstance(asked, EchoedService):
            asked.decided.decide({})
    with pytest.raises(BadQuery) as raised:
        asked.athena.query(sql)
    assert (raised.value.line, raised.value.column) == (line, column)
    assert "nothing" in str(raised.value)


@pytest.mark.parametrize("sql", ["", " ;; ", "-- nothing\n"])
def test_a_text_without_a_statement_is_an_error(asked: Asked, sql: str) -> None:
    with pytest.raises(BadQuery, match="no statement"):
        asked.athena.query(sql)


def test_a_quote_that_is_never_closed_is_an_error(asked: Asked) -> None:
    with pytest.raises(BadQuery, match="never closed"):
        asked.athena.query("SELECT 'a")


@pytest.mark.parametrize(
    "sql", ["DROP TABLE {}", "DROP TABLE IF EXISTS {}", "ALTER TABLE {} DROP PARTITION (date='x')"]
)
@pytest.mark.parametrize("database", ["", "olap."])
def test_a_table_of_the_star_is_changed_by_publishing_alone(asked: Asked, sql: str, database: str) -> None:
    prefix = asked.athena.prefix if isinstance(asked.athena, AthenaService) and database else ""
    with pytest.raises(BadQuery, match="belongs to star_assets"):
        asked.athena.query(sql.format(f"{prefix}{database}fact_sales"))
    assert sent(asked) == []


def test_repair_leaves_a_table_of_the_star_to_its_publishes(asked: Asked) -> None:
    """Athena itself would register folders in which all versions of a day lie side by side."""
    result = asked.athena.query("MSCK REPAIR TABLE fact_sales")
    assert "kept in step by star_assets" in result.notices[0]
    assert sent(asked) == []


def test_threads_may_share_one(asked: Asked) -> None:
    """Dagster's steps and a notebook's cells do."""
    for _ in range(8):
        asked.will_answer(pa.table({"n": pa.array([7], pa.int32())}), "integer")

    def ask(_: int) -> Result:
        return asked.athena.query("SELECT 7 AS n")

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, range(8)))
    assert [result.table["n"].to_pylist() for result in found] == [[7]] * 8


def test_the_embedded_athena_is_not_the_service(asked: Asked) -> None:
    """What only the service knows is not made up."""
    asked.will_answer(pa.table({"n": [1]}), "integer")
    assert (asked.athena.query("SELECT 1 AS n").execution is None) == isinstance(asked.athena, EmbeddedAthena)
