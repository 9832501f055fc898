"""The errors of tables and their versions: audit, commit, rollback, lost files, ledgers, names, forgotten members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from star_assets.model.errors.tree import Permanent, Transient


@dataclass(eq=False)
class AuditFailed(Permanent):
    """A built version broke a rule of the model and was not published."""

    table: str
    partition: str
    failures: Sequence[str]
    kept: str

    def __str__(self) -> str:
        listed = "".join(f"\n  {failure}" for failure in self.failures)
        return (
            f"{self.table} {self.partition}: the audit failed, so nothing was published and the live version stays. "
            f"The failed version is kept in {self.kept}.{listed}"
        )


@dataclass(eq=False)
class NotStaged(Permanent):
    """A table's day needs upstream tables or exports that are not published."""

    table: str
    day: str
    missing: Sequence[str]

    def __str__(self) -> str:
        return (
            f"{self.table} {self.day}: needs {', '.join(self.missing) or 'its upstream tables'}, "
            f"which is not published. The live version stays. Materialize it first, for the same day."
        )


@dataclass(eq=False)
class StagedOtherwise(Permanent):
    """Some days are staged with a column in a type that the declared type cannot hold."""

    source: str
    column: str
    declared: str
    found: str

    def __str__(self) -> str:
        return (
            f"{self.source}: expected column {self.column!r} as {self.declared} in all that is staged, "
            f"found {self.found}, as an earlier declaration staged it. The live versions stay. "
            f"`star-assets run {self.source}` stages again the days that still have raw files. "
            "For the others, put the raw files back, or declare a type that holds both."
        )


@dataclass(eq=False)
class UnknownTable(Permanent):
    """No source, dimension or fact has that name."""

    name: str
    known: Sequence[str]

    def __str__(self) -> str:
        return f"No table {self.name!r} in this star. Known: {', '.join(self.known)}."


@dataclass(eq=False)
class UnknownPartition(Permanent):
    """A partition that is no day of this star, or that was never published."""

    table: str
    partition: str
    expected: str

    def __str__(self) -> str:
        return f"{self.table}: no partition {self.partition!r}; expected {self.expected}."


@dataclass(eq=False)
class UnknownVersion(Permanent):
    """A version id that the ledger does not list."""

    table: str
    partition: str
    version: str
    known: Sequence[str]

    def __str__(self) -> str:
        return (
            f"{self.table} {self.partition}: no version {self.version!r} to roll back to. "
            f"Kept versions, newest first: {', '.join(self.known) or 'none'}."
        )


@dataclass(eq=False)
class VersionLost(Permanent):
    """A live version's files are gone or damaged."""

    table: str
    partition: str
    path: str

    def __str__(self) -> str:
        return (
            f"{self.table} {self.partition}: expected {self.path}, which its ledger names; it is gone or damaged. "
            "`star-assets verify` lists all damage; `star-assets repair` builds the version again from what is left."
        )


@dataclass(eq=False)
class RollbackRefused(Permanent):
    """An older version of a dimension lacks members that facts use."""

    table: str
    version: str
    fact: str
    missing: Sequence[str]

    def __str__(self) -> str:
        return (
            f"{self.table} cannot go back to {self.version}: {self.fact} uses members that it lacks "
            f"({', '.join(self.missing)}). The live version stays. Roll the facts back first."
        )


@dataclass(eq=False)
class CannotForget(Permanent):
    """A member that cannot be erased, or does not exist."""

    where: str
    problem: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}. Nothing was erased."


@dataclass(eq=False)
class NotForgotten(Permanent):
    """Traces of a member are left after it was erased."""

    dimension: str
    left: Mapping[str, int]

    def __str__(self) -> str:
        places = ", ".join(f"{place} ({count:,})" for place, count in self.left.items())
        return (
            f"{self.dimension}: expected no trace of the member, found some in {places}. "
            "Another process may have published meanwhile: run it again."
        )


@dataclass(eq=False)
class NotOurs(Permanent):
    """The catalog has a table of that name that star_assets did not make."""

    table: str

    def __str__(self) -> str:
        return (
            f"{self.table}: the catalog has a table of that name that star_assets did not make. "
            "It was not changed. Drop or rename it, or give your table another name."
        )


@dataclass(eq=False)
class LostRace(Transient):
    """Another process published after this one read the ledger."""

    path: str

    def __str__(self) -> str:
        return f"{self.path}: another process published first."


@dataclass(eq=False)
class LedgerContended(Transient):
    """A swap of a ledger failed many times in a row, because other processes published first."""

    ledger: str
    attempts: int

    def __str__(self) -> str:
        return (
            f"{self.ledger}: other processes published first, {self.attempts} times in a row. "
            "Nothing is lost; run it again when the other runs have ended."
        )


@dataclass(eq=False)
class LedgerUnreadable(Permanent):
    """A file that should be a ledger cannot be read: it is empty, cut off, or overwritten. `size` is in bytes."""

    ledger: str
    size: int

    def __str__(self) -> str:
        found = f"{self.size:,} bytes that are no ledger" if self.size else "an empty file"
        return (
            f"{self.ledger}: expected a ledger, found {found}. Nothing was changed. `star-assets repair` makes it "
            "again from the versions beside it; or put the file back from a backup."
        )


@dataclass(eq=False)
class NewerLedger(Permanent):
    """A ledger has a format that this version of star_assets does not know."""

    ledger: str

    def __str__(self) -> str:
        return (
            f"{self.ledger}: a newer version of star_assets wrote it, in a format that this version does not know. "
            "Nothing was changed. Install the newer version here too."
        )
