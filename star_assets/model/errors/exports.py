"""The errors of exports: missing or unknown columns, broken files, too many rejects, half exports, retired files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from star_assets.model.errors.tree import Permanent, Transient


@dataclass(eq=False)
class ColumnMissing(Permanent):
    """An export lacks columns that its source requires.

    `undeclared` are the export's columns that are not declared: a missing column may have been renamed to one of them.
    """

    file: str
    missing: Sequence[str]
    found: Sequence[str]
    undeclared: Sequence[str] = ()

    def __str__(self) -> str:
        columns = "column" if len(self.missing) == 1 else "columns"
        renamed = declare = ""
        if self.undeclared:
            are = "is" if len(self.undeclared) == 1 else "are"
            renamed = f" Of these, {visible_names(self.undeclared)} {are} not declared: a new name?"
            declare = "declare the new name, or "
        return (
            f"{self.file}: expected {columns} {visible_names([*map(repr, self.missing)])}, "
            f"found {visible_names(self.found) or 'no columns'}.{renamed} The live version stays. "
            f"Export again, or {declare}mark the {columns} optional in the Source."
        )


@dataclass(eq=False)
class UnknownColumns(Permanent):
    """An export has undeclared columns, and its source refuses such exports."""

    file: str
    unknown: Sequence[str]
    declared: Sequence[str]

    def __str__(self) -> str:
        return (
            f"{self.file}: expected no columns but {visible_names(self.declared)}, "
            f"found {visible_names(self.unknown)} beside them. The live version stays. "
            f"Export without {'it' if len(self.unknown) == 1 else 'them'}, or change the Source: "
            'declare what is new, or set new_columns to "evolve" or "ignore".'
        )


@dataclass(eq=False)
class BrokenFile(Permanent):
    """An export's file cannot be read as its source declares it."""

    file: str
    line: int | None
    problem: str
    remedy: str = "Export the file again"

    def __str__(self) -> str:
        where = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{where}: {self.problem}. Nothing of this day was staged; the live version stays. {self.remedy}."


# How many rejects of a day are kept; others are only counted. A wrongly declared type rejects millions of rows alike.
MOST_REJECTS = 1_000_000


def kept_rejects(rejected: int) -> str:
    """Says which of a day's rejects are kept, as the subject of a sentence."""
    return f"the first {MOST_REJECTS:,} of them" if rejected > MOST_REJECTS else "the rejected rows"


@dataclass(eq=False)
class TooManyRejects(Permanent):
    """More rows are invalid than the source allows."""

    source: str
    day: str
    rejected: int
    rows: int
    allowed: float
    kept: str
    first: Sequence[str]

    def __str__(self) -> str:
        examples = "".join(f"\n  {example}" for example in self.first)
        return (
            f"{self.source} {self.day}: {self.rejected:,} of {self.rows:,} rows rejected "
            f"({self.rejected / max(self.rows, 1):.2%}), allowed are {self.allowed:.2%}. The live version stays; "
            f"{kept_rejects(self.rejected)} are kept in {self.kept}, "
            f"and `star-assets rejects {self.source}` lists them. "
            f"Export the day again, or correct the Source: its types, its csv or its max_rejects. The first:{examples}"
        )


@dataclass(eq=False)
class HalfExport(Transient):
    """An export that is not whole yet."""

    source: str
    day: str
    expected: str
    found: str

    def __str__(self) -> str:
        return (
            f"{self.source} {self.day}: the export is not whole: expected {self.expected}, found {self.found}. "
            "It was not staged; it will be staged once the rest has arrived."
        )


@dataclass(eq=False)
class MissingExport(Transient):
    """The expected export of a day is missing."""

    source: str
    day: str
    folder: str

    def __str__(self) -> str:
        return (
            f"{self.source} {self.day}: the export is missing: expected {self.folder}/, found no such folder. Nothing "
            "was staged; the day will be staged once its export has arrived. If nothing happened on that day, export "
            'it without rows; if that is true of every day without an export, declare absent="empty".'
        )


@dataclass(eq=False)
class NoExports(Permanent):
    """No source has any export in the lake. Empty tables are not built: the lake's name may be mistyped."""

    folder: str
    sources: Sequence[str]

    def __str__(self) -> str:
        return (
            f"{self.folder}: expected exports of {', '.join(self.sources)}, found none at all. Nothing was built. "
            "Is STAR_LAKE right? `star-assets sample` writes some."
        )


@dataclass(eq=False)
class RawRetired(Permanent):
    """A day's raw files were retired, and the staged version that should replace them is missing."""

    source: str
    day: str

    def __str__(self) -> str:
        return (
            f"{self.source} {self.day}: expected a staged version, as the day's raw files were retired; found none. "
            f"Put the raw files back, or delete the file _retired in their folder: then the day has no export."
        )


# The most names that a message lists; it counts the others.
MOST_NAMES = 20


def visible_names(columns: Sequence[str]) -> str:
    """The names of columns in a message: the first ones, with characters that cannot be seen escaped."""
    shown = [name if name.isprintable() else ascii(name)[1:-1] for name in columns[:MOST_NAMES]]
    beyond = len(columns) - MOST_NAMES
    return ", ".join(shown) + (f" and {beyond:,} more" if beyond > 0 else "")
