"""A day of tills, in minutes, on a machine where everything is killed again and again; then the nightly export.

Processes, each of them killed at any moment: the tills with their gateway, which speak to Firehose through boto3; the
Firehose of this machine, which refuses, throttles, duplicates and delays; a loop that starts a run after another,
as Dagster's daemon does; the run under way. A reader looks on. Not here: what is right (judge), Dagster's own daemon
(orchestration/test_killed_runs).
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import signal
import socket
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any

from star_assets.athena.embedded import EmbeddedAthena
from star_assets.cli.demo_stream import build
from star_assets.lake.local_storage import LocalStorage
from star_assets.model.errors import Transient
from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.retailer import write_exports
from star_assets.samples.streaming import export_night
from star_assets.samples.tills import Sent, events_of
from star_assets.settings import Settings
from star_assets.star import retail
from star_assets.tills import gateway
from star_assets.tills.firehose import Faults, Firehose
from star_assets.tills.server import serving
from star_assets.tills.stream import lake_stream

from .judge import exported_lines, final_wrong, judge, seen_wrong

FIRST, DAY = date(2023, 7, 1), date(2023, 7, 2)
NAME = "shop-tills"

EVENTS_A_SECOND = 50
# Events that are rung up for each order, nearly.
EVENTS_AN_ORDER = 1.84

# Of a hundred events, one is rung up hours late; of five hundred, one has no receipt.
LATE, BAD = 100, 500

FAULTS = Faults(refused=0.05, throttled=0.05, unanswered=0.03, duplicated=0.02, delayed=0.05, delay=timedelta(hours=3))

# Between two runs, and between two looks, in seconds.
PAUSE = 0.3

# How long what was begun may take to come to its end, in seconds.
PATIENCE = 600


@dataclass
class Figures:
    """What happened, and what was wrong."""

    events: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    reads: int = 0
    problems: list[str] = field(default_factory=list)


class Soak:
    """One soak in a folder, of so many seconds of tills that ring."""

    def __init__(self, folder: Path, seconds: float, kills: int, seed: int) -> None:
        self.folder, self.seconds, self.kills, self.rng = folder, seconds, kills, Random(seed)
        self.orders_per_day = round(EVENTS_A_SECOND * seconds / EVENTS_AN_ORDER)
        self.coming = prepared(DAY, self.orders_per_day, Random(seed))
        self.speed = (self.coming[-1].moment - self.coming[0].moment).total_seconds() / seconds
        self.seed, self.began = seed, time.time()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.rung: Synchronized[int] = multiprocessing.Value("i", 0)
        self.run_pid: Synchronized[int] = multiprocessing.Value("i", 0)
        self.reads: Synchronized[int] = multiprocessing.Value("i", 0)
        self.work: dict[str, Callable[[], object]] = {
            "tills": self.ring,
            "firehose": self.serve,
            "daemon": self.start_runs,
            "reader": self.read_on,
        }
        self.running: dict[str, int] = {}
        self.figures = Figures(len(self.coming))

    def soak(self) -> Figures:
        """All of it."""
        write_exports(self.folder / "lake", FIRST, 1, orders_per_day=self.orders_per_day)
        self.finish(self.run)
        self.began = time.time()
        for name in self.work:
            self.start(name)
        victims = self.rng.sample(["tills", "firehose", "daemon", "run"] * self.kills, 4 * self.kills)
        while victims or self.rung.value < len(self.coming):
            time.sleep(self.rng.uniform(0.5, 1.5) * self.seconds / 4 / self.kills)
            if victims:
                self.kill(victims.pop())
        self.end("tills")
        self.end("firehose")
        self.finish(self.deliver_rest)
        self.finish(self.export)
        self.end("daemon")
        # The reader still looks on while the export's rows take the place of the events.
        self.finish(self.run)
        self.end("reader")
        self.finish(lambda: self.tell(*judge(self.folder / "lake", self.warehouse(), self.coming)))
        self.figures.reads = self.reads.value
        problems = self.folder / "problems"
        self.figures.problems = problems.read_text().splitlines() if problems.exists() else []
        return self.figures

    # What processes do, each after a fork.

    def clock(self) -> datetime:
        """The hour of the tills' day: it goes on when processes do not."""
        return self.coming[0].moment + timedelta(seconds=(time.time() - self.began) * self.speed)

    def ring(self) -> None:
        """Ring up what comes next, when its moment has come. What was not told of before a kill is rung up again."""
        import boto3
        from botocore.config import Config

        gateway.PAUSE, gateway.LONGEST_PAUSE = 0.02, 0.5
        # Each refusal would be a line.
        gateway.log.setLevel(logging.ERROR)
        keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any", "region_name": "us-east-1"}
        config = Config(retries={"total_max_attempts": 1}, read_timeout=10)
        client = boto3.client("firehose", endpoint_url=f"http://127.0.0.1:{self.port}", config=config, **keys)
        till = gateway.Gateway(client, NAME, self.folder / "events.db")
        Thread(target=till.keep_sending, args=(Event(),), daemon=True).start()
        while True:
            number = self.rung.value
            if number < len(self.coming) and self.coming[number].moment <= self.clock():
                till.ring(self.coming[number].event._asdict())
                self.rung.value = number + 1
            else:
                time.sleep(0.01)

    def serve(self) -> None:
        with serving(self.firehose(FAULTS), self.port):
            Event().wait()

    def start_runs(self) -> None:
        """Start a run, wait for its end, and so on; a run goes on if this is killed."""
        while True:
            self.run_pid.value = pid = forked(self.run_once, self.folder)
            os.waitpid(pid, 0)
            time.sleep(PAUSE)

    def run_once(self) -> None:
        """A run; another one may be in its way."""
        try:
            self.run()
        except Transient:
            return

    def run(self) -> None:
        build(self.warehouse())

    def read_on(self) -> None:
        """Look at each date, again and again: never is a sale there twice, a receipt half final, or its money wrong."""
        warehouse, exported = self.warehouse(), exported_lines(self.folder / "lake")
        while True:
            for day in (FIRST, DAY):
                columns = "sale_id, order_id, quantity, revenue, is_provisional"
                sql = f"SELECT {columns} FROM fact_sales WHERE date = '{day}'"
                seen = EmbeddedAthena(warehouse.storage, warehouse.catalog).query(sql).table.to_pylist()
                if [*final_wrong(seen, exported)]:
                    # The nightly export may have come since: what it tells is whole before its rows are published.
                    exported = exported_lines(self.folder / "lake")
                self.tell(*(f"{day}: {problem}" for problem in (*seen_wrong(seen), *final_wrong(seen, exported))))
            self.reads.value += 1
            time.sleep(PAUSE)

    def deliver_rest(self) -> None:
        """Send and deliver what waits, without faults."""
        calm = self.firehose(Faults())
        till = gateway.Gateway(calm, NAME, self.folder / "events.db")
        till.send()
        calm.deliver(everything=True)
        if till.waiting or calm.waiting:
            self.tell(f"{till.waiting} events wait at the gateway, {calm.waiting} in Firehose")

    def export(self) -> None:
        export_night(LocalStorage(self.folder / "lake"), FIRST, DAY, orders_per_day=self.orders_per_day)

    def firehose(self, faults: Faults) -> Firehose:
        storage = LocalStorage(self.folder / "lake")
        return Firehose(lake_stream("UTC"), storage, self.folder / "firehose.db", clock=self.clock, faults=faults)

    def warehouse(self) -> Warehouse:
        return Warehouse(retail, Settings(lake=str(self.folder / "lake"), start_date=FIRST))

    def tell(self, *problems: str) -> None:
        with (self.folder / "problems").open("a") as file:
            file.writelines(f"{problem}\n" for problem in problems)

    # What the soak does to them.

    def start(self, name: str) -> None:
        self.running[name] = forked(self.work[name], self.folder)

    def kill(self, name: str) -> None:
        """Kill a process and start it again; the next run is started by the daemon."""
        if name == "run":
            self.wait_for(lambda: is_alive(self.run_pid.value))
            with suppress(ProcessLookupError):
                os.kill(self.run_pid.value, signal.SIGKILL)
        else:
            self.end(name)
            self.start(name)
        self.figures.kills[name] += 1

    def end(self, name: str) -> None:
        pid = self.running.pop(name)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

    def wait_for(self, met: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not met():
            if time.monotonic() > deadline:
                raise TimeoutError(f"Nothing came of it in {PATIENCE} seconds.")
            time.sleep(0.01)

    def finish(self, work: Callable[[], object]) -> None:
        """Let a process do something undisturbed, once the last run is over."""
        if "daemon" not in self.running:
            self.wait_for(lambda: not is_alive(self.run_pid.value))
        _, status = os.waitpid(forked(work, self.folder), 0)
        if status:
            self.tell(f"{work} ended with {os.waitstatus_to_exitcode(status)}")


def prepared(day: date, orders_per_day: int, rng: Random) -> list[Sent]:
    """The events of a day in the order in which they are rung up: some hours late, some without a receipt."""
    coming = []
    for number, sent in enumerate(events_of(day, orders_per_day)):
        event, moment = sent.event, sent.moment
        if number % BAD == BAD - 1:
            event = event._replace(event_id=f"bad-{number}", order_id=None)  # type: ignore[arg-type]
            coming.append(Sent(moment, event))
        if rng.randrange(LATE) == 0:
            moment += timedelta(hours=rng.uniform(1, 6))
        coming.append(Sent(moment, sent.event))
    return sorted(coming, key=lambda one: (one.moment, one.event.event_id))


def forked(work: Callable[[], object], folder: Path) -> int:
    """Do something in a process of its own; what it raises is a problem. Returns its id."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        work()
        status = 0
    except BaseException:
        with (folder / "problems").open("a") as file:
            file.write(json.dumps(traceback.format_exc()) + "\n")
    finally:
        sys.stdout.flush()
        os._exit(status)


def is_alive(pid: int) -> bool:
    """Whether a process runs, and is no zombie."""
    try:
        return pid > 0 and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def told(figures: Figures) -> list[Any]:
    """The figures as lines."""
    kills = ", ".join(f"{name} {count}" for name, count in sorted(figures.kills.items()))
    counts = Counter(figures.problems)
    return [
        f"{figures.events:,} events, {figures.kills.total()} kills ({kills}), {figures.reads:,} reads",
        f"{len(counts) or 'no'} problem{'' if len(counts) == 1 else 's'}",
        *(f"- {count}× {problem}" for problem, count in counts.most_common()),
    ]
