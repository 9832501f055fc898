"""A day of tills while everything is killed; and what is wrong would be seen. `make faults` has 20 minutes of it."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from .judge import final_wrong, judge, seen_wrong
from .soak import FIRST, Soak, told

ROOT = Path(__file__).parents[2]

# One worker soaks.
pytestmark = pytest.mark.xdist_group("soak")


@pytest.fixture(scope="module")
def soaked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Soak]:
    """Four seconds of tills, a kill of each kind."""
    soak = Soak(tmp_path_factory.mktemp("soak"), seconds=4, kills=1, seed=7)
    soak.soak()
    yield soak


def test_every_event_is_accounted_for_whatever_is_killed(soaked: Soak) -> None:
    """The fact is the oracle's to the cent; no reader saw a sale twice."""
    assert soaked.figures.problems == [], told(soaked.figures)
    assert soaked.figures.kills == {"tills": 1, "firehose": 1, "daemon": 1, "run": 1}
    assert soaked.figures.reads > 0


@pytest.mark.long
@pytest.mark.parametrize("seed", [8, 9])
def test_it_holds_for_longer(seed: int) -> None:
    command = [sys.executable, "-m", "star_assets_tests.tills", "--minutes", "0.5", "--kills", "5", "--seed", f"{seed}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "20 kills (daemon 5, firehose 5, run 5, tills 5)" in done.stdout


# What a soak that sees nothing would not tell.


def problems(soaked: Soak) -> list[str]:
    return list(judge(soaked.folder / "lake", soaked.warehouse(), soaked.coming))


def test_an_event_that_is_lost_is_told(soaked: Soak, tmp_path: Path) -> None:
    lost = max((soaked.folder / "lake/oltp/pos_sales").rglob("*.gz"), key=lambda file: file.stat().st_size)
    shutil.move(lost, tmp_path / "lost")
    try:
        assert any("events are nowhere in the lake" in problem for problem in problems(soaked))
    finally:
        shutil.move(tmp_path / "lost", lost)


def test_a_cent_is_told(soaked: Soak) -> None:
    """As if the pipeline had missed a correction."""
    (file, *_) = (soaked.folder / "lake/oltp/orders").rglob(f"date={FIRST}/*.csv")
    whole = file.read_text()
    orders = list(csv.DictReader(io.StringIO(whole)))
    sold = next(order for order in orders if order["status"] == "shipped")
    file.write_text(whole.replace(f"{sold['order_id']},", "999999999,", 1))
    try:
        assert any(problem.startswith("the fact has beyond that") for problem in problems(soaked))
    finally:
        file.write_text(whole)


def test_an_event_that_never_counted_is_told(soaked: Soak) -> None:
    one = next(sent for sent in soaked.coming if sent.event.order_id is not None)
    odd = type(one)(one.moment, one.event._replace(event_id="odd", order_id=777))
    found = list(judge(soaked.folder / "lake", soaked.warehouse(), [*soaked.coming, odd]))
    assert any(problem.startswith("the fact lacks 1 rows") for problem in found)


def test_final_money_that_no_export_tells_is_told() -> None:
    line, more = ("1-1", Decimal(2), Decimal("5.00")), ("1-2", Decimal(1), Decimal("2.50"))
    exported = {"1": {frozenset({line}), frozenset({line, more})}}

    def seen(*lines: tuple[str, Decimal, Decimal], order: int = 1) -> list[dict[str, Any]]:
        names = ("sale_id", "quantity", "revenue")
        return [{**dict(zip(names, one, strict=True)), "order_id": order, "is_provisional": False} for one in lines]

    assert list(final_wrong(seen(line), exported)) == []
    assert list(final_wrong(seen(line, more), exported)) == []
    for wrong in (seen(more), seen(("1-1", Decimal(2), Decimal("5.01"))), seen(line, order=2)):
        (problem,) = final_wrong(wrong, exported)
        assert problem.startswith("1 final receipts are not what any export tells")


def test_a_sale_that_is_seen_twice_is_told() -> None:
    final = {"sale_id": "1-1", "order_id": 1, "is_provisional": False}
    event = {"sale_id": "provisional:a", "order_id": 1, "is_provisional": True}
    other = {**event, "order_id": 2}
    assert list(seen_wrong([final, other])) == []
    assert list(seen_wrong([final, event])) == ["1 receipts were seen from tills and from exports at once"]
    assert list(seen_wrong([event, event])) == ["1 keys were seen twice"]
