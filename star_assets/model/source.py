"""The declaration of a Source, a table that is exported every day, or a stream of events that arrive all day.

Here: the declaration of a source, and how one of its exports is known to be
whole. Not here: a column (column), a file's dialect (csv), reading files (exports).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from star_assets.model.cadence import EVERY, is_expected, is_holiday
from star_assets.model.column import Column
from star_assets.model.csv import Csv
from star_assets.model.errors import BadDeclaration
from star_assets.model.zones import ZONE_EXPECTED, is_zone

# The names of tables and columns are also used in file paths, in SQL and in Glue, so they
# have a form that all of these accept; in lower case, because Glue lowers all names.
NAME = re.compile(r"[a-z][a-z0-9_]*")

# The longest time in seconds that Settled may wait. A source exports every day, so a week is more than enough.
LONGEST_SETTLING = 7 * 86_400

# The column that stands for the key of a source that has none.
ROW_ID = "row_id"
_ROW_ID = "The row: its export day, its content, its number among identical rows of that day."

_DELETED = re.compile(r"\s*(\w+)\s*=\s*'((?:[^']|'')*)'\s*")


@dataclass(frozen=True)
class Marker:
    """An export is whole once it contains a file of this name."""

    name: str = "_SUCCESS"

    def __post_init__(self) -> None:
        # The marker is found by listing the day's folder, and listings hide names that begin with a dot.
        if not isinstance(self.name, str) or not re.fullmatch(r"[^./*?\\\s][^/*?\\]*", self.name):
            raise BadDeclaration("Marker", f"name is {self.name!r}", 'Use the name of a file, such as "_SUCCESS"')


@dataclass(frozen=True)
class FileCount:
    """An export is whole once it contains this many data files."""

    files: int

    def __post_init__(self) -> None:
        if not isinstance(self.files, int) or self.files < 1:
            raise BadDeclaration("FileCount", f"files is {self.files!r}", "Use a whole number from 1 on")


@dataclass(frozen=True)
class Settled:
    """An export is whole once none of its files has changed for this many seconds."""

    seconds: float

    def __post_init__(self) -> None:
        if not isinstance(self.seconds, int | float) or not 0 <= self.seconds <= LONGEST_SETTLING:
            problem = f"seconds is {self.seconds!r}"
            raise BadDeclaration("Settled", problem, f"Use a number from 0 to {LONGEST_SETTLING:,}, which is a week")


@dataclass(frozen=True)
class SourceColumn:
    """One column of a source, as `orders["customer_id"]` names it."""

    source: Source
    column: str


@dataclass(frozen=True, eq=False)
class Source:
    """A table of the OLTP database, exported daily to `oltp/<name>/date=<day>/`, or a stream of events.

    Grain: one row per `key` and export; over all exports, the row with the
    greatest (`version`, export day, content) wins.

    Args:
        name: the table's name, in lower case.
        key: the column, or columns, that tell rows apart; None where nothing does, so that every row counts. Staged
            rows then have the column `row_id`, made of the export day, the row's content and its number among identical
            rows of that export.
        columns: type, or `Column`, of each declared column. Columns that an
            export has beyond these are carried along as strings (`new_columns`).
        event_time: the timestamp column that says when the thing happened.
        version: the column that grows with every change of a row.
        deleted: `"column = 'value'"`: rows that say their key is gone.
        part_of: the header source whose lines these rows are.
        header_key: the column, or columns, that hold the header's key, where
            they are not named as there.
        lines: `"complete"` if every exported header comes with all its lines
            (possibly none); `"changed"` if lines are exported by themselves, each
            with its own version and tombstones.
        exports: `"changes"` if an export has the rows that were created or changed;
            `"snapshots"` if every export has all rows. A key that a later snapshot
            lacks stays in the dimension, as a member of kind `vanished`.
        arrives: `"in exports"`, or `"continuously"` for a stream: events that arrive all day, at least once and in any
            order, in folders `oltp/<name>/date=<day>/hour=<HH>/` of the hour of arrival. Events add up, and none edits
            another. The files there are staged as they are, without waiting for more, and no day is ever missing.
        whole: how an export is known to be whole; a stream has no exports.
        absent: how to treat a day without the export that was expected. `"wait"`:
            the day is missing, and is staged once its export arrives. `"empty"`: the
            day counts as a day without rows, once a later export has arrived.
            `"fail"`: as `"wait"`, and every run fails because of it.
        every: the days on which an export is expected: `"day"`, `"weekday"`, the name
            of a day of the week, or None for no day in particular. Any other day
            without an export counts as a day without rows.
        holidays: days, as MM-DD or YYYY-MM-DD, on which no export is expected.
        csv: the dialect of CSV files; JSON files need none.
        timezone: the zone of timestamps that carry no offset.
        duplicates: what becomes of several rows of one key and version in one export. `"collapse"` keeps one of them,
            the greatest by content, and counts the others; `"reject"` keeps the first of identical rows, and none of
            rows that differ.
        max_rejects: the share of invalid rows above which a day is refused.
        pulled: False if its exports are dropped even where others are pulled
            from the database that STAR_SOURCE_DSN names.
        new_columns: what becomes of columns that are not declared: `"evolve"`
            carries them along, `"ignore"` leaves them out, `"freeze"` refuses
            the export.
        crawled: whether, on AWS, a crawler of Glue keeps the catalog's table over the raw files.
        description, owner: shown to people.
    """

    name: str
    key: str | tuple[str, ...] | None
    columns: Mapping[str, str | Column]
    event_time: str | None = None
    version: str | None = None
    deleted: str | None = None
    part_of: Source | None = None
    header_key: str | tuple[str, ...] | None = None
    lines: Literal["complete", "changed"] = "complete"
    exports: Literal["changes", "snapshots"] = "changes"
    arrives: Literal["in exports", "continuously"] = "in exports"
    whole: Marker | FileCount | Settled = field(default_factory=lambda: Settled(60))
    absent: Literal["wait", "empty", "fail"] = "wait"
    every: str | None = "day"
    holidays: Collection[str] = ()
    csv: Csv = field(default_factory=Csv)
    timezone: str = "UTC"
    duplicates: Literal["collapse", "reject"] = "collapse"
    max_rejects: float = 0.001
    pulled: bool = True
    new_columns: Literal["evolve", "ignore", "freeze"] = "evolve"
    crawled: bool = False
    description: str = ""
    owner: str | None = None

    def __post_init__(self) -> None:
        self._check_kinds()
        self._check_columns()
        self._check_key()
        named = [("key", name) for name in self.declared_keys]
        named += [("event_time", self.event_time)] if self.event_time else []
        named += [("version", self.version)] if self.version else []
        named += [("deleted", self.tombstone[0])] if self.tombstone else []
        named += [("header_key" if self.header_key else "part_of", name) for name in self.header_keys]
        for role, column_name in named:
            if column_name not in self.columns:
                raise BadDeclaration(
                    f"source {self.name}", f"{role} names {column_name!r}, not among its columns", "Declare it"
                )
        if self.part_of and len(self.header_keys) != len(self.part_of.keys):
            raise BadDeclaration(
                f"source {self.name}",
                f"header_key names {', '.join(self.header_keys)}, but {self.part_of.name} has the key "
                f"{', '.join(self.part_of.keys)}",
                "Name one column for each, in the same order",
            )
        if self.event_time and self.declared[self.event_time].type != "timestamp":
            raise BadDeclaration(
                f"source {self.name}", f"event_time {self.event_time!r} is no timestamp", "Declare it as one"
            )
        self._check_choices()
        self._check_stream()

    def _check_stream(self) -> None:
        """Raises BadDeclaration for an unknown value of `arrives`, and for what events cannot have."""
        if self.arrives not in ("in exports", "continuously"):
            problem = f"arrives is {self.arrives!r}"
            raise BadDeclaration(f"source {self.name}", problem, 'Use "in exports" or "continuously"')
        if not self.is_stream:
            return
        if self.key is None or self.event_time is None:
            problem = "arrives continuously, and lacks a key or an event_time"
            remedy = "Declare the column that tells events apart, and the one that says when they happened"
            raise BadDeclaration(f"source {self.name}", problem, remedy)
        editing = {
            "version": self.version,
            "deleted": self.deleted,
            "part_of": self.part_of,
            'exports="snapshots"': self.exports == "snapshots",
            'duplicates="reject"': self.duplicates == "reject",
        }
        if asked := [what for what, is_asked in editing.items() if is_asked]:
            problem = f"arrives continuously, and has {', '.join(asked)}"
            raise BadDeclaration(
                f"source {self.name}", problem, "Events add up: send another one that corrects the first"
            )

    def _check_choices(self) -> None:
        """Raises BadDeclaration for an argument that is none of its allowed values."""
        if self.lines not in ("complete", "changed"):
            raise BadDeclaration(
                f"source {self.name}", f"lines is {self.lines!r}", 'Use "complete" or "changed"; see docs/own-tables.md'
            )
        if self.duplicates not in ("collapse", "reject"):
            problem = f"duplicates is {self.duplicates!r}"
            raise BadDeclaration(f"source {self.name}", problem, 'Use "collapse" or "reject"')
        if self.absent not in ("wait", "empty", "fail"):
            problem = f"absent is {self.absent!r}"
            raise BadDeclaration(f"source {self.name}", problem, 'Use "wait", "empty" or "fail"')
        if self.every is not None and self.every not in EVERY:
            known = f"Use None, or one of {', '.join(EVERY)}"
            raise BadDeclaration(f"source {self.name}", f"every is {self.every!r}", known)
        if isinstance(self.holidays, str) or not all(map(is_holiday, self.holidays)):
            problem = f"holidays are {self.holidays!r}"
            raise BadDeclaration(f"source {self.name}", problem, "Write a list of MM-DD or YYYY-MM-DD")
        if self.new_columns not in ("evolve", "ignore", "freeze"):
            problem = f"new_columns={self.new_columns!r} is none of evolve, ignore, freeze"
            raise BadDeclaration(f"source {self.name}", problem, "Use one of these")

    def _check_kinds(self) -> None:
        """Raises BadDeclaration if an argument has a type that the other checks do not expect."""
        here, share = f"source {self.name}", self.max_rejects
        if not isinstance(self.columns, Mapping):
            raise BadDeclaration(here, "its columns are no mapping", 'Give each a type: {"order_id": "int64"}')
        for name, type_ in self.columns.items():
            if not isinstance(type_.type if isinstance(type_, Column) else type_, str):
                raise BadDeclaration(f"{here}, column {name}", f"its type is {type_!r}", 'Use a text such as "int64"')
        if not isinstance(self.whole, Marker | FileCount | Settled):
            raise BadDeclaration(
                here, f"whole is {self.whole!r}", 'Use Marker("_SUCCESS"), FileCount(4) or Settled(60)'
            )
        if not isinstance(self.csv, Csv):
            raise BadDeclaration(here, f"csv is {self.csv!r}", 'Use Csv(delimiter=";", encoding="cp1252")')
        if self.part_of is not None and not isinstance(self.part_of, Source):
            raise BadDeclaration(here, f"part_of is {self.part_of!r}", "Use the Source itself, not its name")
        if not isinstance(self.timezone, str) or not is_zone(self.timezone):
            raise BadDeclaration(here, f"timezone is {self.timezone!r}", f"Use {ZONE_EXPECTED}")
        if not isinstance(share, int | float) or not 0 <= share <= 1:
            raise BadDeclaration(here, f"max_rejects is {share!r}", "Use a share from 0 to 1; 0.001 is 0.1 %")
        if self.exports not in ("changes", "snapshots"):
            raise BadDeclaration(here, f"exports is {self.exports!r}", 'Use "changes" or "snapshots"')

    def _check_columns(self) -> None:
        """Raises BadDeclaration for a name, a type or a header that cannot be used."""
        for name in [self.name, *self.columns]:
            if not NAME.fullmatch(name):
                raise BadDeclaration(
                    f"source {self.name}", f"{name!r} is not a usable name", "Use lower-case letters, digits and _"
                )
        for name, column in self.declared.items():
            if contradiction := column.contradiction:
                raise BadDeclaration(f"source {self.name}, column {name}", *contradiction)
        for header, count in Counter(header for header, _ in self._headers()).items():
            if count > 1:
                problem = f"several of its columns have the header {header!r}"
                raise BadDeclaration(f"source {self.name}", problem, "Give each column headers of its own")

    def _check_key(self) -> None:
        """Raises BadDeclaration for an empty key and, without a key, for arguments that need one."""
        if self.key == ():
            raise BadDeclaration(
                f"source {self.name}", "its key has no columns", "Name one, or write key=None: then every row counts"
            )
        if self.key is None:
            needing = {
                "version": self.version,
                "deleted": self.deleted,
                'lines="changed"': self.lines == "changed",
                'exports="snapshots"': self.exports == "snapshots",
                'duplicates="reject"': self.duplicates == "reject",
            }
            if asked := [what for what, is_asked in needing.items() if is_asked]:
                problem = f"has key=None, and {', '.join(asked)}, which needs a key"
                raise BadDeclaration(f"source {self.name}", problem, "Declare a key, or leave the other out")
            if ROW_ID in self.columns:
                problem = f"has a column {ROW_ID!r}, which is added to a source without a key"
                raise BadDeclaration(f"source {self.name}", problem, "Declare it as the key, or name it otherwise")
        if self.part_of and self.part_of.key is None:
            problem = f"is part of {self.part_of.name}, which has no key"
            raise BadDeclaration(f"source {self.name}", problem, f"Declare the key of {self.part_of.name}")

    @property
    def declared_keys(self) -> tuple[str, ...]:
        """The key columns that exports have; none where every row counts."""
        return (self.key,) if isinstance(self.key, str) else self.key or ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that tell staged rows apart."""
        return self.declared_keys or (ROW_ID,)

    @property
    def header_keys(self) -> tuple[str, ...]:
        """The columns with the header's key, in the order of that key; none if the rows are no lines."""
        if self.part_of is None:
            return ()
        if self.header_key is None:
            return self.part_of.keys
        return (self.header_key,) if isinstance(self.header_key, str) else self.header_key

    @property
    def is_stream(self) -> bool:
        """Whether its rows are events that arrive all day."""
        return self.arrives == "continuously"

    @property
    def is_pulled(self) -> bool:
        """Whether its exports are pulled where STAR_SOURCE_DSN names a database."""
        return self.pulled and not self.is_stream

    def expects(self, day: str) -> bool:
        """Whether an export of the day is expected."""
        return not self.is_stream and is_expected(day, self.every, self.holidays)

    def waits_for(self, day: str) -> bool:
        """Whether a day without an export is missing, and not empty."""
        return self.absent != "empty" and self.expects(day)

    # Cached, as is `by_header`: each header of each file is looked up in them.
    @cached_property
    def declared(self) -> dict[str, Column]:
        """The declared columns, in order."""
        return {name: column if isinstance(column, Column) else Column(column) for name, column in self.columns.items()}

    def _headers(self) -> Iterator[tuple[str, str]]:
        for name, column in self.declared.items():
            yield from ((header, name) for header in column.headers or (name,))

    @cached_property
    def by_header(self) -> dict[str, str]:
        """The declared column of each header that exports may have, in lower case."""
        return dict(self._headers())

    @property
    def staged(self) -> dict[str, Column]:
        """The columns of staged rows: the declared ones, and `row_id` if the source has no key."""
        return self.declared if self.key is not None else {**self.declared, ROW_ID: Column("string", _ROW_ID)}

    @property
    def required_values(self) -> tuple[str, ...]:
        """The columns in which a NULL makes a row invalid: the keys and the event time."""
        event = (self.event_time,) if self.event_time else ()
        return tuple(dict.fromkeys((*self.declared_keys, *self.header_keys, *event)))

    @property
    def tombstone(self) -> tuple[str, str] | None:
        """The column and the value that mark a tombstone; None if the source has no tombstones."""
        if self.deleted is None:
            return None
        found = _DELETED.fullmatch(self.deleted)
        if not found:
            raise BadDeclaration(
                f"source {self.name}", f"cannot read deleted={self.deleted!r}", "Write \"column = 'value'\""
            )
        return found[1], found[2].replace("''", "'")

    def __getitem__(self, column: str) -> SourceColumn:
        """One column, to say where a dimension's inferred members come from."""
        if column not in self.staged:
            raise BadDeclaration(f"source {self.name}", f"has no column {column!r}", "Declare it")
        return SourceColumn(self, column)
