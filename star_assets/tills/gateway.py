"""A library for a store's gateway: keeps its tills' events on disk until Firehose has accepted them.

It needs only Python and boto3's client: the file can be copied to a gateway.

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

# Firehose's limits of one call, and of one record without its delimiter.
MOST_RECORDS, MOST_BYTES, MOST_RECORD_BYTES = 500, 4 * 2**20, 1_024_000

# Seconds between passes, and the longest pause after failed ones.
PAUSE, LONGEST_PAUSE = 1.0, 60.0

log = logging.getLogger(__name__)


class Client(Protocol):
    """The part of boto3's Firehose client that a Gateway calls."""

    def put_record_batch(self, **request: Any) -> dict[str, Any]:
        """Put records; some may be refused although the call succeeds."""
        ...


@dataclass(frozen=True)
class Pass:
    """The result of a pass over the waiting events: the numbers accepted and refused, and the error that ended it."""

    sent: int = 0
    refused: int = 0
    problem: str = ""


class Gateway:
    """Queues events in an SQLite file, and puts them to a Firehose stream.

    An event is deleted only after Firehose has accepted it. So each is sent at least once, and again under the same
    `event_id` if an answer was lost. Several processes may share the file; one of them should send.
    """

    def __init__(self, client: Client, stream: str, file: Path) -> None:
        self.client, self.stream, self.file = client, stream, file
        with closing(self._open()) as opened:
            opened.executescript(
                "PRAGMA journal_mode = WAL;"
                "CREATE TABLE IF NOT EXISTS event (number INTEGER PRIMARY KEY AUTOINCREMENT, content BLOB NOT NULL)"
            )

    def ring(self, *events: Mapping[str, Any]) -> None:
        """Store events, all or none. Once this returns, they survive a power cut.

        Raises ValueError for an event that is larger than Firehose accepts.
        """
        contents = [json.dumps(event, ensure_ascii=False, default=str).encode() for event in events]
        for content in contents:
            if len(content) > MOST_RECORD_BYTES:
                raise ValueError(f"An event of {len(content):,} bytes: Firehose takes {MOST_RECORD_BYTES:,} at most.")
        with closing(self._open()) as opened, opened:
            opened.executemany("INSERT INTO event (content) VALUES (?)", [(content,) for content in contents])

    @property
    def waiting(self) -> int:
        """The number of events that Firehose has not accepted yet."""
        with closing(self._open()) as opened:
            (count,) = opened.execute("SELECT count(*) FROM event").fetchone()
        return int(count)

    def send(self) -> Pass:
        """Put each waiting event once. Refused events, and all events after a failed call, go on waiting."""
        sent = refused = 0
        with closing(self._open()) as opened:
            for batch in _batches(opened):
                request = [{"Data": content} for _, content in batch]
                # After any error the events are kept, and the next pass tries again.
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
        """Send waiting and new events until `stopped` is set. Pauses grow while Firehose refuses or fails."""
        failures = 0
        while not stopped.is_set():
            done = self.send()
            failures = failures + 1 if done.problem or done.refused else 0
            if done.problem:
                log.warning("%d events wait for %s: %s", self.waiting, self.stream, done.problem)
            # A random pause, so that gateways that failed together do not retry together.
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
