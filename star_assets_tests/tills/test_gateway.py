"""A store's gateway: whatever Firehose does, and whatever ends the process, each event is delivered."""

from __future__ import annotations

import ast
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from star_assets.tills import gateway as module
from star_assets.tills.firehose import MOST_RECORD_BYTES, MOST_RECORDS, Refusal
from star_assets.tills.gateway import Gateway, Pass
from star_assets.tills.server import serving

from .conftest import STREAM, Place, Serve, environment
from .ringing import __file__ as ringing

TRIES = 100


class Recorded:
    """A client that keeps what it was asked, and gives prepared answers."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.asked = list(answers), list[list[bytes]]()

    def put_record_batch(self, **request: Any) -> dict[str, Any]:
        self.asked.append([record["Data"] for record in request["Records"]])
        codes = self.answers.pop(0) if self.answers else []
        if isinstance(codes, Exception):
            raise codes
        return {"RequestResponses": [{"ErrorCode": code} for code in codes or [None] * len(self.asked[-1])]}


def rung(file: Path, client: Any, count: int) -> Gateway:
    gateway = Gateway(client, STREAM, file)
    gateway.ring(*({"n": n} for n in range(count)))
    return gateway


def sent_whole(gateway: Gateway) -> None:
    for _ in range(TRIES):
        if not gateway.waiting:
            return
        gateway.send()
    raise AssertionError(f"{gateway.waiting} events still wait")


def test_only_refused_records_are_sent_again(tmp_path: Path) -> None:
    """Sending the whole batch again would deliver its other records twice."""
    client = Recorded([None, "ServiceUnavailableException", None])
    gateway = rung(tmp_path / "events", client, 3)
    assert gateway.send() == Pass(sent=2, refused=1)
    assert gateway.send() == Pass(sent=1)
    assert client.asked[1] == [b'{"n": 1}']
    assert (gateway.waiting, gateway.send()) == (0, Pass())


def test_a_failed_call_loses_nothing(tmp_path: Path) -> None:
    """Neither what it asked for nor what would have come after it, be the failure ours, AWS's or the network's."""
    client = Recorded([], Refusal("AccessDeniedException", "not allowed"), ConnectionError())
    gateway = rung(tmp_path / "events", client, 3 * MOST_RECORDS)
    failed = gateway.send()
    assert (failed.sent, gateway.waiting) == (MOST_RECORDS, 2 * MOST_RECORDS)
    assert "AccessDeniedException" in failed.problem
    assert "ConnectionError" in gateway.send().problem
    assert gateway.send().sent == 2 * MOST_RECORDS


def test_through_a_firehose_that_fails_in_every_way(place: Place, served: Serve, tmp_path: Path) -> None:
    """Every event is delivered; those whose answer was lost twice, and so under one id."""
    firehose = place.firehose(refused=0.1, throttled=0.3, unanswered=0.3)
    with served(firehose) as client:
        gateway = rung(tmp_path / "events", client, 3000)
        sent_whole(gateway)
    assert set(place.numbers()) == set(range(3000))
    assert len(place.numbers()) > 3000


def test_what_waits_is_on_disk(place: Place, tmp_path: Path) -> None:
    """The line of a store is down for a day, and the gateway is switched off meanwhile."""
    rung(tmp_path / "events", Recorded(ConnectionError()), 5).send()
    again = Gateway(place.firehose(), STREAM, tmp_path / "events")
    assert again.waiting == 5
    sent_whole(again)
    assert place.firehose().deliver()
    assert place.numbers() == [0, 1, 2, 3, 4]


def test_an_event_that_firehose_never_takes_is_refused_at_once(tmp_path: Path) -> None:
    """In the file it would be in the way of all others for ever. None of the call's events is kept."""
    gateway = Gateway(Recorded(), STREAM, tmp_path / "events")
    with pytest.raises(ValueError, match=r"An event of 10,\d+,\d+ bytes: Firehose takes 1,024,000 at most"):
        gateway.ring({"n": 1}, {"n": "x" * 10_000_000})
    assert gateway.waiting == 0


def test_large_events_are_sent_in_several_calls(place: Place, tmp_path: Path) -> None:
    gateway = Gateway(place.firehose(), STREAM, tmp_path / "events")
    gateway.ring(*[{"n": n, "note": "x" * (MOST_RECORD_BYTES - 100)} for n in range(9)])
    assert gateway.send() == Pass(sent=9)


def test_money_is_sent_to_the_last_digit(tmp_path: Path) -> None:
    client = Recorded()
    gateway = Gateway(client, STREAM, tmp_path / "events")
    gateway.ring({"unit_price": Decimal("0.10")})
    gateway.send()
    assert client.asked == [[b'{"unit_price": "0.10"}']]


def test_it_goes_on_until_it_is_stopped(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It tells what is wrong while events wait, and pauses for longer."""
    monkeypatch.setattr(module, "PAUSE", 0.001)
    stopped, pauses = Event(), list[float]()

    def wait(seconds: float) -> bool:
        pauses.append(seconds)
        if len(pauses) == 3:
            stopped.set()
        return True

    monkeypatch.setattr(stopped, "wait", wait)
    rung(tmp_path / "events", Recorded(ConnectionError("no line")), 2).keep_sending(stopped)
    assert "2 events wait for shop-tills: ConnectionError: no line" in caplog.text
    assert len(caplog.records) == 1
    assert 0.001 <= pauses[0] <= 0.002
    assert pauses[1] == 0.001


def test_no_event_is_lost_when_a_till_is_killed(place: Place, tmp_path: Path) -> None:
    """kill -9 of the sending process, again and again, at any moment: what it had rung up is delivered."""
    told, file = list[int](), tmp_path / "events"
    with serving(place.firehose(refused=0.05, unanswered=0.05)) as address:
        for number in range(3):
            command = [sys.executable, ringing, str(file), address, str(1_000_000 * number)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as till:
                assert till.stdout is not None
                told += [int(till.stdout.readline()) for _ in range(40 + number)]
                till.kill()
                told += map(int, till.stdout.read().split())
    firehose = place.firehose()
    sent_whole(Gateway(firehose, STREAM, file))
    firehose.deliver(everything=True)
    assert set(told) <= set(place.numbers())


def test_the_file_can_be_copied_to_a_gateway() -> None:
    """A gateway in a store has Python and boto3; nobody installs Dagster there."""
    tree = ast.parse(Path(module.__file__).read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in imports for alias in node.names if isinstance(node, ast.Import)}
    names |= {node.module or "" for node in imports if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names


def test_several_processes_may_ring_while_one_sends(place: Place, tmp_path: Path) -> None:
    sender = Gateway(place.firehose(), STREAM, tmp_path / "events")
    tills = [Thread(target=rung, args=(tmp_path / "events", None, 50)) for _ in range(4)]
    for till in tills:
        till.start()
    sender.send()
    for till in tills:
        till.join()
    sent_whole(sender)
    place.firehose().deliver()
    assert place.numbers() == sorted([*range(50)] * 4)
