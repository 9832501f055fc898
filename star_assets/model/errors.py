"""What can go wrong, as a tree.

    StarError
    ├── Permanent            the same input will fail again; somebody has to act
    │   ├── BadDeclaration       a Source, Dimension, Fact or Star contradicts itself
    │   ├── BadSetting           a STAR_… variable cannot be used
    │   ├── ColumnMissing        an export lacks a required column
    │   ├── BrokenFile           an export's file cannot be read to its end
    │   ├── TooManyRejects       more rows are invalid than the source allows
    │   ├── AuditFailed          a built version broke a rule of the model
    │   ├── UnknownTable         no such source, dimension or fact
    │   ├── UnknownPartition     no such day, or none published
    │   ├── UnknownVersion       a version id that the pointer does not list
    │   ├── VersionLost          a live version's files are gone
    │   ├── RollbackRefused      live facts would lose a dimension's member
    │   ├── NotOurs              the catalog holds a table of that name that we did not make
    │   ├── RawRetired           nothing is staged of a day whose raw files were deleted
    │   ├── CannotForget         a member that cannot be erased, or is none
    │   ├── NotForgotten         traces of a member are left
    │   ├── NotStaged            a table's day needs exports that no staging has published
    │   ├── EngineFailed         the engine gave up on a statement
    │   ├── LakeRefused          the lake's folder cannot be read or written
    │   │   └── AwsRefused           AWS does not let us: rights, credentials, names
    │   └── QueryError           a SQL statement that cannot be answered
    │       ├── BadQuery             wrong in itself: syntax, names, types, values
    │       └── Unfaithful           right on Athena, but not answered here
    └── Transient            trying again later may help
        ├── HalfExport           an export that is not whole yet
        ├── LostRace             somebody else moved the pointer first
        ├── PointerContended     the race was lost too often
        ├── CatalogBusy          other processes hold the catalog
        ├── AwsBusy              AWS throttles, or cannot be reached
        └── LakeFull             no space left for a new version

Each error holds facts (`args`, so that it pickles) and words them once: what,
where, expected, found, what to do. Not here: what Dagster makes of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class StarError(Exception):
    """Whatever star_assets has to tell its user."""


class Permanent(StarError):
    """The same input will fail again; somebody has to act."""


class Transient(StarError):
    """Trying again later may help."""


class BadDeclaration(Permanent):
    """A Source, Dimension, Fact or Star contradicts itself."""

    def __init__(self, name: str, problem: str, remedy: str) -> None:
        super().__init__(name, problem, remedy)

    def __str__(self) -> str:
        name, problem, remedy = self.args
        return f"{name}: {problem}. {remedy}."


class BadSetting(Permanent):
    """A STAR_… variable cannot be used."""

    def __init__(self, variable: str, found: str, expected: str) -> None:
        super().__init__(variable, found, expected)

    def __str__(self) -> str:
        variable, found, expected = self.args
        return f"{variable}={found!r}: expected {expected}."


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


class AuditFailed(Permanent):
    """A built version broke a rule of the model and was not published."""

    def __init__(self, table: str, partition: str, failures: Sequence[str], kept: str) -> None:
        super().__init__(table, partition, tuple(failures), kept)

    def __str__(self) -> str:
        table, partition, failures, kept = self.args
        listed = "".join(f"\n  {failure}" for failure in failures)
        return (
            f"{table} {partition}: the audit failed, so nothing was published and the live version stays. "
            f"The failed version is kept in {kept}.{listed}"
        )


class UnknownTable(Permanent):
    """No source, dimension or fact has that name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(name, tuple(known))

    def __str__(self) -> str:
        name, known = self.args
        return f"No table {name!r} in this star. Known: {', '.join(known)}."


class UnknownPartition(Permanent):
    """A partition that is no day of this star, or that was never published."""

    def __init__(self, table: str, partition: str, expected: str) -> None:
        super().__init__(table, partition, expected)

    def __str__(self) -> str:
        table, partition, expected = self.args
        return f"{table}: no partition {partition!r}; expected {expected}."


class UnknownVersion(Permanent):
    """A version id that the pointer does not list."""

    def __init__(self, table: str, partition: str, version: str, known: Sequence[str]) -> None:
        super().__init__(table, partition, version, tuple(known))

    def __str__(self) -> str:
        table, partition, version, known = self.args
        return (
            f"{table} {partition}: no version {version!r} to roll back to. "
            f"Kept versions, newest first: {', '.join(known) or 'none'}."
        )


class VersionLost(Permanent):
    """A live version's files are gone."""

    def __init__(self, table: str, partition: str, path: str) -> None:
        super().__init__(table, partition, path)

    def __str__(self) -> str:
        table, partition, path = self.args
        return (
            f"{table} {partition}: expected {path}, which its pointer names; it is gone. "
            "Materialize it again, restore the file, or go back to a kept version with `star-assets rollback`."
        )


class RollbackRefused(Permanent):
    """An older version of a dimension lacks members that live facts use."""

    def __init__(self, table: str, version: str, fact: str, missing: Sequence[str]) -> None:
        super().__init__(table, version, fact, tuple(missing))

    def __str__(self) -> str:
        table, version, fact, missing = self.args
        return (
            f"{table} cannot go back to {version}: {fact} uses members that it lacks "
            f"({', '.join(missing)}). The live version stays. Roll the facts back first."
        )


class NotOurs(Permanent):
    """The catalog holds a table of that name that this project did not make."""

    def __init__(self, table: str) -> None:
        super().__init__(table)

    def __str__(self) -> str:
        (table,) = self.args
        return (
            f"{table}: the catalog has a table of that name that star_assets did not make. "
            "It was left alone. Drop or rename it, or name yours otherwise."
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


class CannotForget(Permanent):
    """A member that cannot be erased, or is none."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(where, problem)

    def __str__(self) -> str:
        where, problem = self.args
        return f"{where}: {problem}. Nothing was erased."


class NotForgotten(Permanent):
    """Traces of a member are left after it was erased."""

    def __init__(self, dimension: str, left: Mapping[str, int]) -> None:
        super().__init__(dimension, dict(left))

    def __str__(self) -> str:
        dimension, left = self.args
        places = ", ".join(f"{place} ({count:,})" for place, count in left.items())
        return (
            f"{dimension}: expected no trace of the member, found some in {places}. "
            "Another process may have published meanwhile: run it again."
        )


class NotStaged(Permanent):
    """A table's day needs upstream tables or exports that are not published."""

    def __init__(self, table: str, day: str, missing: Sequence[str]) -> None:
        super().__init__(table, day, tuple(missing))

    def __str__(self) -> str:
        table, day, missing = self.args
        return (
            f"{table} {day}: needs {', '.join(missing) or 'its upstream tables'}, which is not published. "
            f"The live version stays. Materialize that first, for the same day."
        )


class EngineFailed(Permanent):
    """The engine gave up on a statement."""

    def __init__(self, engine: str, doing: str, problem: str) -> None:
        super().__init__(engine, doing, problem)

    def __str__(self) -> str:
        engine, doing, problem = self.args
        return f"{engine} failed while {doing}: {problem} Nothing was published; the live versions stay."


class LakeRefused(Permanent):
    """The lake's folder cannot be read or written."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)

    def __str__(self) -> str:
        path, problem = self.args
        return (
            f"{path}: {problem}. What was live stays live. Give this user read and write rights to the lake, "
            "or set STAR_LAKE to another place."
        )


class AwsRefused(LakeRefused):
    """AWS does not let us: a right, the credentials, a bucket or a key is missing."""

    def __init__(self, what: str, problem: str, remedy: str) -> None:
        Permanent.__init__(self, what, problem, remedy)

    def __str__(self) -> str:
        what, problem, remedy = self.args
        return f"{what}: {problem}. What was live stays live. {remedy}."


class QueryError(Permanent):
    """A SQL statement that cannot be answered."""


class BadQuery(QueryError):
    """A statement that is wrong in itself: syntax, names, types or values.

    `line` and `column` count from 1 and are None where the place is unknown.
    """

    def __init__(self, problem: str, sql: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(problem, sql, line, column)

    def __str__(self) -> str:
        problem, sql, line, column = self.args
        if line is None:
            return str(problem)
        text = sql.splitlines()[line - 1] if line <= len(sql.splitlines()) else ""
        return f"line {line}:{column}: {problem}\n  {text}\n  {' ' * (column - 1)}^"


class Unfaithful(QueryError):
    """Athena would answer this; the embedded Athena cannot do so faithfully."""

    def __init__(self, what: str, instead: str) -> None:
        super().__init__(what, instead)

    def __str__(self) -> str:
        what, instead = self.args
        return f"The embedded Athena does not answer {what}, because it could not do so faithfully. {instead}"


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


class LostRace(Transient):
    """Somebody else moved the pointer since it was read."""

    def __init__(self, path: str) -> None:
        super().__init__(path)

    def __str__(self) -> str:
        (path,) = self.args
        return f"{path}: another process published first."


class PointerContended(Transient):
    """The race for a pointer was lost too often."""

    def __init__(self, table: str, partition: str, attempts: int) -> None:
        super().__init__(table, partition, attempts)

    def __str__(self) -> str:
        table, partition, attempts = self.args
        return (
            f"{table} {partition}: another process published first, {attempts} times in a row. "
            "Nothing is lost; run it again when the other runs have ended."
        )


class CatalogBusy(Transient):
    """Other processes hold the catalog."""

    def __init__(self, catalog: str, seconds: float) -> None:
        super().__init__(catalog, seconds)

    def __str__(self) -> str:
        catalog, seconds = self.args
        return (
            f"{catalog}: other processes held the catalog for {seconds:g} s. What was published is safe; "
            "run `star-assets repair` when they have ended."
        )


class AwsBusy(Transient):
    """AWS throttles, failed in itself, or cannot be reached; it was tried several times."""

    def __init__(self, what: str, problem: str) -> None:
        super().__init__(what, problem)

    def __str__(self) -> str:
        what, problem = self.args
        return f"{what}: {problem}. It was tried several times. What was live stays live; run it again later."


class LakeFull(Transient):
    """No space left for a new version."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)

    def __str__(self) -> str:
        path, problem = self.args
        return (
            f"{path}: {problem}. What was live stays live. Make room (`star-assets vacuum` frees what "
            "superseded versions hold) and run again."
        )
