"""The sample retailer's own database: what its exports say, as rows that change day by day."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

DOCUMENTED = Path(__file__).parent.parent / "docs" / "postgres.md"


class Shop:
    """A server's database `shop`, emptied; `url` is for the role that exports, `execute` is the superuser's."""

    def __init__(self, server: str) -> None:
        with psycopg.connect(server, autocommit=True) as admin, suppress(psycopg.errors.DuplicateDatabase):
            admin.execute("CREATE DATABASE shop")
        self.connection = psycopg.connect(server, dbname="shop", autocommit=True)
        self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'shop' AND pid <> %s", self.pid
        )
        self.execute("DROP SCHEMA IF EXISTS shop CASCADE")
        self.execute(documented("CREATE SCHEMA"))
        # The role is the server's, so an earlier shop may have made it.
        for statement in documented("CREATE ROLE").split(";\n"):
            with suppress(psycopg.errors.DuplicateObject):
                self.execute(statement)
        self.execute("ALTER ROLE star_export IN DATABASE shop RESET ALL")
        host = urlsplit(server).netloc.rpartition("@")[2]
        self.url = f"postgresql://star_export:choose-one@{host}/shop"

    @property
    def pid(self) -> int:
        """The process of the superuser's session."""
        return self.connection.info.backend_pid

    def close(self) -> None:
        self.connection.close()

    def execute(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        cursor = self.connection.execute(sql, parameters or None)
        return cursor.fetchall() if cursor.description else []

    def another(self) -> psycopg.Connection[Any]:
        """A session of the superuser beside."""
        return psycopg.connect(self.connection.info.dsn, password=self.connection.info.password)

    # What happens in the shop

    def live_through(self, exports: Path, day: date, first: date) -> None:
        """Change the tables as a day's exports say."""
        orders = rows_of(exports, "orders", day)
        numbers = [int(order["order_id"] or 0) for order in orders]
        with self.connection.transaction():
            self.execute("DELETE FROM shop.order_items WHERE order_id = ANY(%s)", numbers)
            for source in ("orders", "order_items", "customers", "products", "stores"):
                # What a database learns on a day cannot have changed before; what it begins with has.
                earliest = None if day == first and source != "orders" else f"{day} 00:00:00+00"
                self._upsert(source, rows_of(exports, source, day), earliest)

    def _upsert(self, table: str, rows: Sequence[Mapping[str, str | None]], earliest: str | None) -> None:
        if not rows:
            return
        columns, key = list(rows[0]), "order_id, line_number" if table == "order_items" else next(iter(rows[0]))
        self.execute(f"CREATE TEMP TABLE fresh (LIKE shop.{table}) ON COMMIT DROP")
        with self.connection.cursor() as cursor, cursor.copy(f"COPY fresh ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(list(row.values()))
        if earliest and "updated_at" in columns:
            changed = f"SELECT FROM shop.{table} old WHERE to_jsonb(old) = to_jsonb(fresh)"
            self.execute(f"DELETE FROM fresh WHERE EXISTS ({changed})")
            self.execute("UPDATE fresh SET updated_at = greatest(updated_at, %s::timestamptz)", earliest)
        values = ", ".join(f"{column} = excluded.{column}" for column in columns)
        self.execute(f"INSERT INTO shop.{table} SELECT * FROM fresh ON CONFLICT ({key}) DO UPDATE SET {values}")
        self.execute("DROP TABLE fresh")


def documented(beginning: str) -> str:
    """The block of SQL in docs/postgres.md that begins so."""
    blocks: list[str] = re.findall(r"```sql\n(.*?)```", DOCUMENTED.read_text(), re.DOTALL)
    (block,) = (block for block in blocks if block.startswith(beginning))
    return block


def rows_of(exports: Path, source: str, day: date) -> list[dict[str, str | None]]:
    """The rows of a sample export, as text."""
    found: list[dict[str, Any]] = []
    for file in sorted((exports / "oltp" / source / f"date={day}").glob("[!_]*")):
        text = (gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()).decode()
        if ".csv" in file.name:
            found += csv.DictReader(io.StringIO(text, newline=""))
        else:
            found += json.loads(text) if text.startswith("[") else map(json.loads, text.splitlines())
    return [{name: None if value in ("", None) else str(value) for name, value in row.items()} for row in found]


def pulled_rows(files: Iterable[Path]) -> list[dict[str, str]]:
    """The rows of pulled files, as text."""
    texts = (gzip.decompress(file.read_bytes()).decode() for file in files)
    return [row for text in texts for row in csv.DictReader(io.StringIO(text, newline=""))]
