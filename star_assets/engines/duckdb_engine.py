"""The DuckDB engine: the default, on one machine, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from star_assets.engines.duckdb_session import told
from star_assets.engines.duckdb_staging import Staging
from star_assets.engines.duckdb_tables import Tables
from star_assets.engines.engine import ExportInput, StagedDay
from star_assets.model.source import Source

# Raw bytes that are staged in one statement. Larger batches cost memory and
# save nothing: a statement over 100 MB of CSV takes half a second.
STAGING_BATCH = 128 * 1024 * 1024


class DuckDBEngine(Tables):
    """An Engine on one DuckDB connection: tables by its other half, staging here."""

    def stage(self, source: Source, exports: Sequence[ExportInput], folder: Path) -> Iterator[StagedDay]:
        """Raw exports → typed, valid rows and rejects, a file a day."""
        staging = Staging(self.connection, source, self.star.reserved_keys(source), self.settings)
        for batch in _batches(exports):
            with told(f"staging {source.name}"):
                yield from staging.stage(batch, folder)


def _batches(exports: Sequence[ExportInput]) -> Iterator[list[ExportInput]]:
    batch: list[ExportInput] = []
    size = 0
    for export in exports:
        raw = sum(file.path.stat().st_size for file in export.files)
        if batch and size + raw > STAGING_BATCH:
            yield batch
            batch, size = [], 0
        batch.append(export)
        size += raw
    if batch:
        yield batch
