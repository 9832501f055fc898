"""What keeps a version from becoming, or staying, the live one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from star_assets.model.errors.tree import Permanent, Transient


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


class StagedOtherwise(Permanent):
    """Days are staged with a type that the declared one cannot hold."""

    def __init__(self, source: str, column: str, declared: str, found: str) -> None:
        super().__init__(source, column, declared, found)

    def __str__(self) -> str:
        source, column, declared, found = self.args
        return (
            f"{source}: expected column {column!r} as {declared} in all that is staged, found {found}, as an earlier "
            f"declaration staged it. What is live stays. `star-assets run {source}` stages the days again that have "
            "their raw files; put those of the others back, or declare a type that holds both."
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
    """A version id that the ledger does not list."""

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
            f"{table} {partition}: expected {path}, which its ledger names; it is gone. "
            "Materialize it again, restore the file, or go back to a kept version with `star-assets rollback`."
        )


class RollbackRefused(Permanent):
    """An older version of a dimension lacks members that facts use."""

    def __init__(self, table: str, version: str, fact: str, missing: Sequence[str]) -> None:
        super().__init__(table, version, fact, tuple(missing))

    def __str__(self) -> str:
        table, version, fact, missing = self.args
        return (
            f"{table} cannot go back to {version}: {fact} uses members that it lacks "
            f"({', '.join(missing)}). The live version stays. Roll the facts back first."
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


class LostRace(Transient):
    """Somebody else published since the ledger was read."""

    def __init__(self, path: str) -> None:
        super().__init__(path)

    def __str__(self) -> str:
        (path,) = self.args
        return f"{path}: another process published first."


class LedgerContended(Transient):
    """A ledger, or the days in it, changed each time that they were about to be."""

    def __init__(self, ledger: str, attempts: int) -> None:
        super().__init__(ledger, attempts)

    def __str__(self) -> str:
        ledger, attempts = self.args
        return (
            f"{ledger}: other processes published first, {attempts} times in a row. "
            "Nothing is lost; run it again when the other runs have ended."
        )


class NewerLedger(Permanent):
    """A ledger has a form that this version of the package does not know."""

    def __init__(self, ledger: str) -> None:
        super().__init__(ledger)

    def __str__(self) -> str:
        (ledger,) = self.args
        return (
            f"{ledger}: a newer version of star_assets wrote it, in a form that this one does not know. "
            "Nothing was changed. Install that version here too."
        )
