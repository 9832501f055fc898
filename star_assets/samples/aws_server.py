"""A local stand-in for S3 and Glue: a moto server over HTTP, in a process of its own.

`python -m star_assets.samples.aws_server` prints its address and serves until its standard input
ends. Its data is lost then. A real account needs nothing of this module.
"""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

# Any credentials will do, but a client must have some.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@contextmanager
def aws_server() -> Iterator[dict[str, str]]:
    """A server that runs during the context. Yields the environment variables that point AWS's clients to it."""
    if find_spec("moto") is None:
        raise SystemExit("Error: moto, which plays AWS here, is not installed: pip install 'star_assets[aws,moto]'")
    command = [sys.executable, "-m", __name__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield {"AWS_ENDPOINT_URL": server.stdout.readline().strip(), **CREDENTIALS}
        finally:
            server.stdin.close()


def serve() -> None:
    """Print the address; serve until standard input ends."""
    from moto.server import ThreadedMotoServer

    # For a call that moto lacks, the client gets an error; the server's traceback would only clutter the terminal.
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    print(f"http://{host}:{port}", flush=True)
    # Ctrl-C at a terminal reaches this process too; it goes on until its input ends with the other process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    serve()
