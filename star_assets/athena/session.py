"""A DuckDB session that computes as Athena does.

Here: its settings, and defining the macros and functions that a query needs. Not here: the macros
and functions themselves (macros, python_functions).
"""

from __future__ import annotations

import re
from threading import Lock

import duckdb

from star_assets.athena.functions.macros import MACROS
from star_assets.athena.functions.python_functions import FUNCTIONS, register

_NAME = re.compile(r"\bathena_\w+")
_BODIES = {signature.partition("(")[0]: (signature, body) for signature, body in MACROS.items()}


class Session:
    """An in-memory database with Athena's settings. Threads may share it.

    Defining all macros and functions would take longer than most queries do, so each is defined when the first
    query that names it comes.
    """

    def __init__(self, threads: int | None, memory_limit: str) -> None:
        self.threads, self.memory_limit = threads, memory_limit
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._known: set[str] = set()
        self._lock = Lock()

    def cursor(self, sql: str) -> duckdb.DuckDBPyConnection:
        """A new connection, for one thread, that knows every macro and function that `sql` names."""
        with self._lock:
            if self._connection is None:
                self._connection = self._connected()
            self._define(self._connection, sql)
        return self._connection.cursor()

    def _connected(self) -> duckdb.DuckDBPyConnection:
        config: dict[str, str | bool | int | float | list[str]] = {"memory_limit": self.memory_limit}
        if self.threads:
            config["threads"] = self.threads
        connection = duckdb.connect(config=config)
        # Athena's engine is in UTC.
        connection.execute(
            "SET TimeZone = 'UTC'; SET enable_progress_bar = false; SET preserve_insertion_order = false"
        )
        return connection

    def _define(self, connection: duckdb.DuckDBPyConnection, sql: str) -> None:
        for name in sorted(set(_NAME.findall(sql))):
            if name in self._known:
                continue
            self._known.add(name)
            if name in FUNCTIONS:
                register(connection, name)
            elif name in _BODIES:
                signature, body = _BODIES[name]
                self._define(connection, body)
                connection.execute(f"CREATE MACRO {signature} AS {body}")
