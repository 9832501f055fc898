"""What a user sees when a database refuses, gives up or is not there: the message, word for word, and no password.

Each case runs the real command line in a process of its own.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest

from star_assets_tests.shop import Shop

from .test_whole_days import Held

DAY = "2023-07-02"

SECRET = "s3cr%t/p@ss:w?rd#"
ENCODED = "s3cr%25t%2Fp%40ss%3Aw%3Frd%23"

AGAIN = "No export was written; run it again later."
NOTHING = "No export was written."
WRITE_IT = (
    "STAR_SOURCE_DSN='…': expected postgresql://user@host:port/database; in a password, write @ as %40, / as %2F, "
    ": as %3A, # as %23, ? as %3F and % as %25, or leave it to PGPASSWORD or ~/.pgpass."
)
CORRECT = f"{NOTHING} Correct STAR_SOURCE_DSN, or let the role in; docs/postgres.md says how."


SHOP = "postgresql://star_export:choose-one@HOST"
FAILED = 'connection to server at "127.0.0.1", port PORT failed'
# As people see it.
SHOWN = "postgresql://star_export@HOST"


@dataclass(frozen=True)
class Case:
    """What is wrong, and what comes of it.

    `message` is the error on standard error. HOST stands for host, port and
    database, in it and in the `dsn` that the process is given. `before` are the
    superuser's statements; `during` is done while the process waits amid its copies.
    """

    name: str
    message: str
    exit_code: int
    before: tuple[str, ...] = ()
    dsn: str = SHOP
    during: Callable[[Shop], object] | None = None
    day: str = DAY


def role_set(setting: str) -> str:
    """For this database alone: the role is the server's."""
    return f"ALTER ROLE star_export IN DATABASE shop SET {setting}"


def end(function: str) -> Callable[[Shop], object]:
    """Do so to the session that waits amid its copies."""
    waiting = "SELECT pid FROM pg_stat_activity WHERE usename = 'star_export' AND wait_event_type = 'Lock'"
    return lambda shop: shop.execute(f"SELECT {function}(pid) FROM ({waiting}) waiting")


TODAY = datetime.now(UTC).date()

CASES = [
    # Connections
    Case(
        "nobody listens",
        'postgresql://star_export@127.0.0.1:9/shop: connection to server at "127.0.0.1", port 9 failed: Connection '
        f"refused. {AGAIN}",
        75,
        dsn="postgresql://star_export:choose-one@127.0.0.1:9/shop",
    ),
    Case(
        "a wrong password",
        f'{SHOWN}: {FAILED}: FATAL:  password authentication failed for user "star_export". {CORRECT}',
        1,
        dsn=f"postgresql://star_export:{ENCODED}@HOST",
    ),
    Case("no password", f"{SHOWN}: {FAILED}: fe_sendauth: no password supplied. {CORRECT}", 1, dsn=SHOWN),
    Case(
        "no such database",
        f'{SHOWN}_nope: {FAILED}: FATAL:  database "shop_nope" does not exist. {CORRECT}',
        1,
        dsn=f"{SHOP}_nope",
    ),
    Case(
        "too many connections",
        f'postgresql://crowd@HOST: {FAILED}: FATAL:  too many connections for role "crowd". {AGAIN}',
        75,
        ("CREATE ROLE crowd LOGIN PASSWORD 'choose-one' CONNECTION LIMIT 0",),
        dsn="postgresql://crowd:choose-one@HOST",
    ),
    # What is no DSN
    *(
        Case(f"a DSN that is none, {number}", WRITE_IT, 1, dsn=text)
        for number, text in enumerate(
            (
                f"postgresql://star_export:{SECRET}@HOST",
                "postgresql://star_export:s3cr%t@HOST",
                "postgresql://star_export:s3cr/t@HOST",
                "postgresql://star_export:s3cr@t@HOST",
                "postgresql://star_export:12/3@HOST",
                "postgresql://star_export@HOST?s3cr=t",
            )
        )
    ),
    Case(
        "another database",
        "STAR_SOURCE_DSN='…': expected postgresql://user@host:port/database.",
        1,
        dsn="mysql://star_export:s3cr@127.0.0.1/shop",
    ),
    # Rights, tables, columns
    Case(
        "no such table",
        f"stores in {SHOWN}: expected a table or view stores, found none in the schemas shop. "
        f"{NOTHING} Name its schema (`ALTER ROLE star_export SET search_path = …`) and `GRANT USAGE` on it, or declare "
        "the Source pulled=False.",
        1,
        ("ALTER TABLE shop.stores RENAME TO shops",),
    ),
    Case(
        "no right to the schema",
        f"orders in {SHOWN}: expected a table or view orders, found none in the schemas (none). "
        f"{NOTHING} Name its schema (`ALTER ROLE star_export SET search_path = …`) and `GRANT USAGE` on it, or declare "
        "the Source pulled=False.",
        1,
        ("REVOKE USAGE ON SCHEMA shop FROM star_export",),
    ),
    Case(
        "no such column",
        f"stores in {SHOWN}: expected column 'city', found store_id, store_name, town, state, region, opened_on, "
        f"updated_at, manager_email. {NOTHING} "
        "Mark the column optional in the Source, or make a view of that name that has it.",
        1,
        ("ALTER TABLE shop.stores RENAME COLUMN city TO town",),
    ),
    Case(
        "no right to the table",
        f"stores in {SHOWN}: star_export may not read the column 'store_id'. "
        f"{NOTHING} Run `GRANT SELECT ON stores TO star_export`.",
        1,
        ("REVOKE SELECT ON shop.stores FROM star_export",),
    ),
    Case(
        "no right to what a view is made of",
        f"stores in {SHOWN}: permission denied for table all_stores. "
        f"{NOTHING} Run `GRANT SELECT ON stores TO star_export`; docs/postgres.md lists all.",
        1,
        (
            "ALTER TABLE shop.stores RENAME TO all_stores",
            "REVOKE SELECT ON shop.all_stores FROM star_export",
            "CREATE VIEW shop.stores WITH (security_invoker) AS SELECT * FROM shop.all_stores",
            "GRANT SELECT ON shop.stores TO star_export",
        ),
    ),
    Case(
        "row-level security",
        f'orders in {SHOWN}: query would be affected by row-level security policy for table "orders". '
        f"{NOTHING} `ALTER ROLE star_export BYPASSRLS`, or make a view of that name: rows must not be left out unseen.",
        1,
        ("ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY",),
    ),
    Case(
        "no right to see open transactions",
        f"postgresql://blind@HOST: blind may not see whether transactions of that day are still open. {NOTHING} Run "
        "`GRANT pg_read_all_stats TO blind`.",
        1,
        ("CREATE ROLE blind LOGIN PASSWORD 'choose-one'",),
        dsn="postgresql://blind:choose-one@HOST",
    ),
    Case(
        "what only PostgreSQL knows",
        f"stores in {SHOWN}: PostgreSQL refused: division by zero. {NOTHING} Correct it and run again.",
        1,
        (
            "ALTER TABLE shop.stores RENAME TO all_stores",
            "INSERT INTO shop.all_stores VALUES (0, 'a', 'b', 'c', 'd', '2015-03-02', '2023-07-02 08:00+00')",
            "CREATE VIEW shop.stores AS SELECT 1 / store_id AS share, * FROM shop.all_stores",
            "GRANT SELECT ON shop.stores TO star_export",
        ),
    ),
    # Amid a copy
    Case(
        "cancelled",
        f"stores in {SHOWN}: PostgreSQL gave up: canceling statement due to user request. {AGAIN}",
        75,
        during=end("pg_cancel_backend"),
    ),
    Case(
        "terminated",
        f"stores in {SHOWN}: PostgreSQL gave up: terminating connection due to administrator command. " + AGAIN,
        75,
        during=end("pg_terminate_backend"),
    ),
    Case(
        "a statement's time is over",
        f"stores in {SHOWN}: PostgreSQL gave up: canceling statement due to statement timeout. "
        f"{NOTHING} Give it more time: `ALTER ROLE star_export SET statement_timeout = '2h'`.",
        1,
        (role_set("statement_timeout = '500ms'"),),
        during=lambda shop: None,
    ),
    Case(
        "a lock's time is over",
        f"{SHOWN}: PostgreSQL gave up: canceling statement due to lock timeout. {AGAIN}",
        75,
        (role_set("lock_timeout = '50ms'"), "BEGIN", "LOCK TABLE shop.orders"),
    ),
    # Days
    Case(
        "a day that is not over",
        f"{SHOWN} {TODAY + timedelta(days=1)}: the day ends at {TODAY + timedelta(days=2)} 00:00 UTC, its clock says "
        f"NOW. {AGAIN}",
        75,
        day=str(TODAY + timedelta(days=1)),
    ),
]


@pytest.fixture
def run(shop: Shop, quick_star_assets: Path, tmp_path: Path) -> Callable[..., Any]:
    """`star-assets pull` of a day, from a DSN, as a process."""

    def start(dsn: str, day: str = DAY, **settings: str) -> subprocess.Popen[str]:
        known = {n: v for n, v in os.environ.items() if not n.startswith(("STAR_", "PG"))}
        given = {"STAR_LAKE": str(tmp_path / "lake"), "STAR_SOURCE_DSN": dsn, "HOME": str(tmp_path), **settings}
        command = [quick_star_assets, "pull", "--from", day, "--to", day]
        return subprocess.Popen(command, env={**known, **given}, text=True, stderr=subprocess.PIPE)

    return start


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_a_database_refuses_is_told_in_our_words(
    shop: Shop, run: Callable[..., Any], tmp_path: Path, case: Case
) -> None:
    """A traceback of the driver names no remedy, and its message may hold the password."""
    host = shop.url.rpartition("@")[2]
    held = Held(shop) if case.during else None
    for statement in case.before:
        shop.execute(statement)
    process = run(case.dsn.replace("HOST", host), case.day)
    if held and case.during:
        held.wait_for(1)
        case.during(shop)
    told = process.communicate()[1]
    plain = re.sub(r"port \d{4,}", "port PORT", told.replace(host, "HOST"))
    plain = re.sub(r"says [\d-]+ [\d:]+", "says NOW", plain)
    summary, _, error = plain.partition("Error: ")
    assert re.fullmatch(r"(pulled +1 failed +0 rows\n)?", summary)
    assert error == f"{case.message}\n"
    assert process.returncode == case.exit_code
    assert not re.search("choose-one|s3cr|12/3|wrd|rd#", told)
    assert not list((tmp_path / "lake").glob("oltp/**/*.gz"))


class Line:
    """A network line to a server, which can be cut."""

    def __init__(self, port: int) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.ends: list[socket.socket] = []
        Thread(target=self._connect, args=[port], daemon=True).start()

    def _connect(self, port: int) -> None:
        self.ends = [self.listener.accept()[0], socket.create_connection(("127.0.0.1", port))]
        for source, target in (self.ends, self.ends[::-1]):
            Thread(target=self._pass_on, args=[source, target], daemon=True).start()

    @staticmethod
    def _pass_on(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while content := source.recv(1 << 16):
                target.sendall(content)

    def cut(self) -> None:
        """Both ends see it."""
        for end_ in (*self.ends, self.listener):
            with suppress(OSError):
                end_.shutdown(socket.SHUT_RDWR)
            end_.close()


def test_a_server_that_is_gone_amid_a_copy_is_told(shop: Shop, run: Callable[..., Any], tmp_path: Path) -> None:
    """Without a last word from it: a failover, or a cable."""
    held, port = Held(shop), urlsplit(shop.url).port
    assert port
    line = Line(port)
    process = run(shop.url.replace(f":{port}/", f":{line.port}/"))
    held.wait_for(1)
    line.cut()
    told = process.communicate()[1]
    gone = r"stores in \S+/shop: the connection is gone \(.*server closed the connection.*\)\."
    assert re.fullmatch(rf"pulled +1 failed +0 rows\nError: {gone} {AGAIN}\n", told), told
    assert process.returncode == 75
    assert not list((tmp_path / "lake").glob("oltp/**/*.gz"))
