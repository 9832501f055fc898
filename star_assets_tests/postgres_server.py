"""PostgreSQL on this machine, as a process of its own.

`python postgres_server.py` makes a server in a new folder, prints a URL of its
superuser and serves until its standard input ends; then all of it is gone. With
the URL of such a server, it makes a replica of that. As PostgreSQL refuses to run
as root, root's server runs as another user.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

PASSWORD = "the-admins-secret"

# Nothing need survive a power loss.
OPTIONS = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "listen_addresses": "127.0.0.1",
    "log_min_messages": "panic",
    "autovacuum": "off",
}


def programs() -> Path | None:
    """The folder of initdb and postgres: on PATH, or where Debian and Red Hat put them; None where there are none."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    places = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    servers = [place for place in places if (place / "initdb").exists() and (place / "postgres").exists()]
    return max(servers, key=lambda place: int(re.findall(r"\d+", str(place))[0]), default=None)


def serve(bin_: Path, primary: str | None = None) -> None:
    """Print the URL; serve until standard input ends."""
    if os.getuid() == 0:
        become("postgres", "nobody")
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        data, password = Path(folder, "data"), Path(folder, "password")
        if primary:
            copy = [bin_ / "pg_basebackup", "-d", primary, "-D", data, "-R", "--checkpoint=fast", "--no-sync"]
        else:
            password.write_text(PASSWORD)
            copy = [bin_ / "initdb", "-D", data, "-U", "admin", "--pwfile", password, "--auth=scram-sha-256"]
            copy += ["-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(copy, check=True, stdout=subprocess.DEVNULL)
        port = free_port()
        options = {**OPTIONS, "port": str(port), "unix_socket_directories": folder}
        settings = " ".join(f"-c {name}={value}" for name, value in options.items())
        server = [bin_ / "pg_ctl", "-D", data, "-s", "-w"]
        subprocess.run([*server, "-o", settings, "-l", Path(folder, "log"), "start"], check=True)
        print(f"postgresql://admin:{PASSWORD}@127.0.0.1:{port}/postgres", flush=True)
        sys.stdin.read()
        subprocess.run([*server, "-m", "immediate", "stop"], check=True)


def become(*names: str) -> None:
    """Go on as the first of these users that there is."""
    known = {user.pw_name: user for user in pwd.getpwall()}
    user = next(known[name] for name in names if name in known)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.chdir("/")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


if __name__ == "__main__":
    there = programs()
    assert there, "no initdb on this machine"
    serve(there, *sys.argv[1:])
