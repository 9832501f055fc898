"""The interface of databases that exports are pulled from, and opening the one that STAR_SOURCE_DSN names.

The entry points `star_assets.databases` provide, by the scheme of a DSN, the function that opens its database.
Each is imported when it is used. Not here: writing exports into the lake (pulling).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Protocol, cast

from star_assets.model.source import Source
from star_assets.model.star import Star
from star_assets.packages import provided
from star_assets.settings import DATABASES, Settings


@dataclass(frozen=True)
class Day:
    """A day of the business time zone: from `begin` on, before `end`.

    `whole` names the sources whose rows from before the day are exported too: on the first
    day, those of dimensions and look-ups, so that these begin complete.
    """

    name: str
    begin: datetime
    end: datetime
    whole: frozenset[str] = frozenset()


class Database(Protocol):
    """An OLTP database. Every method raises DatabaseRefused, DatabaseBusy."""

    def claimed(self, what: str) -> AbstractContextManager[None]:
        """A lock named `what` that one process at a time holds. Waits for it."""
        ...

    def export(self, sources: Sequence[Source], day: Day, folder: Path) -> Mapping[str, int]:
        """Write `<source>.csv.gz` of each source into the folder, from one snapshot. Returns the rows of each source.

        A file is in its source's CSV dialect. It has the rows whose version column lies in
        the day; all rows of a source without a version, or with `exports="snapshots"`. With
        `lines="complete"` it has all lines of the exported headers. Raises DatabaseBusy as
        long as a row of the day may still be committed.
        """
        ...

    def close(self) -> None:
        """End the connection, which releases all locks."""
        ...


def open_database(settings: Settings) -> Database:
    """Connect to the database that STAR_SOURCE_DSN names. Raises BadSetting, DatabaseRefused, DatabaseBusy."""
    assert settings.source_dsn
    scheme = settings.source_dsn.get_secret_value().partition("://")[0]
    return cast(Database, provided(DATABASES)[scheme].load()(settings))


def day_of(star: Star, settings: Settings, day: str) -> Day:
    """The Day of a date, in the business time zone."""
    first = date.fromisoformat(day)
    begin, end = (datetime.combine(d, time(), settings.zone) for d in (first, first + timedelta(days=1)))
    return Day(day, begin, end, _describing(star) if first == settings.start_date else frozenset())


def last_over(settings: Settings) -> str:
    """The last past day in the business time zone; "" if nothing is pulled."""
    if settings.source_dsn is None:
        return ""
    return str(settings.last_day_over)


def _describing(star: Star) -> frozenset[str]:
    """The sources of dimensions and look-ups. The others have events, each of which belongs to one day."""
    described = {name for dimension in star.dimensions.values() for name in dimension.upstream}
    return frozenset(described | {source.name for fact in star.facts.values() for source in star.lookups(fact)})
