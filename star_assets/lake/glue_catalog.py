"""The catalog of a lake on AWS, kept in Glue's Data Catalog.

Here: the calls to Glue, their limits, what each of their errors means. Not here: the form of
an entry in Glue (glue_entries), keeping entries in step with the ledgers (publish).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from star_assets.lake.aws import Client, aws_errors, code, in_batches, refused, region
from star_assets.lake.catalog import Catalog, ColumnStatistics, PartitionEntry, TableEntry, folded
from star_assets.lake.consoles import table_page
from star_assets.lake.glue_entries import partition_entry, partition_input, table_entry, table_input
from star_assets.lake.glue_statistics import GlueStatistics
from star_assets.model.errors import AwsBusy, AwsRefused, LostRace, NotOurs

if TYPE_CHECKING:
    from star_assets.settings import Settings

# Glue's limits per call. The reply to a batch that succeeds may still list failed
# partitions in `Errors`, so every reply is searched for them.
CREATE_BATCH, UPDATE_BATCH, DELETE_BATCH, GET_BATCH = 100, 100, 25, 1000

# Partitions come in pages of at most a thousand. A table with more is read in this
# many segments at the same time; Glue allows up to ten.
SEGMENTS = 8

# The number of calls at the same time.
AT_ONCE = 8

# How often a change is tried, because another process may change the table, or make
# the partition, between the read and the write.
ROUNDS = 10


class _Absent(Exception):
    """Glue has no such database, table or partition."""


class _Exists(Exception):
    """Glue has this database, table or partition already."""


class _Moved(AwsBusy):
    """Another process changed the table after it was read, or is changing it now."""


_MOVED = "ConcurrentModificationException"
_ANSWERS = {"EntityNotFoundException": _Absent, "AlreadyExistsException": _Exists}


class GlueCatalog(Catalog):
    """The databases of this account and region whose names in Glue begin with `prefix`; names here are without it.

    Updates tell Glue not to archive table versions: it keeps a limited number, and the ledgers name past versions.
    """

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.client = Client("glue")
        self.statistics = GlueStatistics()

    has_crawlers = True

    @property
    def takes_statistics(self) -> bool:
        """Whether the catalog stores column statistics: True until Glue refuses some."""
        return self.statistics.taken

    def database_name(self, database: str) -> str:
        """The database's name in Glue: the prefix, then its name here."""
        return f"{self.prefix}{database}"

    def page(self, database: str, table: str) -> str:
        """The URL of the table's page in Glue's console."""
        return table_page(region(), self.database_name(database), table)

    def databases(self) -> list[str]:
        """The names of the databases, sorted."""
        names = [found["Name"] for found in self._all("get_databases", "DatabaseList", "Glue's databases")]
        return sorted(name.removeprefix(self.prefix) for name in names if name.startswith(self.prefix))

    def create_database(self, name: str) -> None:
        """Make a database; one that exists is no error."""
        with suppress(_Exists):
            self._call("create_database", self._name(name), DatabaseInput={"Name": self._name(name)})

    def drop_database(self, name: str) -> None:
        """Drop an empty database. Raises ValueError if it holds tables."""
        # Glue itself would drop the tables too.
        if self.tables(name):
            raise ValueError(f"database {name} holds tables")
        with suppress(_Absent):
            self._call("delete_database", self._name(name), Name=self._name(name))

    def tables(self, database: str) -> list[TableEntry]:
        """Every table and view of a database, by name."""
        try:
            name = self._name(database)
            found = list(self._all("get_tables", "TableList", name, DatabaseName=name))
        except _Absent:
            return []
        return sorted((table_entry(one, database.lower(), self.prefix) for one in found), key=lambda entry: entry.name)

    def table(self, database: str, name: str) -> TableEntry | None:
        """One table or view; None if there is none."""
        found = self._table(database, name)
        return found[0] if found else None

    def put_table(self, entry: TableEntry) -> None:
        """Create a table, or replace its definition; partitions of the same columns stay. Raises NotOurs."""
        entry = folded(entry)
        for _ in range(ROUNDS):
            found = self._table(entry.database, entry.name)
            if found and found[0].is_ours != entry.is_ours:
                raise NotOurs(f"{entry.database}.{entry.name}")
            if found and found[0] == entry:
                return
            if found and found[0].keys != entry.keys:
                self.drop_table(entry.database, entry.name)
                found = None
            with suppress(_Absent, _Exists, _Moved):
                self._put_table(entry, found[1] if found else None)
                return
        raise AwsBusy(self._name(entry.database, entry.name), "others changed the table each time that it was written")

    def replace_table(self, found: TableEntry | None, entry: TableEntry) -> None:
        """Put a table if it is still equal to `found` (None: if it does not exist). Raises LostRace, NotOurs."""
        entry = folded(entry)
        if found == entry:
            return
        if found and found.is_ours != entry.is_ours:
            raise NotOurs(f"{entry.database}.{entry.name}")
        try:
            self._put_table(entry, found.revision if found else None)
        except (_Absent, _Exists, _Moved) as error:
            raise LostRace(f"{entry.database}.{entry.name}") from error

    def drop_table(self, database: str, name: str) -> None:
        """Forget a table and its partitions; one that is gone is no error. Files stay."""
        with suppress(_Absent):
            self._call("delete_table", self._name(database, name), DatabaseName=self._name(database), Name=name.lower())

    def partitions(self, database: str, name: str) -> list[PartitionEntry]:
        """Every partition of a table, by values."""
        try:
            return self._partitions(database, name)
        except _Absent:
            return []

    def pages(self, database: str, name: str) -> Iterator[list[PartitionEntry]]:
        """Every partition of a table, page by page."""
        given: dict[str, Any] = {"DatabaseName": self._name(database), "TableName": name.lower()}
        with suppress(_Absent):
            while True:
                reply = self._call("get_partitions", self._name(database, name), **given)
                yield list(map(partition_entry, reply["Partitions"]))
                if not reply.get("NextToken"):
                    return
                given["NextToken"] = reply["NextToken"]

    def some_partitions(self, database: str, name: str, values: Sequence[tuple[str, ...]]) -> list[PartitionEntry]:
        """The partitions with these values. Values without a partition are left out."""
        given = {"DatabaseName": self._name(database), "TableName": name.lower()}
        found: list[PartitionEntry] = []
        left: list[tuple[str, ...]] = []
        with suppress(_Absent):
            for batch in in_batches(list(values), GET_BATCH):
                keys, progress = [{"Values": list(one)} for one in batch], True
                while keys and progress:
                    reply = self._call("batch_get_partition", self._name(database, name), **given, PartitionsToGet=keys)
                    found += map(partition_entry, reply.get("Partitions", ()))
                    unprocessed = reply.get("UnprocessedKeys", [])
                    keys, progress = unprocessed, len(unprocessed) < len(keys)
                left += (tuple(key["Values"]) for key in keys)
            if left:
                # Glue makes no progress with these keys; some endpoints also list keys here that do not exist.
                found += (one for one in self._partitions(database, name) if one.values in left)
        return found

    def snapshot(
        self, tables: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], tuple[TableEntry, list[PartitionEntry]]]:
        """Several tables, as (database, name), with their partitions by values; read one after another."""

        def look(key: tuple[str, str]) -> tuple[TableEntry, list[PartitionEntry]] | None:
            found = self.table(*key)
            if found is None:
                return None
            return found, self.partitions(*key) if found.partition_columns else []

        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = zip(tables, pool.map(look, tables), strict=True)
            return {key: table for key, table in found if table}

    def put_partitions(self, database: str, name: str, entries: Sequence[PartitionEntry]) -> None:
        """Create or replace partitions, each at once. Raises KeyError if there is no such table."""
        found = self._table(database, name)
        if found is None:
            raise KeyError(f"{database}.{name}".lower())
        inputs = {entry.values: partition_input(entry, found[0]) for entry in entries}
        # Creating reports the partitions that exist, updating those that do not; each goes to the other call.
        for _ in range(ROUNDS):
            try:
                inputs = self._batches("batch_create_partition", database, name, inputs)
                inputs = self._batches("batch_update_partition", database, name, inputs)
            except _Absent as error:
                raise KeyError(f"{database}.{name}".lower()) from error
            if not inputs:
                return
        raise AwsBusy(self._name(database, name), "others made and dropped partitions each time that they were written")

    def drop_partitions(self, database: str, name: str, values: Sequence[tuple[str, ...]]) -> None:
        """Forget partitions; one that is gone is no error. Files stay."""
        with suppress(_Absent):
            self._batches("batch_delete_partition", database, name, {one: {"Values": list(one)} for one in values})

    def put_statistics(
        self, database: str, name: str, entries: Mapping[tuple[str, ...], Sequence[ColumnStatistics]]
    ) -> None:
        """Store column statistics of partitions, by values; those of a table without partitions under `()`."""
        self.statistics.put(self._name(database), name.lower(), entries)

    # Tables

    def _table(self, database: str, name: str) -> tuple[TableEntry, str] | None:
        """A table and its VersionId; None if there is none."""
        try:
            reply = self._call(
                "get_table", self._name(database, name), DatabaseName=self._name(database), Name=name.lower()
            )
        except _Absent:
            return None
        revision = reply["Table"].get("VersionId", "")
        return replace(table_entry(reply["Table"], database.lower(), self.prefix), revision=revision), revision

    def _put_table(self, entry: TableEntry, version: str | None) -> None:
        """Create the table (`version` is None), or replace it if its VersionId is still `version`."""
        database, what = self._name(entry.database), self._name(entry.database, entry.name)
        given = {"DatabaseName": database, "TableInput": table_input(entry, self.prefix)}
        if version is None:
            try:
                self._call("create_table", what, **given)
            except _Absent:
                self.create_database(entry.database)
                self._call("create_table", what, **given)
        else:
            checked = {"VersionId": version} if version else {}
            self._call("update_table", what, **given, SkipArchive=True, **checked)

    # Partitions

    def _partitions(self, database: str, name: str) -> list[PartitionEntry]:
        given = {"DatabaseName": self._name(database), "TableName": name.lower()}
        what = self._name(database, name)
        first = self._call("get_partitions", what, **given)
        found = first["Partitions"]
        if first.get("NextToken"):

            def segment(number: int) -> list[dict[str, Any]]:
                wanted = {"SegmentNumber": number, "TotalSegments": SEGMENTS}
                return list(self._all("get_partitions", "Partitions", what, **given, Segment=wanted))

            with ThreadPoolExecutor(SEGMENTS) as pool:
                found = [one for several in pool.map(segment, range(SEGMENTS)) for one in several]
        return sorted(map(partition_entry, found), key=lambda entry: entry.values)

    def _batches(
        self, operation: str, database: str, name: str, inputs: Mapping[tuple[str, ...], dict[str, Any]]
    ) -> dict[tuple[str, ...], dict[str, Any]]:
        """Apply an operation to every partition. Returns the partitions that others made or dropped before."""
        size, listed = {
            "batch_create_partition": (CREATE_BATCH, "PartitionInputList"),
            "batch_update_partition": (UPDATE_BATCH, "Entries"),
            "batch_delete_partition": (DELETE_BATCH, "PartitionsToDelete"),
        }[operation]
        what, given = self._name(database, name), {"DatabaseName": self._name(database), "TableName": name.lower()}

        def apply(batch: list[tuple[tuple[str, ...], dict[str, Any]]]) -> list[tuple[str, ...]]:
            entries = [one for _, one in batch]
            if operation == "batch_update_partition":
                entries = [{"PartitionValueList": one["Values"], "PartitionInput": one} for one in entries]
            reply = self._call(operation, what, **given, **{listed: entries})
            return [_left(error, what, operation) for error in reply.get("Errors", ())]

        with ThreadPoolExecutor(AT_ONCE) as pool:
            left = {values for several in pool.map(apply, in_batches(list(inputs.items()), size)) for values in several}
        return {values: one for values, one in inputs.items() if values in left}

    # Calls

    def _all(self, operation: str, listed: str, what: str, **given: Any) -> Iterator[dict[str, Any]]:
        """Every item that a paged call lists."""
        while True:
            reply = self._call(operation, what, **given)
            yield from reply.get(listed, ())
            if not reply.get("NextToken"):
                return
            given["NextToken"] = reply["NextToken"]

    def _call(self, operation: str, what: str, **given: Any) -> dict[str, Any]:
        """The reply to one call. Raises _Absent, _Exists, _Moved, and for other errors those of `aws.refused`."""
        from botocore.exceptions import ClientError

        action = _action(operation)
        try:
            with aws_errors(f"Glue {what}", action):
                reply: dict[str, Any] = getattr(self.client(), operation)(**given)
                return reply
        except ClientError as error:
            if code(error) == _MOVED:
                raise _Moved(f"Glue {what}", f"{action} was answered with {_MOVED}") from error
            answer = _ANSWERS.get(code(error))
            raise (answer() if answer else refused(error, f"Glue {what}", action)) from error

    def _name(self, database: str, table: str | None = None) -> str:
        """The name in Glue of a database; with a table, `database.table` for error messages."""
        return self.database_name(database).lower() + (f".{table.lower()}" if table else "")


def _action(operation: str) -> str:
    """The IAM action of a call."""
    return "glue:" + operation.title().replace("_", "")


def _left(error: Mapping[str, Any], what: str, operation: str) -> tuple[str, ...]:
    """The values of a partition in `Errors` that others made, dropped or changed meanwhile. Raises for other errors."""
    values = tuple(error.get("PartitionValues") or error.get("PartitionValueList") or ())
    detail = error.get("ErrorDetail", {})
    found, message = detail.get("ErrorCode", ""), detail.get("ErrorMessage", "").rstrip(".")
    if found in (*_ANSWERS, _MOVED):
        return values
    where, problem = f"Glue {what} {'/'.join(values)}", f"{_action(operation)} failed with {found}: {message}"
    if "Internal" in found or "Timeout" in found:
        raise AwsBusy(where, problem)
    raise AwsRefused(where, problem, "Correct it, and `star-assets repair` registers what is live")


def open_glue(settings: Settings) -> GlueCatalog:
    """The catalog of a lake on AWS."""
    return GlueCatalog(settings.glue_prefix)
