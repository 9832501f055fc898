"""The DuckDB engine: the default, on one machine, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from star_assets.engines.duckdb_dimensions import Dimensions
from star_assets.engines.duckdb_facts import Facts
from star_assets.engines.duckdb_reconciling import Reconciling
from star_assets.engines.duckdb_staging import Staging
from star_assets.engines.duckdb_states import States
from star_assets.engines.engine import ExportInput, StagedDay
from star_assets.model.source import Source


class DuckDBEngine(States, Dimensions, Facts, Reconciling):
    """An Engine on one DuckDB connection: tables by its other parts, staging here."""

    # In memory the rows take ten times as much, and sorting them twice that; larger passes save no time.
    pass_bytes = 24 * 1024 * 1024

    def stage(self, source: Source, exports: Sequence[ExportInput], folder: Path) -> Iterator[StagedDay]:
        """Raw exports → typed, valid rows and rejects, a file a day."""
        staging = Staging(self.connection, source, self.star.reserved_keys(source), self.settings)
        return staging.stage(exports, folder)
