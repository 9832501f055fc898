"""A Dagster event log in one SQLite file that keeps its connections open, for speed.

Dagster's own SQLite logs open a connection for each statement, so each event
costs several fsyncs: 92 days of ten tables, with their audits, took 59 s in its
default log, 33 s in its consolidated one and 6 s in this one. The file has the format of
ConsolidatedSqliteEventLogStorage, which can read it and write to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import sqlalchemy
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster._core.storage.event_log.polling_event_watcher import SqlPollingEventWatcher
from dagster._serdes import ConfigurableClassData
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import QueuePool

# Another process locks the log for milliseconds; Dagster's own logs wait 60 s too.
BUSY_SECONDS = 60


class RemembersTables:
    """An event log that caches which tables its database has, since Dagster asks for every event."""

    def has_table(self, name: str) -> bool:
        """Whether the database has the table."""
        if name not in self._tables and super().has_table(name):  # type: ignore[misc]
            self._tables.add(name)
        return name in self._tables

    @cached_property
    def _tables(self) -> set[str]:
        return set()


class EventLog(RemembersTables, ConsolidatedSqliteEventLogStorage):
    """The consolidated log, over connections that stay open."""

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> EventLog:
        """The log that dagster.yaml describes."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection

    @cached_property
    def _engine(self) -> Engine:
        engine = sqlalchemy.create_engine(
            self._conn_string, poolclass=QueuePool, connect_args={"timeout": BUSY_SECONDS}
        )

        @sqlalchemy.event.listens_for(engine, "connect")
        def without_fsync(connection: Any, _: object) -> None:
            # With a write-ahead log, a power loss may take back the last events but breaks nothing.
            connection.execute("PRAGMA synchronous = NORMAL")

        return engine

    # The parent watches the database's file, which a write-ahead log leaves
    # unchanged for a while. Polling is how Dagster watches its Postgres log.

    @cached_property
    def _watcher(self) -> SqlPollingEventWatcher:
        return SqlPollingEventWatcher(self)

    def watch(self, run_id: str, cursor: str | None, callback: Any) -> None:
        """Call back for each event of a run beyond the cursor."""
        self._watcher.watch_run(run_id, cursor, callback)

    def end_watch(self, run_id: str, handler: Any) -> None:
        """Stop calling back."""
        self._watcher.unwatch_run(run_id, handler)

    def dispose(self) -> None:
        """Close the watcher and all connections."""
        if "_watcher" in self.__dict__:
            self._watcher.close()
        if "_engine" in self.__dict__:
            self._engine.dispose()
