"""Serves Firehose's API over HTTP, for boto3 and AWS's other clients, on this machine only.

Not here: answering the calls (firehose). Signatures of requests are not checked.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from star_assets.tills.firehose import Firehose, Refusal

# Seconds between two deliveries of objects that are due.
DELIVERY_SECONDS = 0.1


@contextmanager
def serving(firehose: Firehose, port: int = 0) -> Iterator[str]:
    """Serve during the context, then deliver all accepted records. Yields the address.

    Port 0 stands for any free port. Raises OSError if the port is taken.
    """
    with ThreadingHTTPServer(("127.0.0.1", port), _handler(firehose)) as server, delivering(firehose):
        server.daemon_threads = True
        Thread(target=server.serve_forever, args=(DELIVERY_SECONDS,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@contextmanager
def delivering(firehose: Firehose) -> Iterator[None]:
    """Deliver due objects during the context, and all accepted records at its end."""
    ended = Event()

    def deliver() -> None:
        while not ended.wait(DELIVERY_SECONDS):
            firehose.deliver()

    thread = Thread(target=deliver, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        firehose.deliver(everything=True)


def _handler(firehose: Firehose) -> type[BaseHTTPRequestHandler]:
    operations: dict[str, Callable[..., dict[str, Any]]] = {
        "PutRecord": firehose.put_record,
        "PutRecordBatch": firehose.put_record_batch,
        "DescribeDeliveryStream": firehose.describe_delivery_stream,
    }

    class Handler(BaseHTTPRequestHandler):
        """One request: its header `X-Amz-Target` names the operation, its body is JSON."""

        protocol_version = "HTTP/1.1"
        # Send an answer at once, because the client waits for it.
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            """Answer an operation; a lost answer is a closed connection."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            name = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
            try:
                if name not in operations:
                    raise Refusal("UnknownOperationException", f"This Firehose answers {', '.join(operations)}.")
                self._answer(200, operations[name](**_request(body)))
            except Refusal as refusal:
                status = 500 if refusal.code == "ServiceUnavailableException" else 400
                self._answer(status, {"__type": refusal.code, "message": refusal.message})
            except ConnectionError:
                self.close_connection = True

        def _answer(self, status: int, answer: dict[str, Any]) -> None:
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    return Handler


def _request(body: bytes) -> dict[str, Any]:
    """The parsed request, with records as bytes. Raises Refusal."""
    try:
        request: dict[str, Any] = json.loads(body)
        for record in [*request.get("Records", ()), *([request["Record"]] if "Record" in request else ())]:
            record["Data"] = base64.b64decode(record["Data"], validate=True)
        request["DeliveryStreamName"]
    except (KeyError, TypeError, ValueError) as error:
        raise Refusal("SerializationException", f"This is no request of Firehose's: {error!r}.") from error
    return request
