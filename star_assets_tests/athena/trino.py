"""Trino, which Athena is made of, as a process of its own on this machine.

Here: a server over Glue's and S3's API at an address, and its answers over HTTP.
`make witness` fetches it into `.witness/`. Not here: what it is asked.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

WITNESS = Path(__file__).parents[2] / ".witness"
SOURCES = Path(__file__).parent / "witness"

# Small, and quick to start rather than fast: it answers some hundred little queries.
JAVA = ("nice", "java", "-Xmx1G", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


# The catalog of Athena's that Glue's databases are in.
CATALOG = "awsdatacatalog"


class TrinoError(Exception):
    """Trino refused a query. `kind` is its name for the reason, such as DIVISION_BY_ZERO."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind


@dataclass(frozen=True)
class Answer:
    """What Trino answered: names and types of its columns, rows as its protocol writes them, and what it read."""

    names: list[str]
    types: list[str]
    rows: list[list[Any]]
    rows_read: int
    splits: int = 0


@dataclass(frozen=True)
class Trino:
    """A running server."""

    url: str

    def query(self, sql: str, database: str = "default", **session: str) -> Answer:
        """Run one statement, under these properties of a session. Raises TrinoError."""
        headers = {"X-Trino-User": "witness", "X-Trino-Catalog": CATALOG, "X-Trino-Schema": database}
        if session:
            headers["X-Trino-Session"] = ",".join(f"{CATALOG}.{name}={value}" for name, value in session.items())
        request, columns, rows = Request(f"{self.url}/v1/statement", sql.encode(), headers), [], []
        while True:
            with urlopen(request) as response:
                reply = json.load(response)
            if error := reply.get("error"):
                raise TrinoError(error["errorName"], error["message"])
            columns = reply.get("columns", columns)
            rows += reply.get("data", [])
            if "nextUri" not in reply:
                break
            request = Request(reply["nextUri"])
        types = [athena_type(column["type"]) for column in columns]
        stats = reply["stats"]
        return Answer([column["name"] for column in columns], types, rows, stats["processedRows"], stats["totalSplits"])


def athena_type(type_: str) -> str:
    """A type as Athena names it: lengths of varchar are not told."""
    type_ = re.sub(r"varchar\(\d+\)", "varchar", type_.replace(", ", ","))
    return type_.lower() if type_.startswith("INTERVAL") else type_


def lacking() -> str | None:
    """What is missing to start Trino; None if nothing is."""
    if not shutil.which("javac"):
        return "there is no Java development kit (`javac`)"
    version = subprocess.run(["javac", "-version"], capture_output=True, text=True, check=True).stdout
    if not version.startswith("javac 17."):
        return f"this version of it runs on Java 17 alone, found {version.strip()}"
    if not (WITNESS / "complete").exists():
        return f"{WITNESS} does not hold it; `make witness` fetches it"
    return None


@contextmanager
def started(folder: Path, aws_address: str) -> Iterator[Trino]:
    """Trino over the Glue and the S3 at `aws_address`; `folder` is for its settings and its log."""
    port = _free_port()
    _configure(folder, port, aws_address)
    options = {"config": folder / "config.properties", "node.environment": "test", "node.data-dir": folder / "data"}
    command = [*JAVA, *(f"-D{key}={value}" for key, value in options.items()), "-cp", f"{WITNESS}/lib/*"]
    log = folder / "log"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [*command, SOURCES / "Witness.java"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
        ) as server,
    ):
        assert server.stdin is not None
        assert server.stdout is not None
        assert b"started\n" in iter(server.stdout.readline, b""), f"Trino did not start:\n{log.read_text()[-4000:]}"
        yield Trino(f"http://127.0.0.1:{port}")
        server.stdin.close()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _configure(folder: Path, port: int, aws_address: str) -> None:
    server = {
        "coordinator": "true",
        "node-scheduler.include-coordinator": "true",
        "http-server.http.port": port,
        "http-server.log.enabled": "false",
        "discovery.uri": f"http://127.0.0.1:{port}",
        "plugin.dir": WITNESS / "plugin",
        "catalog.config-dir": folder / "catalog",
        "query.max-memory": "256MB",
        "query.max-memory-per-node": "256MB",
        "memory.heap-headroom-per-node": "128MB",
    }
    catalog = {
        "connector.name": "hive",
        "hive.metastore": "glue",
        "hive.metastore.glue.region": "us-east-1",
        "hive.metastore.glue.endpoint-url": aws_address,
        "hive.metastore.glue.aws-access-key": "testing",
        "hive.metastore.glue.aws-secret-key": "testing",
        # This machine's Glue has none, and fails when asked for them.
        "hive.table-statistics-enabled": "false",
        "fs.hadoop.enabled": "false",
        "fs.native-s3.enabled": "true",
        "s3.region": "us-east-1",
        "s3.endpoint": aws_address,
        "s3.path-style-access": "true",
        "s3.aws-access-key": "testing",
        "s3.aws-secret-key": "testing",
    }
    (folder / "catalog").mkdir()
    _write(folder / "config.properties", server)
    _write(folder / "catalog" / f"{CATALOG}.properties", catalog)


def _write(file: Path, properties: Mapping[str, object]) -> None:
    file.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
