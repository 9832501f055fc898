"""The Athena service, asked through PyAthena.

Here: running statements, their cost, their rows as Arrow tables. Not here: the age up to which
results are reused (reuse), messages for its errors (service_failures), credentials and
retries (lake/aws).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from typing import Any

from star_assets import prices
from star_assets.athena.client import Athena, Execution, Result
from star_assets.athena.ddl.reader import Reader
from star_assets.athena.ddl.repair import has_versions, repair
from star_assets.athena.ddl.statements import printed, require_not_ours
from star_assets.athena.parse import Statement, split
from star_assets.athena.service.failures import Place, failure, refusal
from star_assets.athena.service.reuse import longest_age
from star_assets.athena.service.rows import arrow_table, printed_table
from star_assets.lake.aws import Client, aws_errors, config, session
from star_assets.lake.catalog import Catalog
from star_assets.lake.storage import Storage
from star_assets.model.errors import BadSetting, StarError

# Seconds between two requests for a running query's state.
POLL = 0.5

# Statements that change the table they name.
_CHANGES = ("ALTER TABLE", "DROP TABLE IF EXISTS", "DROP TABLE", "INSERT INTO")


class AthenaService(Athena):
    """Runs statements on the Athena service, in a workgroup. Athena gets each statement's text unchanged.

    Athena writes results to `output`, or to the workgroup's location. The history of queries and the
    limit of bytes per query are the workgroup's. In SQL, the names of databases begin with `prefix`,
    as in Glue. Statements that would change one of the star's tables are refused, because only a
    publish changes those. MSCK REPAIR TABLE over the folder of such a table, which has several
    versions of a day, registers the live ones.
    """

    def __init__(
        self,
        storage: Storage,
        catalog: Catalog,
        *,
        workgroup: str,
        output: str | None = None,
        prefix: str = "",
        database: str = "olap",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.storage, self.catalog = storage, catalog
        self.workgroup, self.output, self.prefix, self.database = workgroup, output, prefix, database
        self.clock = clock
        self.connection = Client("athena", self._connected)

    def results(self, sql: str) -> Iterator[Result]:
        """Run the statements of `sql` in order. Yields each result as soon as it is there."""
        for statement in split(sql):
            yield self._kept_from_athena(statement) or self._run(statement)

    def _run(self, statement: Statement) -> Result:
        started = time.perf_counter()
        minutes = longest_age(self.storage, self.catalog, statement, self.database, self.prefix, self.clock())
        cursor = self.connection().cursor()
        with self._errors_of(statement, cursor):
            cursor.execute(statement.text, result_reuse_enable=minutes > 0, result_reuse_minutes=minutes)
            rows = cursor.fetchall()
        columns = cursor.description or []
        is_query = cursor.statement_type == "DML" and bool(columns)
        table, types = (arrow_table if is_query else printed_table)(columns, rows)
        return Result(
            table,
            types,
            bytes_scanned=cursor.data_scanned_in_bytes or 0,
            seconds=time.perf_counter() - started,
            statement="query" if is_query else "ddl",
            execution=_execution(cursor),
        )

    def _kept_from_athena(self, statement: Statement) -> Result | None:
        """The answer to MSCK over versions, which Athena would do wrongly; None for what Athena may run.

        Raises BadQuery for a statement that would change one of the star's tables.
        """
        self._require_tables_kept(Reader(statement, self.database))
        reader = Reader(statement, f"{self.prefix}{self.database}")
        is_repair = reader.accept("MSCK REPAIR TABLE")
        if not is_repair and not any(reader.accept(words) for words in _CHANGES):
            return None
        database, name = reader.table()
        if not database.startswith(self.prefix):
            return None
        entry = self.catalog.table(database.removeprefix(self.prefix), name)
        if entry and is_repair and has_versions(self.storage, entry):
            lines, notices = repair(self.storage, self.catalog, entry)
            return printed("result", lines, notices)
        if entry and not is_repair:
            require_not_ours(entry, reader)
        return None

    def _require_tables_kept(self, reader: Reader) -> None:
        """Raises BadQuery for a DROP DATABASE … CASCADE that would drop tables of the star."""
        if not (reader.accept("DROP DATABASE") or reader.accept("DROP SCHEMA")):
            return
        reader.accept("IF EXISTS")
        database = reader.name("a database")
        if reader.accept("CASCADE") and database.startswith(self.prefix):
            for entry in self.catalog.tables(database.removeprefix(self.prefix)):
                require_not_ours(entry, reader)

    # PyAthena

    def _connected(self) -> Any:
        """A connection of PyAthena with the session and the retries of lake/aws."""
        try:
            import pyathena
            from pyathena.util import RetryConfig
        except ImportError as error:
            expected = "pyathena to be installed: pip install 'star_assets[aws]'"
            raise BadSetting("STAR_ATHENA_WORKGROUP", self.workgroup, expected) from error
        # PyAthena logs each error with a traceback before it raises it.
        logging.getLogger("pyathena").setLevel(logging.CRITICAL + 1)
        return pyathena.connect(
            session=session(),
            config=config(),
            retry_config=RetryConfig(attempt=1),
            work_group=self.workgroup,
            # Not None, for which PyAthena would read an environment variable of its own.
            s3_staging_dir=self.output or "",
            schema_name=f"{self.prefix}{self.database}",
            converter=_texts(),
            poll_interval=POLL,
            kill_on_interrupt=True,
        )

    @contextmanager
    def _errors_of(self, statement: Statement, cursor: Any) -> Iterator[None]:
        """Turn PyAthena's errors into the model's. If this process is interrupted, cancel the statement."""
        import pyathena
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except pyathena.Error as error:
            place, cause = Place(self.workgroup, self.prefix, cursor.query_id), error.__cause__
            if isinstance(cause, ClientError):
                raise refusal(cause, statement, place) from error
            if isinstance(cause, BotoCoreError):
                with aws_errors(str(place), "athena"):
                    raise cause from error
            raise self._failure(statement, place) from error
        except Exception:
            raise
        except BaseException:
            with suppress(pyathena.Error):
                cursor.cancel()
            raise

    def _failure(self, statement: Statement, place: Place) -> StarError:
        """The error for a statement that failed while Athena ran it."""
        reply = self._ask(statement, place, "get_query_execution", QueryExecutionId=place.query_id)
        return failure(reply["QueryExecution"], statement, place, lambda: self._limit(statement, place))

    def _limit(self, statement: Statement, place: Place) -> int | None:
        """The workgroup's limit of bytes that a query may scan; None if there is none, or reading it is not allowed."""
        with suppress(StarError):
            reply = self._ask(statement, place, "get_work_group", WorkGroup=self.workgroup)
            found: int | None = reply["WorkGroup"].get("Configuration", {}).get("BytesScannedCutoffPerQuery")
            return found
        return None

    def _ask(self, statement: Statement, place: Place, operation: str, **given: Any) -> Any:
        from botocore.exceptions import ClientError

        try:
            with aws_errors(str(place), "athena"):
                return getattr(self.connection().client, operation)(**given)
        except ClientError as error:
            raise refusal(error, statement, place) from error


def _texts() -> Any:
    """A converter that keeps values as the texts that Athena sends, which Arrow then converts by the column."""
    from pyathena.converter import DefaultTypeConverter

    converter = DefaultTypeConverter()
    for type_ in list(converter.mappings):
        converter.remove(type_)
    return converter


def _execution(cursor: Any) -> Execution:
    scanned, reused = cursor.data_scanned_in_bytes or 0, bool(cursor.reused_previous_result)
    is_charged = cursor.statement_type == "DML" and not reused
    return Execution(
        cursor.query_id,
        (cursor.query_queue_time_in_millis or 0) / 1000,
        (cursor.engine_execution_time_in_millis or 0) / 1000,
        prices.athena_query(scanned) if is_charged else Decimal(0),
        reused,
    )
