"""kill -9 at a chosen moment: before a process's n-th call to the file system or to AWS, or after some time.

Here: the calls that count, and what the process was about to do when it died.
Not here: which operation, and why then (storm).
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from itertools import count
from types import FrameType
from typing import Any

# What Python reports of itself before each such call (its audit events).
FILE_OPERATIONS = {
    "open",
    "os.link",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.scandir",
    "os.utime",
    "fcntl.flock",
    "sqlite3.connect",
}

# What a function of the pipeline or the lake is about, as figures tell it.
STEPS = {
    "_point_partitions": "catalog",
    "_point_table": "catalog",
    "_renew_late": "catalog",
    "_publish_batch": "waiting for commits",
    "build_dimension": "computing",
    "build_fact": "computing",
    "build_history": "computing",
    "delete": "deleting",
    "commit": "pointer",
    "fold": "folding",
    "fold_into": "folding",
    "fold_keys": "folding",
    "fold_versions": "folding",
    "index_keys": "folding",
    "index_lines": "folding",
    "mend": "looking",
    "out_of_date": "looking",
    "plan": "looking",
    "_plan": "looking",
    "refresh": "looking",
    "rollback": "looking",
    "stage": "computing",
    "swap": "pointer",
    "sweep": "deleting",
    "vacuum": "looking",
    "versioned_tables": "looking",
    "walk": "looking",
    "write_version": "files",
}

# How a request begins that changes nothing, in S3 or in Glue.
LOOKS = re.compile(rb"^(GET|HEAD) |X-Amz-Target: AWSGlue\.(Batch)?Get")

IsCounted = Callable[[str, tuple[Any, ...]], bool]


def is_file_operation(event: str, _: tuple[Any, ...]) -> bool:
    return event in FILE_OPERATIONS


def is_request(event: str, arguments: tuple[Any, ...]) -> bool:
    """The begin of a request; its body may follow on its own."""
    return event == "http.client.send" and b" HTTP/1.1\r\n" in bytes(arguments[1])


def changes_files(event: str, arguments: tuple[Any, ...]) -> bool:
    """A call to the file system but for those that only look: who dies before one of these left what it found."""
    if event == "open":
        flags = int(arguments[2])
        return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    return event in FILE_OPERATIONS - {"os.scandir"}


def changes_aws(event: str, arguments: tuple[Any, ...]) -> bool:
    """A request but for those that only look."""
    return is_request(event, arguments) and not LOOKS.search(bytes(arguments[1]))


def kill_this() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at(
    number: int | None, is_counted: IsCounted, last_words: Callable[[FrameType], object] = lambda _: None
) -> Callable[[], int]:
    """Kill this process before its call of that number (None: before none). Returns what counts the calls so far."""
    done = count(1)
    made = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal made
        if is_counted(event, arguments):
            made = next(done)
            if made == number:
                last_words(sys._getframe(1))
                kill_this()

    sys.addaudithook(hook)
    return lambda: made


def die_after(seconds: float, last_words: Callable[[FrameType], object]) -> None:
    """Kill this process after that time, whatever it does then."""
    main = threading.main_thread().ident
    assert main is not None

    def wait() -> None:
        time.sleep(seconds)
        last_words(sys._current_frames()[main])
        kill_this()

    threading.Thread(target=wait, daemon=True).start()


def step_of(frame: FrameType | None) -> str:
    """What the innermost known function on the stack is about."""
    while frame:
        if step := STEPS.get(frame.f_code.co_name):
            return step
        frame = frame.f_back
    return "other"
