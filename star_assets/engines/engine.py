"""The interface of every engine, and the values it takes and gives.

An engine stages exports and builds tables for a range of partitions in one
pass. It reads and writes local files and knows nothing of pointers, catalogs
or audits: those belong to the pipeline.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from star_assets.model.source import Source
from star_assets.model.tables import Dimension, Fact, History
from star_assets.staging.files import RawProfile


@dataclass(frozen=True)
class RawInput:
    """A raw file: where it can be read, how people call it, what inspection found."""

    path: Path
    name: str
    profile: RawProfile


@dataclass(frozen=True)
class ExportInput:
    """One day's export of a source."""

    day: str
    files: tuple[RawInput, ...]


@dataclass(frozen=True)
class FileCount:
    """A raw file's rows: counted independently of the parser, staged, rejected."""

    name: str
    records: int
    staged: int
    rejected: int


@dataclass(frozen=True)
class StagedDay:
    """A staged export: its file, its rejects' file if there are any, and the account of its rows.

    `extra` names the columns that the declaration does not list; they are strings.
    `repeated_keys` counts keys with different rows of one version, among which
    only their content decides.
    """

    day: str
    file: Path
    counts: tuple[FileCount, ...]
    rejects: Path | None = None
    first_rejects: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    repeated_keys: int = 0


@dataclass(frozen=True)
class StagedInput:
    """The live staged files of one export day."""

    day: str
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

    dates: tuple[str, ...]
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


@dataclass(frozen=True)
class FactRules:
    """What the audit of one date's file found, as counts of rows that break a rule."""

    rows: int
    null_keys: int
    repeated_keys: int
    outside_date: int
    below_minimum: Mapping[str, int]
    unknown_references: Mapping[str, int]
    sums: Mapping[str, Any]


class Engine(Protocol):
    """Computes. Every file it returns lies in the folder it was given.

    `pass_bytes` is how much staged Parquet one call of `build_fact` should read.
    """

    pass_bytes: int

    def stage(self, source: Source, exports: Sequence[ExportInput], folder: Path) -> Iterator[StagedDay]:
        """Raw exports → typed, valid rows and rejects, a file a day."""
        ...

    def fold(self, source: Source, base: str | None, exports: Sequence[StagedInput], file: Path) -> str:
        """A source's state: the winning row of each key over `base` and `exports`, tombstones among them.

        Returns a digest of what transforms can see of it: the same rows, exported again, give the same.
        """
        ...

    def fold_versions(self, source: Source, base: str | None, exports: Sequence[StagedInput], file: Path) -> None:
        """Every row that says something new of its key, over `base` and `exports`, all of which are later."""
        ...

    def fold_keys(self, column: str, key: str, base: str | None, exports: Sequence[StagedInput], file: Path) -> None:
        """The distinct values of a staged column, as a column named `key`, over `base` and `exports`."""
        ...

    def index_keys(
        self, source: Source, column: str, base: str | None, exports: Sequence[StagedInput], file: Path
    ) -> None:
        """(key columns, export, date) of each staged row, over `base` and `exports`, sorted by date.

        `date` is the business date of `column`, NULL where it has no value.
        """
        ...

    def exports_of_dates(
        self, source: Source, index: Sequence[str], dates: Sequence[str] | None
    ) -> dict[str, list[str]]:
        """For each date (None: every one in the index), the exports that hold any row of a key that ever had it."""
        ...

    def index_lines(self, part: Source, base: str | None, exports: Sequence[StagedInput], file: Path) -> None:
        """(key columns, header's key columns, export) of each staged line, over `base` and `exports`."""
        ...

    def line_exports_of_dates(
        self, header: Source, index: Sequence[str], part: Source, lines: Sequence[str], dates: Sequence[str] | None
    ) -> dict[str, list[str]]:
        """For each date, the part's exports that hold any row of a line that ever belonged to a header of that date.

        `index` are the header's index files, `lines` the part's.
        """
        ...

    def fold_members(self, column: str, base: str | None, facts: Sequence[StagedInput], file: Path) -> None:
        """(version, key) of the distinct values of a fact's column, over `base` and the versions' files.

        The `day` of each input is the id of its version.
        """
        ...

    def build_dimension(self, dimension: Dimension, given: DimensionInput, file: Path) -> None:
        """The dimension's rows with its Unknown and inferred members, in one file."""
        ...

    def build_history(self, history: History, given: DimensionInput, file: Path) -> None:
        """The intervals of the dimension's members, in one file."""
        ...

    def build_fact(self, fact: Fact, given: FactInput, folder: Path) -> dict[str, Path]:
        """The fact's rows, a file for each of the dates (one without rows has an empty file)."""
        ...

    def drops_members(self, dimension: Dimension, before: str, after: str) -> bool:
        """Whether a dimension's file lacks a member of an earlier one."""
        ...

    def keep_members(self, dimension: Dimension, file: str, before: str, used: Sequence[str], kept: Path) -> list[str]:
        """The keys, as text, that `before` has, `file` lacks and facts use; `used` are files of `fold_members`.

        Where there are some, `kept` is `file` with their rows, marked as superseded.
        """
        ...

    def lost_in_use(self, dimension: Dimension, before: str, after: str, used: Sequence[str]) -> list[str]:
        """The keys, as text, that `before` has, `after` lacks and facts use."""
        ...

    def superseded_in_use(self, dimension: Dimension, file: str, used: Sequence[str]) -> list[str]:
        """The keys, as text, of the file's superseded members that facts still use."""
        ...

    def audit_dimension(self, dimension: Dimension, file: str) -> Mapping[str, int]:
        """Counts over a dimension's file: rows, null_keys, repeated_keys, unknown_members."""
        ...

    def audit_history(self, history: History, file: str) -> int:
        """The members whose intervals have gaps or overlaps, or do not begin with time."""
        ...

    def history_digests(self, history: History, file: str, months: Sequence[str]) -> dict[str, str]:
        """For each month YYYY-MM, a digest of the intervals in force in it, a day more on either side."""
        ...

    def outdated_versions(
        self, fact: Fact, files: Mapping[str, Sequence[str]], histories: Mapping[str, str]
    ) -> list[str]:
        """The dates with a row in their files that carries another surrogate key than the histories' files say."""
        ...

    def audit_fact(self, fact: Fact, files: Mapping[str, str], dimensions: Mapping[str, str]) -> dict[str, FactRules]:
        """Hold each date's file against the model's rules and the dimensions' files."""
        ...

    def totals(self, fact: Fact, given: FactInput) -> dict[str, dict[str, Any]]:
        """Per date, the rows and summed measures that the sources give now, without writing anything."""
        ...

    def header_exports_of_lines(self, part: Source, index: Sequence[str], lines: Sequence[str]) -> list[str]:
        """The exports that hold any row of a header of the lines in these files; `index` is the header's."""
        ...

    def exports_of_lines(self, part: Source, index: Sequence[str], lines: Sequence[str]) -> list[str]:
        """The exports that hold any row of the lines in these files; `index` is the lines' own."""
        ...

    def explain(self, fact: Fact, given: FactInput) -> list[dict[str, Any]]:
        """The staged lines of the fact's grain, added up by `export`, `cause` and `date`.

        Each has `rows` and the summed measures, computed as if the line were a
        sale. A sale has its business date and no cause; any other line a cause.
        """
        ...

    def file_totals(self, fact: Fact, files: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]:
        """Per date, the same totals read from the date's files."""
        ...

    def joined_totals(
        self, fact: Fact, files: Sequence[str], dimensions: Mapping[str, str]
    ) -> dict[str, dict[str, Any]]:
        """Rows and summed measures of the files: as they are (`""`), and, by column, joined with its dimension."""
        ...

    def missing_members(self, column: str, files: Sequence[str], dimension: Dimension, members: str) -> list[str]:
        """Up to ten values of a fact's column that the dimension's file lacks, as text."""
        ...
