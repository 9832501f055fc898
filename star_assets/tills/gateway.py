"""What a store's gateway sends its tills' events with: kept on disk first, then put to Firehose until it has them.

It needs Python and boto3's client, and nothing of this package: the file can be copied to a gateway.

    gateway = Gateway(boto3.client("firehose"), "shop-tills", Path("/var/lib/tills/events.db"))
    gateway.ring({"event_id": …})     # returns when the event is on disk
    gateway.keep_sending(stopped)     # in a thread, or in a process of its own
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import uniform
from threading import Event
from typing import Any, Protocol

# Firehose's limits of one call, and of one record. A delimiter comes on top of a record.
MOST_RECORDS, MOST_BYTES, MOST_RECORD_BYTES = 500, 4 * 2**20, 1_024_000

# Pauses between passes, in seconds: the usual one, and the longest after passes that failed.
PAUSE, LONGEST_PAUSE = 1.0, 60.0

log = logging.getLogger(__name__)


class Client(Protocol):
    """What is needed of boto3's client of Firehose."""

    def put_record_batch(self, **request: Any) -> dict[str, Any]:
        """Put records; some may be refused although the call succeeds."""
        ...


@dataclass(frozen=True)
class Pass:
    """What a pass over the waiting events came to: how many Firehose took, how many it refused, and a problem."""

    sent: int = 0
    refused: int = 0
    problem: str = ""


class Gateway:
    """Events that wait in an SQLite file, and the stream that they are put to.

    An event leaves the file when Firehose has accepted it, not before: each is sent at least once, and sent again
    under the same `event_id` if an answer was lost. Several processes may share the file; one of them should send.
    """

    def __init__(self, client: Client, stream: str, file: Path) -> None:
        self.client, self.stream, self.file = client, stream, file
        with closing(self._open()) as opened:
            opened.executescript(
                "PRAGMA journal_mode = WAL;"
                "CREATE TABLE IF NOT EXISTS event (number INTEGER PRIMARY KEY AUTOINCREMENT, content BLOB NOT NULL)"
            )

    def ring(self, *events: Mapping[str, Any]) -> None:
        """Keep events, all or none; when this returns, they survive a power cut.

        Raises ValueError for an event that Firehose would refuse for its size.
        """
        contents = [json.dumps(event, ensure_ascii=False, default=str).encode() for event in events]
        for content in contents:
            if len(content) > MOST_RECORD_BYTES:
                raise ValueError(f"An event of {len(content):,} bytes: Firehose takes {MOST_RECORD_BYTES:,} at most.")
        with closing(self._open()) as opened, opened:
            opened.executemany("INSERT INTO event (content) VALUES (?)", [(content,) for content in contents])

    @property
    def waiting(self) -> int:
        """How many events Firehose has not accepted yet."""
        with closing(self._open()) as opened:
            (count,) = opened.execute("SELECT count(*) FROM event").fetchone()
        return int(count)

    def send(self) -> Pass:
        """Put each waiting event once. Those that are refused, and all after a call that fails, go on waiting."""
        sent = refused = 0
        with closing(self._open()) as opened:
            for batch in _batches(opened):
                request = [{"Data": content} for _, content in batch]
                # Whatever the reason, the events are kept and tried again, until somebody mends it.
                try:
                    answer = self.client.put_record_batch(DeliveryStreamName=self.stream, Records=request)
                except Exception as error:
                    return Pass(sent, refused, f"{type(error).__name__}: {error}")
                answers = answer["RequestResponses"]
                done = [(number,) for (number, _), one in zip(batch, answers, strict=True) if not one.get("ErrorCode")]
                with opened:
                    opened.executemany("DELETE FROM event WHERE number = ?", done)
                sent, refused = sent + len(done), refused + len(batch) - len(done)
        return Pass(sent, refused)

    def keep_sending(self, stopped: Event) -> None:
        """Send what waits and what comes, until `stopped` is set. Pauses grow while Firehose refuses."""
        failures = 0
        while not stopped.is_set():
            done = self.send()
            failures = failures + 1 if done.problem or done.refused else 0
            if done.problem:
                log.warning("%d events wait for %s: %s", self.waiting, self.stream, done.problem)
            # By chance, so that gateways that failed together do not come back together.
            stopped.wait(uniform(PAUSE, min(PAUSE * 2**failures, LONGEST_PAUSE)))

    def _open(self) -> sqlite3.Connection:
        opened = sqlite3.connect(self.file, timeout=60)
        opened.execute("PRAGMA synchronous = FULL")
        return opened


def _batches(opened: sqlite3.Connection) -> Iterator[list[tuple[int, bytes]]]:
    """The events that wait now, oldest first, in batches that fit into a call."""
    (last,) = opened.execute("SELECT coalesce(max(number), 0) FROM event").fetchone()
    number = 0
    while True:
        batch: list[tuple[int, bytes]] = []
        size = 0
        query = "SELECT number, content FROM event WHERE number > ? AND number <= ? ORDER BY number LIMIT ?"
        for number_, content in opened.execute(query, (number, last, MOST_RECORDS)).fetchall():
            size += len(content)
            if size > MOST_BYTES:
                break
            batch.append((number_, content))
        if not batch:
            return
        number = batch[-1][0]
        yield batch
