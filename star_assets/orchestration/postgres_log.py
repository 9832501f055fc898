"""A Dagster event log in PostgreSQL that keeps its connections open, for hosts; laptops use event_log.

Dagster's own log opens a connection for each statement. 30 days of the sample, with their
audits, took Dagster and PostgreSQL 35 s of CPU with it, and 14 s with this one. The tables
are those of dagster-postgres, which can read them and write to them. Not here: the storages
of runs and schedules, which are written so rarely that dagster-postgres's own are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dagster._serdes import ConfigurableClassData
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.utils import create_pg_engine, pg_url_from_config
from sqlalchemy.pool import QueuePool

from star_assets.orchestration.event_log import RemembersTables


class PostgresEventLog(RemembersTables, PostgresEventLogStorage):
    """The log of dagster-postgres, with one connection of each process kept open."""

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(postgres_url, inst_data=inst_data)
        # A statement on a connection that the server has closed would fail, so each is pinged before use.
        # Connections beyond one are closed after use: a server has a hundred for all processes.
        self._engine = create_pg_engine(
            postgres_url,
            isolation_level="AUTOCOMMIT",
            poolclass=QueuePool,
            pool_size=1,
            max_overflow=-1,
            pool_pre_ping=True,
        )

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> PostgresEventLog:
        """The log that dagster.yaml describes."""
        return cls(pg_url_from_config(config_value), inst_data)

    def dispose(self) -> None:
        """Close all connections."""
        super().dispose()
        self._engine.dispose()
