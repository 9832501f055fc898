"""A local stand-in for Amazon Data Firehose: accepts records, keeps them on disk, and delivers them into a lake.

Here: PutRecord, PutRecordBatch and DescribeDeliveryStream, buffering, delivery, and faults for tests. An accepted
record survives `kill -9`. Records are delivered at least once. Not here: HTTP (server). Signatures of requests are
not checked.
"""

from __future__ import annotations

import base64
import json
import logging
import sqlite3
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from threading import Lock
from typing import Any

from star_assets.lake.storage import Storage
from star_assets.model.errors import LakeRefused, StarError
from star_assets.tills.stream import Stream

# Firehose's limits of one call, and of one record.
MOST_RECORDS, MOST_BYTES, MOST_RECORD_BYTES = 500, 4 * 2**20, 1_024_000

SLOW_DOWN = "ServiceUnavailableException", "Slow down."

log = logging.getLogger(__name__)


class Refusal(Exception):
    """The error for a refused call, with the code and message of Firehose's API."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Faults:
    """Faults to inject for tests, as probabilities from 0 to 1; none by default.

    Args:
        refused: of a record in a batch to be refused, while others are accepted.
        throttled: of a call to be refused as a whole.
        unanswered: of a call whose records are accepted to lose its answer.
        duplicated: of a record to be delivered once more, with the next object.
        delayed: of an object to be delivered `delay` after it is due.
        failed: of a record to go to the prefix of errors, as after a failed transformation.
    """

    refused: float = 0
    throttled: float = 0
    unanswered: float = 0
    duplicated: float = 0
    delayed: float = 0
    failed: float = 0
    delay: timedelta = timedelta(hours=2)
    seed: int = 7


NO_FAULTS = Faults()


class Firehose:
    """One delivery stream. Its methods are those of boto3's client, so that a Gateway takes either.

    `journal` is the file that keeps accepted records until they are delivered. Records that an earlier process
    left there are due at once, under the same object names, so that repeating a delivery is idempotent.
    Raises LakeRefused if another process has the journal open.
    """

    def __init__(
        self,
        stream: Stream,
        storage: Storage,
        journal: Path,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        faults: Faults = NO_FAULTS,
    ) -> None:
        self.stream, self.storage, self.clock, self.faults = stream, storage, clock, faults
        self._chance = Random(faults.seed)
        self._accepting, self._delivering = Lock(), Lock()
        self._journal = _open_journal(journal)
        # When each object is due. An object is named by the moment in which its first record arrived.
        self._due = {name: self.clock() for (name,) in self._journal.execute("SELECT DISTINCT object FROM record")}
        self._open, self._open_bytes = "", 0
        self._duplicates: list[bytes] = []

    def put_record(self, **request: Any) -> dict[str, Any]:
        """Accept one record. Raises Refusal."""
        records = [request["Record"]]
        (answer,) = self.put_record_batch(**{**request, "Records": records})["RequestResponses"]
        if "ErrorCode" in answer:
            raise Refusal(answer["ErrorCode"], answer["ErrorMessage"])
        return {**answer, "Encrypted": False}

    def put_record_batch(self, **request: Any) -> dict[str, Any]:
        """Accept up to 500 records; each may be refused by itself. Raises Refusal, ConnectionError."""
        self._require_stream(request)
        records = [bytes(record["Data"]) for record in request["Records"]]
        _require_limits(records)
        if self._by_chance(self.faults.throttled):
            raise Refusal(*SLOW_DOWN)
        is_accepted = [not self._by_chance(self.faults.refused) for _ in records]
        self._keep([record for record, accepted in zip(records, is_accepted, strict=True) if accepted])
        if self._by_chance(self.faults.unanswered):
            raise ConnectionResetError("The answer is lost.")
        error, message = SLOW_DOWN
        refused = {"ErrorCode": error, "ErrorMessage": message}
        answers = [{"RecordId": uuid.uuid4().hex} if accepted else refused for accepted in is_accepted]
        return {"FailedPutCount": is_accepted.count(False), "Encrypted": False, "RequestResponses": answers}

    def describe_delivery_stream(self, **request: Any) -> dict[str, Any]:
        """The stream's description. Raises Refusal."""
        self._require_stream(request)
        destination = {"DestinationId": "destinationId-1", "ExtendedS3DestinationDescription": self.stream.destination}
        description = {
            "DeliveryStreamName": self.stream.name,
            "DeliveryStreamARN": f"arn:aws:firehose:us-east-1:111122223333:deliverystream/{self.stream.name}",
            "DeliveryStreamStatus": "ACTIVE",
            "DeliveryStreamType": "DirectPut",
            "VersionId": "1",
            "Destinations": [destination],
            "HasMoreDestinations": False,
        }
        return {"DeliveryStreamDescription": description}

    def deliver(self, *, everything: bool = False) -> list[str]:
        """Write the objects that are due, or `everything` that was accepted. Returns their paths.

        An object that cannot be written stays in the journal, and the next call tries again.
        """
        with self._delivering:
            with self._accepting:
                self._close(everything)
                now = self.clock()
                due = sorted(name for name, moment in self._due.items() if everything or moment <= now)
            return [path for name in due if (path := self._delivered(name))]

    def close(self) -> None:
        """Close the journal. Undelivered records stay in it."""
        self._journal.close()

    @property
    def waiting(self) -> int:
        """How many accepted records are not delivered yet."""
        with self._accepting:
            (count,) = self._journal.execute("SELECT count(*) FROM record").fetchone()
        return int(count)

    def _require_stream(self, request: Mapping[str, Any]) -> None:
        asked = request["DeliveryStreamName"]
        if asked != self.stream.name:
            raise Refusal(
                "ResourceNotFoundException", f"There is no stream {asked}; the one here is {self.stream.name}."
            )

    def _keep(self, records: Sequence[bytes]) -> None:
        """Add records to the open object, and write them to the journal."""
        kept: list[bytes] = []
        failed: list[bytes] = []
        for record in records:
            (failed if self._by_chance(self.faults.failed) else kept).append(record)
        with self._accepting:
            self._close()
            now = self.clock()
            rows = []
            if kept:
                if not self._open:
                    self._open = _object_name(now)
                    kept, self._duplicates = [*self._duplicates, *kept], []
                rows += [(self._open, record) for record in kept]
                self._open_bytes += sum(map(len, kept))
                self._duplicates += [record for record in kept if self._by_chance(self.faults.duplicated)]
            if failed:
                name = _object_name(now, "processing-failed")
                rows += [(name, _failure(record, now)) for record in failed]
                self._due[name] = now
            with self._journal:
                self._journal.executemany("INSERT INTO record VALUES (?, ?)", rows)

    def _close(self, everything: bool = False) -> None:
        """Close the open object if it is full, or its first record has waited for long enough."""
        if not self._open:
            return
        due = _arrival(self._open) + self.stream.interval
        if everything or self._open_bytes >= self.stream.size or self.clock() >= due:
            delay = self.faults.delay if self._by_chance(self.faults.delayed) else timedelta()
            self._due[self._open] = self.clock() + delay
            self._open, self._open_bytes = "", 0

    def _delivered(self, name: str) -> str | None:
        arrived, unique, error = name.split("/")
        with self._accepting:
            found = self._journal.execute("SELECT data FROM record WHERE object = ? ORDER BY rowid", (name,)).fetchall()
        path = self.stream.path(datetime.fromisoformat(arrived), unique, error)
        try:
            self.storage.write(path, self.stream.content(data for (data,) in found))
        except StarError as problem:
            log.warning("%s was not delivered, and is tried again: %s", path, problem)
            return None
        with self._accepting:
            with self._journal:
                self._journal.execute("DELETE FROM record WHERE object = ?", (name,))
            del self._due[name]
        return path

    def _by_chance(self, share: float) -> bool:
        return share > 0 and self._chance.random() < share


def _open_journal(journal: Path) -> sqlite3.Connection:
    """The journal, locked for this process until it ends. Raises LakeRefused."""
    opened = sqlite3.connect(journal, check_same_thread=False, timeout=1)
    try:
        # Without flushes to disk: records must survive the end of this process, not of the machine.
        opened.executescript(
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = OFF; BEGIN IMMEDIATE; "
            "CREATE TABLE IF NOT EXISTS record (object TEXT, data BLOB); "
            "CREATE INDEX IF NOT EXISTS record_object ON record (object); COMMIT"
        )
    except sqlite3.OperationalError as error:
        opened.close()
        remedy = "End the other process that uses the file, or allow this one to write it"
        raise LakeRefused(str(journal), f"no Firehose can keep records there: {error}", remedy) from error
    return opened


def _require_limits(records: Sequence[bytes]) -> None:
    """Raises Refusal for a batch that Firehose refuses as a whole."""
    problem = ""
    if not 1 <= len(records) <= MOST_RECORDS:
        problem = f"{len(records)} records; a batch has 1 to {MOST_RECORDS}."
    elif (largest := max(map(len, records))) > MOST_RECORD_BYTES:
        problem = f"A record of {largest:,} bytes; the most are {MOST_RECORD_BYTES:,}."
    elif (total := sum(map(len, records))) > MOST_BYTES:
        problem = f"{total:,} bytes; a batch has at most {MOST_BYTES:,}."
    if problem:
        raise Refusal("InvalidArgumentException", problem)


def _object_name(arrived: datetime, error: str = "") -> str:
    return f"{arrived.astimezone(UTC).isoformat()}/{uuid.uuid4()}/{error}"


def _arrival(name: str) -> datetime:
    return datetime.fromisoformat(name.partition("/")[0])


def _failure(record: bytes, moment: datetime) -> bytes:
    """A record as Firehose writes it below the prefix of errors: its bytes are in `rawData`."""
    milliseconds = int(moment.timestamp() * 1000)
    failure = {
        "attemptsMade": 1,
        "arrivalTimestamp": milliseconds,
        "errorCode": "Lambda.FunctionError",
        "errorMessage": "It fails on request.",
        "attemptEndingTimestamp": milliseconds,
        "rawData": base64.b64encode(record).decode(),
    }
    return json.dumps(failure).encode()
