"""What is wrong with an export."""

from __future__ import annotations

from collections.abc import Sequence

from star_assets.model.errors.tree import Permanent, Transient


class ColumnMissing(Permanent):
    """An export lacks a column that its source requires."""

    def __init__(self, file: str, column: str, found: Sequence[str]) -> None:
        super().__init__(file, column, tuple(found))

    def __str__(self) -> str:
        file, column, found = self.args
        return (
            f"{file}: expected column {column!r}, found {', '.join(found) or 'no columns'}. "
            "The live version stays. Export again, or mark the column optional in the Source."
        )


class BrokenFile(Permanent):
    """An export's file cannot be read to its end."""

    def __init__(self, file: str, line: int | None, problem: str) -> None:
        super().__init__(file, line, problem)

    def __str__(self) -> str:
        file, line, problem = self.args
        where = f"{file}, line {line}" if line else file
        return f"{where}: {problem}. Nothing of this day was staged; the live version stays. Export the file again."


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
            f"allowed are {allowed:.2%}. The live version stays; the rejected rows are kept in {kept}. "
            f"Export the day again, or raise max_rejects in the Source. The first:{examples}"
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
