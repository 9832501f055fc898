"""What exports are pulled from: the interface that every database fulfils, and which one STAR_SOURCE_DSN names.

Here: a day as databases are asked for it. An adapter is imported when its
database is opened. Not here: where exports go (exports).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from star_assets.model.source import Source
from star_assets.model.star import Star
from star_assets.settings import Settings

# URL scheme → what opens the database.
DATABASES = {"postgresql": "postgres:open_postgres", "postgres": "postgres:open_postgres"}


@dataclass(frozen=True)
class Day:
    """A day of the business time zone: from `begin` on, before `end`.

    `whole` names the sources of which everything that changed before counts too:
    on the first day, those that describe things, so that tables begin whole.
    """

    name: str
    begin: datetime
    end: datetime
    whole: frozenset[str] = frozenset()


class Database(Protocol):
    """An OLTP database. Every method raises DatabaseRefused, DatabaseBusy."""

    def claimed(self, what: str) -> AbstractContextManager[None]:
        """Meanwhile no other process claims the same. Waits for one that has."""
        ...

    def export(self, sources: Sequence[Source], day: Day, folder: Path) -> Mapping[str, int]:
        """Write `<source>.csv.gz` of each source into the folder, all as of one moment. Returns their rows.

        A file is in its source's dialect and holds the rows that changed on the
        day, by the version column; all rows where none says when, and of a source
        with `exports="snapshots"`. With `lines="complete"` it holds all lines of the
        headers that are exported. Raises DatabaseBusy while something may still
        change on the day.
        """
        ...

    def close(self) -> None:
        """End the connection, and all claims."""
        ...


def open_database(settings: Settings) -> Database:
    """Connect to the database that STAR_SOURCE_DSN names. Raises BadSetting, DatabaseRefused, DatabaseBusy."""
    assert settings.source_dsn
    scheme = settings.source_dsn.get_secret_value().partition("://")[0]
    module, _, function = DATABASES[scheme].partition(":")
    return cast(Database, getattr(import_module(f"star_assets.pull.{module}"), function)(settings))


def day_of(star: Star, settings: Settings, day: str) -> Day:
    """The day, as databases are asked for it."""
    first = date.fromisoformat(day)
    begin, end = (datetime.combine(d, time(), settings.zone) for d in (first, first + timedelta(days=1)))
    return Day(day, begin, end, _describing(star) if first == settings.start_date else frozenset())


def last_over(settings: Settings) -> str:
    """The last day that is over in the business time zone; "" where nothing is pulled."""
    if settings.source_dsn is None:
        return ""
    return str(datetime.now(settings.zone).date() - timedelta(days=1))


def _describing(star: Star) -> frozenset[str]:
    """The sources that dimensions and look-ups are made of. The others hold events, which have a date of their own."""
    described = {name for dimension in star.dimensions.values() for name in dimension.upstream}
    return frozenset(described | {source.name for fact in star.facts.values() for source in star.lookups(fact)})
