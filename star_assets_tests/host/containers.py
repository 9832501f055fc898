"""The images built and started for real, by Debian's own tools: buildah, podman, and a base that debootstrap made.

`make images` fetches what is not there. Two images stand in for ones that only a
registry has: Debian's Python for `python:3.11-slim`, Debian's PostgreSQL for the
official one. Dockerfile and compose.yaml are the project's own.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
FETCHED = REPOSITORY / ".images"
BASE, IMAGE, DATABASE = (f"localhost/star-assets-test-{name}" for name in ("base", "dagster", "database"))
SERVICES = ("database", "code", "daemon", "webserver")
PASSWORD = "only-in-this-test"
PORT = 3000


def run(*command: object, **given: Any) -> str:
    """What a command prints. Raises CalledProcessError with what it said."""
    environment = {**os.environ, "BUILDAH_ISOLATION": "chroot", "CONTAINERS_CONF": str(HERE / "containers.conf")}
    done = subprocess.run(
        [str(word) for word in command], env=environment, capture_output=True, text=True, check=False, **given
    )
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout


def build() -> None:
    """Make the three images. Layers that are there are kept."""
    base = run("buildah", "from", "scratch").strip()
    run("buildah", "add", base, FETCHED / "root", "/")
    run("buildah", "config", "--env", "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", base)
    run("buildah", "commit", base, BASE)
    run("buildah", "rm", base)
    run("buildah", "bud", "--layers", "--tag", DATABASE, "--file", HERE / "database.Dockerfile", HERE)
    run("buildah", "bud", "--tag", IMAGE, "--build-arg", f"PYTHON={BASE}", REPOSITORY)


class Compose:
    """compose.yaml started in a folder, under a name of its own."""

    def __init__(self, folder: Path, name: str = "star-assets-test") -> None:
        self.folder, self.name = folder, name
        file = (REPOSITORY / "compose.yaml").read_text()
        (folder / "compose.yaml").write_text(file)
        (folder / ".env").write_text(f"POSTGRES_PASSWORD={PASSWORD}\nIMAGE={IMAGE}\nPOSTGRES_IMAGE={DATABASE}\n")

    def compose(self, *command: str) -> str:
        """A command of podman-compose, which reads compose.yaml as Docker's does."""
        bin_ = FETCHED / "compose" / "bin"
        return run(bin_ / "podman-compose", "--in-pod", "false", "--project-name", self.name, *command, cwd=self.folder)

    def up(self) -> None:
        self.compose("up", "--detach", "--no-build")

    def down(self) -> None:
        self.compose("down", "--volumes")

    def lose_its_history(self) -> None:
        """Remove all containers and PostgreSQL's volume, and start PostgreSQL on an empty one."""
        self.compose("down")
        run("podman", "volume", "rm", f"{self.name}_history")
        self.compose("up", "--detach", "--no-build", "database")

    def container(self, service: str) -> str:
        return f"{self.name}_{service}_1"

    def within(self, service: str, *command: str, **given: Any) -> str:
        """What a command prints in a container."""
        return run("podman", "exec", *(["--interactive"] if given else []), self.container(service), *command, **given)

    def kill(self, service: str) -> None:
        """Kill what a container runs as no handler can notice; by its restart policy the container is there again."""
        killed = self._pid(service)
        os.kill(killed, signal.SIGKILL)
        until(lambda: self._pid(service) not in (0, killed), 60)

    def _pid(self, service: str) -> int:
        return int(run("podman", "inspect", "--format", "{{.State.Pid}}", self.container(service)))

    def type(self, command: str) -> None:
        """Type a command of a page where compose.yaml is; `docker compose` is podman-compose."""
        (self.folder / "bin").mkdir(exist_ok=True)
        docker = self.folder / "bin" / "docker"
        compose = f"{FETCHED}/compose/bin/podman-compose --in-pod false --project-name {self.name}"
        docker.write_text(f'#!/bin/sh\nshift\nexec {compose} "$@"\n')
        docker.chmod(0o755)
        run("bash", "-euo", "pipefail", "-c", f"PATH={docker.parent}:$PATH\n{command}", cwd=self.folder)

    def logs(self) -> str:
        tails = (run("sh", "-c", f"podman logs --tail 30 {self.container(one)} 2>&1") for one in SERVICES)
        return "\n".join(tails)

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """What Dagster's GraphQL answers."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{PORT}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as reply:
            answer: dict[str, Any] = json.load(reply)
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data

    def is_loaded(self) -> bool:
        """Whether the UI answers, and knows the code location."""
        try:
            return bool(self.ask("{ assetNodes { id } }")["assetNodes"])
        except (urllib.error.URLError, ConnectionError, TimeoutError, AssertionError):
            return False


def until(met: Callable[[], object], seconds: float, told: Callable[[], str] = str) -> None:
    """Wait for what other processes do."""
    deadline = time.monotonic() + seconds
    while not met():
        if time.monotonic() > deadline:
            print(told(), file=sys.stderr)
            raise AssertionError(f"not within {seconds:g} s")
        time.sleep(0.5)
