"""The interface of every engine, and the values it takes and gives.

An engine stages exports and builds tables for a range of partitions in one
pass. It reads and writes local files and knows nothing of ledgers, catalogs,
books or audits: those belong to the pipeline.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from star_assets.model.days import BusinessDate, ExportDay
from star_assets.model.source import Source
from star_assets.model.star import Star
from star_assets.model.tables import Dimension, Fact, History
from star_assets.settings import Settings
from star_assets.staging.formats.format import RawProfile

if TYPE_CHECKING:
    from star_assets.engines.duckdb.session import Database
    from star_assets.lake.worker_files import WorkerFiles


@dataclass(frozen=True)
class Workplace:
    """What an engine is opened with.

    Args:
        star: whose tables it computes.
        settings: its bounds, and how files are compressed.
        database: DuckDB in this process, which all that works here shares.
        files: how workers on other machines see the files of this one.
    """

    star: Star
    settings: Settings
    database: Database
    files: WorkerFiles


@dataclass(frozen=True)
class RawInput:
    """A raw file: where it can be read, how people call it, what inspection found."""

    path: Path
    name: str
    profile: RawProfile


@dataclass(frozen=True)
class ExportInput:
    """One day's export of a source."""

    day: ExportDay
    files: tuple[RawInput, ...]


@dataclass(frozen=True)
class FileCount:
    """A raw file's rows: counted independently of the parser, staged, rejected."""

    name: str
    records: int
    staged: int
    rejected: int

    def plus(self, staged: int, rejected: int) -> FileCount:
        """With so many more records."""
        return FileCount(self.name, self.records + staged + rejected, self.staged + staged, self.rejected + rejected)


@dataclass(frozen=True)
class StagedDay:
    """A staged export: its file, its rejects' file if there are any, and the account of its rows.

    `extra` names the columns that the declaration does not list; they are strings.
    `repeated_keys` counts keys with different rows of one version, among which
    only their content decides; `identical_rows` the rows that say once more what
    another row of their key says.
    """

    day: ExportDay
    file: Path
    counts: tuple[FileCount, ...]
    rejects: Path | None = None
    first_rejects: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    repeated_keys: int = 0
    identical_rows: int = 0


@dataclass(frozen=True)
class StagedInput:
    """The live staged files of one export day."""

    day: ExportDay
    files: tuple[str, ...]


@dataclass(frozen=True)
class FactInput:
    """What a range of a fact's dates is built from.

    Args:
        dates: the business dates to build.
        staged: for the driving source and its parts, the exports that hold the dates' keys.
        states: for each look-up source, the file of its folded state.
        histories: for each history that the fact refers to, its file; without
            them, the rows lack the surrogate keys.
    """

    dates: tuple[BusinessDate, ...]
    staged: Mapping[str, tuple[StagedInput, ...]]
    states: Mapping[str, str] = field(default_factory=dict)
    histories: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DimensionInput:
    """What a dimension is built from.

    Args:
        states: for each source, the file of its folded state.
        used: files of one column, named as the key, that facts' rows refer to.
        years: first and last year of the calendar.
        versions: for a history, the file of what the describing source ever said.
    """

    states: Mapping[str, str]
    used: tuple[str, ...]
    years: tuple[int, int]
    versions: str | None = None


class Engine(Protocol):
    """Computes. Every file it returns lies in the folder it was given.

    `pass_bytes` is how much staged Parquet one call of `build_fact` should read.
    """

    pass_bytes: int

    def stage(self, source: Source, exports: Sequence[ExportInput], folder: Path) -> Iterator[StagedDay]:
        """Raw exports → typed, valid rows and rejects, a file a day."""
        ...

    def build_dimension(self, dimension: Dimension, given: DimensionInput, file: Path) -> None:
        """The dimension's rows with its Unknown and inferred members, in one file."""
        ...

    def build_history(self, history: History, given: DimensionInput, file: Path) -> None:
        """The intervals of the dimension's members, in one file."""
        ...

    def build_fact(self, fact: Fact, given: FactInput, folder: Path) -> dict[BusinessDate, Path]:
        """The fact's rows, a file for each of the dates (one without rows has an empty file)."""
        ...
