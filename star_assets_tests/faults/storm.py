"""The storm: operations on one lake, up to four at a time, most of them killed on their way; readers look on.

Every operation is a fork of one process that has imported everything and opened
nothing, so that it begins at once.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import select
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any, NoReturn

from star_assets_tests.pipeline.conftest import Lake
from star_assets_tests.pipeline.retailers import DAYS

from .exporting import Exporter
from .judging import Ledger, load, older_inputs, torn_reads
from .killing import IsCounted, die_after, die_at, step_of
from .operations import RETENTION, operations
from .settling import clean, settle
from .watching import read_on, until_terminated, watch

WRITERS, READERS = 4, 2

# Kills before the lake must be right again.
KILLS_A_ROUND = 25

# Of a hundred operations, how many are killed at a call, how many after some time. The others come to their end.
AT_A_CALL, AFTER_A_TIME = 55, 25

# Before an operation has come to its end: how many calls it may make, and how many seconds it may take.
CALLS, SECONDS = 100, 0.5

# An operation that takes so many seconds hangs.
HANGS = 120


@dataclass
class Figures:
    """What happened: kills by operation and step, operations that came to their end, reads, versions; and problems."""

    kills: Counter[tuple[str, str]] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    reads: int = 0
    versions: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass
class Writer:
    """A running operation: its process, and where its last words come from."""

    operation: str
    pid: int
    words: int
    started: float = field(default_factory=time.monotonic)


class Storm:
    """A storm over one lake, whose lines are exported `complete` or as they `changed`."""

    def __init__(self, lake: Lake, lines: str, is_counted: IsCounted, rng: Random, folder: Path) -> None:
        self.lake, self.lines, self.is_counted, self.rng, self.folder = lake, lines, is_counted, rng, folder
        # The exporter's storage is not the one that forks use: they must inherit no connection.
        self.exporter = Exporter(lake.again().warehouse.storage, lines, Random(rng.random()))
        self.figures = Figures()
        self.looked = multiprocessing.Value("d", 0.0, lock=False)
        self.operations = operations(self.looked)
        self.calls = dict.fromkeys(self.operations, CALLS)
        self.seconds = dict.fromkeys(self.operations, SECONDS)
        self.writers: list[Writer] = []

    def blow(self, kills: int) -> Figures:
        """So many kills, in rounds. The last day is exported only on the way."""
        for table in self.lake.star.tables:
            self.lake.warehouse.code_identity(table)
        self.exporter.export_all(DAYS[:-1])
        self._check("at the beginning", partial(_first_run, self.lake))
        with self._watched():
            while self.figures.kills.total() < kills:
                self._round(min(kills, self.figures.kills.total() + KILLS_A_ROUND))
                when = f"after {self.figures.kills.total()} kills"
                self._check(when, partial(settle, self.lake, self.exporter.live(), self.lines))
        self._check("at the end", partial(clean, self.lake))
        self._judge()
        return self.figures

    def _round(self, until: int) -> None:
        while self.figures.kills.total() < until:
            for _ in range(self.rng.randint(0, 2)):
                self.exporter.export_any()
            self._begin()
            while len(self.writers) >= self.rng.randint(1, WRITERS):
                self._wait_for_one()
        while self.writers:
            self._wait_for_one()

    def _begin(self) -> None:
        (operation,) = self.rng.choices([*self.operations], [often for _, often in self.operations.values()])
        seed, fate = self.rng.random(), self.rng.randrange(100)
        call = self.rng.randint(1, self.calls[operation]) if fate < AT_A_CALL else None
        delay = self.rng.uniform(0, self.seconds[operation]) if AT_A_CALL <= fate < AT_A_CALL + AFTER_A_TIME else None
        self.writers.append(Writer(operation, *_fork(partial(self._operate, operation, seed, call, delay))))

    def _operate(
        self, operation: str, seed: float, call: int | None, delay: float | None, tell: Callable[[Any], None]
    ) -> None:
        """In the writer's process: do it, and die if it must; tell where, or how it ended."""

        def last_words(frame: FrameType) -> None:
            tell({"step": step_of(frame)})

        calls = die_at(call, self.is_counted, last_words)
        if delay is not None:
            die_after(delay, last_words)
        function, _ = self.operations[operation]
        problems = function(self.lake.warehouse, Random(seed))
        tell({"calls": calls(), "problems": problems})

    def _wait_for_one(self) -> None:
        ready, _, _ = select.select([writer.words for writer in self.writers], [], [], HANGS)
        if not ready:
            for writer in self.writers:
                os.kill(writer.pid, signal.SIGKILL)
            self.figures.problems.append(f"hung: {[writer.operation for writer in self.writers]}")
            ready = [writer.words for writer in self.writers]
        for writer in [writer for writer in self.writers if writer.words in ready]:
            self.writers.remove(writer)
            self._note(writer, *_ended(writer.pid, writer.words))

    def _note(self, writer: Writer, status: int, told: dict[str, Any]) -> None:
        operation = writer.operation
        if status == -signal.SIGKILL and "step" in told:
            self.figures.kills[operation, told["step"]] += 1
            return
        if status:
            self.figures.problems.append(f"{operation} ended with {status}: {told.get('error')}")
            return
        seconds = time.monotonic() - writer.started
        if seconds < RETENTION.total_seconds():
            self.figures.problems += [f"{operation}: {problem}" for problem in told["problems"]]
        self.figures.ended[operation] += 1
        self.calls[operation] = max(self.calls[operation], told["calls"])
        self.seconds[operation] = max(self.seconds[operation], seconds)

    def _check(self, when: str, check: Callable[[], Iterable[str]]) -> None:
        """In a process of its own, undisturbed: whatever is wrong is a problem."""
        status, told = _ended(*_fork(lambda tell: tell({"problems": [*check()]})))
        if status:
            self.figures.problems.append(f"{when}, a check ended with {status}: {told.get('error')}")
        self.figures.problems += [f"{when}: {problem}" for problem in told.get("problems", ())]

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Readers ask, and somebody keeps a ledger, for as long as this lasts."""
        looks = {"ledger": partial(watch, self.looked), **{f"reads-{number}": read_on for number in range(READERS)}}
        running = [
            _fork(
                lambda _, name=name, look=look: until_terminated(
                    partial(look, self.lake.again().warehouse), self.folder / name
                )
            )
            for name, look in looks.items()
        ]
        yield
        for pid, _ in running:
            os.kill(pid, signal.SIGTERM)
        for process in running:
            status, told = _ended(*process)
            if status:
                self.figures.problems.append(f"a reader ended with {status}: {told.get('error')}")

    def _judge(self) -> None:
        ledger = Ledger(load([self.folder / "ledger"]))
        for number in range(READERS):
            reads = list(load([self.folder / f"reads-{number}"]))
            self.figures.reads += len(reads)
            self.figures.problems += torn_reads(ledger, reads)
        self.figures.versions = sum(map(len, ledger.versions.values()))
        self.figures.problems += older_inputs(ledger, self.lake.star, self.exporter.exported)


def _first_run(lake: Lake) -> list[str]:
    lake.run(*DAYS[:-1])
    return []


def _fork(work: Callable[[Callable[[Any], None]], object]) -> tuple[int, int]:
    """Run `work` in a process of its own, given what tells a JSON object. Returns its id, and where that comes from."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _run(work, writing)
    os.close(writing)
    return pid, reading


def _run(work: Callable[[Callable[[Any], None]], object], writing: int) -> NoReturn:
    def tell(told: Any) -> None:
        os.write(writing, json.dumps(told).encode() + b"\n")

    status = 1
    try:
        work(tell)
        status = 0
    except BaseException:
        tell({"error": traceback.format_exc()})
    finally:
        sys.stdout.flush()
        os._exit(status)


def _ended(pid: int, words: int) -> tuple[int, dict[str, Any]]:
    """Wait for a process. Its exit code, negative for a signal, and what it told last."""
    with os.fdopen(words, "rb") as pipe:
        told = pipe.read().splitlines()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return status, json.loads(told[-1]) if told else {}
