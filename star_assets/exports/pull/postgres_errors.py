"""PostgreSQL's errors translated into the model's, which say what each means and what to do.

No message has a password: a DSN is shown by `place`, and libpq's message about a DSN that it
cannot parse is not shown at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from star_assets.model.errors import BadSetting, DatabaseBusy, DatabaseRefused, StarError

# Classes of SQLSTATE that are transient: connections, rollbacks by the server (such as conflicts
# on a replica), resources, locks, interventions, and idle transactions that were ended. Without a
# SQLSTATE, the connection is gone.
TRANSIENT = ("08", "25P03", "40", "53", "55", "57")

# A failed connection has no SQLSTATE. Errors with these messages are permanent, all others transient.
PERMANENT = re.compile(
    "authentication failed|no password supplied|does not exist|pg_hba.conf|permission denied"
    "|not permitted to log in|certificate|does not support SSL"
)

EXPECTED = (
    "postgresql://user@host:port/database; in a password, write @ as %40, / as %2F, : as %3A, # as %23, "
    "? as %3F and % as %25, or leave it to PGPASSWORD or ~/.pgpass"
)


def parse(dsn: str) -> Mapping[str, Any]:
    """The parameters of a DSN, by libpq's names. Raises BadSetting, which shows nothing of the DSN."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        found = conninfo_to_dict(dsn)
    except ProgrammingError:
        raise BadSetting("STAR_SOURCE_DSN", "…", EXPECTED) from None
    # A part of a password that is not percent-encoded ends up in one of these.
    rest = f"{found.get('host', '')}{found.get('dbname', '')}"
    if "@" in rest or not re.fullmatch(r"[\d,]*", str(found.get("port", ""))):
        raise BadSetting("STAR_SOURCE_DSN", "…", EXPECTED)
    return found


def place(parts: Mapping[str, Any]) -> str:
    """A DSN without its password, for messages."""
    user = f"{parts['user']}@" if "user" in parts else ""
    port = f":{parts['port']}" if "port" in parts else ""
    return f"postgresql://{user}{parts.get('host', '')}{port}/{parts.get('dbname', '')}"


@contextmanager
def postgres_errors(what: str, role: str, table: str = "") -> Iterator[None]:
    """Turn PostgreSQL's errors into the model's, which name `what`, the `role`, and the `table` if there is one."""
    from psycopg import Error

    try:
        yield
    except Error as error:
        raise _star_error(error, what, role, table or "…") from error


def refused_connection(error: Exception, what: str) -> StarError:
    """The error for a connection that failed."""
    lines = str(error).strip().splitlines()
    problem = lines[0].removeprefix("connection failed: ").rstrip(".") if lines else "it cannot be reached"
    if PERMANENT.search(problem):
        return DatabaseRefused(what, problem, "Correct STAR_SOURCE_DSN, or let the role in; docs/postgres.md says how")
    return DatabaseBusy(what, problem)


def _star_error(error: Any, what: str, role: str, table: str) -> StarError:
    state = error.sqlstate or ""
    problem = (error.diag.message_primary or str(error).strip().splitlines()[0]).rstrip(".")
    if state == "57014" and "statement timeout" in problem:
        raise_it = f"ALTER ROLE {role} SET statement_timeout = '2h'"
        return DatabaseRefused(what, f"PostgreSQL gave up: {problem}", f"Give it more time: `{raise_it}`")
    if not state or state.startswith(TRANSIENT):
        return DatabaseBusy(what, f"PostgreSQL gave up: {problem}" if state else f"the connection is gone ({problem})")
    if state == "42501" and "row-level security" in problem:
        remedy = f"`ALTER ROLE {role} BYPASSRLS`, or make a view of that name: rows must not be left out unseen"
        return DatabaseRefused(what, problem, remedy)
    if state == "42501":
        return DatabaseRefused(what, problem, f"Run `GRANT SELECT ON {table} TO {role}`; docs/postgres.md lists all")
    return DatabaseRefused(what, f"PostgreSQL refused: {problem}", "Correct it and run again")
