"""Pulls exports from PostgreSQL.

All sources of a day are copied in one REPEATABLE READ, READ ONLY transaction, so they are from one
snapshot. Rows are streamed from the server through gzip into files, in bounded memory. Not here: SQL
(postgres_tables), errors (postgres_errors).
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from star_assets.exports.pull.database import Database, Day
from star_assets.exports.pull.postgres_errors import parse, place, postgres_errors, refused_connection
from star_assets.exports.pull.postgres_tables import DESCRIBE, Table, check_columns, copy_statement, described
from star_assets.lake.local_storage import FULL
from star_assets.model.errors import BadSetting, DatabaseBusy, DatabaseRefused, LakeFull, LakeRefused
from star_assets.model.source import Source
from star_assets.settings import Settings

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.sql import Composed

    Buffer = bytes | bytearray | memoryview

# Defaults that a DSN may override. Without keepalives, a COPY would wait over two hours for a
# server that has vanished.
CONNECTION = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "application_name": "star_assets",
}

# The formats that staging reads, whatever the role's defaults are. With row security off, a
# policy that would leave out rows is an error, as for pg_dump.
SESSION = "SET DateStyle = 'ISO'; SET TimeZone = 'UTC'; SET extra_float_digits = 3; SET row_security = off"

# The fastest level, because the server cannot vacuum rows of the snapshot as long as this takes.
GZIP_LEVEL = 1
BUFFER = 1 << 20

# The server's clock (on a replica, the time of the last replayed change), whether it is a
# replica, and whether the role may see since when other transactions are open.
CLOCK = """
    SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_xact_replay_timestamp() ELSE clock_timestamp() END,
           pg_is_in_recovery(), pg_has_role('pg_read_all_stats', 'USAGE')"""

# now() in a transaction is the time when it began. So a transaction that began before a given
# time and is still open may yet commit rows with an earlier version.
OPEN_SINCE_BEFORE = """
    SELECT pid, usename, application_name, xact_start FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start < %s
      AND backend_type NOT IN ('autovacuum worker', 'walsender')
    ORDER BY xact_start LIMIT 1"""


class Postgres(Database):
    """One connection. `name` is its DSN without a password, for messages."""

    def __init__(self, connection: Connection[Any], name: str) -> None:
        self.connection = connection
        self.name = name
        self.role = connection.info.user

    @contextmanager
    def claimed(self, what: str) -> Iterator[None]:
        """Hold an advisory lock, which the server releases when the connection ends."""
        key = int.from_bytes(hashlib.sha256(what.encode()).digest()[:8], signed=True, byteorder="big")
        with postgres_errors(self.name, self.role):
            self.connection.execute("SELECT pg_advisory_lock(%s)", [key])
        try:
            yield
        finally:
            with suppress(Exception):
                self.connection.execute("SELECT pg_advisory_unlock(%s)", [key])

    def export(self, sources: Sequence[Source], day: Day, folder: Path) -> Mapping[str, int]:
        """Copy every source from one snapshot, which is taken after the end of the day."""
        from psycopg import sql

        self._require_over(day)
        tables = self._tables(sources)
        statements = {source.name: copy_statement(source, tables, day) for source in sources}
        rows = {}
        with postgres_errors(self.name, self.role), self.connection.transaction():
            # LOCK comes before the first query, which takes the snapshot: a TRUNCATE between
            # the two would make a table look empty.
            if lockable := [sql.SQL(table.name) for table in tables.values() if table.lockable]:
                locked = sql.SQL(", ").join(lockable)
                self.connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(locked))
            for source in sources:
                file = folder / f"{source.name}.csv.gz"
                with postgres_errors(self._where(source), self.role, tables[source.name].name):
                    rows[source.name] = self._copy(statements[source.name], source, file)
        return rows

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def _require_over(self, day: Day) -> None:
        """Raises DatabaseBusy as long as a row of the day, or of an earlier one, may still be committed."""
        what = f"{self.name} {day.name}"
        with postgres_errors(self.name, self.role):
            ((clock, is_replica, sees_others),) = self.connection.execute(CLOCK).fetchall()
            open_ = self.connection.execute(OPEN_SINCE_BEFORE, [day.end]).fetchall()
        if clock is None or clock < day.end:
            reached = f"{clock.astimezone(day.end.tzinfo):%Y-%m-%d %H:%M:%S}" if clock else "nothing"
            of = "the replica has replayed" if is_replica else "its clock says"
            raise DatabaseBusy(what, f"the day ends at {day.end:%Y-%m-%d %H:%M} {day.end.tzinfo}, {of} {reached}")
        if is_replica:
            return
        if not sees_others:
            grant = f"GRANT pg_read_all_stats TO {self.role}"
            raise DatabaseRefused(
                self.name, f"{self.role} may not see whether transactions of that day are still open", f"Run `{grant}`"
            )
        for pid, user, application, since in open_:
            who = f"{user} ({application or 'no application name'}, pid {pid})"
            since = since.astimezone(day.end.tzinfo)
            raise DatabaseBusy(
                what, f"a transaction of {who} has been open since {since:%Y-%m-%d %H:%M:%S}, before the day ended"
            )

    def _tables(self, sources: Iterable[Source]) -> dict[str, Table]:
        """The tables of the sources, and of their headers, by source."""
        found: dict[str, Table] = {}
        for source in sources:
            wanted: Source | None = source
            while wanted and wanted.name not in found:
                found[wanted.name] = self._table(wanted)
                wanted = wanted.part_of
        return found

    def _table(self, source: Source) -> Table:
        with postgres_errors(self._where(source), self.role):
            rows = self.connection.execute(DESCRIBE, [source.name]).fetchall()
            if rows:
                table = described(rows)
                check_columns(source, table, self._where(source), self.role)
                return table
            ((schemas,),) = self.connection.execute("SELECT current_schemas(false)::text[]").fetchall()
        raise DatabaseRefused(
            self._where(source),
            f"expected a table or view {source.name}, found none in the schemas {', '.join(schemas) or '(none)'}",
            f"Name its schema (`ALTER ROLE {self.role} SET search_path = …`) and `GRANT USAGE` on it, "
            "or declare the Source pulled=False",
        )

    def _copy(self, statement: Composed, source: Source, file: Path) -> int:
        """Stream one COPY into a file. Returns its rows."""
        recode = _recoder(source)
        cursor = self.connection.cursor()
        try:
            with (
                gzip.GzipFile(file, "wb", GZIP_LEVEL, mtime=0) as packed,
                io.BufferedWriter(packed, BUFFER) as target,
                cursor.copy(statement) as chunks,
            ):
                for chunk in chunks:
                    target.write(recode(chunk))
        except UnicodeError as error:
            problem, remedy = f"a value cannot be written as declared ({error})", "Declare another encoding in its Csv"
            raise DatabaseRefused(self._where(source), problem, remedy) from error
        except OSError as error:
            raise (LakeFull if error.errno in FULL else LakeRefused)(str(file), error.strerror or str(error)) from error
        return cursor.rowcount

    def _where(self, source: Source) -> str:
        return f"{source.name} in {self.name}"


def open_postgres(settings: Settings) -> Postgres:
    """Connect. Raises BadSetting, DatabaseRefused, DatabaseBusy."""
    assert settings.source_dsn
    try:
        import psycopg
    except ImportError as error:
        expected = "psycopg to be installed: pip install 'star_assets[postgres]'"
        raise BadSetting("STAR_SOURCE_DSN", "postgresql://…", expected) from error
    parts = parse(settings.source_dsn.get_secret_value())
    name = place(parts)
    try:
        connection = psycopg.connect(**{**CONNECTION, **parts, "client_encoding": "UTF8"}, autocommit=True)
    except psycopg.Error as error:
        raise refused_connection(error, name) from error
    # For the transactions that copy; every other statement commits by itself.
    connection.isolation_level, connection.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True
    with postgres_errors(name, connection.info.user):
        connection.execute(SESSION)
    return Postgres(connection, name)


def _recoder(source: Source) -> Callable[[Buffer], Buffer]:
    """A function that recodes chunks of UTF-8 into the encoding that the source declares."""
    if codecs.lookup(source.csv.encoding).name == "utf-8":
        return lambda chunk: chunk
    decode = codecs.getincrementaldecoder("utf-8")().decode
    encode = codecs.getincrementalencoder(source.csv.encoding)().encode
    return lambda chunk: encode(decode(bytes(chunk)))
