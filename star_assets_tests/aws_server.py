"""AWS on this machine: moto's S3, Glue and Athena (aws_athena) over HTTP, as a process of its own.

`python aws_server.py` prints its address and serves until its standard input
ends. Where moto is laxer than AWS and the project counts on it, it is made as
strict here. An access key says what shall fail: `ALWAYS.AccessDenied.PUT` gets
that error for every PUT, `ONCE.SlowDown.GetTable` for the first such call of an
object, and with `LOST.InternalError.PUT` that first call is done before it fails.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable, Iterable
from functools import cache
from threading import Lock
from typing import Any

import aws_athena
import aws_crawlers
import aws_statistics
import moto.backends
import moto.core.serialize
import moto.server
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.glue.models import FakeJobRun, FakeTable, GlueBackend
from moto.glue.responses import GlueResponse
from moto.s3.responses import S3Response
from moto.server import ThreadedMotoServer

# What a batch of Glue's may hold.
LIMITS = {"batch_create_partition": 100, "batch_update_partition": 100, "batch_delete_partition": 25}


def serve() -> None:
    """Print the address; serve until standard input ends."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    make_strict()
    aws_athena.make_strict()
    aws_crawlers.make_crawl()
    aws_statistics.keep()
    make_faulty()
    make_quick()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    print(f"http://{host}:{port}", flush=True)
    sys.stdin.read()
    server.stop()


def make_strict() -> None:
    """Glue's limits of batches, pages, logs and its check of a table's VersionId; S3's changes, one at a time."""

    def limited(name: str, most: int) -> None:
        original = getattr(GlueBackend, name)

        def checked(self: GlueBackend, database: str, table: str, entries: list[object]) -> object:
            if len(entries) > most:
                raise JsonRESTError("ValidationException", f"Member must have length less than or equal to {most}")
            return original(self, database, table, entries)

        setattr(GlueBackend, name, checked)

    for name, most in LIMITS.items():
        limited(name, most)

    def get_partitions(self: GlueResponse) -> ActionResult:
        """In pages, and in segments, as Glue gives them."""
        given = self.parameters
        found = self.glue_backend.get_partitions(given["DatabaseName"], given["TableName"], given.get("Expression"))
        if segment := given.get("Segment"):
            found = [one for n, one in enumerate(found) if n % segment["TotalSegments"] == segment["SegmentNumber"]]
        first, most = int(given.get("NextToken") or 0), given.get("MaxResults") or 1000
        reply = {"Partitions": [one.as_dict() for one in found[first : first + most]]}
        more = {"NextToken": str(first + most)} if len(found) > first + most else {}
        return ActionResult({**reply, **more})

    GlueResponse.get_partitions = get_partitions

    batch_get_partition = GlueResponse.batch_get_partition

    def whole_batch(self: GlueResponse) -> ActionResult:
        """Glue always says which keys it left out; Trino counts on it."""
        return ActionResult({**batch_get_partition(self).result, "UnprocessedKeys": []})

    GlueResponse.batch_get_partition = whole_batch

    update_table = GlueResponse.update_table

    def checked_update(self: GlueResponse) -> ActionResult:
        given = self.parameters
        table: FakeTable = self.glue_backend.get_table(given["DatabaseName"], given["TableInput"]["Name"])
        if given.get("VersionId") not in (None, str(table._current_version)):
            raise JsonRESTError(
                "ConcurrentModificationException", "Update table failed due to concurrent modifications."
            )
        reply = update_table(self)
        if given.get("SkipArchive"):
            table.versions = {str(table._current_version): table.versions[str(table._current_version)]}
        return reply

    GlueResponse.update_table = checked_update

    as_dict = FakeJobRun.as_dict

    def with_its_log(self: FakeJobRun) -> dict[str, Any]:
        """Where Glue keeps the log of a run whose job names no other place."""
        return {**as_dict(self), "LogGroupName": "/aws-glue/jobs"}

    FakeJobRun.as_dict = with_its_log

    changing = Lock()

    def alone(change: Callable[[S3Response], Any]) -> Callable[[S3Response], Any]:
        def changed(self: S3Response) -> Any:
            """What If-Match found is still there when the object is put, or deleted."""
            with changing:
                return change(self)

        return changed

    S3Response.put_object = alone(S3Response.put_object)
    S3Response.delete_object = alone(S3Response.delete_object)


def make_quick() -> None:
    """What moto works out anew with each request, though it stays the same: its own modules, and what a text's time is.

    The latter is a third of what a listing takes.
    """
    modules = tuple(moto.backends.list_of_moto_modules())
    moto.backends.list_of_moto_modules = lambda: modules
    parse = cache(moto.core.serialize.parse_to_aware_datetime)
    moto.core.serialize.parse_to_aware_datetime = parse


FAULT = re.compile(r"Credential=(ALWAYS|ONCE|LOST)\.(\w+)\.(\w+)/")
STATUS = {"SlowDown": "503 Slow Down", "InternalError": "500 Internal Server Error"}

MESSAGE = "As the test wants."

Answer = Iterable[bytes]


def reply(start_response: Callable[..., Any], status: str, content: bytes) -> Answer:
    """A whole answer."""
    start_response(status, [("Content-Length", str(len(content)))])
    return [content]


def make_faulty() -> None:
    """Let calls fail as their access key says."""
    application = moto.server.DomainDispatcherApplication
    original, failed = application.__call__, set[tuple[str, ...]]()

    def call(self: Any, environ: dict[str, Any], start_response: Callable[..., Any]) -> Answer:
        found = FAULT.search(environ.get("HTTP_AUTHORIZATION", ""))
        target = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        if environ["PATH_INFO"] == aws_athena.CONTROL:
            content = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            return reply(start_response, "200 OK", aws_athena.control(environ["REQUEST_METHOD"], content))
        if not found or found[3] != (target or environ["REQUEST_METHOD"]):
            return original(self, environ, start_response)  # type: ignore[no-any-return]
        this = (found[0], environ["PATH_INFO"], target)
        if found[1] != "ALWAYS" and this in failed:
            return original(self, environ, start_response)  # type: ignore[no-any-return]
        failed.add(this)
        if found[1] == "LOST":
            list(original(self, environ, lambda *_: None))
        words = aws_athena.WORDS.get(found[2], MESSAGE) if target in aws_athena.OPERATIONS else MESSAGE
        content = json.dumps({"__type": found[2], "message": words.format(target)}).encode()
        if not target:
            content = f"<Error><Code>{found[2]}</Code><Message>{MESSAGE}</Message></Error>".encode()
        return reply(start_response, STATUS.get(found[2], "400 Bad Request"), content)

    application.__call__ = call


if __name__ == "__main__":
    serve()
