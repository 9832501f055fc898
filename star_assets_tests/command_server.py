"""Commands without the seconds that their imports take: a process that has imported all forks for each of them.

`python command_server.py FOLDER NAME` writes a program into the folder, which is
`star-assets` or `dagster`, says so, and serves it until its standard input ends. The program hands over its
arguments, environment, folder and standard streams, passes on the signals that it
gets, and ends as the command does. The command is a process of its own, that has
opened nothing before; that it finds its modules loaded is all that tells it from
the real one, which test_docs and the tests of the command line start as well.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

STAR_ASSETS = """
boto3 botocore.httpsession duckdb pandas psycopg pyathena rich.console rich.live rich.progress rich.table
star_assets.athena.embedded star_assets.athena.service.service star_assets.cli.progress star_assets.cli.terminal
star_assets.engines.duckdb.engine star_assets.lake.glue_catalog star_assets.lake.local_catalog
star_assets.lake.s3_storage star_assets.keeping.forget star_assets.keeping.rebuild star_assets.pipeline.rejects
star_assets.keeping.retire star_assets.keeping.status star_assets.pipeline.warehouse star_assets.exports.pull.postgres
star_assets.samples.lake
star_assets.star
"""

# Definitions are loaded by the command itself, which reads its settings then.
DAGSTER = """
dagster_aws duckdb pandas star_assets.engines.duckdb.engine star_assets.lake.local_catalog
star_assets.orchestration.build star_assets.pipeline.warehouse star_assets.star
"""

# For each program the module whose `main` it is, and what it imports when it runs.
PROGRAMS = {"star-assets": ("star_assets.cli", STAR_ASSETS), "dagster": ("dagster._cli", DAGSTER)}

PROGRAM = """#!{python} -IS
import json, os, signal, socket, sys
SIGNALS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
given = json.dumps([sys.argv, dict(os.environ), os.getcwd()]).encode()
socket.send_fds(server, [len(given).to_bytes(4, "big")], [0, 1, 2])
server.sendall(given)
for number in SIGNALS:
    signal.signal(number, lambda number, _: server.send(bytes([number])))
signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
killed, code = server.recv(2)
if killed:
    signal.signal(code, signal.SIG_DFL)
    os.kill(os.getpid(), code)
os._exit(code)
"""


def serve(folder: Path, name: str) -> Any:
    """Fork for each command until standard input ends. Returns in the process of a command, with what it is to run."""
    module, others = PROGRAMS[name]
    main = import_module(module).main
    for other in others.split():
        import_module(other)
    # What a process leaves alone, it need not copy.
    gc.freeze()
    program, address = folder / name, str(folder / "socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        program.write_text(PROGRAM.format(python=sys.executable, address=address))
        program.chmod(0o755)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print(program, flush=True)
        while True:
            if sys.stdin in select.select([listener, sys.stdin], [], [])[0]:
                os._exit(0)
            client, _ = listener.accept()
            if os.fork() == 0:
                break
            client.close()
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
    keep(client)
    return main


def keep(client: socket.socket) -> None:
    """Start a client's command, pass on its signals, tell it the end. Returns in the command."""
    length, streams, _, _ = socket.recv_fds(client, 4, 3)
    given = b""
    while len(given) < int.from_bytes(length, "big"):
        given += client.recv(1 << 16)
    pid = os.fork()
    if pid == 0:
        client.close()
        become(streams, *json.loads(given))
        return
    for stream in streams:
        os.close(stream)

    def pass_on() -> None:
        with suppress(ProcessLookupError):
            while number := client.recv(1):
                os.kill(pid, number[0])
            os.kill(pid, signal.SIGKILL)

    Thread(target=pass_on, daemon=True).start()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    client.sendall(bytes([code < 0, abs(code)]))
    os._exit(0)


def become(streams: list[int], arguments: list[str], environment: dict[str, str], folder: str) -> None:
    """Take on what the client was started with."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = arguments
    sys.path[0:1] = [str(Path(arguments[0]).parent), *filter(None, environment.get("PYTHONPATH", "").split(":"))]
    signal.signal(signal.SIGINT, signal.default_int_handler)


if __name__ == "__main__":
    sys.exit(serve(Path(sys.argv[1]), sys.argv[2])())
