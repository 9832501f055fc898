"""The interface of every engine, and the values that its methods take and return.

An engine stages exports and builds tables for a range of partitions in one pass. It
reads and writes local files. Ledgers, catalogs, books and audits are not its concern:
they belong to the pipeline.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from star_assets.exports.formats.format import RawProfile
from star_assets.model.days import BusinessDate, ExportDay
from star_assets.model.source import Source
from star_assets.model.star import Star
from star_assets.model.tables import Dimension, Fact, History

if TYPE_CHECKING:
    from star_assets.engines.description import Description
    from star_assets.engines.duckdb.session import Database
    from star_assets.lake.worker_files import WorkerFiles
    from star_assets.settings import Settings


@dataclass(frozen=True)
class Workplace:
    """The arguments with which an engine is opened.

    Args:
        star: the star whose tables the engine computes.
        settings: with the engine's bounds, and the compression of files.
        database: the DuckDB of this process, which engines and books share.
        files: how workers on other machines see this machine's files.
        thoroughly: whether the catalog stores statistics of tables in olap for which every value is read.
    """

    star: Star
    settings: Settings
    database: Database
    files: WorkerFiles
    thoroughly: bool = False


@dataclass(frozen=True)
class RawInput:
    """A raw file: the path of a local copy, its name for people, and the result of inspecting it."""

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
    """A raw file's numbers of records: counted independently of the parser, staged, and rejected."""

    name: str
    records: int
    staged: int
    rejected: int

    def plus(self, staged: int, rejected: int) -> FileCount:
        """The count with so many more staged and rejected records."""
        return FileCount(self.name, self.records + staged + rejected, self.staged + staged, self.rejected + rejected)


@dataclass(frozen=True)
class StagedDay:
    """A staged export: its file, the file of its rejects if there are any, and the counts of its records.

    `extra` names the columns that the declaration does not list; they are strings.
    `repeated_keys` counts keys with different rows of one version, of which the
    greatest by content wins; `identical_rows` counts rows that repeat another row.
    `description` is that of the file, if the engine made one where the file was written.
    """

    day: ExportDay
    file: Path
    counts: tuple[FileCount, ...]
    rejects: Path | None = None
    first_rejects: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    repeated_keys: int = 0
    identical_rows: int = 0
    description: Description | None = None


@dataclass(frozen=True)
class BuiltFile:
    """A file of a table, with its description if the engine made one where the file was written."""

    path: Path
    description: Description | None = None


@dataclass(frozen=True)
class StagedInput:
    """The live staged files of one export day."""

    day: ExportDay
    files: tuple[str, ...]


@dataclass(frozen=True)
class FactInput:
    """The inputs of a range of a fact's dates.

    Args:
        dates: the business dates to build.
        staged: by name of the driving source and its parts, the exports with rows of the dates' keys.
        states: by name of each look-up source, the file of its folded state.
        histories: by name of each history that the fact refers to, its file. Without
            it, the rows lack the history's surrogate keys.
    """

    dates: tuple[BusinessDate, ...]
    staged: Mapping[str, tuple[StagedInput, ...]]
    states: Mapping[str, str] = field(default_factory=dict)
    histories: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DimensionInput:
    """The inputs of a dimension or a history.

    Args:
        states: by name of each source, the file of its folded state.
        used: files of one column, named as the dimension's key: the keys that facts use.
        years: the first and the last year of the calendar.
        versions: for a history, the file with all versions of the rows of the describing source.
    """

    states: Mapping[str, str]
    used: tuple[str, ...]
    years: tuple[int, int]
    versions: str | None = None


class Engine(Protocol):
    """Stages exports and builds tables. Every file that a method writes lies in the folder that it was given.

    `pass_bytes` is how many bytes of staged Parquet one call of `build_fact` should read.
    """

    pass_bytes: int

    def stage(self, source: Source, exports: Sequence[ExportInput], folder: Path) -> Iterator[StagedDay]:
        """Turn raw exports into files of typed, valid rows and of rejects, one of each per day."""
        ...

    def build_dimension(self, dimension: Dimension, given: DimensionInput, file: Path) -> BuiltFile:
        """Write the dimension's rows, with its Unknown and inferred members, into `file`."""
        ...

    def build_history(self, history: History, given: DimensionInput, file: Path) -> BuiltFile:
        """Write the history's rows, the intervals of the dimension's members, into `file`."""
        ...

    def build_fact(self, fact: Fact, given: FactInput, folder: Path) -> dict[BusinessDate, BuiltFile]:
        """Write the fact's rows, one file for each date in `given`; a date without rows has a file without rows."""
        ...
