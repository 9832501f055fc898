"""Which dates of a fact have to be built again after a dimension's history changed, mostly without reading the fact.

For each month there is a digest of the intervals in force in it. Where the digest
is unchanged, no fact file is read. Where it changed, the surrogate keys of the
month's rows are compared once, and the result is kept in a book for all
processes. Not here: building histories (dimensions).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from star_assets.lake.ledger import Entry, Snapshot
from star_assets.lake.versions import LIVE, Partition
from star_assets.model.tables import Fact, History
from star_assets.pipeline.context import Context
from star_assets.pipeline.documents import document, last
from star_assets.pipeline.identity import digest

# Of a date: the version whose rows were looked at, the digest of its month's histories
# then, and whether the rows agree with these.
Verified = Mapping[str, Sequence[str | bool]]


class FactHistories:
    """The live histories that a fact refers to, for its months and its live versions."""

    def __init__(
        self,
        context: Context,
        fact: Fact,
        dimensions: Mapping[str, Snapshot],
        dates: Snapshot,
        months: Sequence[str],
        keep: bool,
    ) -> None:
        self.context, self.fact, self.keep = context, fact, keep
        self.tables: dict[str, History] = {history.name: history for history in context.star.versioned(fact).values()}
        live = {name: dimensions[name].live.get(LIVE) for name in self.tables}
        self.versions = {name: entry.version for name, entry in live.items() if entry}
        self._months = self._digests(months)
        self._verified = self._verify(dates)

    @property
    def files(self) -> dict[str, str]:
        """For each history that was ever built, its live version's file, where it can be read."""
        partitions = {Partition("olap", name): version for name, version in self.versions.items()}
        return dict(zip(self.versions, self.context.first_files(partitions), strict=True))

    def digest_of(self, date: str) -> str:
        """What of a date's identity the histories are; nothing for a fact without any."""
        return self._months.get(date[:7], "") if self.tables else ""

    def holds(self, date: str, live: Entry) -> bool:
        """Whether the rows of a date's live version carry the surrogate keys of the versions in force."""
        return list(self._verified.get(date, ())) == [*self._key(date, live), True]

    def _digests(self, months: Sequence[str]) -> dict[str, str]:
        """For each month, a digest of what all members were in it."""
        if not self.tables or not months:
            return {}
        found: dict[str, Mapping[str, str]] = {}
        for name, version in self.versions.items():
            partition = Partition("olap", f"{self.fact.name}/_months_{name}")
            made_of = digest(version=version, months=list(months))
            found[name] = document(self.context, partition, made_of, partial(self._ask, name, months), self.keep)
        return {month: digest(**{name: by_month.get(month) for name, by_month in found.items()}) for month in months}

    def _ask(self, name: str, months: Sequence[str]) -> dict[str, str]:
        (file,) = self.context.first_files({Partition("olap", name): self.versions[name]})
        return self.context.books.audits.history_digests(self.tables[name], file, list(months))

    def _verify(self, dates: Snapshot) -> Verified:
        """Look at the rows of dates whose month has another digest than they were built with, unless that was done."""
        if not self.tables or self.versions.keys() != self.tables.keys():
            return {}
        partition = Partition("olap", f"{self.fact.name}/_verified")
        known: Verified = last(self.context, partition) or {}
        changed = {d: entry for d, entry in dates.live.items() if entry.identity.histories != self.digest_of(d)}
        verified = {d: known[d] for d in changed if d in known and list(known[d][:2]) == self._key(d, changed[d])}
        unknown = {Partition("olap", self.fact.name, d): entry for d, entry in changed.items() if d not in verified}
        if unknown:
            files = self.context.first_files({partition: entry.version for partition, entry in unknown.items()})
            by_date = {partition.key: [file] for partition, file in zip(unknown, files, strict=True)}
            outdated = set(self.context.books.audits.outdated_versions(self.fact, by_date, self.files))
            verified |= {d: [*self._key(d, changed[d]), d not in outdated] for d in by_date}
        if verified == known:
            return verified
        found: Verified = document(self.context, partition, digest(of=verified), lambda: verified, self.keep)
        return found

    def _key(self, date: str, entry: Entry) -> list[str]:
        return [entry.version, self.digest_of(date)]
