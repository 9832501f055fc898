"""What PostgreSQL is asked for, and what comes of it: the file of a source's day, byte by byte where it matters."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import psycopg
import pytest

from star_assets.exports.formats.opening import inspect_file, read_records
from star_assets.exports.pull.database import Day, open_database
from star_assets.exports.pull.postgres import Postgres
from star_assets.exports.pull.postgres_tables import copy_statement
from star_assets.model import Column, Csv, Source
from star_assets.model.errors import BadDeclaration, DatabaseBusy
from star_assets.settings import Settings
from star_assets.star import order_items, orders
from star_assets_tests.shop import Shop, documented

Export = Callable[..., str]

DAY = date(2023, 7, 2)

things = Source("things", key="id", version="changed", columns={"id": "int64", "changed": "timestamp"})


def day_in(zone: str = "UTC", whole: tuple[str, ...] = ()) -> Day:
    begin, end = (datetime.combine(day, time(), ZoneInfo(zone)) for day in (DAY, DAY + timedelta(days=1)))
    return Day(str(DAY), begin, end, frozenset(whole))


@pytest.fixture
def export(shop: Shop, tmp_path: Path) -> Export:
    """The text of the file that one source's day becomes; with it, other sources may be exported too."""

    def export(source: Source, *others: Source, day: Day | None = None) -> str:
        with closing(open_database(Settings(source_dsn=shop.url))) as database:
            rows = database.export([source, *others], day or day_in(), tmp_path)
        text = gzip.decompress((tmp_path / f"{source.name}.csv.gz").read_bytes()).decode(source.csv.encoding)
        profile = inspect_file(tmp_path / f"{source.name}.csv.gz", "x.csv.gz", source)
        assert profile.records == rows[source.name]
        return text

    return export


def make(shop: Shop, columns: str, *rows: str, name: str = "things") -> None:
    shop.execute(f"CREATE TABLE shop.{name} ({columns})")
    shop.execute(f"GRANT SELECT ON shop.{name} TO star_export")
    for row in rows:
        shop.execute(f"INSERT INTO shop.{name} VALUES ({row})")


def numbers(text: str) -> list[int]:
    return sorted(int(line.partition(",")[0]) for line in text.splitlines()[1:])


# Values


def test_every_value_comes_as_staging_reads_it(shop: Shop, export: Export) -> None:
    """Whatever the role's own defaults: German dates or fewer digits would be rejects, or worse, other values."""
    columns = {"id": "int64", "money": "decimal(38,20)", "ratio": "float64", "at": "timestamp", "local": "timestamp"}
    columns |= {"on_day": "date", "yes": "boolean"}
    make(
        shop,
        "id int, money numeric, ratio float8, at timestamptz, local timestamp, on_day date, yes boolean",
        """1, 123456789012345678.00000000000000000001, 0.1::float8 + 0.2::float8, '2023-07-02 12:00:00.123456+02',
           '2023-07-02 12:00:00', '2023-07-02', true""",
    )
    for setting in ("DateStyle = 'German'", "TimeZone = 'Asia/Tokyo'", "extra_float_digits = 0"):
        shop.execute(f"ALTER ROLE star_export IN DATABASE shop SET {setting}")
    assert export(Source("things", key="id", columns=columns)) == (
        "id,money,ratio,at,local,on_day,yes\n"
        "1,123456789012345678.00000000000000000001,0.30000000000000004,"
        "2023-07-02 10:00:00.123456+00,2023-07-02 12:00:00,2023-07-02,t\n"
    )


TEXTS = [None, "", "NULL", r"\N", "a,b;c|d", 'say "hi"', "two\nlines", "\r", " spaces ", "Cañon", "'", "\\.", "😀"]

DIALECTS = [
    Csv(),
    Csv(delimiter=";", quote="'"),
    Csv(null=("NULL", "")),
    Csv(null=("", "NULL", r"\N")),
    Csv(encoding="utf-16", delimiter="|"),
]


@pytest.mark.parametrize("csv", DIALECTS, ids=str)
def test_what_staging_reads_is_what_the_database_has(shop: Shop, export: Export, csv: Csv, tmp_path: Path) -> None:
    """NULL and the empty text stay apart in every dialect, and no text is taken for NULL."""
    make(shop, "id int, name text")
    for number, text in enumerate(TEXTS):
        shop.execute("INSERT INTO shop.things VALUES (%s, %s)", number, text)
    source = Source("things", key="id", columns={"id": "int64", "name": "string"}, csv=csv)
    export(source)
    file = tmp_path / "things.csv.gz"
    batches = read_records(file, "things.csv.gz", source, inspect_file(file, "things.csv.gz", source))
    found = [(row["id"], row["name"]) for batch in batches for row in batch.table.to_pylist()]
    assert sorted(found, key=lambda row: int(row[0])) == [(str(number), text) for number, text in enumerate(TEXTS)]


def test_a_text_that_the_declared_encoding_has_not_is_an_error(shop: Shop, export: Export) -> None:
    """Exported as a question mark, it would be lost without a word."""
    make(shop, "id int, name text", "1, 'Łódź'")
    columns = {"id": "int64", "name": "string"}
    with pytest.raises(Exception, match="cannot be written as declared"):
        export(Source("things", key="id", columns=columns, csv=Csv(encoding="cp1252")))
    with pytest.raises(BadDeclaration, match="no text for NULL"):
        export(Source("things", key="id", columns=columns, csv=Csv(null=())))


# Columns and tables


def test_declared_columns_come_first_and_the_others_along(shop: Shop, export: Export) -> None:
    make(shop, 'extra text, "ID" int, dropped int, "Changed" timestamptz', "'x', 1, 2, '2023-07-02 10:00+00'")
    shop.execute("ALTER TABLE shop.things DROP COLUMN dropped")
    optional = replace(things, columns={**things.columns, "maybe": Column("string", optional=True)})
    assert export(optional) == "ID,Changed,extra\n1,2023-07-02 10:00:00+00,x\n"


def test_a_column_that_is_not_granted_stays_in_the_database(shop: Shop, export: Export) -> None:
    make(shop, "id int, changed timestamptz, email text", "1, '2023-07-02 10:00+00', 'me@example.com'")
    shop.execute("REVOKE SELECT ON shop.things FROM star_export")
    shop.execute("GRANT SELECT (id, changed) ON shop.things TO star_export")
    assert export(things) == "id,changed\n1,2023-07-02 10:00:00+00\n"


@pytest.mark.parametrize("kind", ["VIEW", "MATERIALIZED VIEW"])
def test_a_view_will_do(shop: Shop, export: Export, kind: str) -> None:
    """Where a table is not as a source wants it, a view of the source's name is."""
    make(shop, "number int, at timestamptz", "7, '2023-07-02 10:00+00'", name="raw_things")
    shop.execute(f"CREATE {kind} shop.things AS SELECT number AS id, at AS changed FROM shop.raw_things")
    shop.execute("GRANT SELECT ON shop.things TO star_export")
    assert numbers(export(things)) == [7]


# Which rows

MOMENTS = """
    (1, '2023-07-01 23:59:59.999999+00'), (2, '2023-07-02 00:00:00+00'), (3, '2023-07-02 23:59:59.999999+00'),
    (4, '2023-07-03 00:00:00+00'), (5, '2023-07-02 03:59:59+00'), (6, '2023-07-03 03:59:59+00'), (7, NULL)"""


@pytest.mark.parametrize(
    ("type_", "zone", "timezone", "expected"),
    [
        ("timestamptz", "UTC", "UTC", [2, 3, 5, 7]),
        ("timestamptz", "America/New_York", "UTC", [3, 4, 6, 7]),
        # What the clock on the wall in Berlin showed: there, UTC's day begins at two.
        ("timestamp", "UTC", "Europe/Berlin", [3, 4, 5, 7]),
        ("timestamp", "Europe/Berlin", "Europe/Berlin", [2, 3, 5, 7]),
        ("date", "America/New_York", "UTC", [2, 3, 5, 7]),
        # These say nothing of a day.
        ("text", "UTC", "UTC", [1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_rows_are_those_that_changed_on_the_business_day(
    shop: Shop, export: Export, type_: str, zone: str, timezone: str, expected: list[int]
) -> None:
    """A row without a version says nothing of when it changed, and goes along every day."""
    make(shop, f"id int, changed {type_}")
    shop.execute("SET TimeZone = 'UTC'")
    shop.execute(f"INSERT INTO shop.things SELECT id, at::timestamptz::{type_} FROM (VALUES {MOMENTS}) t(id, at)")
    assert numbers(export(replace(things, timezone=timezone), day=day_in(zone))) == expected


def test_a_domain_is_what_it_is_made_of(shop: Shop, export: Export) -> None:
    shop.execute("CREATE DOMAIN shop.moment AS timestamptz")
    make(shop, "id int, changed shop.moment", "1, '2023-07-01 10:00+00'", "2, '2023-07-02 10:00+00'")
    assert numbers(export(things)) == [2]


def test_the_first_day_holds_what_was_before_it(shop: Shop, export: Export) -> None:
    """Or a store that opened years ago would be in no export at all."""
    make(shop, "id int, changed timestamptz", "1, '2015-01-01 00:00+00'", "2, '2023-07-02 10:00+00'")
    make(shop, "id int, changed timestamptz", "3, '2023-07-03 10:00+00'", name="later")
    assert numbers(export(things, day=day_in(whole=("things",)))) == [1, 2]


def test_without_a_version_every_row_is_exported(shop: Shop, export: Export) -> None:
    make(shop, "id int, changed timestamptz", "1, '2015-01-01 00:00+00'", "2, '2030-07-02 10:00+00'")
    assert numbers(export(replace(things, version=None))) == [1, 2]


LINES = """
INSERT INTO shop.orders VALUES (1, 1, 1, '2023-06-01', 'placed', '2023-07-02 10:00+00', 'U'),
    (2, 1, 1, '2023-07-02', 'placed', '2023-07-03 10:00+00', 'I'), (3, 1, 1, NULL, NULL, '2023-07-02 23:00+00', 'D');
INSERT INTO shop.order_items SELECT o, l, 5, 1, 9.99, NULL FROM generate_series(1, 3) o, generate_series(1, 2) l;
"""


def test_every_line_of_a_changed_order_comes_along(shop: Shop, export: Export) -> None:
    """With lines="complete", a line that lacks is a line that was dropped."""
    shop.execute(LINES)
    lines = [tuple(line.split(",")[:2]) for line in export(order_items).splitlines()[1:]]
    assert sorted(lines) == [("1", "1"), ("1", "2"), ("3", "1"), ("3", "2")]
    assert numbers(export(orders)) == [1, 3]


def test_the_documented_triggers_make_a_line_change_its_order(shop: Shop, export: Export) -> None:
    """A line that changes in silence would be exported with the next change of its order, or never."""
    shop.execute(LINES)
    shop.execute(documented("CREATE FUNCTION"))
    for change in (
        "UPDATE shop.order_items SET quantity = 2 WHERE order_id = 1 AND line_number = 1",
        "DELETE FROM shop.order_items WHERE order_id = 2 AND line_number = 2",
        "INSERT INTO shop.order_items VALUES (3, 3, 5, 1, 9.99, NULL)",
    ):
        shop.execute(change)
    day = today(shop)
    assert numbers(export(orders, day=day)) == [1, 2, 3]
    assert numbers(export(order_items, day=day)) == [1, 1, 2, 3, 3, 3]
    assert numbers(export(orders)) == []


def test_lines_of_lines_follow_the_header_too(shop: Shop, export: Export) -> None:
    """By whatever names their keys go."""
    shop.execute(LINES)
    make(shop, "number int, line int, tax int", "1, 1, 7", "2, 1, 8", "3, 2, 9", name="taxes")
    columns = {"number": "int64", "line": "int64", "tax": "int64"}
    taxes = Source("taxes", ("number", "line", "tax"), columns, part_of=order_items, header_key=("number", "line"))
    assert [line.rpartition(",")[2] for line in sorted(export(taxes).splitlines()[1:])] == ["7", "9"]


def test_lines_that_change_by_themselves_go_by_their_own_version(shop: Shop, export: Export) -> None:
    make(
        shop,
        "order_id int, line int, changed timestamptz",
        "1, 1, '2023-07-02 09:00+00'",
        "1, 2, '2023-07-01 09:00+00'",
        name="lines",
    )
    columns = {"order_id": "int64", "line": "int64", "changed": "timestamp"}
    key, version = ("order_id", "line"), "changed"
    changed = Source("lines", key, columns, part_of=orders, lines="changed", version=version)
    assert export(changed).splitlines()[1:] == ["1,1,2023-07-02 09:00:00+00"]


def test_a_day_is_found_by_its_index(shop: Shop) -> None:
    """A day of a year must not read the year: the documented indexes serve the statements as they are sent."""
    moments = "SELECT n, '2022-08-01'::timestamptz + n * interval '10 minutes' AS t FROM generate_series(1, 50000) n"
    shop.execute(f"INSERT INTO shop.orders SELECT n, 1, 1, t, 'placed', t, 'I' FROM ({moments}) numbered")
    shop.execute("INSERT INTO shop.order_items SELECT n, 1, 5, 1, 9.99, NULL FROM generate_series(1, 50000) n")
    for statement in documented("CREATE INDEX").split(";\n"):
        if statement:
            shop.execute(statement)
    shop.execute("ANALYZE")
    with closing(open_database(Settings(source_dsn=shop.url))) as database:
        assert isinstance(database, Postgres)
        tables = database._tables([orders, order_items])
        for source in (orders, order_items):
            copy = copy_statement(source, tables, day_in()).as_string(database.connection)
            query = copy.removeprefix("COPY (").partition(") TO STDOUT")[0]
            explained = database.connection.execute(f"EXPLAIN {query}").fetchall()
            plan = "\n".join(row[0] for row in explained)
            assert "Seq Scan" not in plan, plan


# One moment


class Interrupted(Postgres):
    """Calls `between` before each copy but the first."""

    between: Callable[[], object]
    copied = 0

    def _copy(self, *given: Any) -> int:
        if self.copied:
            self.between()
        self.copied += 1
        return super()._copy(*given)


def test_all_sources_of_a_day_are_as_of_one_moment(shop: Shop, tmp_path: Path) -> None:
    """A line that came after its order was copied would be a line too many, and its order's total wrong for good."""
    shop.execute(LINES)
    with closing(open_database(Settings(source_dsn=shop.url))) as plain:
        assert isinstance(plain, Postgres)
        database = Interrupted(plain.connection, plain.name)

        def change() -> None:
            shop.execute("UPDATE shop.orders SET status = 'shipped', updated_at = '2023-07-02 11:00+00'")
            shop.execute("INSERT INTO shop.order_items VALUES (1, 3, 5, 1, 9.99, NULL)")

        database.between = change
        rows = database.export([orders, order_items], day_in(), tmp_path)
        assert (database.copied, rows) == (2, {"orders": 2, "order_items": 4})
        assert plain.export([order_items], day_in(), tmp_path) == {"order_items": 7}


def test_a_table_cannot_be_emptied_under_the_copy(shop: Shop, tmp_path: Path) -> None:
    """TRUNCATE heeds no snapshot: what came after it would be an empty export that looks whole."""
    shop.execute(LINES)
    with closing(open_database(Settings(source_dsn=shop.url))) as plain:
        assert isinstance(plain, Postgres)
        database = Interrupted(plain.connection, plain.name)

        def empty() -> None:
            shop.execute("SET lock_timeout = '50ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                shop.execute("TRUNCATE shop.order_items")

        database.between = empty
        assert database.export([orders, order_items], day_in(), tmp_path)["order_items"] == 4


# When


def today(shop: Shop) -> Day:
    """A day that ends now."""
    ((now,),) = shop.execute("SELECT clock_timestamp()")
    return Day("today", now - timedelta(days=1), now)


def test_a_transaction_that_is_open_over_midnight_holds_up_the_day(shop: Shop, export: Export) -> None:
    """What it commits carries the time at which it began: exported already, that day would never have it."""
    make(shop, "id int, changed timestamptz")
    with shop.another() as writer:
        writer.execute("SET application_name = 'checkout'")
        writer.execute("INSERT INTO shop.things VALUES (1, now())")
        day = today(shop)
        told = rf"today: a transaction of admin \(checkout, pid {writer.info.backend_pid}\) has been open since"
        with pytest.raises(DatabaseBusy, match=told):
            export(things, day=day)
        # Nobody writes into a day that was over before it began.
        assert numbers(export(things)) == []
        writer.commit()
        writer.execute("SELECT now()")
        assert numbers(export(things, day=day)) == [1]


def test_a_replica_will_do_once_it_has_come_to_the_end_of_the_day(shop: Shop, replica_url: str, tmp_path: Path) -> None:
    """One that lags would give half a day."""
    make(shop, "id int, changed timestamptz", "1, '2023-07-02 10:00+00'")
    ((written,),) = shop.execute("SELECT pg_current_wal_lsn()")
    port = urlsplit(replica_url).port
    dsn = shop.url.replace(f":{urlsplit(shop.url).port}/", f":{port}/")
    with psycopg.connect(replica_url, autocommit=True) as replica:
        while replica.execute("SELECT pg_last_wal_replay_lsn() >= %s", [written]).fetchone() != (True,):
            pass
    with closing(open_database(Settings(source_dsn=dsn))) as database, database.claimed("the day"):
        assert database.export([things], day_in(), tmp_path) == {"things": 1}
        with pytest.raises(DatabaseBusy, match=r"the day ends at .*, the replica has replayed 20"):
            database.export([things], today(shop), tmp_path)
