"""The members book: which members of a dimension the live and past versions of facts use.

For each column of a fact that refers to a dimension there is one file per month of
dates, with (version, key) of every live and past version; each version's key column
is read once. One query over these files answers which members a new version
of a dimension may drop, which a rollback would lose, and which superseded members are
still needed. Not here: building dimensions (dimensions), fencing facts (lake.replacing).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from star_assets.lake.ledger import Ledger
from star_assets.lake.versions import Partition
from star_assets.model.tables import Dimension, Fact
from star_assets.pipeline.context import Context
from star_assets.pipeline.fold import Book, folded
from star_assets.pipeline.identity import digest

# The column of the files that holds a member's key.
KEY = "key"


def used_members(context: Context, dimension: Dimension, keep: bool) -> dict[str, list[str]]:
    """For each fact that refers to the dimension, files with the keys that its live and past versions use."""
    return {
        fact.name: [
            file
            for column, target in fact.references.items()
            if target is dimension
            for file in _months(context, fact, column, keep)
        ]
        for fact in referring(context, dimension)
    }


def referring(context: Context, dimension: Dimension) -> list[Fact]:
    """The facts that refer to the dimension."""
    return [fact for fact in context.star.facts.values() if dimension in fact.references.values()]


def _months(context: Context, fact: Fact, column: str, keep: bool) -> Iterator[str]:
    table = f"{fact.name}/_members_{column}"
    dates, kept = context.look("olap", fact.name), context.look("olap", table)

    def fold(base: str | None, added: Mapping[str, Sequence[str]], file: Path) -> None:
        context.books.members.fold_members(column, base, added, file)

    for month, ledger in sorted(dates.ledgers.items()):
        versions = _versions(fact, ledger)
        if versions:
            book = Book(
                Partition("olap", table, month),
                digest(column=column),
                {version: version for version in versions},
                ledger.sequence,
                partial(_inputs, context, versions),
            )
            yield context.book_file(folded(context, book, fold, keep, kept=kept))


def _versions(fact: Fact, ledger: Ledger) -> dict[str, Partition]:
    """Every live and past version of a month, with its date."""
    return {
        version: Partition("olap", fact.name, date) for date, day in ledger.days.items() for version in day.versions
    }


def _inputs(context: Context, versions: Mapping[str, Partition], added: Mapping[str, str]) -> dict[str, list[str]]:
    return {version: context.first_files({versions[version]: version}) for version in added}
