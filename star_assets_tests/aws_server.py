"""AWS on this machine: moto's S3 and Glue over HTTP, as a process of its own.

`python aws_server.py` prints its address and serves until its standard input
ends. Where moto is laxer than AWS and the project counts on it, it is made as
strict here.
"""

from __future__ import annotations

import logging
import sys

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.glue.models import FakeTable, GlueBackend
from moto.glue.responses import GlueResponse
from moto.server import ThreadedMotoServer

# What a batch of Glue's may hold.
LIMITS = {"batch_create_partition": 100, "batch_update_partition": 100, "batch_delete_partition": 25}


def serve() -> None:
    """Print the address; serve until standard input ends."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    make_strict()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    print(f"http://{host}:{port}", flush=True)
    sys.stdin.read()
    server.stop()


def make_strict() -> None:
    """Glue's limits of batches, its pages and its check of a table's VersionId."""

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


if __name__ == "__main__":
    serve()
