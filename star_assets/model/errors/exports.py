"""What is wrong with an export."""

from __future__ import annotations

from collections.abc import Sequence

from star_assets.model.errors.tree import Permanent, Transient


class ColumnMissing(Permanent):
    """An export lacks columns that its source requires.

    `undeclared` are those it has beyond the declared ones: what is missing may have been renamed to one of them.
    """

    def __init__(self, file: str, missing: Sequence[str], found: Sequence[str], undeclared: Sequence[str] = ()) -> None:
        super().__init__(file, tuple(missing), tuple(found), tuple(undeclared))

    def __str__(self) -> str:
        file, missing, found, undeclared = self.args
        columns = "column" if len(missing) == 1 else "columns"
        renamed = declare = ""
        if undeclared:
            renamed = (
                f" Of these, {_names(undeclared)} {'is' if len(undeclared) == 1 else 'are'} not declared: a new name?"
            )
            declare = "declare the new name, or "
        return (
            f"{file}: expected {columns} {', '.join(map(repr, missing))}, found {_names(found) or 'no columns'}."
            f"{renamed} The live version stays. Export again, or {declare}mark the {columns} optional in the Source."
        )


class UnknownColumns(Permanent):
    """An export has columns that its source neither declares nor lets in."""

    def __init__(self, file: str, unknown: Sequence[str], declared: Sequence[str]) -> None:
        super().__init__(file, tuple(unknown), tuple(declared))

    def __str__(self) -> str:
        file, unknown, declared = self.args
        return (
            f"{file}: expected no columns but {_names(declared)}, found {_names(unknown)} beside them. "
            f"The live version stays. Export without {'it' if len(unknown) == 1 else 'them'}, or change the Source: "
            'declare what is new, or set new_columns to "evolve" or "ignore".'
        )


class BrokenFile(Permanent):
    """An export's file cannot be read as its source declares it."""

    def __init__(self, file: str, line: int | None, problem: str, remedy: str = "Export the file again") -> None:
        super().__init__(file, line, problem, remedy)

    def __str__(self) -> str:
        file, line, problem, remedy = self.args
        where = f"{file}, line {line}" if line else file
        return f"{where}: {problem}. Nothing of this day was staged; the live version stays. {remedy}."


# Rejects of a day that are kept. Those beyond are counted: whoever declares a type wrongly has millions of one kind.
MOST_REJECTS = 1_000_000


def kept_rejects(rejected: int) -> str:
    """Which of a day's rejects are kept, as the subject of a sentence."""
    return f"the first {MOST_REJECTS:,} of them" if rejected > MOST_REJECTS else "the rejected rows"


class TooManyRejects(Permanent):
    """More rows are invalid than the source allows."""

    def __init__(
        self, source: str, day: str, rejected: int, rows: int, allowed: float, kept: str, first: Sequence[str]
    ) -> None:
        super().__init__(source, day, rejected, rows, allowed, kept, tuple(first))

    def __str__(self) -> str:
        source, day, rejected, rows, allowed, kept, first = self.args
        examples = "".join(f"\n  {example}" for example in first)
        return (
            f"{source} {day}: {rejected:,} of {rows:,} rows rejected ({rejected / max(rows, 1):.2%}), "
            f"allowed are {allowed:.2%}. The live version stays; {kept_rejects(rejected)} are kept in {kept}, "
            f"and `star-assets rejects {source}` lists them. "
            f"Export the day again, or correct the Source: its types, its csv or its max_rejects. The first:{examples}"
        )


class HalfExport(Transient):
    """An export that is not whole yet."""

    def __init__(self, source: str, day: str, expected: str, found: str) -> None:
        super().__init__(source, day, expected, found)

    def __str__(self) -> str:
        source, day, expected, found = self.args
        return (
            f"{source} {day}: the export is not whole: expected {expected}, found {found}. "
            "It was not staged. It will be once the rest has come."
        )


class RawRetired(Permanent):
    """Nothing is staged of a day whose raw files were deleted by their retention."""

    def __init__(self, source: str, day: str) -> None:
        super().__init__(source, day)

    def __str__(self) -> str:
        source, day = self.args
        return (
            f"{source} {day}: expected the version that stands for its retired raw files, found none. "
            f"Put the files back, or delete _retired beside them to make it a day without an export."
        )


def _names(columns: Sequence[str]) -> str:
    """Names of columns as they are; what cannot be seen in one is written out."""
    return ", ".join(name if name.isprintable() else ascii(name)[1:-1] for name in columns)
