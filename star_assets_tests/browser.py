"""Chromium without a window, driven by its DevTools protocol through a pipe: pages as people's browsers make them.

Here: the browser, its pages, and a site that notes who asks for something. Not here: what is looked at.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")

# How long a page may take to show what is waited for.
PATIENCE_SECONDS = 60

# Resolves to whether the condition came true: it is asked again whenever the page changes.
_UNTIL = """
new Promise(resolve => {
  const met = () => { try { return Boolean(CONDITION) } catch (error) { return false } };
  if (met()) return resolve(true);
  const watch = new MutationObserver(() => met() && (watch.disconnect(), resolve(true)));
  watch.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
  setTimeout(() => (watch.disconnect(), resolve(met())), PATIENCE);
})
"""


class Left(Exception):
    """A page was left before it answered."""


class Browser:
    """One page of a browser that runs as a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], into: int, out: int) -> None:
        self._process = process
        self._into, self._out = os.fdopen(into, "wb"), os.fdopen(out, "rb")
        self._rest, self._asked = b"", 0
        target = self._ask("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._session = self._ask("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]

    def open(self, url: str, shown: str) -> None:
        """Open a page, and wait until `shown`, an expression of JavaScript, is true of it."""
        self._ask("Page.navigate", {"url": url})
        self.until(shown)

    def until(self, shown: str) -> None:
        """Wait until an expression of JavaScript is true of the page."""
        program = _UNTIL.replace("CONDITION", shown).replace("PATIENCE", str(PATIENCE_SECONDS * 1000))
        found = None
        while found is None:
            with suppress(Left):  # The page that was asked gave way to the one that comes.
                found = self.value(program)
        assert found, f"not within {PATIENCE_SECONDS} s: {shown}; the page: {self.text()[:2000]}"

    def value(self, expression: str) -> Any:
        """The value of an expression of JavaScript, as JSON has it; a promise's once it has one."""
        asked = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        found = self._ask("Runtime.evaluate", asked)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def text(self) -> str:
        """The text that the page shows."""
        return str(self.value("document.body.innerText"))

    def close(self) -> None:
        """End the process."""
        self._ask("Browser.close", {}, page=False)
        self._process.wait()

    def _ask(self, method: str, parameters: dict[str, Any], page: bool = True) -> dict[str, Any]:
        self._asked += 1
        message: dict[str, Any] = {"id": self._asked, "method": method, "params": parameters}
        if page and hasattr(self, "_session"):
            message["sessionId"] = self._session
        self._into.write(json.dumps(message).encode() + b"\0")
        self._into.flush()
        while (answer := self._read()).get("id") != self._asked:
            pass  # It tells of events that nobody asked for.
        if "navigated" in answer.get("error", {}).get("message", ""):
            raise Left
        assert "error" not in answer, answer
        return dict(answer["result"])

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            more = os.read(self._out.fileno(), 1 << 16)
            assert more, "the browser ended"
            self._rest += more
        message, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(message))


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser with one empty page. Skips the test where no Chromium is installed, and says so."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        reason = "no Chromium on this machine: install it to test what people see in a browser"
        warnings.warn(reason, stacklevel=1)
        pytest.skip(reason)
    # The browser reads at file descriptor 3 and writes at 4; ours must be neither.
    read, into = _high_pipe()
    out, write = _high_pipe()

    def connect() -> None:
        os.dup2(read, 3)
        os.dup2(write, 4)

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        options += ["--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe"]
        process = subprocess.Popen(
            [program, *options, f"--user-data-dir={profile}"],
            preexec_fn=connect,
            close_fds=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read)
        os.close(write)
        try:
            browser = Browser(process, into, out)
            yield browser
            browser.close()
        finally:
            process.kill()
            process.wait()


def _high_pipe() -> tuple[int, int]:
    """The ends of a pipe, for reading and writing, with numbers from 10 on."""
    low = os.pipe()
    read, write = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in low)
    for end in low:
        os.close(end)
    return read, write


@contextmanager
def noting_site() -> Iterator[tuple[str, list[str]]]:
    """A site's URL, and the paths that anybody asked it for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """The test's output stays its own."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
