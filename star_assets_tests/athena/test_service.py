"""The Athena service: what it is sent, what its answers and failures become. Moto echoes what a test decides."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from star_assets import prices
from star_assets.athena.service.reuse import SETTLED_MINUTES
from star_assets.athena.service.service import AthenaService
from star_assets.lake.catalog import MADE_BY, OURS, CatalogColumn, TableEntry
from star_assets.lake.ledger import Ledger
from star_assets.lake.places import open_catalog, open_storage
from star_assets.lake.versions import Identity, Manifest, Partition, now
from star_assets.model.errors import AwsRefused, BadQuery, QueryInterrupted, QueryStopped, StarError
from star_assets.settings import Settings

USERS, ATHENAS = {"ErrorCategory": 2, "Retryable": False}, {"ErrorCategory": 1, "Retryable": True}

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture
def settings(aws: Callable[..., Settings]) -> Settings:
    return aws()


@pytest.fixture
def service(settings: Settings, decided_athena: Any) -> AthenaService:
    """The service, three hours from now, over a lake whose fact was published now."""
    storage, catalog = open_storage(settings), open_catalog(settings)
    catalog.put_table(TableEntry("olap", "fact_sales", (), location=storage.uri("f"), parameters={MADE_BY: OURS}))
    day = Partition("olap", "fact_sales", "2023-07-01")
    manifest = Manifest("20230701T000000000000-00000000", Identity("i"), now(), (), (), {})
    storage.write(day.ledger, Ledger().committed({day.key: (manifest, "")}).to_json())
    return AthenaService(
        storage,
        catalog,
        workgroup=decided_athena.workgroup,
        prefix=settings.glue_prefix,
        clock=lambda: time.time() + 3 * 3600,
    )


def test_what_is_written_is_what_athena_is_sent(
    service: AthenaService, decided_athena: Any, settings: Settings
) -> None:
    """Result reuse compares texts, and a `%` is no parameter."""
    sql = "SELECT id -- 100%s\nFROM other WHERE name LIKE '%(x)s;%'"
    service.query(f"\n {sql} ;")
    assert decided_athena.requests == [
        {
            "QueryString": sql,
            "QueryExecutionContext": {"Database": f"{settings.glue_prefix}olap", "Catalog": "awsdatacatalog"},
            "WorkGroup": decided_athena.workgroup,
        }
    ]


def test_results_are_kept_where_the_setting_says(service: AthenaService, decided_athena: Any) -> None:
    service.output = "s3://elsewhere/results"
    service.query("SELECT 1")
    (sent,) = decided_athena.requests
    assert sent["ResultConfiguration"] == {"OutputLocation": "s3://elsewhere/results/"}


def test_a_result_is_reused_that_is_younger_than_the_last_publish(service: AthenaService, decided_athena: Any) -> None:
    service.query("SELECT count(*) FROM fact_sales")
    (sent,) = decided_athena.requests
    found = sent["ResultReuseConfiguration"]["ResultReuseByAgeConfiguration"]
    assert found["Enabled"]
    assert found["MaxAgeInMinutes"] in (180 - SETTLED_MINUTES, 179 - SETTLED_MINUTES)


def test_right_after_a_publish_no_result_is_reused(service: AthenaService, decided_athena: Any) -> None:
    service.clock = time.time
    service.query("SELECT count(*) FROM fact_sales")
    assert "ResultReuseConfiguration" not in decided_athena.requests[0]


def test_a_result_says_what_it_took_and_what_it_cost(service: AthenaService, decided_athena: Any) -> None:
    decided_athena.decide({"scanned": 300 * 2**30, "queued": 250, "engine": 1500})
    decided_athena.answer(pa.table({"n": [1]}), ["integer"])
    result = service.query("SELECT 1 AS n")
    assert (result.bytes_scanned, result.execution and result.execution.query_id != "") == (300 * 2**30, True)
    assert result.execution is not None
    assert (result.execution.queue_seconds, result.execution.engine_seconds) == (0.25, 1.5)
    assert (result.execution.cost_usd, result.execution.reused) == (Decimal("1.464844"), False)


def test_a_result_that_was_reused_cost_nothing(service: AthenaService, decided_athena: Any) -> None:
    decided_athena.decide({"scanned": 0, "reused": True})
    decided_athena.answer(pa.table({"n": [1]}), ["integer"])
    execution = service.query("SELECT 1 AS n").execution
    assert execution is not None
    assert (execution.cost_usd, execution.reused) == (0, True)


def test_ddl_costs_nothing(service: AthenaService, decided_athena: Any) -> None:
    execution = service.query("SHOW TABLES").execution
    assert execution is not None
    assert execution.cost_usd == 0


@pytest.mark.parametrize(
    ("scanned", "cost"),
    [(0, "0.000048"), (1, "0.000048"), (10 * 2**20 + 1, "0.000052"), (2**40, "5.000000")],
)
def test_a_query_is_charged_by_whole_megabytes_and_at_least_ten(scanned: int, cost: str) -> None:
    assert prices.athena_query(scanned) == Decimal(cost)


def test_a_long_answer_comes_in_pages(service: AthenaService, decided_athena: Any) -> None:
    """Athena gives a thousand rows at a time, the names of the columns among the first."""
    decided_athena.answer(pa.table({"n": range(2500)}), ["integer"])
    assert service.query("SELECT n FROM other").table["n"].to_pylist() == list(range(2500))


def test_what_arrow_has_no_type_for_stays_athenas_text(service: AthenaService, decided_athena: Any) -> None:
    answer = pa.table(
        {
            "list": ["[1, 2]", None],
            "bytes": ["de ad be ef", None],
            "moment": ["2023-07-01 10:00:00.123456", None],
            "zoned": ["2023-07-01 10:00:00.000 America/New_York", None],
            "ratio": ["-Infinity", "1.0E10"],
        }
    )
    decided_athena.answer(answer, ["array", "varbinary", "timestamp", "timestamp with time zone", "double"])
    table = service.query("SELECT * FROM other").table
    assert table["list"].to_pylist() == ["[1, 2]", None]
    assert table["bytes"].to_pylist() == [b"\xde\xad\xbe\xef", None]
    assert str(table["moment"][0]) == "2023-07-01 10:00:00.123000"
    assert table["zoned"].to_pylist() == ["2023-07-01 10:00:00.000 America/New_York", None]
    assert table["ratio"].to_pylist() == [float("-inf"), 1e10]


def test_describe_gives_columns_although_athena_sends_lines(service: AthenaService, decided_athena: Any) -> None:
    """A line is one text, padded and with tabs, under the names of three columns."""
    lines = [
        "id                  \tbigint              \tThe key.            ",
        "\t \t ",
        "# Partition Information\t \t ",
    ]
    decided_athena.send([(name, "string") for name in ("col_name", "data_type", "comment")], [[line] for line in lines])
    table = service.query("DESCRIBE other").table
    assert table.to_pylist()[0] == {"col_name": "id", "data_type": "bigint", "comment": "The key."}
    assert table["col_name"].to_pylist()[1:] == ["", "# Partition Information"]


def test_what_has_no_rows_to_show_is_no_query(service: AthenaService) -> None:
    """CREATE DATABASE prints nothing."""
    result = service.query("CREATE DATABASE IF NOT EXISTS other")
    assert (result.table.num_rows, result.statement) == (0, "ddl")


def test_repair_over_a_folder_of_the_star_registers_the_live_versions_alone(
    service: AthenaService, decided_athena: Any
) -> None:
    """Athena's own MSCK would read two versions of a day that lie side by side."""
    date = CatalogColumn("date", "string")
    location = service.storage.uri("olap/fact_sales")
    service.catalog.put_table(TableEntry("olap", "mine", (CatalogColumn("id", "int"),), (date,), location))
    result = service.query(f"MSCK REPAIR TABLE {service.prefix}olap.mine")
    assert "several versions" in result.notices[0]
    (partition,) = service.catalog.partitions("olap", "mine")
    assert partition.location.endswith("/olap/fact_sales/date=2023-07-01/v=20230701T000000000000-00000000")
    assert decided_athena.requests == []


def test_repair_of_any_other_table_is_athenas(service: AthenaService, decided_athena: Any) -> None:
    date = CatalogColumn("date", "string")
    service.catalog.put_table(TableEntry("olap", "landed", (), (date,), service.storage.uri("landed")))
    service.query("MSCK REPAIR TABLE landed")
    assert [sent["QueryString"] for sent in decided_athena.requests] == ["MSCK REPAIR TABLE landed"]


# Failures: state, Athena's reason, its error; the class and the words that a user gets, QUERY standing for the id.
FAILURES: list[tuple[str, str, dict[str, Any], type[StarError], str]] = [
    (
        "FAILED",
        "SYNTAX_ERROR: line 1:10: mismatched input 'FORM'. Expecting: ',', 'FROM'",
        USERS,
        BadQuery,
        "line 1:10: SYNTAX_ERROR: mismatched input 'FORM'. Expecting: ',', 'FROM'.\n  SELECT * FORM sales\n"
        "           ^",
    ),
    (
        "FAILED",
        "FAILED: ParseException line 1:9 cannot recognize input near 'FORM' 'sales' '<EOF>'",
        USERS,
        BadQuery,
        "line 1:10: ParseException cannot recognize input near 'FORM' 'sales' '<EOF>'.\n  SELECT * FORM sales\n"
        "           ^",
    ),
    ("FAILED", "DIVISION_BY_ZERO: Division by zero", USERS, BadQuery, "DIVISION_BY_ZERO: Division by zero."),
    (
        "FAILED",
        "SCHEMA_NOT_FOUND: line 1:15: Schema 'olap' does not exist",
        USERS,
        BadQuery,
        "line 1:15: SCHEMA_NOT_FOUND: Schema 'olap' does not exist. In Glue, names of this lake's databases begin "
        "with PREFIX.\n  SELECT * FORM sales\n                ^",
    ),
    (
        "CANCELLED",
        "Bytes scanned limit was exceeded",
        USERS,
        QueryStopped,
        "Athena query QUERY: it was stopped at the limit of workgroup WORKGROUP, which is 10,485,760 bytes, after "
        "12,000,000 bytes. Read fewer dates (WHERE date …) or columns, or raise the workgroup's limit of bytes scanned "
        "per query.",
    ),
    (
        "CANCELLED",
        "Query cancelled by user",
        USERS,
        QueryStopped,
        "Athena query QUERY: it was cancelled (Query cancelled by user). Run it again if nobody meant to.",
    ),
    (
        "FAILED",
        "Query exhausted resources at this scale factor",
        {"ErrorCategory": 1, "Retryable": False},
        QueryStopped,
        "Athena query QUERY: Query exhausted resources at this scale factor. Read fewer dates or columns, or aggregate "
        "in steps.",
    ),
    (
        "FAILED",
        "Query timeout",
        USERS,
        QueryStopped,
        "Athena query QUERY: Query timeout. Read fewer dates or columns, or aggregate in steps.",
    ),
    (
        "FAILED",
        "INTERNAL_ERROR: Internal error",
        ATHENAS,
        QueryInterrupted,
        "Athena query QUERY: Athena itself failed (INTERNAL_ERROR: Internal error). Run it again later.",
    ),
    (
        "FAILED",
        "Insufficient permissions to execute the query. User: arn:aws:iam::1:user/ann is not authorized to perform: "
        "glue:GetTable on resource: arn:aws:glue:us-east-1:1:catalog",
        USERS,
        AwsRefused,
        "Athena query QUERY: glue:GetTable was denied (Insufficient permissions to execute the query. User: "
        "arn:aws:iam::1:user/ann is not authorized to perform: glue:GetTable on resource: "
        "arn:aws:glue:us-east-1:1:catalog). The live versions stay. Allow the action for this identity; docs/aws.md "
        "lists what a lake needs.",
    ),
    (
        "FAILED",
        "Insufficient permissions to execute the query. Amazon S3 access denied on s3://b/olap/part-00000.parquet",
        USERS,
        AwsRefused,
        "Athena query QUERY: s3:GetObject was denied (Insufficient permissions to execute the query. Amazon S3 access "
        "denied on s3://b/olap/part-00000.parquet). The live versions stay. Allow the action for this identity; "
        "docs/aws.md lists what a lake needs.",
    ),
    (
        "FAILED",
        "Access denied when writing output to url: s3://results/1.csv",
        USERS,
        AwsRefused,
        "Athena query QUERY: results cannot be kept (Access denied when writing output to url: s3://results/1.csv). "
        "The live versions stay. Create the bucket in this region, and allow s3:GetBucketLocation on it and "
        "s3:GetObject and s3:PutObject below the place for results; docs/aws.md lists what a lake needs.",
    ),
]


@pytest.mark.parametrize(("state", "reason", "error", "kind", "words"), FAILURES, ids=[one[1][:30] for one in FAILURES])
def test_why_athena_gave_up_is_told_with_what_to_do(
    service: AthenaService,
    decided_athena: Any,
    state: str,
    reason: str,
    error: dict[str, Any],
    kind: type[StarError],
    words: str,
) -> None:
    decided_athena.decide({"state": state, "reason": reason, "error": error, "scanned": 12_000_000})
    with pytest.raises(StarError) as raised:
        service.query("SELECT * FORM sales")
    assert type(raised.value) is kind
    said = str(raised.value).replace(decided_athena.workgroup, "WORKGROUP").replace(service.prefix, "PREFIX")
    assert UUID.sub("QUERY", said) == words


class Interrupt(BaseException):
    """As Dagster stops a step: no KeyboardInterrupt, which PyAthena sees to itself."""


@pytest.mark.parametrize("words", ["DROP DATABASE", "drop schema if exists"])
def test_a_database_is_not_dropped_with_the_star_in_it(
    service: AthenaService, decided_athena: Any, settings: Settings, words: str
) -> None:
    """One line would take every table of the star out of the catalog, while all runs find them up to date."""
    with pytest.raises(BadQuery, match=r"olap\.fact_sales belongs to star_assets"):
        service.query(f"{words} `{settings.glue_prefix}olap` CASCADE")
    assert decided_athena.requests == []
    service.query("DROP DATABASE somebody_elses CASCADE")
    assert len(decided_athena.requests) == 1


def test_a_step_that_is_stopped_stops_its_query(service: AthenaService, decided_athena: Any) -> None:
    """It would go on, and cost, with nobody waiting for it."""
    decided_athena.decide({"state": "RUNNING"})

    def interrupt(**_: object) -> None:
        raise Interrupt

    service.connection().client.meta.events.register("after-call.athena.GetQueryExecution", interrupt)
    with pytest.raises(Interrupt):
        service.query("SELECT 1")
    assert [list(request) for request in decided_athena.requests[1:]] == [["Stopped"]]
